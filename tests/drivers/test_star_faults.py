"""What a Star printer's driver says of slips that something happened to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.pty_wire import PtyWire
from tapledger_drivers.emulators.star_printer import StarPrinterEmulator
from tapledger_drivers.io import WriteStalled
from tapledger_drivers.ports import (
    PrintJob,
    PrintOutcome,
    Text,
)
from tapledger_drivers.printers import star
from tapledger_drivers.printers.layout import lay_out
from tapledger_drivers.printers.star_raster import TAIL_ROWS, StarPage
from tests.drivers.star import (
    FAILED,
    PRINTED,
    RECEIPT,
    UNKNOWN,
    expected_rows,
    opened,
    rows_on_paper,
    until,
)
from tests.drivers.star import (
    emulator as emulator,
)

DEADLINE_S = 5.0
MORE_THAN_LIES_BETWEEN = 16 * 1024 * 1024


# ---- faults during a slip ------------------------------------------------------------------------------
async def print_with(
    emulator: StarPrinterEmulator, at_row: int, happens: Callable[[], object], **options: object
) -> PrintOutcome:
    """Print a receipt to which something happens once so many rows are on paper."""
    async with opened(emulator, **options) as printer:
        due = emulator.rows_printed + at_row

        def watch() -> None:
            if emulator.rows_printed >= due:
                emulator.on_change.remove(watch)
                happened = happens()
                if asyncio.iscoroutine(happened):
                    tasks.append(asyncio.get_running_loop().create_task(happened))

        tasks: list[asyncio.Task[object]] = []
        emulator.on_change.append(watch)
        outcome = await printer.print(PrintJob("job-1", RECEIPT))
        await asyncio.gather(*tasks)
        assert watch not in emulator.on_change, "it never happened"
        return outcome


@pytest.mark.parametrize("verb", [Verb.PAPER_OUT, Verb.COVER_OPEN, Verb.CUTTER_JAM])
async def test_a_printer_that_stops_in_the_middle_never_brings_out_the_rest(
    emulator: StarPrinterEmulator, verb: Verb
) -> None:
    outcome = await print_with(emulator, 100, lambda: emulator.set_fault(verb, True))
    assert outcome.verdict is FAILED
    assert "stopped before the last line, no cut sent" in outcome.evidence
    assert [slip.cut for slip in emulator.slips] == [False]
    printed = emulator.rows_printed
    await emulator.pull(verb, on=False)
    async with opened(emulator) as printer:
        assert emulator.rows_printed <= printed + 1, "the rest came out"
        assert (await printer.print(PrintJob("again", RECEIPT))).verdict is PRINTED
    [rows] = rows_on_paper(emulator)
    assert rows[-len(expected_rows(RECEIPT)) :] == expected_rows(RECEIPT)


async def test_paper_that_ends_with_the_cut_is_for_a_person_to_look_at(emulator: StarPrinterEmulator) -> None:
    emulator.set_paper_rows_left(receipt_height() + TAIL_ROWS)
    async with opened(emulator) as printer:
        outcome = await printer.print(PrintJob("j", RECEIPT))
    assert (outcome.verdict, outcome.reason) == (UNKNOWN, "paper_out")


def receipt_height() -> int:
    page = StarPage([], 576)
    return sum(page.draw(line).height for line in lay_out(RECEIPT, 48))


@pytest.mark.parametrize("at_row", [1, 100, receipt_height(), receipt_height() + TAIL_ROWS // 2])
async def test_a_power_cycle_is_never_printed(emulator: StarPrinterEmulator, at_row: int) -> None:
    """On a serial line nothing breaks when the printer loses its power: only its counter tells."""
    emulator.row_delay_s = 0.0002
    outcome = await print_with(emulator, at_row, emulator.power_cycle)
    assert outcome.verdict is UNKNOWN
    if isinstance(emulator.wire, PtyWire):
        assert outcome.reason == "power_cycled"
    assert not any(slip.cut for slip in emulator.slips)


async def test_a_line_cut_after_any_byte_is_never_printed() -> None:
    emulator = StarPrinterEmulator()
    await emulator.start()
    slip = (Text("凭证 7K3M"),)
    async with opened(emulator) as printer:
        before = emulator.wire.bytes_in
        await printer.print(PrintJob("whole", slip))
        whole = emulator.wire.bytes_in - before
    for arrived in (*range(1, 40), *range(40, whole, 41)):
        async with opened(emulator, answer_timeout_s=0.3, job_timeout_s=1.0) as printer:
            slips, cut = len(emulator.slips), sum(slip.cut for slip in emulator.slips)
            await emulator.pull(Verb.DROP_AFTER, amount=arrived)
            outcome = await printer.print(PrintJob("j", slip))
            assert outcome.verdict is not PRINTED, arrived
            if outcome.verdict is FAILED:
                assert sum(slip.cut for slip in emulator.slips) == cut, arrived
            assert len(emulator.slips) <= slips + 1
            await emulator.pull(Verb.DROP_AFTER, on=False)
    async with opened(emulator) as printer:
        assert (await printer.print(PrintJob("after", slip))).verdict is PRINTED
    assert rows_on_paper(emulator)[-1][-len(expected_rows(slip)) :] == expected_rows(slip)
    await emulator.close()


async def test_half_a_row_of_a_broken_job_does_not_swallow_the_next(emulator: StarPrinterEmulator) -> None:
    async with opened(emulator) as printer:
        emulator.received(b"\x1b*rA\x1b*rE13\x00b\x48\x00" + b"\xff" * 5)
        assert (await printer.print(PrintJob("j", RECEIPT))).verdict is PRINTED
    rows = rows_on_paper(emulator)[-1]
    assert rows[-len(expected_rows(RECEIPT)) :] == expected_rows(RECEIPT)


@pytest.mark.parametrize("verb", [Verb.COVER_OPEN, Verb.PAPER_OUT, Verb.NEAR_END])
async def test_one_wrong_answer_is_no_trouble(emulator: StarPrinterEmulator, verb: Verb) -> None:
    """A roll that is out, or near its end, for one answer would be a new roll to the forecast."""
    async with opened(emulator) as printer:
        answer, told = emulator.answer, 0

        def spoil(question: str) -> None:
            nonlocal told
            told += 1
            if told == 1:
                emulator._faults.add(verb)
                answer(question)
                emulator._faults.discard(verb)
            elif told > 2:  # each question is answered twice: the other of the first is lost
                answer(question)

        emulator.answer = spoil  # type: ignore[method-assign]
        said = await printer.status()
        assert (said.reason, said.near_end) == ("ok", False)
        assert told > 2


async def test_a_change_is_not_missed_while_somebody_thinks_about_the_last(
    emulator: StarPrinterEmulator,
) -> None:
    async with opened(emulator) as printer:
        changes = printer.changes()
        assert (await anext(changes)).ready
        heard = len(printer._io.traffic.frames())
        await emulator.pull(Verb.COVER_OPEN)
        await until(lambda: len(printer._io.traffic.frames()) > heard)
        async with asyncio.timeout(1.0):
            assert (await anext(changes)).reason == "cover_open"


@pytest.mark.parametrize("takes_questions", [True, False])
async def test_slips_that_wait_do_not_hide_that_the_printer_fell_silent(
    emulator: StarPrinterEmulator, monkeypatch: pytest.MonkeyPatch, takes_questions: bool
) -> None:
    """Each slip asks and gets no answer; the next one asks before anybody else can. What lies between takes
    the questions, or is full and does not."""
    monkeypatch.setattr(star, "LIVENESS_S", 0.05)
    async with opened(emulator, answer_timeout_s=0.2, send_timeout_s=0.2) as printer:
        changes = printer.changes()
        assert (await anext(changes)).ready

        async def print_on_and_on() -> None:
            while True:
                await printer.print(PrintJob("j", RECEIPT))

        await emulator.pull(Verb.GO_AWOL)
        if not takes_questions:
            assert printer._line is not None
            with pytest.raises(WriteStalled):
                await printer._line.send(bytes(MORE_THAN_LIES_BETWEEN))
        slips = [asyncio.create_task(print_on_and_on()) for _ in range(2)]
        try:
            async with asyncio.timeout(DEADLINE_S):
                assert (await anext(changes)).reason == "mute"
            back = asyncio.ensure_future(anext(changes))
            await asyncio.wait({back}, timeout=0.3)
            assert not back.done(), "silence is told once"
            await emulator.pull(Verb.GO_AWOL, on=False)
            async with asyncio.timeout(DEADLINE_S):
                assert (await back).ready
        finally:
            for slip in slips:
                slip.cancel()
            await asyncio.gather(*slips, return_exceptions=True)
