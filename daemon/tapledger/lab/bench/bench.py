"""The virtual devices of one demo shop, and the UNIX socket by which dock and command line move them.

They live outside the shop's daemon, so a daemon that is killed loses no card, code or paper.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from aiohttp import WSMsgType, web

from tapledger.errors import Invalid, NotFound, TapledgerError
from tapledger.lab.bench import line as lines
from tapledger.lab.bench.counter import BenchPrinter, BenchScanner, EscposTcpPrinter, PrinterDrawer
from tapledger.lab.bench.device import BenchDevice
from tapledger.lab.bench.readers import BenchReader
from tapledger.lab.network import FaultProxy
from tapledger.lab.seed import DemoCard
from tapledger.web.snapshots import Dock, DockCard, DockCode, DockNetwork, DockSlip, NetworkChoice
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator

KEPT_SLIPS = 20
LOOK_S = 0.25
"""How often devices are looked at for what changed by itself: a drawer that opened, a fault that is over."""
PUSH_EVERY_S = 0.05
"""At most so often: a slip is many rows."""
SCAN_CHARACTERS_MAX = 100_000

D = TypeVar("D", bound=BenchDevice)
B = TypeVar("B", bound=msgspec.Struct)


class InsertBody(msgspec.Struct, forbid_unknown_fields=True):
    reader: str
    card: str


class RemoveBody(msgspec.Struct, forbid_unknown_fields=True):
    reader: str


class ScanBody(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    scanner: str = ""
    """Empty: the first of this shop."""


class ShutBody(msgspec.Struct, forbid_unknown_fields=True):
    drawer: str


class FaultBody(msgspec.Struct, forbid_unknown_fields=True):
    device: str
    verb: str
    on: bool = True
    amount: int | None = None


class NetworkBody(msgspec.Struct, forbid_unknown_fields=True):
    state: NetworkChoice


class Bench:
    """The devices of one shop; ``cards`` and ``codes`` are what lies beside them, ``line`` is its line to
    central, which is somebody else's to start and to close."""

    def __init__(
        self,
        devices: Sequence[BenchDevice],
        cards: list[DemoCard],
        codes: list[DockCode],
        folder: Path,
        line: FaultProxy | None = None,
    ) -> None:
        self.devices = {device.role: device for device in devices}
        self._readers = [device for device in devices if isinstance(device, BenchReader)]
        self._scanners = [device for device in devices if isinstance(device, BenchScanner)]
        self._printers = [device for device in devices if isinstance(device, BenchPrinter)]
        self._cards = {card.id: card for card in cards}
        self._codes = codes
        self._line = line
        self._watchers: set[asyncio.Event] = set()
        self._looking: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self.socket = folder / "bench.sock"

    @property
    def printer(self) -> EscposPrinterEmulator:
        """The printer of a shop that prints text."""
        (printer,) = (one for one in self._printers if isinstance(one, EscposTcpPrinter))
        return printer.emulator

    @property
    def scanner(self) -> SerialScannerEmulator:
        return self._scanners[0].emulator

    async def start(self) -> None:
        for device in self.devices.values():
            await device.start()
        for printer in self._printers:
            printer.printer.on_change.append(self._changed)
        app = web.Application()
        app.add_routes(
            [
                web.get("/live", self._live),
                web.get("/state", self._state),
                web.post("/insert", _post(InsertBody, lambda body: self.insert(body.reader, body.card))),
                web.post("/remove", _post(RemoveBody, lambda body: self.remove(body.reader))),
                web.post("/scan", _post(ScanBody, lambda body: self.scan(body.text, body.scanner))),
                web.post("/fault", _post(FaultBody, self._fault)),
                web.post("/network", _post(NetworkBody, lambda body: self.network(body.state))),
                web.post("/shut", _post(ShutBody, lambda body: self.shut(body.drawer))),
                web.get(r"/slips/{number:\d+}.png", self._picture),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.socket)).start()
        self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()
        for device in self.devices.values():
            await device.close()

    # ---- what can be done to the devices ---------------------------------------------------------------
    async def insert(self, reader: str, card: str) -> None:
        """Lay a card on a reader; it leaves any other reader of this shop."""
        found, place = self._cards.get(card), self._device(reader, self._readers)
        if found is None:
            raise NotFound("DOCK_NO_CARD", card=card, known=", ".join(self._cards))
        for other in self._readers:
            if other.card == card and other is not place:
                await other.take()
        await place.lay(found)
        self._changed()

    async def remove(self, reader: str) -> None:
        await self._device(reader, self._readers).take()
        self._changed()

    async def scan(self, text: str, scanner: str = "") -> None:
        if len(text) > SCAN_CHARACTERS_MAX:
            raise Invalid("DOCK_SCAN_TOO_LONG", highest=SCAN_CHARACTERS_MAX)
        place = self._device(scanner, self._scanners) if scanner else self._scanners[0]
        await place.emulator.scan(text)

    async def shut(self, drawer: str) -> None:
        """Push a drawer in."""
        drawers = [one for one in self.devices.values() if isinstance(one, PrinterDrawer)]
        self._device(drawer, drawers).shut()
        self._changed()

    async def network(self, state: NetworkChoice) -> None:
        """Make the line to central good, or bad in one of its ways."""
        if self._line is None:
            raise NotFound("DOCK_NO_NETWORK")
        await self._line.set(lines.CHOICES[state])
        self._changed()

    async def pull(self, role: str, verb: str, *, on: bool = True, amount: int | None = None) -> None:
        """Begin a fault of a device, or end it."""
        try:
            await self._device(role, self.devices.values()).pull(verb, on, amount)
        finally:
            self._changed()

    async def _fault(self, body: FaultBody) -> None:
        await self.pull(body.device, body.verb, on=body.on, amount=body.amount)

    def _device(self, role: str, among: Iterable[D]) -> D:
        known = {device.role: device for device in among}
        if role not in known:
            raise NotFound("DOCK_NO_DEVICE", device=role, known=", ".join(known))
        return known[role]

    # ---- what is shown ---------------------------------------------------------------------------------
    def dock(self) -> Dock:
        slips = [slip for printer in self._printers for slip in printer.printer.slips[-KEPT_SLIPS:]]
        return Dock(
            devices=[device.view() for device in self.devices.values()],
            cards=[DockCard(card.id, card.label) for card in self._cards.values()],
            codes=self._codes,
            slips=[
                DockSlip(slip.number, slip.text(), f"/api/dock/slips/{slip.number}.png")
                for slip in reversed(slips)
            ],
            network=self._network(),
        )

    def _network(self) -> DockNetwork | None:
        return None if self._line is None else lines.view(self._line)

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher.set()

    async def _look(self) -> None:
        """See what changes without anybody's hand here."""
        before = None
        while True:
            for device in self.devices.values():
                await device.look()
            now = ([device.view() for device in self.devices.values()], self._network())
            if now != before:
                before = now
                self._changed()
            await asyncio.sleep(LOOK_S)

    async def _state(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=msgspec.json.encode(self.dock()), content_type="application/json")

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
            await asyncio.sleep(PUSH_EVERY_S)
            await changed.wait()

    async def _picture(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        slips = (slip for printer in self._printers for slip in printer.printer.slips)
        slip = next((slip for slip in slips if slip.number == number), None)
        if slip is None:
            return web.Response(status=404)
        picture = await asyncio.to_thread(slip.png)
        return web.Response(body=picture, content_type="image/png")


def _post(
    kind: type[B], act: Callable[[B], Awaitable[None]]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Read a body and act; an error goes back as its code and figures, and who asked puts it into words."""

    async def handle(request: web.Request) -> web.Response:
        try:
            try:
                body = msgspec.json.decode(await request.read(), type=kind)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise Invalid("BODY_INVALID", why=str(error)) from error
            await act(body)
        except TapledgerError as error:
            return web.json_response({"code": error.code, "data": error.data}, status=400)
        return web.json_response({})

    return handle
