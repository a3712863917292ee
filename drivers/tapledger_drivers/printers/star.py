"""A receipt printer of Star's TSP100 class: raster only, on TCP, USB or a serial line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

from tapledger_drivers import quirks
from tapledger_drivers.device import DeviceInfo, HealthLevel, HealthReport, Value
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.io import Io, WriteStalled
from tapledger_drivers.ports import PrinterStatus, PrintJob, PrintOutcome, PrintVerdict
from tapledger_drivers.printers import qr
from tapledger_drivers.printers.checking import check
from tapledger_drivers.printers.escpos_options import DRAWER_SWITCHES
from tapledger_drivers.printers.layout import PaperLine, QrLine, lay_out
from tapledger_drivers.printers.raster import LINE_DOTS, load_font
from tapledger_drivers.printers.star_job import StarJob
from tapledger_drivers.printers.star_line import StarLine
from tapledger_drivers.printers.star_raster import DRAWER_PULSE, StarPage
from tapledger_drivers.printers.star_status import AUTOMATIC_ON, StarStatus
from tapledger_drivers.printers.watching import Watch
from tapledger_drivers.registry import Making
from tapledger_drivers.traffic import Traffic

ANSWER_TIMEOUT_S = 2.0
MODEL_TIMEOUT_S = 0.5
SEND_TIMEOUT_S = 10.0
JOB_TIMEOUT_S = 20.0
FONT_TIMEOUT_S = 10.0
LIVENESS_S = 2.0
"""An idle printer that says nothing is asked so often: its cable may be gone."""
UNNAMED = "Star raster printer"
_DEFAULTS: dict[str, Value] = {
    "commands": "star_raster",
    "status": "asb",
    "completion": "etb",
    "cutter": True,
    "drawer_kick": True,
    "near_end": False,
    "raster": True,
    "qr": "raster",
}


class StarPrinter:
    """``dots`` is the printable width: 576 on 80 mm paper, 384 or 408 on 58 mm.

    ``answers`` is False for the models before the TSP100III, which cannot be asked; ``ask`` whether a person
    is asked about their slips. One line is held from ``open`` to ``close``; jobs wait for each other.
    """

    def __init__(
        self,
        io: Io,
        address: str,
        *,
        columns: int = 48,
        dots: int = 576,
        answers: bool = True,
        drawer: bool = True,
        drawer_switch: str = "learn",
        ask: bool = True,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        send_timeout_s: float = SEND_TIMEOUT_S,
        job_timeout_s: float = JOB_TIMEOUT_S,
    ) -> None:
        self._io = io
        self._address = address
        self._columns = columns
        self._dots = dots
        self._answers = answers
        self._drawer = drawer
        self._ask = ask
        self._watch = Watch(io.traffic, drawer_switch)
        self._answer_timeout_s = answer_timeout_s
        self._send_timeout_s = send_timeout_s
        self._job_timeout_s = job_timeout_s
        self._line: StarLine | None = None
        self._one_at_a_time = asyncio.Lock()

    # ---- life ------------------------------------------------------------------------------------------
    async def open(self) -> DeviceInfo:
        """Open the line and ask the printer how and what it is; raise ``DeviceAbsent`` when it is mute."""
        await self.close()
        if await self._io.run(FONT_TIMEOUT_S, load_font, LINE_DOTS) is None:
            raise DeviceBlocked("font_missing", "this printer has no characters: apt install fonts-noto-cjk")
        line = StarLine(await self._io.stream(self._address), self._answer_timeout_s, self._send_timeout_s)
        try:
            model = await self._first_words(line)
        except BaseException:
            await line.close()
            raise
        self._line = line
        quirk = quirks.find("printer", name=model)
        return DeviceInfo(
            model=model or UNNAMED,
            address=self._address,
            virtual=line.virtual or "emulator" in model.casefold(),
            capabilities=quirks.capabilities(_DEFAULTS, {}, quirk, self._operators_word()),
        )

    async def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    @property
    def traffic(self) -> Traffic:
        return self._io.traffic

    async def health(self, level: HealthLevel) -> HealthReport:
        return await check(self, level)

    async def _first_words(self, line: StarLine) -> str:
        if not self._answers:
            return ""
        try:
            if await line.ask(before=AUTOMATIC_ON) is None:
                raise DeviceAbsent("mute", f"{self._address}: {line.silence}")
            return await line.ask_model(MODEL_TIMEOUT_S)
        except WriteStalled as error:
            raise DeviceAbsent("mute", f"{self._address}: {error}") from error
        except DeviceLost as error:
            raise DeviceAbsent("unreachable", error.detail) from error

    def _operators_word(self) -> dict[str, Value]:
        said: dict[str, Value] = {"columns": self._columns, "dots": self._dots}
        if not self._drawer:
            said["drawer_kick"] = False
        if not self._answers:
            said |= {"status": "none", "completion": "none"}
        if not self._ask:
            said["ask"] = False
        return said

    # ---- status ----------------------------------------------------------------------------------------
    async def status(self) -> PrinterStatus:
        async with self._one_at_a_time:
            return await self._ask_status()

    async def changes(self) -> AsyncIterator[PrinterStatus]:
        line = self._line
        if line is None:
            return
        said: PrinterStatus | None = None
        while line is self._line:
            heard = line.count
            now = await self._status_now(line)
            if line is not self._line:
                return
            line.check()
            if said is None or _what_matters(now) != _what_matters(said):
                said = now
                yield now
            try:
                await line.wait_for(partial(self._says_otherwise, line, said, heard), LIVENESS_S)
            except DeviceLost:
                if line is self._line:
                    raise

    def _says_otherwise(self, line: StarLine, said: PrinterStatus, heard: int) -> bool:
        """Whether there is a word newer than ``heard``, and it is another: old words are no news."""
        if line.status is None or line.count == heard:
            return False
        return _what_matters(self._watch.saw(line.status)) != _what_matters(said)

    async def _status_now(self, line: StarLine) -> PrinterStatus:
        """While a job is at work, its questions are enough; else ask, for silence has to be noticed."""
        if not (self._answers and self._one_at_a_time.locked()):
            return await self.status()
        if line.status is None:
            return self._watch.trouble("mute", line.silence)
        return self._watch.saw(line.status)

    async def _ask_status(self) -> PrinterStatus:
        line, trouble = self._line, self._watch.trouble
        if line is None:
            return trouble("unreachable", f"{self._address} is not open")
        try:
            if not self._answers:
                line.check()
                return PrinterStatus(True, "ok", "this model cannot be asked")
            junk = line.junk
            status = await _ask_until_sure(line)
        except DeviceLost as error:
            return trouble("unreachable", error.detail)
        except WriteStalled as error:
            return trouble("mute", str(error))
        if status is None:
            return trouble("noise" if line.junk > junk else "mute", line.silence)
        return self._watch.saw(status)

    async def kick_drawer(self) -> bool:
        async with self._one_at_a_time:
            line = self._line
            if not self._drawer or line is None or not (await self._ask_status()).ready:
                return False
            try:
                if line.status is not None:
                    self._watch.kicked(line.status)
                await line.send(DRAWER_PULSE)
                return not self._answers or await line.ask() is not None
            except (DeviceLost, WriteStalled):
                return False

    # ---- printing --------------------------------------------------------------------------------------
    async def print(self, job: PrintJob) -> PrintOutcome:
        try:
            lines = lay_out(job.items, self._columns)
            _refuse_codes_that_do_not_fit(lines, self._dots)
        except ValueError as error:
            return PrintOutcome(PrintVerdict.FAILED, "bad_job", str(error))
        async with self._one_at_a_time:
            line = self._line
            if line is None:
                return PrintOutcome(PrintVerdict.FAILED, "unreachable", f"{self._address} is not open")
            page = StarPage(lines, self._dots)
            sent = StarJob(
                line,
                self._io,
                page,
                answers=self._answers,
                timeout_s=self._job_timeout_s,
                on_sent=job.on_sent,
            )
            outcome = await sent.print()
        if outcome.verdict is PrintVerdict.PRINTED:
            self._io.traffic.count("ReceiptLinePrintedCount", len(lines))
            self._io.traffic.count("PaperCutCount")
        return outcome


async def _ask_until_sure(line: StarLine) -> StarStatus | None:
    """Return what the printer says now, None when it says nothing.

    Trouble that is new has to be said twice: a wrong bit on the line looks the same.
    """
    before, status = line.status, await line.ask()
    if status is None or (status.reason == "ok" and not status.near_end):
        return status
    if before is not None and (before.reason, before.near_end) == (status.reason, status.near_end):
        return status
    return await line.ask()


def _refuse_codes_that_do_not_fit(lines: Sequence[PaperLine], dots: int) -> None:
    for line in lines:
        if isinstance(line, QrLine):
            qr.plan(line.data.encode(), dots)


def _what_matters(status: PrinterStatus) -> tuple[object, ...]:
    return status.ready, status.reason, status.near_end, status.drawer_open


def make(making: Making) -> StarPrinter:
    options = making.options
    return StarPrinter(
        making.io,
        options.text("port"),
        columns=options.integer("columns", 48, 24, 96),
        dots=options.integer("dots", 576, 288, 832),
        answers=options.choice("status", "asb", ("asb", "none")) == "asb",
        drawer=options.flag("drawer", True) is not False,
        drawer_switch=options.choice("drawer_switch", "learn", DRAWER_SWITCHES),
        ask=options.flag("ask", True) is not False,
    )
