"""What the Star driver says of a slip when something goes wrong, fault by fault and moment by moment.

``star_verdicts`` plays every case; the tests hold what the driver says to what really lies on the emulated
paper. ``python -m tests.drivers.test_star_verdicts > docs/devices/star-verdicts.md`` makes the page anew.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

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

PAGE = Path(__file__).parents[2] / "docs" / "devices" / "star-verdicts.md"
WIRES = {"tcp": TcpWire, "pty": PtyWire}
SLIP = PrintJob("job-1", (Text("丽人化妆品", large=True), Rule(), Row("口红", "¥128.00"), Text("谢谢光临")))
NEXT = PrintJob("job-2", (Text("the next slip"),))
POWER, NOISE_AT_RANDOM = "power off and on", "noise, every fifth byte"
FAULTS = (
    *("none", Verb.NEAR_END, Verb.PAPER_OUT, Verb.COVER_OPEN, Verb.CUTTER_JAM, POWER, Verb.UNPLUG),
    *(Verb.DROP_AFTER, Verb.GO_AWOL, Verb.SLOW, Verb.HALF_WRITE, Verb.NOISE, NOISE_AT_RANDOM),
)
AMOUNTS = {Verb.SLOW: 20, Verb.NOISE: 1000, NOISE_AT_RANDOM: 200, Verb.DROP_AFTER: 1}
ROW_DELAY_S = 0.0005


class Moment(enum.StrEnum):
    BEFORE = "before"
    FIRST_ROW = "first row"
    LINE_3 = "line 3"
    LAST_LINE = "last line"
    BEFORE_THE_CUT = "before the cut"
    AFTER_THE_CUT = "after the cut"


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One cell of the printer verdict matrix."""

    line: str
    fault: str
    moment: Moment
    outcome: PrintOutcome
    whole: bool
    """Whether all lines are on one piece of paper: what nobody but the emulator knows."""
    cut: bool
    next_printed: bool
    """Whether, after the fault was mended, the next slip came out."""

    @property
    def false_printed(self) -> bool:
        return self.outcome.verdict is PrintVerdict.PRINTED and not (self.whole and self.cut)

    @property
    def false_failed(self) -> bool:
        """Would be printed again although the member may hold the first in the hand."""
        return self.outcome.verdict is PrintVerdict.FAILED and self.whole


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
        outcome = await _print(printer, SLIP)
        await asyncio.gather(*pulled)
        await _mend(emulator, fault)
        await printer.close()
        await printer.open()
        again = await _print(printer, NEXT)
        came_out = again.verdict is PrintVerdict.PRINTED and _ends_with(_rows(emulator)[-1], NEXT)
        whole = [_contains(rows, SLIP) for rows in _rows(emulator)]
        cut = any(found and slip.cut for found, slip in zip(whole, emulator.slips, strict=True))
    return VerdictRow(line, str(fault), moment, outcome, any(whole), cut, came_out)


async def _print(printer: StarPrinter, job: PrintJob) -> PrintOutcome:
    async with asyncio.timeout(30):
        return await printer.print(job)


async def _pull(emulator: StarPrinterEmulator, fault: str, on: bool = True) -> None:
    if fault == "none" or (fault == POWER and not on):
        return
    if fault == POWER:
        await emulator.power_cycle()
    elif fault == NOISE_AT_RANDOM:
        await emulator.pull(Verb.NOISE, on=on, amount=AMOUNTS[fault])
    else:
        await emulator.pull(Verb(fault), on=on, amount=AMOUNTS.get(fault))


async def _mend(emulator: StarPrinterEmulator, fault: str) -> None:
    """End the fault, and let come out what still comes."""
    emulator.on_change.clear()
    emulator.row_delay_s = 0
    await _pull(emulator, fault, on=False)
    if not emulator.wire.plugged:
        await emulator.pull(Verb.REPLUG)


def _when(emulator: StarPrinterEmulator, moment: Moment, begin: Callable[[], None]) -> None:
    heights = _heights()
    due = {
        Moment.FIRST_ROW: 1,
        Moment.LINE_3: sum(heights[:2]) + 5,
        Moment.LAST_LINE: sum(heights[:-1]) + 5,
        Moment.BEFORE_THE_CUT: sum(heights) + TAIL_ROWS // 2,
    }

    def watch() -> None:
        cut = any(slip.cut for slip in emulator.slips) if moment is Moment.AFTER_THE_CUT else False
        if cut or emulator.rows_printed >= due.get(moment, 1_000_000):
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


# ---- paper ---------------------------------------------------------------------------------------------
def _heights() -> list[int]:
    page = StarPage([], 576)
    return [page.draw(line).height for line in lay_out(SLIP.items, 48)]


def _expected(job: PrintJob) -> list[bytes]:
    page = StarPage([], 576)
    return _ink([safe_row(row) for line in lay_out(job.items, 48) for row in page.draw(line).rows()])


def _rows(emulator: StarPrinterEmulator) -> list[list[bytes]]:
    """Return the rows of each slip."""
    slips = []
    for slip in emulator.slips:
        [picture] = slip.content
        width, bits = picture.width_bytes, picture.bits  # type: ignore[union-attr]
        slips.append(_ink([bits[at : at + width] for at in range(0, len(bits), width)]))
    return slips


def _ink(rows: list[bytes]) -> list[bytes]:
    """Leave out the blank rows around."""
    black = [at for at, row in enumerate(rows) if any(row)]
    return rows[black[0] : black[-1] + 1] if black else []


def _contains(rows: list[bytes], job: PrintJob) -> bool:
    wanted = _expected(job)
    return any(rows[at : at + len(wanted)] == wanted for at in range(len(rows) - len(wanted) + 1))


def _ends_with(rows: list[bytes], job: PrintJob) -> bool:
    wanted = _expected(job)
    return rows[-len(wanted) :] == wanted


# ---- the page ------------------------------------------------------------------------------------------
HEAD = """# What the Star driver says, and what it rests on

Made by `tests/drivers/test_star_verdicts.py`; after a change, make it anew with
`python -m tests.drivers.test_star_verdicts > docs/devices/star-verdicts.md`. It is read as
printer-verdicts.md is: a slip that is called **printed** and is not whole and cut is a *false printed*, one
that is called **failed** and is whole is a *false failed*. There is none of either, and after each fault is
mended the next slip comes out whole. `unknown` means that a person must look.

"""
SHOWN = tuple(fault for fault in FAULTS if fault not in (NOISE_AT_RANDOM,))
"""What becomes of noise at random is chance: it is judged, but not on the page."""


def section(rows: Iterable[VerdictRow]) -> str:
    found = {(row.fault, row.line, row.moment): row for row in rows}
    lines = [
        f"| fault | line | {' | '.join(Moment)} | evidence at line 3 |",
        "|---|---|" + "---|" * (len(Moment) + 1),
    ]
    for fault, line in itertools.product(SHOWN, WIRES):
        cells = [_said(found[fault, line, moment].outcome) for moment in Moment]
        if fault == Verb.DROP_AFTER:
            cells[-1] = ""  # whether another byte passes after the cut is chance
        evidence = _plain(found[fault, line, Moment.LINE_3].outcome.evidence)
        lines.append(f"| {fault} | {line} | {' | '.join(cells)} | {evidence} |")
    return "\n".join(lines) + "\n"


def _said(outcome: PrintOutcome) -> str:
    if outcome.verdict is PrintVerdict.PRINTED:
        return "**printed**"
    return f"{'**failed**' if outcome.verdict is PrintVerdict.FAILED else 'unknown'} {outcome.reason}"


def _plain(evidence: str) -> str:
    """Leave out what differs between two runs."""
    evidence = re.sub(r"(tcp|tty):\S+?:? ", "", evidence)
    evidence = re.sub(r"\[Errno \d+\] |status=[0-9a-f]+ etb=\d+,? ?", "", evidence)
    return re.sub(r"\b\d+ (of \d+ )?bytes", "some bytes", evidence).strip(", ")


# ---- the tests -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("fault", FAULTS)
async def test_no_verdict_is_better_than_the_paper(fault: str) -> None:
    rows = await star_verdicts(WIRES, [fault])
    assert len(rows) == len(Moment) * len(WIRES)
    assert [row for row in rows if row.false_printed] == []
    assert [row for row in rows if row.false_failed] == []
    assert [row for row in rows if not row.next_printed] == []
    if fault in ("none", Verb.SLOW, Verb.NEAR_END):
        assert {row.outcome.verdict for row in rows} == {PrintVerdict.PRINTED}
    if fault in SHOWN:
        page = PAGE.read_text(encoding="utf-8")
        for row in rows:
            if (fault, row.moment) != (Verb.DROP_AFTER, Moment.AFTER_THE_CUT):
                assert _said(row.outcome) == _on_page(page, row), row


def _on_page(page: str, row: VerdictRow) -> str:
    [found] = [text for text in page.splitlines() if text.startswith(f"| {row.fault} | {row.line} |")]
    return found.split("|")[3 + list(Moment).index(row.moment)].strip()


def test_the_check_can_fail() -> None:
    outcome = PrintOutcome(PrintVerdict.PRINTED, "ok", "e")
    assert VerdictRow("tcp", "f", Moment.BEFORE, outcome, False, False, True).false_printed
    assert VerdictRow("tcp", "f", Moment.BEFORE, outcome, True, False, True).false_printed


def test_the_page_says_how_it_was_made() -> None:
    assert PAGE.read_text(encoding="utf-8").startswith(HEAD)


if __name__ == "__main__":
    print(HEAD + section(asyncio.run(star_verdicts())), end="")
