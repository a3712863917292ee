"""A whole demo chain and a real Chromium, one of each for all browser tests of a process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    async_playwright,
)

from tapledger import texts
from tapledger.assets import faces_folder
from tapledger.lab.chain import Chain
from tapledger.lab.visitor import Snapshot, Visitor
from tapledger.web import guard

PICTURES = Path(os.environ.get("PICTURES", "test-output/pictures"))
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KIOSK, TILL, PHONE = (1080, 1920), (1366, 768), (360, 780)
POLICY = guard.HEADERS["Content-Security-Policy"]
BRIEF = {"trouble_s": 1.0, "goodbye_s": 0.3}
"""Settings of the kiosk for tests, which cannot wait as long as a member may."""


def missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@asynccontextmanager
async def running_chain(
    offers: Path | None = None, kiosk: Mapping[str, float | str] = BRIEF
) -> AsyncIterator[Chain]:
    """Yield central and two shops on free ports, seeded, with virtual devices."""
    with tempfile.TemporaryDirectory(prefix="tapledger-browser-") as folder:
        running = Chain(Path(folder), (0, 0, 0), lambda sentence: None, dict(kiosk), offers)
        await running.start()
        try:
            if running.station is None:
                missing("the browser walk needs a real pcscd")
            yield running
        finally:
            await running.stop()


TORN = "torn"
"""Leaves while it is read, by itself."""


async def take_away(chain: Chain, role: str = "kiosk-reader", shop: str = "shop-a") -> None:
    """Take the card off a reader and wait until pcscd has seen it go: it looks every 0.4 s, and what comes
    and goes in between is for it one card that lies there."""
    bench = chain.benches[shop]

    def gone(snapshot: Snapshot) -> bool:
        reader = next(device for device in snapshot["devices"] if device["role"] == role)
        return bool(reader["last_event"].endswith(texts.say(snapshot["language"], "device.event.removed")))

    if bench.devices[role].card is None:
        return
    async with Visitor(chain.ports[shop], "console") as console:
        if bench.devices[role].card != TORN:
            await console.until(lambda snapshot: not gone(snapshot), "the card was never seen")
        await bench.remove(role)
        await console.until(gone, "the card is still on the reader")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chain() -> AsyncIterator[Chain]:
    async with running_chain() as running:
        yield running


@asynccontextmanager
async def running_browser(*more_flags: str) -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        missing("Chromium is not installed")
    if faces_folder() is None:
        missing("the faces are not built: make ui")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *more_flags])
        yield launched
        await launched.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


class Face:
    """One page of one shop, with everything it complained of, asked others for, and might have kept."""

    def __init__(self, page: Page, origin: str, context: BrowserContext) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        """Addresses elsewhere that were asked for."""
        self.cacheable: list[str] = []
        """Addresses whose answers a browser may write to its disk."""
        self._hosts = (f"{origin}/", f"{origin.replace('http', 'ws', 1)}/", "data:", "about:blank")
        self._context = context
        page.on("console", lambda message: self._heard(message))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("websocket", lambda socket: self._asked(socket.url))
        context.on("request", lambda request: self._asked(request.url))
        context.on("response", lambda response: self._answered(response))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, url: str) -> None:
        if not url.startswith(self._hosts):
            self.foreign.append(url)

    def _answered(self, response: Response) -> None:
        if response.headers.get("cache-control") != "no-store" and not response.url.startswith("data:"):
            self.cacheable.append(response.url)

    def at(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    async def press_at_once(self, *keys: str) -> None:
        """Press keys before any of them can be answered."""
        await self.page.evaluate(
            """(keys) => keys.forEach((key) => document.activeElement.dispatchEvent(
                new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))""",
            list(keys),
        )

    async def picture(self, name: str) -> Path:
        """Save a screenshot; README shows those that were saved with PICTURES=docs/pictures."""
        path = PICTURES / f"{name}.png"
        await self.page.screenshot(path=path)
        return path

    async def close(self) -> None:
        """Close the page; whatever a test was about, its page asked nobody but its own shop."""
        await self._context.close()
        assert self.foreign == []


async def open_face(browser: Browser, port: int, face: str, size: tuple[int, int]) -> Face:
    """Open a face as its own visitor: no cookie or storage of any other page."""
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = await context.new_page()
    origin = f"http://localhost:{port}"
    opened = Face(page, origin, context)
    answer = await page.goto(f"{origin}/{face}")
    assert answer is not None and answer.headers["content-security-policy"] == POLICY
    return opened
