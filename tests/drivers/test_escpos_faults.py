"""What goes wrong before and during a slip."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator, Mute
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked
from tapledger_drivers.ports import (
    PrintJob,
    PrintOutcome,
    PrintVerdict,
    QrCode,
    Row,
    Rule,
    Text,
)
from tapledger_drivers.printers.escpos import EscposPrinter
from tapledger_drivers.printers.layout import expected_lines, lay_out
from tapledger_drivers.printers.slip import build_slip
from tapledger_drivers.printers.status import ASK_STATUS, CLEAR_BUFFERS
from tapledger_drivers.registry import create_driver
from tests.drivers.cards import TRUST
from tests.drivers.printing import (
    JOB,
    LINES,
    PATIENCE,
    RECEIPT,
    at_line,
    driver,
    driving,
    emulated,
    fast,
    live_io,
    printer,
    until,
)

PRINTED, FAILED, UNKNOWN = PrintVerdict.PRINTED, PrintVerdict.FAILED, PrintVerdict.UNKNOWN
LONG = PrintJob("long", tuple(Row(f"line {number}", f"¥{number}.00") for number in range(40)))


# ---- faults before the slip ----------------------------------------------------------------------------
async def test_no_paper_or_an_open_cover_fails_before_a_byte_is_sent(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    for set_fault, reason in (
        (printer.set_paper_out, "paper_out"),
        (printer.set_cover_open, "cover_open"),
        (printer.set_cutter_jam, "cutter_error"),
    ):
        set_fault(True)
        outcome = await driver.print(JOB)
        assert (outcome.verdict, outcome.reason, outcome.paper_mm) == (FAILED, reason, 0)
        assert "slip not sent" in outcome.evidence
        status = await driver.status()
        assert (status.ready, status.reason) == (False, reason)
        set_fault(False)
    assert printer.slips == []
    assert (await driver.status()).ready


async def test_a_peer_that_echoes_is_no_printer() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(100):
            writer.write(chunk)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    io = live_io()
    with pytest.raises(DeviceAbsent):
        await EscposPrinter(io, f"tcp:127.0.0.1:{port}", PATIENCE).open()
    await io.close()
    server.close()
    await server.wait_closed()


async def test_a_line_that_breaks_while_it_is_opened_is_absent(printer: EscposPrinterEmulator) -> None:
    await printer.pull(Verb.DROP_AFTER, amount=10)
    async with driving(printer, opened=False) as driver:
        with pytest.raises(DeviceAbsent, match="unplugged"):
            await driver.open()


async def test_close_ends_an_open_that_waits(printer: EscposPrinterEmulator) -> None:
    printer.set_mute(Mute.SILENT)
    async with driving(printer, opened=False, answer_timeout_s=60.0) as driver:
        opening = asyncio.create_task(driver.open())
        await until(lambda: printer.wire.bytes_in > 0, "it was not asked")
        await driver.close()
        with pytest.raises(DeviceAbsent):
            async with asyncio.timeout(1.0):
                await opening


@pytest.mark.parametrize("options", [{"port": "printer"}, {"port": "tcp:x:1", "drawer_pin": "3"}, {}])
async def test_a_wrong_option_is_named(options: dict[str, object]) -> None:
    io = live_io()
    with pytest.raises(DeviceBlocked):
        create_driver(DeviceConfig("p", "escpos", options), TRUST, io)
    await io.close()


async def print_receipt(emulator: EscposPrinterEmulator) -> PrintOutcome:
    async with driving(emulator) as opened:
        return await opened.print(JOB)


# ---- faults during the slip ----------------------------------------------------------------------------
async def test_paper_that_ends_in_the_middle_fails_and_the_rest_never_comes(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    printer.set_paper_lines_left(3)
    outcome = await driver.print(JOB)
    assert (outcome.verdict, outcome.reason) == (FAILED, "paper_out")
    assert "no cut, printer confirmed that the rest is cleared" in outcome.evidence
    assert not printer.slips[-1].cut
    printer.set_paper_out(False)
    again = await driver.print(JOB)
    assert again.verdict is PRINTED
    assert [slip.lines() for slip in printer.slips][1:] == [expected_lines(RECEIPT, 48)]
    assert printer.slips[0].cut, "one member's piece must not hang on another's slip"


async def test_half_a_command_of_a_broken_job_does_not_swallow_the_next(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    inside_the_qr_code = build_slip(lay_out(RECEIPT, 48), 576).data.index(b"example.test")
    questions = len(CLEAR_BUFFERS + ASK_STATUS) + 4
    await printer.pull(Verb.DROP_AFTER, amount=questions + inside_the_qr_code)
    assert (await driver.print(JOB)).verdict is UNKNOWN
    await driver.close()
    await printer.pull(Verb.REPLUG)
    await driver.open()
    assert (await driver.print(JOB)).verdict is PRINTED
    assert printer.slips[-1].lines() == expected_lines(RECEIPT, 48)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("forgets", [False, True])
async def test_late_answers_to_an_earlier_slip_prove_nothing_of_the_next(line: str, forgets: bool) -> None:
    """GS r has no names, and a printer without DLE DC4 8 goes on with the earlier slip once it has paper. One
    that was switched off instead never answers to it: a person looks once, then all is as before."""
    async with emulated(line, "no_process_id") as printer:
        printer.model = replace(printer.model, clears=False)
        async with driving(printer, query=fast(printer), job_timeout_s=2.0) as driver:
            printer.set_paper_lines_left(3)
            first = await driver.print(JOB)
            assert (first.verdict, first.reason) == (UNKNOWN, "paper_out")
            if forgets:
                printer._parser.clear()
            printer.line_delay_s = 0.01
            printer.set_paper_out(False)
            second = await driver.print(LONG)
            assert second.verdict is (UNKNOWN if forgets else PRINTED)
            assert printer.slips[-1].cut and "line 39" in printer.slips[-1].text()
            assert (await driver.print(JOB)).verdict is PRINTED
            assert printer.slips[-1].cut and printer.slips[-1].lines() == expected_lines(RECEIPT, 48)


@pytest.mark.parametrize("lines", [12, 11, 7, 6])
async def test_paper_that_ends_at_the_last_line_or_later_is_for_a_person_to_look_at(
    printer: EscposPrinterEmulator, driver: EscposPrinter, lines: int
) -> None:
    """Six lines and six of feed: whoever tears off the piece has all of the text."""
    assert len(expected_lines(RECEIPT, 48)) == 6
    printer.set_paper_lines_left(lines)
    outcome = await driver.print(JOB)
    assert (outcome.verdict, outcome.reason) == (UNKNOWN, "paper_out")


async def test_a_knife_that_jams_leaves_a_whole_receipt_hanging(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    printer.jam_at_next_cut()
    outcome = await driver.print(JOB)
    assert (outcome.verdict, outcome.reason) == (UNKNOWN, "cutter_error")


async def test_a_printer_that_falls_silent_anywhere_in_the_slip_is_unknown(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    questions, slip = len(CLEAR_BUFFERS + ASK_STATUS), len(build_slip(lay_out(RECEIPT, 48), 576).data)
    for heard in (questions + 1, questions + slip):
        printer.mute_after(heard)
        outcome = await driver.print(JOB)
        assert (outcome.verdict, outcome.reason) == (UNKNOWN, "mute")
        printer.set_mute(Mute.NO)


@pytest.mark.parametrize("model", ["epson", "no_process_id"])
async def test_a_line_cut_after_any_byte_is_never_printed(model: str) -> None:
    """Bytes of both directions count, so that answers are cut short as well."""
    async with emulated(model=model) as printer, driving(printer, answer_timeout_s=1.0) as driver:
        before = printer.wire.bytes_in + printer.wire.bytes_out
        assert (await driver.print(JOB)).verdict is PRINTED
        whole = printer.wire.bytes_in + printer.wire.bytes_out - before
        preflight = len(CLEAR_BUFFERS + ASK_STATUS)
        for passed in [*range(1, 60), *range(60, whole - 60, 7), *range(whole - 60, whole)]:
            printer.slips.clear()
            await driver.close()
            await driver.open()
            await printer.pull(Verb.DROP_AFTER, amount=passed)
            outcome = await driver.print(JOB)
            if passed < whole - 4:
                assert outcome.verdict is not PRINTED, passed
            if passed < preflight:
                assert outcome.verdict is FAILED, passed
            await until(lambda: printer.idle or not printer.wire.faults(), "it does not come to rest")
            if any(expected_lines(RECEIPT, 48)[-1] in slip.text() for slip in printer.slips):
                assert outcome.verdict is not FAILED, f"a whole receipt came out after {passed} bytes"
        await driver.close()
        await driver.open()
        assert (await driver.print(JOB)).verdict is PRINTED


@pytest.mark.parametrize("model", ["epson", "no_process_id"])
async def test_a_printer_that_lost_its_memory_on_a_serial_line_did_not_print(model: str) -> None:
    """The line stays up, the rest of the slip comes out of a printer that knows nothing of its beginning."""
    async with emulated("pty", model, baud=19200) as printer:
        async with driving(printer, query="?baud=19200") as driver:
            at_line(printer, 10, printer.power_cycle)
            outcome = await driver.print(LONG)
        assert (outcome.verdict, outcome.reason) == (UNKNOWN, "power_cycled")
        assert any("line 39" in slip.text() for slip in printer.slips)


async def test_a_power_cycle_breaks_a_network_line() -> None:
    async with emulated() as printer, driving(printer) as driver:
        at_line(printer, 3, printer.power_cycle)
        outcome = await driver.print(JOB)
        assert (outcome.verdict, outcome.reason) == (UNKNOWN, "cut_off")
        await driver.close()
        await until(lambda: printer.wire.plugged, "it was not switched on again")
        await driver.open()
        assert (await driver.print(JOB)).verdict is PRINTED


async def test_a_slow_printer_is_waited_for(printer: EscposPrinterEmulator, driver: EscposPrinter) -> None:
    printer.line_delay_s = 0.06
    outcome = await driver.print(JOB)
    assert outcome.verdict is PRINTED
    assert printer.slips[0].cut


@pytest.mark.parametrize("baud", [9600, 115200])
async def test_deadlines_grow_with_what_a_slow_line_has_to_carry(baud: int) -> None:
    """A slip takes longer than every deadline here, and the line carries little else than the slip."""
    job = PrintJob("long", tuple(Text("0123456789" * 4) for _ in range(baud // 400)))
    async with emulated("pty", baud=baud) as printer:
        query = f"?baud={baud}"
        async with driving(printer, query=query, answer_timeout_s=0.3, job_timeout_s=0.3) as driver:
            began_s = time.monotonic()
            outcome = await driver.print(job)
            took_s = time.monotonic() - began_s
    assert outcome.verdict is PRINTED, outcome
    slip = len(build_slip(lay_out(job.items, 48), 576).data)
    assert slip * 10 / baud > 0.3
    assert slip * 10 / baud / took_s > 0.8


async def test_a_small_buffer_is_fed_in_pieces_the_first_at_once(printer: EscposPrinterEmulator) -> None:
    async with driving(printer, chunk_bytes=64, pause_ms=20) as driver:
        outcome = await driver.print(JOB)
        assert outcome.verdict is PRINTED
        sent = [frame for frame in driver.traffic.frames() if len(frame.data) == 64]
        assert len(sent) >= 4
        [first_byte_s] = driver.traffic.observed()["first_byte"]
        [job_s] = driver.traffic.observed()["print_job"]
        assert job_s > len(sent) * 0.02 > first_byte_s


async def test_a_printer_whose_buffer_is_full_stops_nobody(printer: EscposPrinterEmulator) -> None:
    """The cover opens in a slip larger than all buffers between: the write stalls, and ends in time."""
    big = tuple(QrCode("q" * 1000) for _ in range(300))
    async with driving(printer, query=fast(printer), send_timeout_s=0.5) as driver:
        printer.buffer_bytes = 1000
        at_line(printer, 2, lambda: printer.set_cover_open(True))
        began_s = time.monotonic()
        outcome = await driver.print(PrintJob("big", big))
        assert time.monotonic() - began_s < 5.0
        assert (outcome.verdict, outcome.reason) in {(UNKNOWN, "cover_open"), (UNKNOWN, "mute")}
        began_s = time.monotonic()
        await driver.close()
        assert time.monotonic() - began_s < 1.0


async def test_close_ends_a_slip_that_is_being_written(printer: EscposPrinterEmulator) -> None:
    big = tuple(QrCode("q" * 1000) for _ in range(300))
    async with driving(printer, send_timeout_s=60.0, answer_timeout_s=60.0) as driver:
        printer.buffer_bytes = 1000
        at_line(printer, 2, lambda: printer.set_mute(Mute.DEAF))
        job = asyncio.create_task(driver.print(PrintJob("big", big)))
        await until(lambda: printer.mute is Mute.DEAF, "the slip was not begun")
        await driver.close()
        async with asyncio.timeout(1.0):
            outcome = await job
        assert (outcome.verdict, outcome.reason) == (UNKNOWN, "cut_off")


async def test_jobs_wait_for_each_other_and_each_comes_out_once(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    jobs = [PrintJob(f"job-{n}", (Text(f"slip {n}"),)) for n in range(10)]
    outcomes = await asyncio.gather(*map(driver.print, jobs))
    assert {outcome.verdict for outcome in outcomes} == {PRINTED}
    assert sorted(slip.text() for slip in printer.slips) == sorted(f"slip {n}" for n in range(10))


async def test_a_printer_that_is_shared_is_let_go_after_each_job(emulator: EscposPrinterEmulator) -> None:
    async with driving(emulator, hold_line=False) as first, driving(emulator, hold_line=False) as second:
        for driver in (first, second, first):
            assert (await driver.print(JOB)).verdict is PRINTED
            assert (await driver.status()).ready
    assert len(emulator.slips) == 3


async def test_a_job_that_cannot_be_built_fails_without_touching_the_printer(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    before = printer.wire.bytes_in
    for items in ((QrCode("x" * 2000),), (QrCode(""),), (Rule(),) * 1000):
        outcome = await driver.print(PrintJob("j", items))
        assert (outcome.verdict, outcome.reason) == (FAILED, "bad_job")
    assert printer.wire.bytes_in == before


async def test_printing_does_not_hold_up_the_event_loop(emulator: EscposPrinterEmulator) -> None:
    emulator.line_delay_s = 0.02
    job = asyncio.create_task(print_receipt(emulator))
    turns = 0
    while not job.done():
        await asyncio.sleep(0)
        turns += 1
    assert job.result().verdict is PRINTED
    assert turns > 100


__all__ = ["driver", "printer"]
