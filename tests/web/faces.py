"""A daemon's faces on a real socket, and a browser's view of them.

A conftest takes the fixture with ``from tests.web.faces import faces as faces``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tapledger import assets
from tapledger.app import Daemon
from tapledger.membership import sign_in
from tapledger.settings import (
    FilesSettings,
    KioskSettings,
    Settings,
    ShopSettings,
    StoreSettings,
    WebSettings,
)
from tests.store.shops import EARPHONES, Bench, card

PATIENCE_S = 10.0
PIN = "2468"
Snapshot = dict[str, Any]


def kiosk_settings(**other: float | str) -> KioskSettings:
    """Return settings as a shop has them, or with shorter times than a shop may have."""
    return KioskSettings.model_construct(**{**KioskSettings().model_dump(), **other})


class Watcher:
    """Everything a page was sent, in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.frames: list[tuple[int, Snapshot]] = []

    async def until(self, holds: Callable[[Snapshot], bool]) -> Snapshot:
        """Take frames until one holds."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame = json.loads(await self._socket.receive_str())
                self.frames.append((frame["version"], frame["snapshot"]))
                if holds(frame["snapshot"]):
                    return self.frames[-1][1]

    async def screen(self, name: str) -> Snapshot:
        """Take frames until the kiosk shows a screen; return its parts."""
        shown = await self.until(lambda snapshot: snapshot["screen"]["screen"] == name)
        screen: Snapshot = shown["screen"]
        return screen

    async def painted(self, version: int) -> None:
        await self._socket.send_str(json.dumps({"painted": version}))


class Faces:
    """One running daemon without devices, and one browser."""

    def __init__(self, bench: Bench, session: aiohttp.ClientSession) -> None:
        self.bench = bench
        self.session = session
        self.daemon: Daemon
        self.port = 0
        self._task: asyncio.Task[None] | None = None
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []

    async def start(self, kiosk: KioskSettings | None = None) -> None:
        """Start the daemon; again to restart it with other settings."""
        await self.stop()
        settings = Settings(
            shop=ShopSettings(name="Tea Hill", language="en"),
            store=StoreSettings(folder=self.bench.folder),
            files=FilesSettings(program=Path("none"), catalogue=Path("none")),
            web=WebSettings(port=0),
            kiosk=KioskSettings(),
        )
        settings = settings.model_copy(update={"kiosk": kiosk or KioskSettings()})
        self.daemon = Daemon(self.bench.shop, settings)
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self.daemon.run(started.set_result))
        both: list[asyncio.Future[Any]] = [self._task, started]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()
        self.port = started.result()
        await self._shows("console")

    async def _shows(self, face: str) -> None:
        for _ in range(10_000):
            if face in self.daemon.live.faces:
                return
            await asyncio.sleep(0.001)
        raise AssertionError(f"{face} never showed itself")

    async def stop(self) -> None:
        for socket in self._sockets:
            await socket.close()
        self._sockets.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request as our own page does, but for ``headers``; an empty value leaves one out."""
        sent = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        sent |= headers or {}
        sent = {name: value for name, value in sent.items() if value}
        url = f"http://127.0.0.1:{self.port}{path}"
        skip = [name for name in ("Content-Type",) if name not in sent]
        async with self.session.request(
            method, url, data=body, headers=sent, skip_auto_headers=skip, allow_redirects=False
        ) as answer:
            return answer.status, dict(answer.headers), await answer.read()

    async def post(self, path: str, **body: object) -> tuple[int, dict[str, Any]]:
        """Send an intent; return the status and the answer."""
        status, _, answer = await self.ask("POST", path, json.dumps(body).encode())
        return status, json.loads(answer)

    async def did(self, path: str, **body: object) -> None:
        assert await self.post(path, **body) == (200, {})

    async def watch(self, face: str) -> Watcher:
        headers = {"Origin": self.origin}
        url = f"http://127.0.0.1:{self.port}/live/{face}"
        socket = await self.session.ws_connect(url, headers=headers)
        self._sockets.append(socket)
        return Watcher(socket)

    async def sign_in(self) -> None:
        await self.did("/api/till/sign-in", staff="s-1", pin=PIN)

    async def rich_member(self, name: str = "Ann", value: str = "a") -> str:
        """Make a member with 299 points and a card."""
        member = await self.bench.join(name, card(value))
        await self.bench.buy(member, EARPHONES)
        return member


@pytest.fixture
async def faces(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Faces]:
    built = tmp_path / "built"
    (built / "assets").mkdir(parents=True)
    for page in ("kiosk", "till", "display", "console"):
        (built / f"{page}.html").write_text(f"<title>{page}</title>")
    (built / "assets" / "app.js").write_text("1;")
    monkeypatch.setattr(assets, "faces_folder", lambda: built)
    await sign_in.add_person(bench.shop, "s-1", "Cashier", "cashier", PIN)
    # Cookies of an address without a name are kept, as a browser keeps them.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        made = Faces(bench, session)
        await made.start()
        try:
            yield made
        finally:
            await made.stop()
