"""All that a page can still hold of somebody: V8's heap by a snapshot over CDP, document, stores, history.

What is found is reachable: V8 collects its garbage before a snapshot. Freed memory that nobody has written
over yet is not looked at, and no script of a page can read it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from playwright.async_api import CDPSession

from tests.browser.conftest import Face

WHOLE_STRINGS = "--js-flags=--heap-snapshot-string-limit=10000000"
"""For Chromium: without it V8 shows the first 1024 characters of a string, and a frame is longer."""
KEPT = """async () => JSON.stringify({
    document: document.documentElement.outerHTML,
    fields: [...document.querySelectorAll("input, textarea")].map((field) => field.value),
    title: document.title,
    address: location.href,
    state: history.state,
    name: window.name,
    cookies: document.cookie,
    local: { ...localStorage },
    session: { ...sessionStorage },
    databases: (await indexedDB.databases()).map(({ name }) => name),
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope),
})"""
STORES = ("cookies", "local", "session", "databases", "caches", "workers", "state", "name")
"""Of what ``KEPT`` returns: what has to be empty, whoever is there."""


class Heap:
    """One snapshot of a page's heap; a node is the index of its first number in V8's flat list."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        meta = snapshot["snapshot"]["meta"]
        self.strings: list[str] = snapshot["strings"]
        self._nodes: list[int] = snapshot["nodes"]
        self._edges: list[int] = snapshot["edges"]
        self._node_size, self._edge_size = len(meta["node_fields"]), len(meta["edge_fields"])
        self._name, self._edge_count = (meta["node_fields"].index(one) for one in ("name", "edge_count"))
        self._node_types: list[str] = meta["node_types"][0]
        self._edge_types: list[str] = meta["edge_types"][0]

    def holding(self, words: Iterable[str]) -> dict[str, int]:
        """Count, for each of the words that is there at all, the strings that it is in."""
        everything = "\0".join(self.strings)
        there = [word for word in words if word in everything]
        return {word: sum(word in string for string in self.strings) for word in there}

    def kept_by(self, word: str) -> str:
        """Say what holds a string with this word: the shortest way from the roots, for people to read."""
        came: dict[int, tuple[int, str]] = {0: (0, "")}
        firsts, queue = self._firsts(), deque([0])
        while queue:
            node = queue.popleft()
            if self._is_string(node) and word in self._label(node):
                return " ← ".join(self._way(node, came))
            for edge in range(firsts[node], firsts[node + self._node_size], self._edge_size):
                kind, name, to = self._edges[edge : edge + 3]
                if to not in came and self._edge_types[kind] != "weak":
                    named = self._edge_types[kind] not in ("element", "hidden")
                    came[to] = (node, self.strings[name] if named else f"[{name}]")
                    queue.append(to)
        return "no way found"

    def _firsts(self) -> dict[int, int]:
        """Return where each node's edges begin; they lie one node behind the other."""
        firsts, at = {}, 0
        for node in range(0, len(self._nodes), self._node_size):
            firsts[node] = at
            at += self._nodes[node + self._edge_count] * self._edge_size
        firsts[len(self._nodes)] = at
        return firsts

    def _is_string(self, node: int) -> bool:
        return "string" in self._node_types[self._nodes[node]]

    def _label(self, node: int) -> str:
        label: str = self.strings[self._nodes[node + self._name]]
        return label

    def _way(self, node: int, came: dict[int, tuple[int, str]]) -> Iterator[str]:
        while node:
            parent, edge = came[node]
            yield f"{self._label(node)[:60]} as {edge[:40]}"
            node = parent


class Watch:
    """Looks into one page through CDP. ``open`` it before the page has heard of anybody."""

    def __init__(self, face: Face, cdp: CDPSession) -> None:
        self._face = face
        self._cdp = cdp
        self._chunks: list[str] = []
        cdp.on("HeapProfiler.addHeapSnapshotChunk", lambda event: self._chunks.append(event["chunk"]))

    @staticmethod
    async def open(face: Face) -> Watch:
        cdp = await face.page.context.new_cdp_session(face.page)
        await cdp.send("HeapProfiler.enable")
        return Watch(face, cdp)

    async def heap(self) -> Heap:
        self._chunks.clear()
        await self._cdp.send("HeapProfiler.collectGarbage")
        await self._cdp.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
        return Heap(json.loads("".join(self._chunks)))

    async def heap_bytes(self) -> int:
        """Return the size of what is left on the heap after a collection."""
        await self._cdp.send("HeapProfiler.collectGarbage")
        usage = await self._cdp.send("Runtime.getHeapUsage")
        return int(usage["usedSize"])

    async def kept(self) -> dict[str, Any]:
        """Return what the page has outside of its scripts; see ``KEPT``, and its history."""
        kept = json.loads(await self._face.page.evaluate(KEPT))
        history = await self._cdp.send("Page.getNavigationHistory")
        return {**kept, "history": [[entry["url"], entry["title"]] for entry in history["entries"]]}
