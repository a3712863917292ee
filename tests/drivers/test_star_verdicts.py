"""What the Star driver says of a slip when something goes wrong, fault by fault and moment by moment.

``star_verdicts`` plays every pair; the test holds it to what really lies on the emulated paper.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.pty_wire import PtyWire
from tapledger_drivers.emulators.star_printer import StarPrinterEmulator
from tapledger_drivers.emulators.wire import TcpWire
from tapledger_drivers.ports import PrintJob, PrintOutcome, PrintVerdict, Row, Rule, Text
from tapledger_drivers.printers.layout import lay_out
from tapledger_drivers.printers.star import StarPrinter
from tapledger_drivers.printers.star_raster import TAIL_ROWS, StarPage, safe_row
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo

WIRES = {"tcp": TcpWire, "pty": PtyWire}
SLIP = PrintJob("job-1", (Text("丽人化妆品", large=True), Rule(), Row("口红", "¥128.00"), Text("谢谢光临")))
POWER = "power_cycle"
FAULTS = (
    *(Verb.UNPLUG, Verb.GO_AWOL, Verb.SLOW, Verb.NOISE, Verb.HALF_WRITE, Verb.DROP_AFTER),
    *(Verb.PAPER_OUT, Verb.NEAR_END, Verb.COVER_OPEN, Verb.CUTTER_JAM, POWER),
)
AMOUNTS = {Verb.SLOW: 20, Verb.NOISE: 300, Verb.DROP_AFTER: 5}
ROW_DELAY_S = 0.0005


class Moment(enum.StrEnum):
    BEFORE = "before the slip"
    FIRST_ROW = "at the first row"
    MIDDLE = "in the middle"
    LAST_ROW = "at the last row"
    CUT = "between the last row and the cut"
    AFTER = "right after the cut"


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One line of the printer verdict matrix."""

    device: str
    line: str
    fault: str
    moment: str
    verdict: PrintVerdict
    reason: str
    evidence: str
    whole_on_paper: bool
    """Whether the whole slip was on paper and cut: what nobody but the emulator knows."""

    @property
    def false_printed(self) -> bool:
        return self.verdict is PrintVerdict.PRINTED and not self.whole_on_paper

    @property
    def false_failed(self) -> bool:
        """Would be printed again although the member may hold the first in the hand."""
        return self.verdict is PrintVerdict.FAILED and self.whole_on_paper


async def star_verdicts(
    lines: Iterable[str] = tuple(WIRES),
    faults: Iterable[str] = FAULTS,
    moments: Sequence[Moment] = tuple(Moment),
) -> list[VerdictRow]:
    """Play each fault at each moment on each line; return what the driver said and what was on paper."""
    rows: list[VerdictRow] = []
    for line, fault in itertools.product(lines, faults):
        rows += await asyncio.gather(*(_play(line, fault, moment) for moment in moments))
    return rows


async def _play(line: str, fault: str, moment: Moment) -> VerdictRow:
    async with _printer(line) as (emulator, printer):
        emulator.row_delay_s = ROW_DELAY_S
        pulled: list[asyncio.Task[None]] = []

        def begin() -> None:
            pulled.append(asyncio.get_running_loop().create_task(_pull(emulator, fault)))

        if moment is Moment.BEFORE:
            await _pull(emulator, fault)
        else:
            _when(emulator, moment, begin)
        outcome = await _print(printer)
        await asyncio.gather(*pulled)
        assert pulled or moment is Moment.BEFORE or outcome.verdict is not PrintVerdict.PRINTED
    return VerdictRow(
        "star_raster",
        line,
        str(fault),
        str(moment),
        outcome.verdict,
        outcome.reason,
        outcome.evidence,
        any(slip.cut for slip in emulator.slips) and _rows(emulator) == _expected(),
    )


async def _print(printer: StarPrinter) -> PrintOutcome:
    async with asyncio.timeout(30):
        return await printer.print(SLIP)


async def _pull(emulator: StarPrinterEmulator, fault: str) -> None:
    if fault == POWER:
        await emulator.power_cycle()
    else:
        await emulator.pull(Verb(fault), amount=AMOUNTS.get(Verb(fault)))


def _when(emulator: StarPrinterEmulator, moment: Moment, begin: Callable[[], None]) -> None:
    height = _height()
    rows = {Moment.FIRST_ROW: 1, Moment.MIDDLE: height // 2, Moment.LAST_ROW: height}
    due = rows.get(moment, height + TAIL_ROWS // 2)

    def watch() -> None:
        cut = any(slip.cut for slip in emulator.slips)
        if cut if moment is Moment.AFTER else emulator.rows_printed >= due:
            emulator.on_change.remove(watch)
            begin()

    emulator.on_change.append(watch)


@asynccontextmanager
async def _printer(line: str) -> AsyncIterator[tuple[StarPrinterEmulator, StarPrinter]]:
    emulator = StarPrinterEmulator(WIRES[line])
    io = LiveIo("receipt-printer", Traffic(asyncio.get_running_loop().time))
    printer = StarPrinter(
        io, await emulator.start(), answer_timeout_s=0.4, send_timeout_s=0.4, job_timeout_s=2.0
    )
    await printer.open()
    try:
        yield emulator, printer
    finally:
        await printer.close()
        await io.close()
        await emulator.close()


def _height() -> int:
    page = StarPage([], 576)
    return sum(page.draw(line).height for line in lay_out(SLIP.items, 48))


def _expected() -> list[bytes]:
    page = StarPage([], 576)
    return [safe_row(row) for line in lay_out(SLIP.items, 48) for row in page.draw(line).rows()]


def _rows(emulator: StarPrinterEmulator) -> list[bytes]:
    [picture] = emulator.slips[-1].content
    width, bits = picture.width_bytes, picture.bits  # type: ignore[union-attr]
    return [bits[at : at + width] for at in range(0, len(bits), width)][: _height()]


# ---- the tests -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("line", WIRES)
@pytest.mark.parametrize("fault", FAULTS)
async def test_no_verdict_is_better_than_the_paper(line: str, fault: str) -> None:
    rows = await star_verdicts([line], [fault])
    assert len(rows) == len(Moment)
    assert [row for row in rows if row.false_printed or row.false_failed] == []
    assert all(row.evidence and row.reason for row in rows)
    if fault in (Verb.SLOW, Verb.NEAR_END):
        assert {row.verdict for row in rows} == {PrintVerdict.PRINTED}
    if fault in (Verb.PAPER_OUT, Verb.COVER_OPEN, Verb.CUTTER_JAM):
        assert [row.verdict for row in rows[:3]] == [PrintVerdict.FAILED] * 3
        assert rows[-1].verdict is PrintVerdict.UNKNOWN, "the cut may have been seen or not"


async def test_the_check_can_fail() -> None:
    liar = VerdictRow("d", "tcp", "f", "m", PrintVerdict.PRINTED, "ok", "e", whole_on_paper=False)
    assert liar.false_printed


@pytest.mark.parametrize(
    "fault", [Verb.PAPER_OUT, Verb.COVER_OPEN, Verb.CUTTER_JAM, Verb.GO_AWOL, Verb.HALF_WRITE, Verb.NOISE]
)
async def test_after_a_fault_the_next_slip_is_printed_whole(fault: Verb) -> None:
    async with _printer("pty") as (emulator, printer):
        emulator.row_delay_s = ROW_DELAY_S
        begun = asyncio.Event()
        _when(emulator, Moment.MIDDLE, begun.set)
        job = asyncio.create_task(_print(printer))
        await begun.wait()
        await emulator.pull(fault, amount=AMOUNTS.get(fault))
        assert (await job).verdict is not PrintVerdict.PRINTED
        await emulator.pull(fault, on=False)
        emulator.row_delay_s = 0
        again = await _print(printer)
        assert again.verdict is PrintVerdict.PRINTED, again
        [picture] = emulator.slips[-1].content
        assert b"".join(_expected()) in picture.bits  # type: ignore[union-attr]
