"""The receipt printer on every line it can hang on: never "printed" without the printer's own word."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.device import Capability, DeviceConfig, HealthLevel, Source
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator, Mute
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.memory import MemoryIo, MemoryWire
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.ports import (
    Align,
    PrintJob,
    PrintOutcome,
    PrintVerdict,
    QrCode,
    Row,
    Rule,
    Text,
)
from tapledger_drivers.printers.code_pages import CODE_PAGES
from tapledger_drivers.printers.encoding import char_columns, sanitise, text_columns
from tapledger_drivers.printers.escpos import IDLE_ASK_S, EscposPrinter
from tapledger_drivers.printers.layout import TextLine, expected_lines, lay_out
from tapledger_drivers.printers.raster import missing_glyphs
from tapledger_drivers.printers.slip import build_slip
from tapledger_drivers.printers.status import ASK_STATUS, CLEAR_BUFFERS
from tapledger_drivers.registry import create_driver
from tapledger_drivers.testing import DriverContract, DriverLab
from tapledger_drivers.traffic import Direction
from tests.drivers.cards import TRUST
from tests.drivers.printing import (
    JOB,
    LINES,
    PATIENCE,
    RECEIPT,
    at_line,
    driving,
    emulated,
    live_io,
    next_status,
    until,
)

PRINTED, FAILED, UNKNOWN = PrintVerdict.PRINTED, PrintVerdict.FAILED, PrintVerdict.UNKNOWN


@pytest.fixture(params=LINES)
async def printer(request: pytest.FixtureRequest) -> AsyncIterator[EscposPrinterEmulator]:
    async with emulated(request.param) as emulator:
        yield emulator


@pytest.fixture
async def driver(printer: EscposPrinterEmulator) -> AsyncIterator[EscposPrinter]:
    async with driving(printer, query=fast(printer)) as opened:
        yield opened


class TestContract(DriverContract):
    @pytest.fixture(params=["tcp", "pty", "old"])
    async def lab(self, request: pytest.FixtureRequest) -> AsyncIterator[DriverLab]:
        line = "pty" if request.param == "pty" else "tcp"
        async with emulated(line) as emulator, emulated(line) as gone:
            io, other_io = live_io(), live_io()
            await gone.close()
            if request.param == "old":
                config = DeviceConfig("p", "escpos_tcp", {"host": "127.0.0.1", "port": emulator.port})
                absent = DeviceConfig("q", "escpos_tcp", {"host": "127.0.0.1", "port": gone.port})
            else:
                config = DeviceConfig("p", "escpos", {"port": emulator.address})
                absent = DeviceConfig("q", "escpos", {"port": gone.address})
            driver = create_driver(config, TRUST, io)

            async def pull(verb: Verb) -> None:
                await emulator.pull(verb)

            yield DriverLab(
                driver,
                create_driver(absent, TRUST, other_io),
                lambda: pull(Verb.UNPLUG),
                lambda: pull(Verb.REPLUG),
                lambda: pull(Verb.GO_AWOL),
                io.traffic,
            )
            await driver.close()
            await io.close()
            await other_io.close()


def fast(printer: EscposPrinterEmulator) -> str:
    return "?baud=115200" if printer.address.startswith("tty") else ""


async def print_receipt(emulator: EscposPrinterEmulator) -> PrintOutcome:
    async with driving(emulator) as opened:
        return await opened.print(JOB)


async def test_a_receipt_is_printed_as_laid_out(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    outcome = await driver.print(JOB)
    assert (outcome.verdict, outcome.reason) == (PRINTED, "ok")
    well = "dle_eot_1=12 dle_eot_2=12 dle_eot_3=12 dle_eot_4=12"
    assert outcome.evidence == f"process_id answered, {well} after the cut"
    [slip] = printer.slips
    assert slip.cut
    assert slip.lines() == expected_lines(RECEIPT, 48)
    assert printer.unknown_commands == []
    assert printer.drawer_kicks == 0
    assert outcome.paper_mm == slip.length_mm
    assert slip.lines() == [
        " " * 7 + "丽人化妆品",
        "-" * 48,
        "口红 Rouge 999" + " " * 26 + "￥128.00",
        "积分 Points" + " " * 33 + "+128",
        "[QR:https://example.test/r/1?名=李]",
        "谢谢光临！退换货请保留小票。",
    ]


async def test_questions_add_no_command_of_their_own_to_the_slip(driver: EscposPrinter) -> None:
    """What the printer gets is the golden slip; only questions stand between its lines."""
    await driver.print(JOB)
    sent = b"".join(frame.data for frame in driver.traffic.frames() if frame.direction is Direction.TO_DEVICE)
    slip = sent[sent.rindex(b"\x1b@") :]
    for question in (b"\x1da\xff", ASK_STATUS):
        slip = slip.replace(question, b"")
    slip = re.sub(rb"\x1d\(H\x06\x0000.{4}", b"", slip)
    assert slip == build_slip(lay_out(RECEIPT, 48), 576).data


async def test_the_picture_of_the_paper_has_no_missing_glyph(emulator: EscposPrinterEmulator) -> None:
    await print_receipt(emulator)
    assert missing_glyphs(emulator.slips[0].text()) == set()
    assert missing_glyphs("😀") == {"😀"}, "the check itself must be able to fail"
    assert emulator.slips[0].png().startswith(b"\x89PNG")


async def test_what_gbk_lacks_comes_as_a_picture(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    outcome = await driver.print(PrintJob("j", (Text("thời trang"), Text("a😀b"))))
    assert outcome.verdict is PRINTED
    assert "a line as a picture; 1 characters without a glyph replaced by ?" in outcome.evidence
    assert printer.slips[0].lines() == ["[picture 576x28]", "[picture 576x28]"]


@pytest.mark.parametrize("code_page", ["big5", "shift_jis", "gb18030"])
async def test_each_code_page_is_read_back(code_page: str) -> None:
    async with emulated(code_page=CODE_PAGES[code_page]) as printer:
        async with driving(printer, code_page=code_page) as driver:
            outcome = await driver.print(PrintJob("j", (Text("中文 ABC 123"),)))
        assert outcome.verdict is PRINTED
        assert printer.slips[0].lines() == ["中文 ABC 123"]
        assert printer.unknown_commands == []


# ---- what it is and can --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("model", "status", "completion"),
    [
        ("epson", "asb", "process_id"),
        ("no_process_id", "asb", "gs_r"),
        ("clone", "eot", "none"),
    ],
)
@pytest.mark.parametrize("line", LINES)
async def test_what_a_printer_can_is_detected(line: str, model: str, status: str, completion: str) -> None:
    async with emulated(line, model) as printer, driving(printer, opened=False) as driver:
        info = await driver.open()
        assert info.capabilities["status"].value == status
        assert info.capabilities["completion"].value == completion
        assert info.capabilities["status"].source is Source.DETECTED
        assert info.capabilities["columns"].value == 48
        if model != "clone":
            assert (info.model, info.firmware, info.serial) == ("tapledger emulator", "1.00", "E0001")
        assert printer.unknown_commands == [] and printer.slips == []


async def test_a_printer_that_is_not_ready_is_learnt_when_it_is(printer: EscposPrinterEmulator) -> None:
    printer.set_cover_open(True)
    async with driving(printer) as driver:
        assert (await driver.print(JOB)).reason == "cover_open"
        printer.set_cover_open(False)
        assert (await driver.print(JOB)).verdict is PRINTED
        assert driver.capabilities["completion"].value == "process_id"


async def test_the_operators_word_counts_and_is_not_asked(printer: EscposPrinterEmulator) -> None:
    async with driving(printer, status="eot", completion="gs_r") as driver:
        assert driver.capabilities["status"] == Capability("eot", Source.OPERATOR)
        assert (await driver.print(JOB)).evidence.startswith("gs_r answered")
    assert b"\x1da" not in printer.received_bytes and b"\x1d(H" not in printer.received_bytes


async def test_a_model_with_a_quirk(printer: EscposPrinterEmulator) -> None:
    async with driving(printer, model="XP-80C") as driver:
        known = driver.capabilities["status"]
    assert known.source is Source.DETECTED, "what it says of itself is another model"
    async with emulated(model="clone") as clone, driving(clone, model="XP-80C") as driver:
        assert driver.capabilities["status"] == Capability("eot", Source.QUIRK)


async def test_a_printer_that_answers_nothing_prints_when_the_operator_says_so() -> None:
    async with emulated(model="silent") as printer:
        async with driving(printer, opened=False) as driver:
            with pytest.raises(DeviceAbsent, match="mute"):
                await driver.open()
        async with driving(printer, status="none", completion="none") as driver:
            outcome = await driver.print(JOB)
            assert (outcome.verdict, outcome.reason) == (UNKNOWN, "no_completion")
        await until(lambda: bool(printer.slips) and printer.slips[-1].cut, "the slip did not come out")


async def test_health(printer: EscposPrinterEmulator, driver: EscposPrinter) -> None:
    assert (await driver.health(HealthLevel.INTERNAL)).ok
    assert printer.slips == []
    assert (await driver.health(HealthLevel.EXTERNAL)).ok
    assert "TEST 测试" in printer.slips[0].text()
    printer.set_paper_out(True)
    report = await driver.health(HealthLevel.INTERNAL)
    assert [finding.code for finding in report.findings] == ["paper_out"]


# ---- status --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("line", "model"), [("tcp", "epson"), ("pty", "no_process_id"), ("tcp", "stops_asb")]
)
async def test_what_happens_to_the_printer_is_told_within_a_second(line: str, model: str) -> None:
    async with emulated(line, model) as printer, driving(printer) as driver:
        changes = driver.changes()
        assert (await next_status(changes)).ready
        for change, reason in (
            (printer.set_cover_open, "cover_open"),
            (printer.set_paper_out, "paper_out"),
            (printer.set_cutter_jam, "cutter_error"),
            (printer.set_overheated, "overheated"),
        ):
            for on, expected in ((True, reason), (False, "ok")):
                began_s = time.monotonic()
                change(on)
                status = await next_status(changes)
                assert (status.reason, status.ready) == (expected, expected == "ok")
                took_s = time.monotonic() - began_s
                assert took_s < 1.0, f"{reason} {on} took {took_s:.2f} s"
        printer.set_near_end(True)
        status = await next_status(changes)
        assert status.ready and status.near_end
        counters = driver.traffic.counters
        assert counters["ReceiptCoverOpenCount"] == counters["FailedPaperCutCount"] == 1
        assert counters["PrinterFaultCount"] == 1


async def test_automatic_status_tells_at_once(printer: EscposPrinterEmulator, driver: EscposPrinter) -> None:
    """Much faster than asking would, so it is what told."""
    changes = driver.changes()
    await next_status(changes)
    took_s = []
    for on in (True, False) * 5:
        began_s = time.monotonic()
        printer.set_cover_open(on)
        await next_status(changes)
        took_s.append(time.monotonic() - began_s)
    assert sorted(took_s)[len(took_s) // 2] < IDLE_ASK_S / 4


async def test_the_cover_is_told_while_a_slip_is_at_work(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    at_line(printer, 3, lambda: printer.set_cover_open(True))
    changes = driver.changes()
    assert (await next_status(changes)).ready
    job = asyncio.create_task(driver.print(JOB))
    assert (await next_status(changes)).reason == "cover_open"
    assert (await job).reason == "cover_open"


async def test_the_drawers_switch_is_learnt_from_a_kick(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    assert (await driver.status()).drawer_open is None
    assert await driver.kick_drawer()
    assert printer.drawer_kicks == 1
    await until(lambda: printer.condition.drawer_open, "the drawer stays shut")
    assert (await driver.status()).drawer_open is True
    printer.set_drawer_open(False)
    assert (await driver.status()).drawer_open is False
    assert driver.traffic.counters["DrawerGoodOpenCount"] == 1


async def test_a_kick_over_an_empty_roll_comes_now_and_never_again(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    printer.set_paper_out(True)
    assert await driver.kick_drawer()
    await until(lambda: printer.drawer_kicks == 1, "the drawer stays shut")
    printer.set_paper_out(False)
    assert (await driver.print(JOB)).verdict is PRINTED
    assert printer.drawer_kicks == 1


async def test_no_drawer_opens_at_a_mute_printer(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    printer.set_mute(Mute.SILENT)
    assert not await driver.kick_drawer()
    assert printer.drawer_kicks == 0
    assert driver.traffic.counters["DrawerFailedOpenCount"] == 1


@pytest.mark.parametrize("mute", [Mute.DEAF, Mute.SILENT])
async def test_a_printer_that_says_nothing_any_more_is_mute_and_then_lost(
    printer: EscposPrinterEmulator, driver: EscposPrinter, mute: Mute
) -> None:
    changes = driver.changes()
    assert (await next_status(changes)).ready
    printer.set_mute(mute)
    assert (await next_status(changes)).reason == "mute"
    with pytest.raises(DeviceLost, match="mute"):
        await next_status(changes)
    await driver.close()
    printer.set_mute(Mute.NO)
    await driver.open()
    assert (await driver.print(JOB)).verdict is PRINTED


async def test_a_short_silence_is_forgiven(printer: EscposPrinterEmulator, driver: EscposPrinter) -> None:
    changes = driver.changes()
    assert (await next_status(changes)).ready
    printer.set_mute(Mute.DEAF)
    assert (await next_status(changes)).reason == "mute"
    printer.set_mute(Mute.NO)
    assert (await next_status(changes)).ready
    assert (await driver.print(JOB)).verdict is PRINTED


async def test_unplugged_within_a_second_and_usable_two_seconds_after(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    changes = driver.changes()
    assert (await next_status(changes)).ready
    began_s = time.monotonic()
    await printer.pull(Verb.UNPLUG)
    with pytest.raises(DeviceLost):
        await next_status(changes)
    assert time.monotonic() - began_s < 1.0
    assert (await driver.print(JOB)).verdict is FAILED
    assert (await driver.status()).reason == "unreachable"
    await driver.close()
    await printer.pull(Verb.REPLUG)
    began_s = time.monotonic()
    await driver.open()
    assert (await driver.print(JOB)).verdict is PRINTED
    assert time.monotonic() - began_s < 2.0


async def test_the_kernels_printer_device_is_the_same_line() -> None:
    """This kernel has no USB: a terminal in its place, opened as ``/dev/usb/lp0`` is."""
    async with emulated("pty") as printer:
        io = live_io()
        driver = EscposPrinter(io, "usblp:" + printer.address.removeprefix("tty:"), PATIENCE)
        info = await driver.open()
        assert (info.model, info.virtual) == ("tapledger emulator", True)
        assert (await driver.print(JOB)).verdict is PRINTED
        changes = driver.changes()
        assert (await next_status(changes)).ready
        await printer.pull(Verb.UNPLUG)
        with pytest.raises(DeviceLost):
            await next_status(changes)
        await driver.close()
        await printer.pull(Verb.REPLUG)
        await driver.open()
        assert (await driver.print(JOB)).verdict is PRINTED
        await driver.close()
        await io.close()


async def test_it_works_without_a_kernel_between() -> None:
    printer = EscposPrinterEmulator(wire=lambda machine: MemoryWire(machine, "printer"))
    await printer.start()
    wire = printer.wire
    assert isinstance(wire, MemoryWire)
    driver = EscposPrinter(MemoryIo({wire.address: wire}, live_io().traffic), wire.address, PATIENCE)
    await driver.open()
    assert (await driver.print(JOB)).verdict is PRINTED
    await driver.close()
    await printer.close()


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
    job = PrintJob("long", tuple(Row(f"line {number}", f"¥{number}.00") for number in range(40)))
    async with emulated("pty", model, baud=19200) as printer:
        async with driving(printer, query="?baud=19200") as driver:
            at_line(printer, 10, printer.power_cycle)
            outcome = await driver.print(job)
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


# ---- text --------------------------------------------------------------------------------------------
HOSTILE = "A\x1b@\x1bp\x00\x19\xfa\x10\x14\x01\x9b\u202e\u2028\ud800B"


async def test_a_hostile_name_neither_kicks_the_drawer_nor_resets(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    items = (Text(HOSTILE), Row(HOSTILE, HOSTILE), QrCode(HOSTILE))
    outcome = await driver.print(PrintJob("j", items))
    assert outcome.verdict is PRINTED
    assert printer.drawer_kicks == 0
    assert printer.received_bytes.count(b"\x1b@") == 1
    assert printer.slips[0].lines()[-1] == f"[QR:{sanitise(HOSTILE)}]"


@given(
    left=st.text(max_size=80),
    right=st.text(max_size=30),
    text=st.text(max_size=150),
    large=st.booleans(),
    columns=st.sampled_from([32, 42, 48]),
)
def test_no_line_is_wider_than_the_paper(left: str, right: str, text: str, large: bool, columns: int) -> None:
    for line in lay_out((Row(left, right), Text(text, Align.CENTER, large=large)), columns):
        assert isinstance(line, TextLine)
        assert text_columns(line.text) <= (columns // 2 if line.large else columns)


@given(amount=st.integers(0, 10**12), name=st.text(max_size=100))
def test_an_amount_is_never_cut(amount: int, name: str) -> None:
    *_, line = lay_out((Row(name, f"¥{amount}"),), 48)
    assert isinstance(line, TextLine)
    assert line.text.endswith(f"￥{amount}")


def test_wrapping_loses_nothing_and_keeps_words_whole() -> None:
    text = "the quick brown fox 敏捷的棕色狐狸 jumps over the lazy dog"
    lines = expected_lines((Text(text),), 32)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    words = set(" ".join(lines).split())
    assert {"quick", "jumps", "lazy"} <= words


def test_widths() -> None:
    assert [char_columns(char) for char in "A李￥①é́"] == [1, 2, 2, 2, 2, 0]
    assert sanitise("¥5\n\tb\u200b\u3000c") == "￥5  b\u3000c"
