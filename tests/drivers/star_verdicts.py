"""What the Star driver says of a slip, and what is really on the paper: fault by fault, moment by moment."""

from __future__ import annotations

import asyncio
import enum
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.star_printer import StarPrinterEmulator
from tapledger_drivers.ports import PrintJob, PrintOutcome, PrintVerdict, Row, Rule, Text
from tapledger_drivers.printers.layout import lay_out
from tapledger_drivers.printers.star import StarPrinter
from tapledger_drivers.printers.star_raster import TAIL_ROWS, StarPage, safe_row
from tests.drivers import verdict_page
from tests.drivers.star import WIRES, new_io, rows_on_paper
from tests.drivers.verdict_page import Played, verdict

SLIP = PrintJob("job-1", (Text("丽人化妆品", large=True), Rule(), Row("口红", "¥128.00"), Text("谢谢光临")))
NEXT = PrintJob("job-2", (Text("the next slip"),))
POWER, NOISE_AT_RANDOM = "power off and on", "noise, every fifth byte"
FAULTS = (
    *("none", Verb.NEAR_END, Verb.PAPER_OUT, Verb.COVER_OPEN, Verb.CUTTER_JAM, POWER, Verb.UNPLUG),
    *(Verb.DROP_AFTER, Verb.GO_AWOL, Verb.SLOW, Verb.HALF_WRITE, Verb.NOISE, NOISE_AT_RANDOM),
)
AMOUNTS = {Verb.SLOW: 20, Verb.NOISE: 1000, NOISE_AT_RANDOM: 200, Verb.DROP_AFTER: 1}
LINE_GOES = (POWER, Verb.UNPLUG)
"""These take their turns."""
ROW_DELAY_S = 0.0005
ANSWER_TIMEOUT_S = 0.8
AT_ONCE = 24


class Moment(enum.StrEnum):
    BEFORE = "before"
    FIRST_ROW = "first row"
    LINE_3 = "line 3"
    LAST_LINE = "last line"
    BEFORE_THE_CUT = "before the cut"
    AFTER_THE_CUT = "after the cut"


def cases() -> list[tuple[str, str, Moment]]:
    return list(itertools.product(WIRES, map(str, FAULTS), Moment))


async def run() -> list[Played]:
    """Play each fault at each moment on each line."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(line: str, fault: str, moment: Moment) -> Played:
        async with room:
            try:
                return await _play(line, fault, moment)
            except Exception as error:
                raise AssertionError(f"{fault} {moment} on {line}: {error!r}") from error

    return await asyncio.gather(*(one(*case) for case in cases()))


async def _play(line: str, fault: str, moment: Moment) -> Played:
    async with _printer(line) as (emulator, printer):
        emulator.row_delay_s = ROW_DELAY_S
        pulled: list[asyncio.Task[None]] = []

        def begin() -> None:
            if fault in LINE_GOES:
                pulled.append(asyncio.get_running_loop().create_task(_pull(emulator, fault)))
            else:  # at once: a turn later the printer has answered to what it has done
                _at_once(_pull(emulator, fault))

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
    return Played(line, fault, moment, outcome, any(whole), cut, came_out)


def _at_once(work: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nothing."""
    with suppress(StopIteration):
        work.send(None)
        raise AssertionError("it waits for something")


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
    io = new_io()
    printer = StarPrinter(
        io, await emulator.start(), answer_timeout_s=ANSWER_TIMEOUT_S, send_timeout_s=0.4, job_timeout_s=2.0
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
    return [_ink(rows) for rows in rows_on_paper(emulator)]


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
def section(played: Iterable[Played]) -> str:
    def said(one: Played) -> str:
        if (one.fault, one.moment) == (Verb.DROP_AFTER, Moment.AFTER_THE_CUT):
            return ""  # whether another byte passes after the cut is chance
        return verdict(one.outcome)

    title = "Star `star_raster`: counts what it has done"
    return verdict_page.section(
        title, played, tuple(Moment), Moment.LINE_3, hidden=(NOISE_AT_RANDOM,), said=said
    )
