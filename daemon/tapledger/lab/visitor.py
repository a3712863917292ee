"""A person in front of a face, as a program: watches one feed and sends its intents."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp

PATIENCE_S = 15.0
ASK_AGAIN_S = 0.1

Snapshot = dict[str, Any]


class GaveUp(Exception):
    """What was waited for did not come; the message holds the last snapshot."""


class Visitor:
    """One face of one shop. Use as an async context manager."""

    def __init__(self, port: int, face: str) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._face = face
        self._session: aiohttp.ClientSession | None = None
        self._watching: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self.snapshot: Snapshot = {}
        self.frames = 0

    async def __aenter__(self) -> Visitor:
        self._session = aiohttp.ClientSession(
            headers={"Origin": self._base}, cookie_jar=aiohttp.CookieJar(unsafe=True)
        )
        self._watching = asyncio.create_task(self._watch(self._session))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None and self._watching is not None
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        await self._session.close()

    async def _watch(self, session: aiohttp.ClientSession) -> None:
        """Follow the feed, also across a restart of the daemon."""
        while True:
            try:
                async with session.ws_connect(f"{self._base}/live/{self._face}") as socket:
                    async for message in socket:
                        self.snapshot = json.loads(message.data)["snapshot"]
                        self.frames += 1
                        self._changed.set()
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(0.05)

    async def until(self, holds: Callable[[Snapshot], bool], what: str) -> Snapshot:
        """Wait for a snapshot of which something holds; raise ``GaveUp`` that names what did not come."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not (self.snapshot and holds(self.snapshot)):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise GaveUp(
                f"{what}; last seen: {json.dumps(self.snapshot, ensure_ascii=False)[:2000]}"
            ) from None
        return self.snapshot

    async def until_screen(self, screen: str) -> dict[str, Any]:
        """Wait for a screen of the kiosk and return it."""
        seen = await self.until(lambda s: bool(s["screen"]["screen"] == screen), f"no screen {screen}")
        return dict(seen["screen"])

    async def ask_for_member(self, text: str) -> None:
        """Ask the till for a member until the shop has heard of them from central."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not self.snapshot.get("member"):
                    await self.do("enter", text=text)
                    await asyncio.sleep(ASK_AGAIN_S)
        except TimeoutError:
            raise GaveUp(f"the shop does not hear of {text}") from None

    async def do(self, intent: str, **body: object) -> dict[str, Any]:
        """Send an intent of this face; return the problem it was answered with, empty when it was taken."""
        assert self._session is not None
        url = f"{self._base}/api/{self._face}/{intent}"
        async with self._session.post(url, json=body) as answer:
            return dict(await answer.json())
