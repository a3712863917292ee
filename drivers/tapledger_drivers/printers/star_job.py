"""One slip on an open line to a Star printer, and what became of it, on the printer's own word alone.

The printer's counter of ETB is set before a slip, and counts when it comes to the last line, when all rows
are on paper and when the paper is cut (star_raster.py). The cut is sent only after the rows, so:

* The printer stops before it came to the last line: ``failed``. What is on paper is an uncut piece without
  its end, the cut was never sent, and the rest of the document is thrown away by the printer.
* The counter is where it could not come by this slip: the power was off (``power_cycled``), ``unknown``.
* The cut was counted, and the same is said again when asked again: ``printed``. Everything else: ``unknown``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.io import Io, WriteStalled
from tapledger_drivers.ports import PrintOutcome, PrintVerdict
from tapledger_drivers.printers.raster import DOTS_PER_MM
from tapledger_drivers.printers.star_line import POLL_INTERVAL_S, StarLine
from tapledger_drivers.printers.star_raster import (
    BEGIN,
    COUNTED_CUT,
    COUNTED_LAST_LINE,
    COUNTED_READY,
    COUNTED_ROWS,
    CUT,
    END_OF_ROWS,
    FLUSH,
    RECOVER,
    StarPage,
)
from tapledger_drivers.printers.star_status import COUNTER_MODULUS, StarStatus

RENDER_TIMEOUT_S = 10.0
CHUNK_BYTES = 4096
SLOWEST_DOTS_PER_S = 50 * DOTS_PER_MM
_ANYWHERE = range(COUNTER_MODULUS)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the printer's counter came to. ``reason`` is ``ok`` when it is where it had to be."""

    reason: str
    evidence: str
    counter: int | None = None
    says_that_it_stopped: bool = False


class StarJob:
    """``answers`` is False for a model that never says anything: its slips are ``unknown``."""

    def __init__(
        self,
        line: StarLine,
        io: Io,
        page: StarPage,
        *,
        answers: bool,
        timeout_s: float,
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        self._line = line
        self._io = io
        self._page = page
        self._answers = answers
        self._timeout_s = timeout_s
        self._on_sent = on_sent

    async def print(self) -> PrintOutcome:
        """Preflight, send and judge; never raises for what the printer does."""
        refused = await self._preflight()
        if refused is not None:
            return refused
        line = self._line
        junk = line.junk
        try:
            outcome = await self._send_and_judge()
        except DeviceLost as error:
            outcome = _unknown("cut_off", f"{error.detail} after the slip was begun")
        except WriteStalled as error:
            outcome = _unknown("stalled", f"the printer took {error.taken} of {error.of} bytes")
        if line.junk > junk and outcome.verdict is not PrintVerdict.UNKNOWN:
            outcome = _unknown("noise", f"{line.junk - junk} bytes made no sense; {outcome.evidence}")
        evidence = "; ".join([outcome.evidence, *self._page.notes])
        paper_mm = self._page.height_dots // DOTS_PER_MM
        return replace(outcome, evidence=evidence, paper_mm=paper_mm)

    # ---- before the slip -------------------------------------------------------------------------------
    async def _preflight(self) -> PrintOutcome | None:
        """Make the printer forget earlier jobs and set its counter; None when it is ready for the slip."""
        line = self._line
        try:
            if not self._answers:
                await line.send(RECOVER)
                return None
            junk = line.junk
            status = await line.ask(before=FLUSH)
            if status is None:
                return _not_sent("noise" if line.junk > junk else "mute", line.silence)
            if status.reason != "ok":
                return _not_sent(status.reason, str(status))
            await line.send(RECOVER)
            seen = await self._count_to(COUNTED_READY, _ANYWHERE, self._timeout_s)
        except WriteStalled as error:
            return _not_sent("stalled", str(error))
        except DeviceLost as error:
            return _not_sent("unreachable", error.detail)
        return None if seen.reason == "ok" else _not_sent(seen.reason, seen.evidence)

    # ---- the slip --------------------------------------------------------------------------------------
    async def _send_and_judge(self) -> PrintOutcome:
        stopped = await self._send_rows()
        if not self._answers:
            await self._send_cut()
            outcome = _unknown("no_completion", "this model never says that it has done it")
            return replace(outcome, never_says=True)
        if stopped is not None:
            return stopped
        timeout_s = self._timeout_s + self._page.height_dots / SLOWEST_DOTS_PER_S
        seen = await self._count_to(COUNTED_ROWS, (COUNTED_READY, COUNTED_LAST_LINE), timeout_s)
        if seen.says_that_it_stopped:
            return _stopped(seen.reason, seen.evidence, seen.counter)
        if seen.reason == "ok":
            await self._send_cut()
            seen = await self._count_to(COUNTED_CUT, (COUNTED_ROWS,), self._timeout_s)
        if seen.reason != "ok":
            return _unknown(seen.reason, seen.evidence)
        return PrintOutcome(PrintVerdict.PRINTED, "ok", f"rows and cut counted, {seen.evidence}")

    async def _send_cut(self) -> None:
        await self._line.send(CUT)
        self._on_sent()

    async def _send_rows(self) -> PrintOutcome | None:
        """Send piece after piece while the next is drawn; return the outcome when the printer stops."""
        line = self._line
        chunks = self._page.chunks()
        data = BEGIN
        try:
            while piece := await self._io.run(RENDER_TIMEOUT_S, _next_piece, chunks):
                await line.send(data + piece, self._has_stopped)
                data = b""
                if self._has_stopped():
                    # Asked again: what was heard may be noise.
                    status = await line.ask()
                    if status is not None and status.reason != "ok":
                        return _stopped(status.reason, str(status), status.counter)
            await line.send(data + END_OF_ROWS, self._has_stopped)
        except WriteStalled as error:
            if line.status is None or not self._has_stopped():
                raise
            evidence = f"{line.status}, {error.taken} of {error.of} bytes taken"
            return _stopped(line.status.reason, evidence, line.status.counter)
        return None

    def _has_stopped(self) -> bool:
        return self._line.status is not None and self._line.status.reason != "ok"

    async def _count_to(self, target: int, before: Collection[int], timeout_s: float) -> Seen:
        """Wait until the printer has counted to ``target``, coming from ``before``.

        Whatever would end the wait is believed only when the printer says it twice.
        """
        line = self._line
        loop = asyncio.get_running_loop()
        deadline_s, junk = loop.time() + timeout_s, line.junk
        status, suspected = await line.ask(), None
        while status is not None:
            reason = _judged(status, target, before)
            if reason is not None and reason == suspected:
                lost = ", its counter began anew" if reason == "power_cycled" else ""
                return Seen(reason, f"{status}{lost}", status.counter, status.reason != "ok")
            if loop.time() > deadline_s:
                return Seen("no_completion", f"{status}, the counter should be {target}")
            seen = line.count
            if reason is None and await line.wait_for(line.said_more_than(seen), POLL_INTERVAL_S):
                status = line.status
            else:
                status = await line.ask()
            suspected = reason
        return Seen("noise" if line.junk > junk else "mute", line.silence)


def _judged(status: StarStatus, target: int, before: Collection[int]) -> str | None:
    """Return ``ok``, the code of what went wrong, or None while the printer is at work."""
    if status.counter is None:
        return "no_completion"
    if status.counter != target and status.counter not in before:
        return "power_cycled"
    if status.reason != "ok":
        return status.reason
    return "ok" if status.counter == target else None


def _next_piece(chunks: Iterator[bytes]) -> bytes:
    """Draw lines until there is enough to send; empty at the end."""
    piece = bytearray()
    for chunk in chunks:
        piece += chunk
        if len(piece) >= CHUNK_BYTES:
            break
    return bytes(piece)


def _not_sent(reason: str, evidence: str) -> PrintOutcome:
    return PrintOutcome(PrintVerdict.FAILED, reason, f"{evidence}, slip not sent")


def _stopped(reason: str, evidence: str, counter: int | None) -> PrintOutcome:
    """The cut was not sent; whether the slip is of use to anybody depends on how far the printer came."""
    if counter != COUNTED_READY:
        return _unknown(reason, f"{evidence}, not cut")
    evidence = f"{evidence}, stopped before the last line, no cut sent, the printer throws the rest away"
    return PrintOutcome(PrintVerdict.FAILED, reason, evidence)


def _unknown(reason: str, evidence: str) -> PrintOutcome:
    return PrintOutcome(PrintVerdict.UNKNOWN, reason, evidence)
