"""A receipt printer that speaks ESC/POS, on TCP, on a serial port or on the kernel's printer device.

"No exception" is no proof of paper: a peer that accepts and never reads swallows a whole receipt (devices.md
M3). So nothing is sent before the printer has said that it is well, and nothing is called printed before it
has said so after the cut (proof.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from tapledger_drivers.device import Capabilities, DeviceInfo, HealthLevel, HealthReport, Value
from tapledger_drivers.errors import DeviceAbsent, DeviceError, DeviceLost
from tapledger_drivers.io import Io, WriteStalled
from tapledger_drivers.ports import PrinterStatus, PrintJob, PrintOutcome, PrintVerdict
from tapledger_drivers.printers.checking import check
from tapledger_drivers.printers.conversation import BITS_PER_BYTE, Conversation, NoAnswer
from tapledger_drivers.printers.detecting import Detected, Detecting
from tapledger_drivers.printers.escpos_options import EscposOptions, read_options
from tapledger_drivers.printers.layout import PaperLine, lay_out
from tapledger_drivers.printers.logo_memory import LogoMemory
from tapledger_drivers.printers.pieces import cut_apart
from tapledger_drivers.printers.proof import Completion, Names, Pace, Proof
from tapledger_drivers.printers.slip import Slip, build_slip
from tapledger_drivers.printers.status import AUTOMATIC_ON, CLEAR_BUFFERS
from tapledger_drivers.printers.watching import Watch
from tapledger_drivers.quirks import capabilities, find
from tapledger_drivers.registry import Making
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.addresses import TtyAddress, parse_address

BUILD_TIMEOUT_S = 10.0
IDLE_ASK_S = 0.5
"""So often an idle printer is asked how it is: its automatic status may have stopped, its cable be gone."""
SILENT_MAX = 3
"""So many questions in a row without an answer, and the line is better opened anew."""
SHARED_ASK_S = 2.0
MARK_EVERY_S = 0.5
"""On a serial line a printer that lost power and came back is told by the questions that it has lost."""
FLUSH_BYTES = 4096
"""Half a command of another program, such as a picture, swallows so many bytes before it is done."""
FLUSH_S = 0.5
PIN_5 = 5
REAL_TIME_PULSE_100MS = 2
_DEFAULTS: dict[str, Value] = {
    "commands": "escpos",
    "status": "eot",
    "completion": Completion.NONE,
    "cutter": True,
    "drawer_kick": True,
    "near_end": True,
    "raster": True,
    "logo_memory": False,
    "chunk_bytes": 0,
    "pause_ms": 0,
}


class EscposPrinter:
    """Print on the printer at ``address``; one job at a time, jobs wait for each other."""

    def __init__(self, io: Io, address: str, options: EscposOptions | None = None) -> None:
        self._io = io
        self._address = address
        self._options = options or EscposOptions()
        self._baud = _baud(address)
        self._one_at_a_time = asyncio.Lock()
        self._conversation: Conversation | None = None
        self._names = Names()
        self._detecting = self._new_detecting()
        self._logos = LogoMemory()
        self._uncut = False
        self._closing = asyncio.Event()
        self._watch = Watch(io.traffic, self._options.drawer_switch)

    # ---- life ------------------------------------------------------------------------------------------
    async def open(self) -> DeviceInfo:
        """Open the line and ask the printer how and what it is; raise ``DeviceAbsent`` when it is mute."""
        await self.close()
        self._detecting = self._new_detecting()
        self._logos = LogoMemory()
        self._closing = asyncio.Event()
        # The first slip loads python-escpos: not while somebody waits for it.
        await self._io.run(BUILD_TIMEOUT_S, self._build_lines, [])
        self._conversation = conversation = await self._begin()
        try:
            await self._greet(conversation)
        except (NoAnswer, WriteStalled, DeviceLost) as error:
            await self.close()
            raise DeviceAbsent(getattr(error, "reason", "mute"), f"{self._address}: {error}") from error
        except BaseException:
            await self.close()
            raise
        virtual = conversation.virtual
        if not self._options.hold_line:
            self._conversation = None
            await conversation.close()
        known = self._known
        model = known.model or self._options.model
        return DeviceInfo(
            model=model or "ESC/POS printer",
            address=self._address,
            firmware=known.firmware,
            serial=known.serial,
            virtual=virtual or "emulator" in model.casefold(),
            capabilities=self.capabilities,
        )

    async def close(self) -> None:
        self._closing.set()
        conversation, self._conversation = self._conversation, None
        if conversation is not None:
            await conversation.close()

    @property
    def traffic(self) -> Traffic:
        return self._io.traffic

    @property
    def capabilities(self) -> Capabilities:
        known = self._known
        paper: dict[str, Value] = {
            "columns": self._options.columns,
            "dots": self._options.dots,
            "code_page": self._options.code_page,
            "qr": self._options.native_qr,
        }
        quirk = find("printer", name=known.model or self._options.model)
        said = self._options.said()
        keeps = self._logos.answers
        detected = known.capabilities if keeps is None else {**known.capabilities, "logo_memory": keeps}
        return capabilities({**_DEFAULTS, **paper}, detected, quirk, said)

    async def health(self, level: HealthLevel) -> HealthReport:
        return await check(self, level)

    # ---- status ----------------------------------------------------------------------------------------
    async def status(self) -> PrinterStatus:
        try:
            async with self._talking() as conversation:
                return await self._ask(conversation)
        except DeviceError as error:
            return self._watch.trouble("unreachable", str(error))

    async def changes(self) -> AsyncIterator[PrinterStatus]:
        closing, conversation = self._closing, self._conversation
        shown: tuple[object, ...] | None = None
        silent = 0
        try:
            while not closing.is_set():
                heard = 0 if conversation is None else conversation.automatic_count
                status = await self._look(conversation)
                seen = (status.ready, status.reason, status.near_end, status.drawer_open)
                if seen != shown:
                    shown = seen
                    yield status
                silent = silent + 1 if status.reason in ("mute", "unreachable") else 0
                if silent >= SILENT_MAX:
                    raise DeviceLost(status.reason, status.evidence) from TimeoutError(self._address)
                if conversation is None:
                    await _pause(closing, SHARED_ASK_S)
                else:
                    await conversation.wait_for_word(heard, IDLE_ASK_S)
        except DeviceLost:
            if closing.is_set():
                return
            self._io.traffic.count("CommunicationErrorCount")
            raise

    async def _look(self, conversation: Conversation | None) -> PrinterStatus:
        """Return how the printer is: by asking, or while a slip is at work by what it said last. One that
        is silent is asked in its turn: slips that wait must not hide that."""
        if conversation is None:
            return await self.status()
        said = conversation.latest
        if self._one_at_a_time.locked() and said is not None:
            conversation.check()
            return self._watch.saw(said)
        async with self._one_at_a_time:
            return await self._ask(conversation, self._options.liveness_timeout_s)

    async def _ask(self, conversation: Conversation, timeout_s: float | None = None) -> PrinterStatus:
        if self._can("status") == "none":
            conversation.check()
            return PrinterStatus(True, "ok", "this printer is never asked, by configuration")
        try:
            status = await conversation.ask_status(timeout_s=timeout_s)
            if status.reason == "ok":
                await self._detecting.look(conversation)
        except NoAnswer as error:
            return self._watch.trouble(error.reason, str(error))
        except WriteStalled as error:
            return self._watch.trouble("mute", str(error))
        return self._watch.saw(status)

    # ---- printing --------------------------------------------------------------------------------------
    async def print(self, job: PrintJob) -> PrintOutcome:
        began_s = asyncio.get_running_loop().time()
        try:
            slip = await self._io.run(BUILD_TIMEOUT_S, self._build, job)
        except ValueError as error:
            return PrintOutcome(PrintVerdict.FAILED, "bad_job", str(error))
        except DeviceError as error:
            return PrintOutcome(PrintVerdict.FAILED, error.reason, f"{error}, slip not sent")
        try:
            async with self._talking() as conversation:
                refused = await self._preflight(conversation)
                if refused is not None:
                    return refused
                if slip.logos and await self._logos_changed(conversation, slip):
                    slip = await self._io.run(BUILD_TIMEOUT_S, self._build, job)
                return await self._print_on(conversation, slip, job, began_s)
        except WriteStalled as error:
            return PrintOutcome(PrintVerdict.FAILED, "stalled", f"{error} of a logo, slip not sent")
        except DeviceError as error:
            return PrintOutcome(PrintVerdict.FAILED, "unreachable", f"{error}, slip not sent")

    async def _preflight(self, conversation: Conversation) -> PrintOutcome | None:
        """Make sure that a slip would be printed; return why not."""
        if self._can("status") == "none":
            return None
        try:
            # What another job has left, such as half a command, would swallow the beginning of this slip.
            status = await conversation.ask_status(before=CLEAR_BUFFERS)
            if status.reason == "ok":
                await self._detecting.look(conversation)
        except NoAnswer as error:
            said = self._watch.trouble(error.reason, str(error))
        except WriteStalled as error:
            said = self._watch.trouble("mute", f"{error} of a question")
        else:
            said = self._watch.saw(status)
        if said.ready:
            return None
        return PrintOutcome(PrintVerdict.FAILED, said.reason, f"{said.evidence}, slip not sent")

    async def _logos_changed(self, conversation: Conversation, slip: Slip) -> bool:
        """Let the printer keep what it can of a slip's logos; True when it has others than was believed."""
        options, memory = self._options, self._logos
        asks = options.logo_memory
        if asks is None:
            asks = self._can("completion") == Completion.PROCESS_ID
        if not asks:
            return False
        before = memory.keys
        await memory.keep(conversation, slip.logos, options.detect_timeout_s, options.job_timeout_s)
        return memory.keys != before

    async def _print_on(
        self, conversation: Conversation, slip: Slip, job: PrintJob, began_s: float
    ) -> PrintOutcome:
        loop, traffic = asyncio.get_running_loop(), self._io.traffic
        completion = Completion(str(self._can("completion")))
        proof = Proof(
            conversation,
            completion,
            self._names,
            knows_model=bool(self._known.model),
            answers=self._can("status") != "none",
            job_timeout_s=self._options.job_timeout_s,
            pace=Pace(int(self._can("chunk_bytes")), int(self._can("pause_ms")) / 1000),
            on_sent=job.on_sent,
        )
        every_bytes = int(self._baud / BITS_PER_BYTE * MARK_EVERY_S) if self._baud else 0
        first, *others = cut_apart(slip, every_bytes)
        if self._can("status") == "asb":
            first += AUTOMATIC_ON  # after ESC @, which ends it
        if self._uncut:  # what the last job has left is not this member's affair
            half_command = b"" if completion is not Completion.NONE else self._flush
            first = half_command + slip.after + first
        self._uncut = True
        traffic.observe("first_byte", loop.time() - began_s)
        outcome = await proof.print([first, *others])
        traffic.observe("print_job", loop.time() - began_s)
        # Where nobody can know, an empty piece before each slip would be worse.
        self._uncut = outcome.reason not in ("ok", "no_completion")
        if outcome.verdict is PrintVerdict.PRINTED:
            traffic.count("PaperCutCount")
        return replace(
            outcome,
            evidence="; ".join([outcome.evidence, *slip.notes]),
            paper_mm=round(slip.paper_mm * proof.sent_share),
        )

    async def kick_drawer(self) -> bool:
        """Give the pulse; False when the printer does not answer, or has no drawer."""
        if not self._can("drawer_kick"):
            return False
        connector = int(self._options.drawer_pin == PIN_5)
        try:
            async with self._talking() as conversation:
                before = await conversation.ask_status(before=CLEAR_BUFFERS)
                self._watch.kicked(before)
                if before.reason == "ok":
                    await conversation.send(b"\x1bp" + bytes([connector, 0x19, 0xFA]))
                else:
                    # A pulse that waits in the buffer would open the drawer when nobody is there.
                    await conversation.send(b"\x10\x14\x01" + bytes([connector, REAL_TIME_PULSE_100MS]))
                self._watch.saw(await conversation.ask_status())
        except (DeviceError, NoAnswer, WriteStalled):
            self._io.traffic.count("DrawerFailedOpenCount")
            return False
        self._io.traffic.count("DrawerGoodOpenCount")
        return True

    # ---- the line --------------------------------------------------------------------------------------
    @asynccontextmanager
    async def _talking(self) -> AsyncIterator[Conversation]:
        """Give the line to one caller; raise ``DeviceError`` when there is none."""
        async with self._one_at_a_time:
            if not self._options.hold_line:
                conversation = await self._begin()
                try:
                    yield conversation
                finally:
                    await conversation.close()
                return
            if self._conversation is None:
                raise DeviceLost("closed", f"{self._address} is not open")
            self._conversation.check()
            yield self._conversation

    async def _begin(self) -> Conversation:
        stream = await self._io.stream(self._address)
        options = self._options
        return Conversation(stream, options.answer_timeout_s, options.send_timeout_s, self._baud)

    async def _greet(self, conversation: Conversation) -> None:
        """Hear from the printer for the first time, and learn what it is if it is ready."""
        if self._options.status == "none":
            await conversation.send(self._flush)
            return
        try:
            status = await conversation.ask_status(before=CLEAR_BUFFERS)
        except NoAnswer as error:
            if error.reason != "mute":
                raise
            # A clone that asks its parser for everything is deaf until half a command is done.
            await conversation.send(self._flush)
            status = await conversation.ask_status()
        self._watch.saw(status)
        if status.reason == "ok":
            await self._detecting.look(conversation)

    @property
    def _flush(self) -> bytes:
        """What ends half a command: bytes that print nothing."""
        count = FLUSH_BYTES if self._baud is None else int(self._baud / BITS_PER_BYTE * FLUSH_S)
        return b"\0" * min(count, FLUSH_BYTES) + b"\x1b@"

    def _new_detecting(self) -> Detecting:
        return Detecting(self._names, self._options.detect_timeout_s, self._options.said())

    @property
    def _known(self) -> Detected:
        return self._detecting.found or Detected()

    def _can(self, name: str) -> Value:
        return self.capabilities[name].value

    # ---- slips -----------------------------------------------------------------------------------------
    def _build(self, job: PrintJob) -> Slip:
        return self._build_lines(lay_out(job.items, self._options.columns))

    def _build_lines(self, lines: Sequence[PaperLine]) -> Slip:
        return build_slip(lines, self._options.dots, self._options.style(self._logos.keys))


def _baud(address: str) -> int | None:
    """Return the speed of a serial line, None for any other."""
    parsed = parse_address(address) if address.startswith("tty:") else None
    return parsed.baud if isinstance(parsed, TtyAddress) else None


async def _pause(closing: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await closing.wait()


def make(making: Making) -> EscposPrinter:
    address = making.options.text("port")
    parse_address(address)
    return EscposPrinter(making.io, address, read_options(making.options, hold_line=True))
