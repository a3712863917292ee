"""A whole demo chain and a real Chromium, one of each for all browser tests of a process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, async_playwright

from tapledger.assets import faces_folder
from tapledger.lab.chain import Chain

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


def _missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@asynccontextmanager
async def running_chain(offers: Path | None = None) -> AsyncIterator[Chain]:
    """Yield central and two shops on free ports, seeded, with virtual devices."""
    with tempfile.TemporaryDirectory(prefix="tapledger-browser-") as folder:
        brief = {"trouble_s": 1.0, "goodbye_s": 0.3}
        running = Chain(Path(folder), (0, 0, 0), lambda sentence: None, brief, offers)
        await running.start()
        try:
            if running.station is None:
                _missing("the browser walk needs a real pcscd")
            yield running
        finally:
            await running.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chain() -> AsyncIterator[Chain]:
    async with running_chain() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        _missing("Chromium is not installed")
    if faces_folder() is None:
        _missing("the faces are not built: make ui")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        await launched.close()


class Face:
    """One page of one shop, with everything it complained of."""

    def __init__(self, page: Page, complaints: list[str], context: BrowserContext) -> None:
        self.page = page
        self.complaints = complaints
        self._context = context

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
        await self._context.close()


async def open_face(browser: Browser, port: int, face: str, size: tuple[int, int]) -> Face:
    """Open a face as its own visitor: no cookie or storage of any other page."""
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = await context.new_page()
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
    await page.goto(f"http://localhost:{port}/{face}")
    return Face(page, complaints, context)
