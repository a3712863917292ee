"""The kiosk as it stands in a shop: `tapledger kiosk-browser` in a headless cage, seen through CDP."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, async_playwright, expect

from tapledger.commands.kiosk_browser import PROGRAMS
from tapledger.lab.chain import Chain
from tests.browser.conftest import missing, take_away

pytestmark = pytest.mark.asyncio(loop_scope="session")

READER = "kiosk-reader"
NOBODY = 65534
HEADLESS = {
    "WLR_BACKENDS": "headless",
    "WLR_LIBINPUT_NO_DEVICES": "1",
    "WLR_RENDERER": "pixman",
    "LIBGL_ALWAYS_SOFTWARE": "1",
}
START_S, STOP_S, LOOK_S = 60.0, 10.0, 0.05
PATIENCE_MS = 20_000


class Session:
    """One start of the command, as the unit makes it, by a user without rights."""

    def __init__(self, chain: Chain, folder: Path) -> None:
        self._port = chain.ports["shop-a"]
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self.net_log = folder / "net.json"
        """Of every request of the whole browser, not of the page alone."""

    async def command_line(self) -> list[str]:
        """Return what the product says, with two flags more by which a test can look in."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from tapledger.cli import main; main()"),
            *("kiosk-browser", "--port", str(self._port), "--json"),
            env={**os.environ, "XDG_RUNTIME_DIR": str(self._folder)},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
        *words, address = json.loads(printed)["command"]
        return [*words, "--remote-debugging-port=0", f"--log-net-log={self.net_log}", address]

    async def start(self) -> str:
        """Start it; return the address of its CDP."""
        told = self._folder / "tapledger-kiosk" / "DevToolsActivePort"
        shutil.rmtree(told.parent, ignore_errors=True)
        words = await self.command_line()
        if os.geteuid() == 0:
            rights = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            words = [*rights, *words]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), **HEADLESS}
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig", "KILL", *words),
                env={**environment, "XDG_RUNTIME_DIR": str(self._folder)},
                cwd=self._folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_S):
                while not (told.is_file() and told.read_text().count("\n")):
                    assert self._process.returncode is None, (self._folder / "log").read_text()
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            pytest.fail((self._folder / "log").read_text()[-4000:])
        return f"http://127.0.0.1:{told.read_text().splitlines()[0]}"

    def kill_chromium(self) -> None:
        """Kill the browser's first process, as a crash would."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for child in children.read_text().split():
            if "chromium" in Path(f"/proc/{child}/cmdline").read_text():
                os.kill(int(child), signal.SIGKILL)

    async def ended(self) -> None:
        assert self._process is not None
        async with asyncio.timeout(STOP_S):
            await self._process.wait()

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


@asynccontextmanager
async def started(session: Session) -> AsyncIterator[Page]:
    """Start the session and yield the one page of its browser."""
    address = await session.start()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(address)
        (context,) = browser.contexts
        (page,) = context.pages
        yield page


async def on_screen(page: Page, screen: str) -> None:
    await expect(page.locator(f'[data-screen="{screen}"]')).to_be_visible(timeout=PATIENCE_MS)


def reached(net_log: Path) -> tuple[set[str], set[str]]:
    """Return the names that the whole browser looked up, and the addresses that it sent anything to.

    Each event is a line; a browser that was killed leaves a log without its end, or with a part of it.
    """
    first, _, *lines = net_log.read_text().splitlines()
    kinds = json.loads(first.rstrip(",") + "}")["constants"]["logEventTypes"]
    lookup, connect, datagram = (
        kinds[name] for name in ("HOST_RESOLVER_MANAGER_REQUEST", "TCP_CONNECT_ATTEMPT", "UDP_BYTES_SENT")
    )
    names, addresses = set(), set()
    for line in lines[:-1]:
        if not line.startswith("{"):
            continue  # what stands after the events
        event, _ = json.JSONDecoder().raw_decode(line)
        params = event.get("params", {})
        if event["type"] == lookup and "host" in params:
            names.add(urlsplit(params["host"]).hostname or "")
        elif event["type"] == connect and "address" in params:
            addresses.add(params["address"])
        elif event["type"] == datagram:
            addresses.add(params.get("address", "a datagram's"))
    return names - {"127.0.0.1"}, addresses


async def test_a_whole_visit_and_a_crash_in_the_real_session(chain: Chain) -> None:
    for program in PROGRAMS:
        if shutil.which(program) is None:
            missing(f"{program} is not installed: make prepare")
    with tempfile.TemporaryDirectory(prefix="tk-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        session = Session(chain, folder)
        try:
            async with started(session) as page:
                await on_screen(page, "attract")
                assert await page.evaluate("matchMedia('(display-mode: fullscreen)').matches")
                assert await page.evaluate("innerWidth === screen.width && innerHeight === screen.height")
                assert await page.evaluate("history.length") == 1
                await chain.benches["shop-a"].insert(READER, "wang")
                await on_screen(page, "balance")
                await page.get_by_test_id("finish").click()
                await on_screen(page, "attract")
                await take_away(chain)
                assert await page.evaluate("history.length") == 1
                session.kill_chromium()
                await session.ended()
            names, addresses = reached(session.net_log)
            assert names <= {"~notfound"}, "what Chromium asks of others by itself finds nobody"
            assert addresses == {f"127.0.0.1:{chain.ports['shop-a']}"}
            async with started(session) as page:
                await on_screen(page, "attract")
                assert await page.evaluate("history.length") == 1
        finally:
            await session.stop()
