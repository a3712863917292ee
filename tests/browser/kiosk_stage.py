"""The kiosk's built page on a stage: it is given snapshots and says when it painted them."""

from __future__ import annotations

import asyncio
import json
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import Browser, ConsoleMessage, Page, Route, WebSocketRoute

from tapledger.assets import faces_folder
from tapledger.web.guard import HEADERS
from tapledger.web.kiosk_snapshots import Kiosk
from tests.browser.accessibility import AXE

ADDRESS = "http://localhost:9"
AXE_RUN = """async (rules) => (await axe.run(document, rules ? { runOnly: rules } : {})).violations.flatMap(
    ({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`))"""
DRAWN = """([screen, language]) => document.documentElement.lang === language
    && document.querySelector(`[data-screen="${screen}"]:not([data-feed])`)"""
NOT_AS_BUILT = """() => {
    const found = [];
    const not_read = ".warm-up, .watermark, .visually-hidden";
    const seen = (element) => element.checkVisibility() && !element.closest(not_read);
    const name = (element) => element.dataset.testid || element.className || element.tagName;
    const box = (element) => element.getBoundingClientRect();
    const dialog = document.querySelector(".dialog");
    const main = dialog ?? document.querySelector("main");

    for (const part of document.querySelectorAll("button, .reading, .acting, .notice, .dialog")) {
        const { left, top, right, bottom } = box(part);
        const contents = getComputedStyle(part).display === "contents";
        if (!seen(part) || contents) continue;
        if (left < -0.5 || top < -0.5 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5
            || part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 1)
            found.push(`cut off: ${name(part)}`);
    }

    const buttons = [...main.querySelectorAll("button")].filter(
        (button) => seen(button) && getComputedStyle(button).visibility === "visible");
    for (const button of buttons) {
        const { width, height, top } = box(button);
        const keys = button.closest(".digits") && innerHeight < 600;
        if (width < 71.5 || height < 71.5) found.push(`small: ${name(button)} ${width}x${height}`);
        if (!dialog && !keys && top < innerHeight * 0.45 - 1) found.push(`out of reach: ${name(button)}`);
    }
    for (const [place, one] of buttons.entries()) for (const other of buttons.slice(place + 1)) {
        const [a, b] = [box(one), box(other)];
        const gap = Math.max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom);
        if (gap < 15.5) found.push(`${gap} px between ${name(one)} and ${name(other)}`);
    }

    const words = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
    for (let node = words.nextNode(); node; node = words.nextNode()) {
        const holder = node.parentElement;
        if (node.textContent.trim() && seen(holder) && !holder.closest(".whole")
            && parseFloat(getComputedStyle(holder).fontSize) < 23.9)
            found.push(`hard to read: ${node.textContent}`);
    }
    return found;
}"""


Intent = tuple[str, Any]
"""Which one, and its JSON body."""


class Stage:
    """One page; ``complaints`` are what its browser did not like."""

    def __init__(self, page: Page, dist: Path) -> None:
        self.page = page
        self._intents: list[Intent] = []
        self._asked = asyncio.Event()
        self.complaints: list[str] = []
        self._dist = dist
        self._socket: asyncio.Future[WebSocketRoute] = asyncio.get_running_loop().create_future()
        self._painted = asyncio.Event()
        self._version = 0

    async def open(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        await self.page.route(f"{ADDRESS}/**", self._serve)
        await self.page.route_web_socket("**/live/kiosk", self._connected)
        await self.page.goto(f"{ADDRESS}/kiosk.html")
        await self._socket

    async def show(self, kiosk: Kiosk) -> None:
        """Return once the browser has painted the snapshot."""
        self._version += 1
        self._painted.clear()
        frame: dict[str, Any] = {"version": self._version, "snapshot": msgspec.to_builtins(kiosk)}
        (await self._socket).send(json.dumps(frame))
        await asyncio.wait_for(self._painted.wait(), timeout=10)
        # The first of a language waits for its texts.
        screen = frame["snapshot"]["screen"]["screen"]
        await self.page.wait_for_function(DRAWN, arg=[screen, kiosk.language], timeout=10_000)

    async def asked(self, count: int) -> list[Intent]:
        """Return what the page has asked for since the last call, once that is as many as this."""
        async with asyncio.timeout(10):
            while len(self._intents) < count:
                self._asked.clear()
                await self._asked.wait()
        asked, self._intents = self._intents, []
        return asked

    async def not_as_built(self) -> list[str]:
        """Name what is cut off, too small to read or press, too high to reach, or too near another button."""
        return [str(fault) for fault in await self.page.evaluate(NOT_AS_BUILT)]

    async def violations(self, *rules: str) -> list[str]:
        """Return what axe-core finds, by all its rules or by these."""
        if not await self.page.evaluate("() => 'axe' in window"):
            await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        return [str(fault) for fault in await self.page.evaluate(AXE_RUN, list(rules) or None)]

    async def press(self, test_id: str) -> None:
        """Press a button once the page has settled, as the pointer does."""
        await self.page.get_by_test_id(test_id).click()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _connected(self, socket: WebSocketRoute) -> None:
        socket.on_message(self._said)
        self._socket.set_result(socket)

    def _said(self, message: str | bytes) -> None:
        if json.loads(message)["painted"] >= self._version:
            self._painted.set()

    async def _serve(self, route: Route) -> None:
        path = route.request.url.removeprefix(ADDRESS)
        if path.startswith("/api/kiosk/"):
            self._intents.append((path.removeprefix("/api/kiosk/"), route.request.post_data_json))
            self._asked.set()
            await route.fulfill(status=204)
            return
        kind = mimetypes.guess_type(path)[0] or "text/plain"
        body = (self._dist / path.lstrip("/")).read_bytes()
        await route.fulfill(body=body, content_type=kind, headers=dict(HEADERS))


@asynccontextmanager
async def on_stage(browser: Browser, size: tuple[int, int]) -> AsyncIterator[Stage]:
    """Open the page in a window of this size, motion unwelcome so that every picture is the same."""
    dist = faces_folder()
    assert dist is not None, "the faces are not built: make ui"
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
    )
    stage = Stage(await context.new_page(), dist)
    await stage.open()
    yield stage
    await context.close()
