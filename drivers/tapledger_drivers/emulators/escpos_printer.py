"""An ESC/POS receipt printer on a wire, with a lever for each thing that goes wrong."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable

from tapledger_drivers.emulators.escpos_models import MODELS, Condition, Word
from tapledger_drivers.emulators.escpos_parser import EscposParser
from tapledger_drivers.emulators.faults import Fault, Verb
from tapledger_drivers.emulators.paper import PaperSlip, Printed, PrintedPicture
from tapledger_drivers.emulators.wire import WIRE_VERBS, Machine, TcpWire, Wire
from tapledger_drivers.printers.code_pages import GBK, CodePage

SLIPS_MAX = 200
BUFFER_BYTES = 64 * 1024
RECEIVED_BYTES_MAX = 1024 * 1024
POWER_OFF_S = 0.3
STEPS_AT_ONCE = 64
KEYS_AT_ONCE = 40

_STATUS_QUESTION = b"\x10\x04"
_PULSE = b"\x10\x14\x01"
_PULSE_BYTES = 5
_CLEAR_QUESTION = bytes.fromhex("10140801031401060208")
_CLEARED = bytes.fromhex("372500")


class Mute(enum.StrEnum):
    NO = "no"
    DEAF = "deaf"
    """Accepts the connection and never reads a byte."""
    SILENT = "silent"
    """Reads and prints, and never answers."""


class EscposPrinterEmulator:
    """``slips`` is the paper that came out, the uncut one last. ``model`` is a name of ``MODELS``."""

    def __init__(
        self,
        columns: int = 48,
        *,
        model: str = "epson",
        wire: Callable[[Machine], Wire] = TcpWire,
        code_page: CodePage = GBK,
        buffer_bytes: int = BUFFER_BYTES,
    ) -> None:
        self.columns = columns
        self.model = MODELS[model]
        self.wire = wire(self)
        self.slips: list[PaperSlip] = []
        self.slips_begun = 0
        self.drawer_kicks = 0
        self.line_delay_s = 0.0
        self.received_bytes = bytearray()
        """What came since the line was opened, the newest ``RECEIVED_BYTES_MAX`` of it."""
        self.on_change: list[Callable[[], None]] = []
        """Called after anything changed on the paper or the levers; must not block."""
        self.after_line: Callable[[], Awaitable[None]] | None = None
        """Awaited after each printed line and each cut, before the next."""
        self.condition = Condition()
        self.buffer_bytes = buffer_bytes
        self._mute = Mute.NO
        self._lines_left: int | None = None
        self._jams_at_cut = False
        self._bytes_until_mute: int | None = None
        self.powered = True
        self._automatic_on = False
        self._automatic_said = b""
        self._automatic_count = 0
        self._line_done = False
        self._unscanned = bytearray()
        self._parser = EscposParser(columns, self, code_page)
        self._keys_untold: list[bytes] = []
        self._wake = asyncio.Event()
        self._asleep = True
        self._mechanics: asyncio.Task[None] | None = None

    # ---- the levers ------------------------------------------------------------------------------------
    def set_paper_out(self, value: bool) -> None:
        self.condition.paper_out = value
        self._lines_left = None
        self._changed()

    def set_paper_lines_left(self, lines: int) -> None:
        """Let the paper run out after so many more lines."""
        self._lines_left = lines

    def set_near_end(self, value: bool) -> None:
        self.condition.near_end = value
        self._changed()

    def set_cover_open(self, value: bool) -> None:
        self.condition.cover_open = value
        self._changed()

    def set_cutter_jam(self, value: bool) -> None:
        self.condition.cutter_error = value
        self._jams_at_cut = False
        self._changed()

    def jam_at_next_cut(self) -> None:
        """Stay well until the knife moves."""
        self._jams_at_cut = True

    def set_overheated(self, value: bool) -> None:
        self.condition.overheated = value
        self._changed()

    def set_memory_full(self, value: bool) -> None:
        """Take no more logos."""
        self._parser.memory_full = value

    def set_drawer_open(self, value: bool) -> None:
        self.condition.drawer_open = value
        self._changed()

    def set_mute(self, mute: Mute) -> None:
        self._mute = mute
        self.wire.hold(mute is Mute.DEAF)
        self._changed()

    def mute_after(self, byte_count: int) -> None:
        """Fall silent after so many more bytes from the host."""
        self._bytes_until_mute = byte_count

    async def power_cycle(self, off_s: float = POWER_OFF_S) -> None:
        """Switch off and on: what was not printed is forgotten. A serial line stays up meanwhile."""
        drops_line = isinstance(self.wire, TcpWire)
        self.powered = self._automatic_on = False
        self._automatic_count = 0
        self._unscanned.clear()
        self._parser.clear()
        if drops_line:
            await self.wire.pull(Verb.UNPLUG)
        await asyncio.sleep(off_s)
        self.powered = True
        if drops_line:
            await self.wire.pull(Verb.REPLUG)
        self._changed()

    @property
    def mute(self) -> Mute:
        return self._mute

    @property
    def logos(self) -> dict[bytes, PrintedPicture]:
        """What is in its memory, by key."""
        return self._parser.logos

    @property
    def unknown_commands(self) -> list[bytes]:
        return self._parser.unknown

    @property
    def ready(self) -> bool:
        return self.condition.ready

    @property
    def idle(self) -> bool:
        """Whether nothing is left that could still come out."""
        return self._parser.waiting == 0

    @property
    def at_rest(self) -> bool:
        """Whether nothing comes out any more as things are: what is left is half a command, if anything."""
        return self._asleep and not self._wake.is_set()

    def verbs(self) -> tuple[Verb, ...]:
        return (Verb.PAPER_OUT, Verb.NEAR_END, Verb.COVER_OPEN, Verb.CUTTER_JAM, *WIRE_VERBS)

    def faults(self) -> tuple[Fault, ...]:
        condition = self.condition
        own = {
            Verb.PAPER_OUT: condition.paper_out,
            Verb.NEAR_END: condition.near_end,
            Verb.COVER_OPEN: condition.cover_open,
            Verb.CUTTER_JAM: condition.cutter_error,
        }
        return (*(Fault(verb) for verb, on in own.items() if on), *self.wire.faults())

    async def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        """Begin or end a fault; ``paper_out`` with an amount: after so many more lines."""
        match verb:
            case Verb.PAPER_OUT if on and amount:
                self.set_paper_lines_left(amount)
            case Verb.PAPER_OUT:
                self.set_paper_out(on)
            case Verb.NEAR_END:
                self.set_near_end(on)
            case Verb.COVER_OPEN:
                self.set_cover_open(on)
            case Verb.CUTTER_JAM:
                self.set_cutter_jam(on)
            case _:
                await self.wire.pull(verb, on=on, amount=amount)

    # ---- life ------------------------------------------------------------------------------------------
    async def start(self, port: int = 0) -> int:
        """Plug it in and return its TCP port, a free one unless told; 0 on another wire."""
        if isinstance(self.wire, TcpWire):
            self.wire.port = port
        await self.wire.start()
        self._mechanics = asyncio.create_task(self._work())
        return self.port

    async def close(self) -> None:
        if self._mechanics is not None:
            self._mechanics.cancel()
            await asyncio.gather(self._mechanics, return_exceptions=True)
        await self.wire.close()

    @property
    def port(self) -> int:
        return self.wire.port if isinstance(self.wire, TcpWire) else 0

    @property
    def address(self) -> str:
        return self.wire.address

    # ---- the interface board: takes bytes and answers at once, whatever the mechanics do ---------------
    def attached(self) -> None:
        self.received_bytes.clear()

    def detached(self) -> None:
        """A printer keeps what it was sent, half a command too."""

    def received(self, data: bytes) -> None:
        if not self.powered:
            return
        self._count_down_to_mute(len(data))
        self.received_bytes += data
        del self.received_bytes[:-RECEIVED_BYTES_MAX]
        self._parser.feed(data)
        self._unscanned += data
        self._answer_at_once()
        if self._parser.waiting > self.buffer_bytes:
            self.wire.hold(True)
        self._wake.set()

    def _count_down_to_mute(self, count: int) -> None:
        if self._bytes_until_mute is not None:
            self._bytes_until_mute -= count
            if self._bytes_until_mute <= 0:
                self._bytes_until_mute = None
                self.set_mute(Mute.SILENT)

    def _answer_at_once(self) -> None:
        """Answer real-time questions, as printers do wherever such bytes stand."""
        unscanned, at = self._unscanned, 0
        while (at := unscanned.find(b"\x10", at)) >= 0:
            rest = bytes(unscanned[at : at + len(_CLEAR_QUESTION)])
            if rest[:2] == _STATUS_QUESTION and len(rest) >= 3:
                self._answer_status(rest[2])
            elif rest[:3] == _PULSE and len(rest) >= _PULSE_BYTES:
                self.kicked(rest[3])
            elif rest == _CLEAR_QUESTION and self.model.clears:
                self._parser.clear()
                self._parser.feed(bytes(unscanned[at + len(_CLEAR_QUESTION) :]))
                self._send(_CLEARED)
            elif _is_incomplete(rest):
                break
            at += 1
        del unscanned[: at if at >= 0 else len(unscanned)]

    def _answer_status(self, number: int) -> None:
        if self.model.status is Word.TRUE:
            self._send(bytes([self.condition.answer(number)]))
        elif self.model.status is Word.CONSTANT:
            self._send(bytes([Condition().answer(number)]))

    def _send(self, data: bytes) -> None:
        if self._mute is Mute.NO and self.powered:
            self.wire.send(data)

    # ---- the mechanics: print what is in the buffer while there is paper and the cover is shut ---------
    async def _work(self) -> None:
        while True:
            self._asleep = True
            await self._wake.wait()
            self._asleep = False
            self._wake.clear()
            steps = 0
            while self.ready and self.powered and self._parser.step():
                steps += 1
                if self._line_done:
                    self._line_done = False
                    if self.after_line is not None:
                        await self.after_line()
                    if self.line_delay_s:
                        await asyncio.sleep(self.line_delay_s)
                if steps % STEPS_AT_ONCE == 0:
                    await asyncio.sleep(0)
                if self._parser.waiting <= self.buffer_bytes and self._mute is not Mute.DEAF:
                    self.wire.hold(False)

    def printed(self, printed: Printed) -> None:
        if not self.slips or self.slips[-1].cut:
            self.slips_begun += 1
            self.slips.append(PaperSlip(self.columns, number=self.slips_begun))
            del self.slips[:-SLIPS_MAX]
        self.slips[-1].content.append(printed)
        self._line_done = True
        if self._lines_left is not None:
            self._lines_left -= 1
            if self._lines_left <= 0:
                self.condition.paper_out, self._lines_left = True, None
        self._changed()

    def cut(self) -> None:
        if self._jams_at_cut:
            self.set_cutter_jam(True)
        elif self.slips and not self.slips[-1].cut:
            self.slips[-1].cut = True
            self._line_done = True
            self._changed()

    def asked(self, command: bytes) -> None:
        match command[:2]:
            case b"\x1dr" if self.model.gs_r:
                self._send(b"\x00" if not self.condition.near_end else b"\x03")
            case b"\x1dI" if self.model.texts is not None:
                if (text := self.model.texts.get(command[2])) is not None:
                    self._send(b"_" + text.encode("ascii") + b"\0")
            case b"\x1da" if self.model.automatic:
                self._automatic_on = command[2] != 0
                self._automatic_said = b""
                self._say_automatically()
            case b"\x1d(" if command[2:3] == b"H" and self.model.process_id:
                self._send(b"\x37\x22" + command[7:11] + b"\0")
            case b"\x1d(" if command[2:3] == b"L" and self.model.process_id:
                self._keys_untold = list(self.logos)
                self._tell_keys()
            case b"\x06" if self._keys_untold:
                self._tell_keys()

    def _tell_keys(self) -> None:
        keys, self._keys_untold = self._keys_untold[:KEYS_AT_ONCE], self._keys_untold[KEYS_AT_ONCE:]
        more = b"\x41" if self._keys_untold else b"\x40"
        self._send(b"\x37\x72" + more + b"".join(keys) + b"\0")

    def initialised(self) -> None:
        self._automatic_on = False

    def kicked(self, connector: int) -> None:
        del connector
        self.drawer_kicks += 1
        self.set_drawer_open(True)

    def _say_automatically(self) -> None:
        said = self.condition.automatic()
        longest = self.model.automatic_max
        if not self._automatic_on or said == self._automatic_said:
            return
        if longest is None or self._automatic_count < longest:
            self._automatic_said = said
            self._automatic_count += 1
            self._send(said)

    def _changed(self) -> None:
        self._say_automatically()
        self._wake.set()
        for listener in self.on_change:
            listener()


def _is_incomplete(start: bytes) -> bool:
    """Whether these bytes may become a real-time command when more of them come."""
    if start[:3] == _PULSE:
        return len(start) < _PULSE_BYTES
    return any(
        len(start) < len(whole) and whole.startswith(start)
        for whole in (_STATUS_QUESTION + b"?", _CLEAR_QUESTION, _PULSE)
    )
