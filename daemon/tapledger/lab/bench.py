"""The virtual devices of one demo shop, and the UNIX socket by which its dock moves them.

They live outside the shop's daemon, so a daemon that is killed loses no card, code or paper.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from tapledger.lab.seed import DemoCard
from tapledger.web.snapshots import Dock, DockCard, DockCode, DockPrinter, DockReader, DockSlip
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator, Mute
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator

READERS = ("kiosk-reader", "till-reader")
KEPT_SLIPS = 20
SIMULATED = "simulated_reader"
"""Stands for ``pcsc`` where no pcscd can run; known to the lab's shops only."""


class Bench:
    """Readers, a scanner and a printer. ``station`` is None where no pcscd can run.

    ``cards`` and ``codes`` are what lies beside them.
    """

    def __init__(
        self,
        station: ReaderStation | None,
        first_reader: int,
        cards: list[DemoCard],
        codes: list[DockCode],
        folder: Path,
    ) -> None:
        self._station = station
        self._first_reader = first_reader
        self._cards = {card.id: card for card in cards}
        self._codes = codes
        self._lying: dict[str, str | None] = dict.fromkeys(READERS)
        self._watchers: set[asyncio.Event] = set()
        self._runner: web.AppRunner | None = None
        self.printer = EscposPrinterEmulator()
        self.scanner = SerialScannerEmulator()
        self.socket = folder / "bench.sock"

    async def start(self) -> None:
        await self.printer.start()
        self.printer.on_change.append(self._changed)
        app = web.Application()
        app.add_routes(
            [
                web.get("/live", self._live),
                web.post("/insert", self._post(self._insert)),
                web.post("/remove", self._post(self._remove)),
                web.post("/scan", self._post(self._scan)),
                web.post("/printer", self._post(self._set_printer)),
                web.get(r"/slips/{number:\d+}.png", self._picture),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.socket)).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self.scanner.unplug()
        await self.printer.close()

    def devices(self) -> list[dict[str, object]]:
        """Return the ``[[devices]]`` of daemon.toml that reach these."""
        readers: list[dict[str, object]] = []
        for place, role in enumerate(READERS):
            if self._station is None:
                readers.append({"role": role, "driver": SIMULATED, "options": {}})
            else:
                name = self._station.reader_names[self._first_reader + place]
                readers.append({"role": role, "driver": "pcsc", "options": {"reader_name": name}})
        return [
            *readers,
            {"role": "till-scanner", "driver": "serial_line", "options": {"path": self.scanner.path}},
            {
                "role": "receipt-printer",
                "driver": "escpos_tcp",
                "options": {"host": "127.0.0.1", "port": self.printer.port},
            },
        ]

    async def insert(self, reader: str, card: str) -> DemoCard:
        """Lay a card on a reader; it leaves any other reader of this shop."""
        found = self._cards[card]
        for other, lying in self._lying.items():
            if lying == card and other != reader:
                await self.remove(other)
        if self._station is not None:
            await self._station.insert(self._place(reader), found.card)
        self._lying[reader] = card
        self._changed()
        return found

    async def remove(self, reader: str) -> None:
        if self._station is not None:
            await self._station.remove(self._place(reader))
        self._lying[reader] = None
        self._changed()

    def _place(self, reader: str) -> int:
        return self._first_reader + READERS.index(reader)

    def dock(self) -> Dock:
        slips = self.printer.slips[-KEPT_SLIPS:]
        return Dock(
            readers=[DockReader(role, card) for role, card in self._lying.items()],
            cards=[DockCard(card.id, card.label) for card in self._cards.values()],
            codes=self._codes,
            printer=DockPrinter(
                paper_out=self.printer.paper_out,
                cover_open=self.printer.cover_open,
                mute=self.printer.mute is not Mute.NO,
            ),
            slips=[
                DockSlip(slip.number, slip.text(), f"/api/dock/slips/{slip.number}.png")
                for slip in reversed(slips)
            ],
        )

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher.set()

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=5.0)
        await socket.prepare(request)
        changed = asyncio.Event()
        self._watchers.add(changed)
        pushing = asyncio.create_task(self._push(socket, changed))
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self._watchers.discard(changed)
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
        return socket

    async def _push(self, socket: web.WebSocketResponse, changed: asyncio.Event) -> None:
        while not socket.closed:
            changed.clear()
            await socket.send_bytes(msgspec.json.encode(self.dock()))
            await changed.wait()

    def _post(
        self, act: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                return web.json_response(await act(await request.json()))
            except (json.JSONDecodeError, KeyError, ValueError, TypeError) as error:
                return web.json_response({"why": str(error)}, status=400)

        return handle

    async def _insert(self, body: dict[str, Any]) -> dict[str, Any]:
        await self.insert(body["reader"], body["card"])
        return {}

    async def _remove(self, body: dict[str, Any]) -> dict[str, Any]:
        await self.remove(body["reader"])
        return {}

    async def _scan(self, body: dict[str, Any]) -> dict[str, Any]:
        await self.scanner.scan(str(body["text"]))
        return {}

    async def _set_printer(self, body: dict[str, Any]) -> dict[str, Any]:
        if "paper_out" in body:
            self.printer.set_paper_out(bool(body["paper_out"]))
        if "cover_open" in body:
            self.printer.set_cover_open(bool(body["cover_open"]))
        if "mute" in body:
            self.printer.set_mute(Mute.DEAF if body["mute"] else Mute.NO)
        self._changed()
        return {}

    async def _picture(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        slip = next((slip for slip in self.printer.slips if slip.number == number), None)
        if slip is None:
            return web.Response(status=404)
        picture = await asyncio.to_thread(slip.png)
        return web.Response(body=picture, content_type="image/png")
