"""What the ESC/POS driver says of a slip, and what is really on the paper: printer by fault by moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tapledger_drivers.emulators.escpos_models import MODELS
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator, Mute
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.ports import PrintJob, PrintVerdict, Text
from tapledger_drivers.printers.layout import expected_lines
from tests.drivers import verdict_page
from tests.drivers.printing import JOB, LINES, RECEIPT, at_line, driving, emulated
from tests.drivers.verdict_page import Played, verdict

ANSWER_TIMEOUT_S = 0.8
AT_ONCE = 40
"""So many cases at a time: most of them wait for an answer that does not come."""
NEXT = "the next slip"
LOOK_S, QUIET_LOOKS = 0.01, 5
EXPECTED = expected_lines(RECEIPT, 48)
SLOW_MS = 20
POWER_OFF_S = 0.15

MOMENTS = {
    "before": 0,
    "line 2": 2,
    "line 4": 4,
    "last line": len(EXPECTED),
    "before the cut": len(EXPECTED) + 1,
    "after the cut": len(EXPECTED) + 2,
}
"""After how many printed lines a fault begins; the feed counts as one, and so does the cut."""
BYTES = {"before": 0.02, "line 2": 0.3, "line 4": 0.5, "last line": 0.7, "before the cut": 0.85}
"""Where the line breaks in the course of all bytes of a job."""

Pull = Callable[[EscposPrinterEmulator, bool], Awaitable[None]]


def _verb(verb: Verb, amount: int | None = None) -> Pull:
    async def pull(printer: EscposPrinterEmulator, on: bool) -> None:
        await printer.pull(verb, on=on, amount=amount)

    return pull


def _mute(mute: Mute) -> Pull:
    async def pull(printer: EscposPrinterEmulator, on: bool) -> None:
        printer.set_mute(mute if on else Mute.NO)

    return pull


async def _overheat(printer: EscposPrinterEmulator, on: bool) -> None:
    printer.set_overheated(on)


async def _jam_at_the_cut(printer: EscposPrinterEmulator, on: bool) -> None:
    if on:
        printer.jam_at_next_cut()
    else:
        printer.set_cutter_jam(False)


async def _power_cycle(printer: EscposPrinterEmulator, on: bool) -> None:
    if on:
        await printer.power_cycle(POWER_OFF_S)


async def _nothing(printer: EscposPrinterEmulator, on: bool) -> None:
    pass


FAULTS: dict[str, Pull] = {
    "none": _nothing,
    "near_end": _verb(Verb.NEAR_END),
    "paper_out": _verb(Verb.PAPER_OUT),
    "cover_open": _verb(Verb.COVER_OPEN),
    "cutter_jam": _verb(Verb.CUTTER_JAM),
    "cutter_jam, at its next cut": _jam_at_the_cut,
    "overheated": _overheat,
    "power off and on": _power_cycle,
    "unplug": _verb(Verb.UNPLUG),
    "drop_after": _verb(Verb.DROP_AFTER),
    "go_awol": _verb(Verb.GO_AWOL),
    "reads, never answers": _mute(Mute.SILENT),
    "slow": _verb(Verb.SLOW, SLOW_MS),
    "half_write": _verb(Verb.HALF_WRITE),
    "noise, every byte": _verb(Verb.NOISE, 1000),
    "noise, every fifth byte": _verb(Verb.NOISE, 200),
}
CHANCE = frozenset({"noise, every fifth byte"})
"""What becomes of these is chance; they are judged, but not on the page."""


@dataclass(frozen=True, slots=True)
class Case:
    model: str
    line: str
    fault: str
    moment: str


def cases() -> list[tuple[str, str, str]]:
    return [(line, fault, moment) for line in LINES for fault in FAULTS for moment in MOMENTS]


async def run(model: str) -> list[Played]:
    """Play everything on one model of printer."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> Played:
        async with room:
            try:
                return await _play(case)
            except Exception as error:
                raise AssertionError(f"{case}: {error!r}") from error

    return await asyncio.gather(*(one(Case(model, *case)) for case in cases()))


async def _play(case: Case) -> Played:
    # A printer that never answers can be used only when the operator says that it is not to be asked.
    options: dict[str, Any] = {"answer_timeout_s": ANSWER_TIMEOUT_S}
    if case.model == "clone":
        options["detect_timeout_s"] = 0.1  # no question is answered, so no answer comes too late
    if case.model == "silent":
        options |= {"status": "none", "completion": "none"}
    query = "?baud=115200" if case.line == "pty" else ""
    async with emulated(case.line, case.model) as printer, driving(printer, query=query, **options) as driver:
        await _order(case, printer)
        outcome = await driver.print(JOB)
        await _mend(case, printer)
        whole = [slip for slip in printer.slips if _is_whole(slip.lines())]
        await driver.close()
        await driver.open()
        again = await driver.print(PrintJob("next", (Text(NEXT),)))
        if can_prove(case.model):
            came_out = again.verdict is PrintVerdict.PRINTED and printer.slips[-1].lines() == [NEXT]
        else:
            # Nobody can know that the last one was not cut, so a piece of it may stand above.
            await _rest(printer)
            came_out = printer.slips[-1].cut and printer.slips[-1].lines()[-1] == NEXT
        cut = any(slip.cut and slip.lines() == EXPECTED for slip in whole)
        return Played(case.line, case.fault, case.moment, outcome, bool(whole), cut, came_out)


async def _order(case: Case, printer: EscposPrinterEmulator) -> None:
    """Let the fault begin at its moment."""
    pull = FAULTS[case.fault]
    await _rest(printer)
    if case.fault == "drop_after":
        if case.moment in BYTES:
            bytes_of_a_job = 22 + 4 + 12 + 4 + 300
            await printer.pull(Verb.DROP_AFTER, amount=int(bytes_of_a_job * BYTES[case.moment]))
        return
    if MOMENTS[case.moment] == 0:
        await pull(printer, True)
        await _rest(printer)
    else:
        at_line(printer, MOMENTS[case.moment], lambda: pull(printer, True))


async def _mend(case: Case, printer: EscposPrinterEmulator) -> None:
    """End the fault, and let come out what still comes."""
    await _rest(printer)
    printer.after_line = None
    await FAULTS[case.fault](printer, False)
    if not printer.wire.plugged:
        await printer.pull(Verb.REPLUG)
    await _rest(printer)


async def _rest(printer: EscposPrinterEmulator) -> None:
    """Wait until nothing more comes in or out."""
    seen, quiet = -1, 0
    while quiet < QUIET_LOOKS:
        await asyncio.sleep(LOOK_S)
        quiet = quiet + 1 if printer.at_rest and printer.wire.bytes_in == seen else 0
        seen = printer.wire.bytes_in


def _is_whole(lines: list[str]) -> bool:
    count = len(EXPECTED)
    return any(lines[at : at + count] == EXPECTED for at in range(len(lines) - count + 1))


def can_prove(model: str) -> bool:
    return MODELS[model].gs_r


# ---- the page ------------------------------------------------------------------------------------------
TITLES = {
    "epson": "ESC/POS `epson`: says everything (automatic status, GS ( H)",
    "no_process_id": "ESC/POS `no_process_id`: GS r instead of GS ( H",
    "stops_asb": "ESC/POS `stops_asb`: its automatic status stops after a while",
    "clone": "ESC/POS `clone`: always says that it is ready, never that it has done something",
    "silent": 'ESC/POS `silent`: answers nothing; opened only with `status = "none"`',
}


def section(model: str, played: Iterable[Played]) -> str:
    """Return the page's part about one model."""
    looked_at = "line 4" if can_prove(model) else "before"

    def said(one: Played) -> str:
        if one.outcome.verdict is PrintVerdict.UNKNOWN and not can_prove(model):
            return "unknown"  # why, depends on whether the fault is faster than the printer's empty answer
        return verdict(one.outcome)

    return verdict_page.section(TITLES[model], played, tuple(MOMENTS), looked_at, hidden=CHANCE, said=said)
