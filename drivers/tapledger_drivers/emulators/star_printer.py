"""A Star TSP100 behind a wire, with a lever for each thing that goes wrong; its paper is a picture."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tapledger_drivers.emulators.faults import Fault, Verb
from tapledger_drivers.emulators.paper import PaperSlip, PrintedPicture
from tapledger_drivers.emulators.star_parser import StarParser
from tapledger_drivers.emulators.wire import WIRE_VERBS, Machine, TcpWire, Wire
from tapledger_drivers.printers.raster import COLUMN_DOTS
from tapledger_drivers.printers.star_status import COUNTER_MODULUS, status_bytes

MODEL = "TSP100 emulator"
SLIPS_MAX = 200
SLIP_ROWS_MAX = 64_000
"""The longest page that a TSP100 prints."""
PRINTER_VERBS = (Verb.PAPER_OUT, Verb.NEAR_END, Verb.COVER_OPEN, Verb.CUTTER_JAM)
ROWS_AT_ONCE = 100
"""After so many rows the loop has its turn, also when printing takes no time."""

_COVER, _OFFLINE, _DRAWER = 0x20, 0x08, 0x04
_CUTTER = 0x08
_PAPER_END, _NEAR_END = 0x08, 0x04
_ASK = b"\x1b\x06\x01"
_LENGTH_FOLLOWS = 0x80


@dataclass(slots=True)
class _Strip:
    """One piece of paper, row by row."""

    number: int
    rows: list[bytes] = field(default_factory=list)
    cut: bool = False


class StarPrinterEmulator:
    """``wire`` makes a TcpWire, PtyWire or whatever carries a ``Machine``; the printer answers for the
    wire's faults too. On a network it adds to each status what a network printer adds."""

    def __init__(self, wire: Callable[[Machine], Wire] = TcpWire, columns: int = 48) -> None:
        self.columns = columns
        self.wire = wire(self)
        self.drawer_kicks = 0
        self._drawer_open = False
        self.row_delay_s = 0.0
        self.counter = 0
        self.rows_printed = 0
        self.on_change: list[Callable[[], None]] = []
        """Called after each row and each change of the levers; must not block."""
        self._strips: deque[_Strip] = deque(maxlen=SLIPS_MAX)
        self._slips_begun = 0
        self._faults: set[Verb] = set()
        self._rows_left: int | None = None
        self._automatic = False
        self._parser = StarParser(self)
        self._question = b""
        self._wake = asyncio.Event()
        self._mechanics: asyncio.Task[None] | None = None

    # ---- life ------------------------------------------------------------------------------------------
    async def start(self) -> str:
        """Switch it on and plug it in; return the address for a driver."""
        self._mechanics = asyncio.create_task(self._work())
        await self.wire.start()
        return self.wire.address

    async def close(self) -> None:
        await self.wire.close()
        if self._mechanics is not None:
            self._mechanics.cancel()
            await asyncio.gather(self._mechanics, return_exceptions=True)

    async def power_cycle(self) -> None:
        """Switch it off and on: it forgets everything, and a network line breaks."""
        self._parser.reset()
        self.counter, self._automatic, self._question = 0, False, b""
        if isinstance(self.wire, TcpWire):
            await self.wire.pull(Verb.REPLUG)

    # ---- the levers ------------------------------------------------------------------------------------
    def verbs(self) -> tuple[Verb, ...]:
        return (*WIRE_VERBS, *PRINTER_VERBS)

    def faults(self) -> tuple[Fault, ...]:
        return (*self.wire.faults(), *(Fault(verb) for verb in PRINTER_VERBS if verb in self._faults))

    async def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        if verb in PRINTER_VERBS:
            self.set_fault(verb, on)
        else:
            await self.wire.pull(verb, on=on, amount=amount)

    def set_fault(self, verb: Verb, on: bool) -> None:
        """Begin or end one of ``PRINTER_VERBS`` at once."""
        if on and verb is not Verb.NEAR_END and self._parser.in_document:
            self._parser.discard()
        (self._faults.add if on else self._faults.discard)(verb)
        self._tell_change()

    def set_paper_rows_left(self, rows: int) -> None:
        """Let the paper run out after so many more rows."""
        self._rows_left = rows

    @property
    def address(self) -> str:
        return self.wire.address

    @property
    def ready(self) -> bool:
        return not self._faults - {Verb.NEAR_END}

    @property
    def slips(self) -> list[PaperSlip]:
        """The paper that came out, the uncut one last."""
        return [self._slip(strip) for strip in self._strips]

    @property
    def unknown_commands(self) -> list[bytes]:
        return self._parser.unknown

    def _slip(self, strip: _Strip) -> PaperSlip:
        width = self.columns * COLUMN_DOTS // 8
        bits = b"".join(row[:width].ljust(width, b"\x00") for row in strip.rows)
        picture = PrintedPicture(width, len(strip.rows), bits)
        return PaperSlip(self.columns, strip.number, [picture], strip.cut)

    # ---- the interface board: takes bytes and answers at once, whatever the mechanics do ---------------
    def attached(self) -> None:
        self._question = b""

    def detached(self) -> None:
        pass

    def received(self, data: bytes) -> None:
        self._parser.feed(data)
        seen = self._question + data
        for _ in range(seen.count(_ASK)):
            self.answer("status")
        self._question = seen[-len(_ASK) + 1 :]
        self._wake.set()

    def _status(self) -> bytes:
        faults = self._faults
        status = status_bytes(
            state=(_COVER if Verb.COVER_OPEN in faults else 0)
            | (0 if self.ready else _OFFLINE)
            | (_DRAWER if self._drawer_open else 0),
            errors=_CUTTER if Verb.CUTTER_JAM in faults else 0,
            paper=(_PAPER_END if Verb.PAPER_OUT in faults else 0)
            | (_NEAR_END if Verb.NEAR_END in faults else 0),
            counter=self.counter,
        )
        if not isinstance(self.wire, TcpWire):
            return status
        return bytes([status[0], status[1] | _LENGTH_FOLLOWS]) + status[2:]

    def answer(self, question: str) -> None:
        text = f"\x1b#*,{MODEL}\n\x00".encode()
        if isinstance(self.wire, TcpWire):
            framed = b"11:B" + len(text).to_bytes(2, "big") + text + b";"
            more = framed if question == "model" else b""
            self.wire.send(self._status() + len(more).to_bytes(2, "big") + more)
        else:
            self.wire.send(text if question == "model" else self._status())

    def _tell_change(self) -> None:
        if self._automatic:
            self.answer("status")
        self._changed()

    # ---- the mechanics: print what is in the buffer while there is paper and the cover is shut ---------
    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            before = self.rows_printed
            while self.ready and self._parser.step():
                if self.rows_printed == before:
                    continue
                if self.row_delay_s or self.rows_printed - before >= ROWS_AT_ONCE:
                    await asyncio.sleep(self.row_delay_s * (self.rows_printed - before))
                    before = self.rows_printed

    def print_row(self, dots: bytes) -> None:
        if not self._strips or self._strips[-1].cut:
            self._slips_begun += 1
            self._strips.append(_Strip(self._slips_begun))
        strip = self._strips[-1]
        strip.rows.append(dots)
        del strip.rows[:-SLIP_ROWS_MAX]
        self.rows_printed += 1
        if self._rows_left is not None:
            self._rows_left -= 1
            if self._rows_left <= 0:
                self._rows_left = None
                self.set_fault(Verb.PAPER_OUT, True)
        self._changed()

    def feed(self, rows: int) -> None:
        for _ in range(min(rows, SLIP_ROWS_MAX)):
            self.print_row(b"")

    def cut(self) -> None:
        if self._strips:
            self._strips[-1].cut = True
            self._changed()

    def kick(self, drawer: int) -> None:
        del drawer
        self.drawer_kicks += 1
        self._drawer_open = True
        self._tell_change()

    def shut_drawer(self) -> None:
        """A hand pushes it in; the switch of this drawer closes when it opens."""
        self._drawer_open = False
        self._tell_change()

    def count(self) -> None:
        self.counter = (self.counter + 1) % COUNTER_MODULUS
        self._tell_change()

    def reset_counter(self) -> None:
        self.counter = 0

    def set_automatic(self, on: bool) -> None:
        self._automatic = on

    def _changed(self) -> None:
        self._wake.set()
        for listener in list(self.on_change):
            listener()
