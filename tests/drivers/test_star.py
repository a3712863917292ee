"""The Star raster driver against an emulated TSP100 on TCP and on a pseudo-terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tapledger_drivers.device import DeviceConfig, HealthLevel
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.pty_wire import PtyWire
from tapledger_drivers.emulators.star_printer import PRINTER_VERBS, StarPrinterEmulator
from tapledger_drivers.emulators.wire import WIRE_VERBS, Machine, TcpWire, Wire
from tapledger_drivers.errors import DeviceAbsent, DeviceLost
from tapledger_drivers.ports import (
    Align,
    PaperItem,
    PrinterStatus,
    PrintJob,
    PrintOutcome,
    PrintVerdict,
    QrCode,
    Row,
    Rule,
    Text,
)
from tapledger_drivers.printers.layout import lay_out
from tapledger_drivers.printers.raster import DOTS_PER_MM, bitmap
from tapledger_drivers.printers.star import StarPrinter
from tapledger_drivers.printers.star_raster import TAIL_ROWS, StarPage, safe_row
from tapledger_drivers.registry import create_driver
from tapledger_drivers.testing import DriverContract, DriverLab
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import TRUST

PRINTED, FAILED, UNKNOWN = PrintVerdict.PRINTED, PrintVerdict.FAILED, PrintVerdict.UNKNOWN
WIRES: dict[str, Callable[[Machine], Wire]] = {"tcp": TcpWire, "pty": PtyWire}

RECEIPT: tuple[PaperItem, ...] = (
    Text("丽人化妆品", Align.CENTER, bold=True, large=True),
    Rule(),
    Row("口红 Rouge 999", "¥128.00"),
    Row("积分 Points", "+128", bold=True),
    QrCode("https://example.test/r/1?名=李"),
    Text("谢谢光临！退换货请保留小票。"),
)


def new_io() -> LiveIo:
    return LiveIo("receipt-printer", Traffic(asyncio.get_running_loop().time))


@pytest.fixture(params=WIRES)
async def emulator(request: pytest.FixtureRequest) -> AsyncIterator[StarPrinterEmulator]:
    printer = StarPrinterEmulator(WIRES[request.param])
    await printer.start()
    yield printer
    await printer.close()


@asynccontextmanager
async def opened(emulator: StarPrinterEmulator, **options: object) -> AsyncIterator[StarPrinter]:
    settings: dict[str, object] = {"answer_timeout_s": 1.0, "job_timeout_s": 5.0, **options}
    io = new_io()
    driver = StarPrinter(io, emulator.address, **settings)  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(30):
            await driver.open()
            yield driver
    finally:
        await driver.close()
        await io.close()


def expected_rows(items: tuple[PaperItem, ...], columns: int = 48, dots: int = 576) -> list[bytes]:
    """Return the rows that must be on paper, the blank ones at the end left out."""
    page = StarPage([], dots)
    rows = [safe_row(row) for line in lay_out(items, columns) for row in page.draw(line).rows()]
    return without_blank_end(rows)


def without_blank_end(rows: list[bytes]) -> list[bytes]:
    while rows and not rows[-1].strip(b"\x00"):
        rows.pop()
    return rows


def rows_on_paper(emulator: StarPrinterEmulator) -> list[list[bytes]]:
    """Return the rows of each slip."""
    slips = []
    for slip in emulator.slips:
        [picture] = slip.content
        width, bits = picture.width_bytes, picture.bits  # type: ignore[union-attr]
        slips.append(without_blank_end([bits[at : at + width] for at in range(0, len(bits), width)]))
    return slips


class TestContract(DriverContract):
    @pytest.fixture
    async def lab(self, emulator: StarPrinterEmulator) -> AsyncIterator[DriverLab]:
        io, nowhere = new_io(), new_io()
        config = DeviceConfig("receipt-printer", "star_raster", {"port": emulator.address})
        gone = StarPrinterEmulator()
        address = await gone.start()
        await gone.close()
        driver = create_driver(config, TRUST, io)
        yield DriverLab(
            driver,
            StarPrinter(nowhere, address),
            lambda: emulator.pull(Verb.UNPLUG),
            lambda: emulator.pull(Verb.REPLUG),
            lambda: emulator.pull(Verb.GO_AWOL),
            io.traffic,
        )
        await driver.close()
        await io.close()
        await nowhere.close()


# ---- printing ------------------------------------------------------------------------------------------
async def test_a_receipt_is_on_paper_dot_by_dot(emulator: StarPrinterEmulator) -> None:
    async with opened(emulator) as printer:
        outcome = await printer.print(PrintJob("job-1", RECEIPT))
    assert (outcome.verdict, outcome.reason) == (PRINTED, "ok")
    assert outcome.evidence.startswith("rows and cut counted, status=2306")
    [rows] = rows_on_paper(emulator)
    assert rows == expected_rows(RECEIPT)
    assert [slip.cut for slip in emulator.slips] == [True]
    assert emulator.unknown_commands == []
    assert emulator.drawer_kicks == 0
    [picture] = emulator.slips[0].content
    fed_by_the_cut_mm = 12
    printed_mm = picture.height // DOTS_PER_MM + fed_by_the_cut_mm  # type: ignore[union-attr]
    assert abs(outcome.paper_mm - printed_mm) <= 1


async def test_what_the_paper_shows_is_the_font_and_not_a_shadow_of_the_driver(
    emulator: StarPrinterEmulator,
) -> None:
    """The other comparison draws with the driver's own page; this one with Pillow alone."""
    from PIL import Image, ImageDraw

    from tapledger_drivers.printers.raster import load_font

    async with opened(emulator) as printer:
        await printer.print(PrintJob("j", (Text("口红"),)))
    picture = Image.new("1", (576, 24), 1)
    for column, char in enumerate("口红"):
        font = load_font(24)
        ImageDraw.Draw(picture).text((column * 24, 20), char, fill=0, font=font, anchor="ls")
    [rows] = rows_on_paper(emulator)
    drawn = [safe_row(row) for row in bitmap(picture).rows()]
    assert without_blank_end(drawn) == rows


@pytest.mark.parametrize(("columns", "dots"), [(48, 576), (32, 384)])
async def test_codes_on_paper_can_be_scanned(columns: int, dots: int) -> None:
    import io

    import zxingcpp
    from PIL import Image

    proof = "R-20261122-0001:" + "0123456789abcdef" * 4
    emulator = StarPrinterEmulator(columns=columns)
    await emulator.start()
    async with opened(emulator, columns=columns, dots=dots) as printer:
        for data in ("https://example.test/r/1?名=李", proof, "V-7K3M-Q2ZP", "x" * 1024):
            outcome = await printer.print(PrintJob("j", (Text("凭证"), QrCode(data))))
            assert outcome.verdict is PRINTED, data
            paper = Image.open(io.BytesIO(emulator.slips[-1].png()))
            assert [code.text for code in zxingcpp.read_barcodes(paper)] == [data]
    await emulator.close()


async def test_jobs_wait_for_each_other_and_each_comes_out_once(emulator: StarPrinterEmulator) -> None:
    jobs = [PrintJob(f"job-{n}", (Text(f"slip {n}"),)) for n in range(10)]
    async with opened(emulator) as printer:
        outcomes = await asyncio.gather(*map(printer.print, jobs))
    assert {outcome.verdict for outcome in outcomes} == {PRINTED}
    expected = sorted(expected_rows((Text(f"slip {n}"),)) for n in range(10))
    assert sorted(rows_on_paper(emulator)) == expected


async def test_the_first_rows_are_sent_before_the_last_are_drawn(emulator: StarPrinterEmulator) -> None:
    traffic: list[str] = []
    io = new_io()
    run = io.run

    async def watched(*arguments: object) -> object:
        traffic.append("draw")
        return await run(*arguments)  # type: ignore[arg-type]

    io.run = watched  # type: ignore[assignment, method-assign]
    io.traffic.listeners.append(lambda frame: traffic.append("send") if len(frame.data) > 2000 else None)
    printer = StarPrinter(io, emulator.address)
    await printer.open()
    traffic.clear()
    await printer.print(PrintJob("j", RECEIPT * 3))
    await printer.close()
    await io.close()
    assert traffic.index("send") < len(traffic) - 1 - traffic[::-1].index("draw")


async def test_a_job_that_cannot_be_built_fails_without_touching_the_printer(
    emulator: StarPrinterEmulator,
) -> None:
    async with opened(emulator) as printer:
        taken = emulator.wire.bytes_in
        for items in ((QrCode("x" * 2000),), (QrCode(""),), (Rule(),) * 1000):
            outcome = await printer.print(PrintJob("j", items))
            assert (outcome.verdict, outcome.reason) == (FAILED, "bad_job")
        assert emulator.wire.bytes_in == taken


async def test_a_hostile_name_neither_kicks_the_drawer_nor_counts(emulator: StarPrinterEmulator) -> None:
    hostile = "A\x1b@\x17\x07\x1c\x1b*rB\x1b\x0c\x04\u202e\ud800B"
    async with opened(emulator) as printer:
        outcome = await printer.print(PrintJob("j", (Text(hostile), Row(hostile, hostile), QrCode(hostile))))
    assert outcome.verdict is PRINTED
    assert (emulator.drawer_kicks, len(emulator.slips), emulator.unknown_commands) == (0, 1, [])


async def test_characters_without_a_glyph_are_told(emulator: StarPrinterEmulator) -> None:
    async with opened(emulator) as printer:
        outcome = await printer.print(PrintJob("j", (Text("a😀b"),)))
    assert "1 characters without a glyph replaced by ?" in outcome.evidence
    assert rows_on_paper(emulator) == [expected_rows((Text("a? b"),))]


async def test_a_model_that_cannot_be_asked_is_never_believed(emulator: StarPrinterEmulator) -> None:
    await emulator.pull(Verb.HALF_WRITE)
    async with opened(emulator, answers=False) as printer:
        assert (await printer.status()).ready
        outcome = await printer.print(PrintJob("j", RECEIPT))
        assert (outcome.verdict, outcome.reason) == (UNKNOWN, "no_completion")
        await until(lambda: bool(emulator.slips) and emulator.slips[-1].cut)
    assert rows_on_paper(emulator) == [expected_rows(RECEIPT)]


# ---- status --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("verb", "reason"),
    [
        (Verb.PAPER_OUT, "paper_out"),
        (Verb.COVER_OPEN, "cover_open"),
        (Verb.CUTTER_JAM, "cutter_error"),
        (Verb.NEAR_END, "ok"),
    ],
)
async def test_a_fault_is_told_by_the_printer_itself_and_ends_by_itself(
    emulator: StarPrinterEmulator, verb: Verb, reason: str
) -> None:
    async with opened(emulator) as printer:
        seen: list[PrinterStatus] = []
        watching = asyncio.create_task(collect(printer, seen))
        await until(lambda: len(seen) == 1)
        await emulator.pull(verb)
        await until(lambda: len(seen) == 2)
        status = await printer.status()
        assert (status.ready, status.reason) == (reason == "ok", reason)
        assert status.near_end is (verb is Verb.NEAR_END)
        if reason != "ok":
            outcome = await printer.print(PrintJob("j", RECEIPT))
            assert (outcome.verdict, outcome.reason) == (FAILED, reason)
            assert "slip not sent" in outcome.evidence
        await emulator.pull(verb, on=False)
        await until(lambda: len(seen) == 3)
        assert [status.reason for status in seen] == ["ok", reason, "ok"]
        assert emulator.slips == []
    await watching


async def collect(printer: StarPrinter, seen: list[PrinterStatus]) -> None:
    async for status in printer.changes():
        seen.append(status)


async def until(satisfied: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not satisfied():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.005)


async def test_the_drawer_opens_on_demand_only(emulator: StarPrinterEmulator) -> None:
    async with opened(emulator) as printer:
        assert (await printer.status()).drawer_open is None, "nobody has seen it move yet"
        await printer.print(PrintJob("j", RECEIPT))
        assert emulator.drawer_kicks == 0
        assert await printer.kick_drawer()
        await until(lambda: emulator.drawer_kicks == 1)
        assert (await printer.status()).drawer_open is True
        emulator.shut_drawer()
        assert (await printer.status()).drawer_open is False
        await emulator.pull(Verb.COVER_OPEN)
        assert not await printer.kick_drawer()
        assert printer._io.traffic.counters["ReceiptCoverOpenCount"] == 1
        await emulator.pull(Verb.COVER_OPEN, on=False)
    async with opened(emulator, drawer_switch="low") as printer:
        assert (await printer.status()).drawer_open is True
    async with opened(emulator, drawer=False) as printer:
        assert not await printer.kick_drawer()
    assert emulator.drawer_kicks == 1


async def test_the_emulator_knows_its_verbs(emulator: StarPrinterEmulator) -> None:
    assert emulator.verbs() == (*WIRE_VERBS, *PRINTER_VERBS)
    await emulator.pull(Verb.NEAR_END)
    await emulator.pull(Verb.SLOW, amount=5)
    assert {fault.verb for fault in emulator.faults()} == {Verb.NEAR_END, Verb.SLOW}
    with pytest.raises(ValueError, match="torn_card"):
        await emulator.pull(Verb.TORN_CARD)


async def test_a_mute_printer_is_absent_and_its_health_says_so(emulator: StarPrinterEmulator) -> None:
    async with opened(emulator, answer_timeout_s=0.2, send_timeout_s=0.2) as printer:
        await emulator.pull(Verb.GO_AWOL)
        outcome = await printer.print(PrintJob("j", RECEIPT))
        assert (outcome.verdict, outcome.reason) == (FAILED, "mute")
        report = await printer.health(HealthLevel.INTERNAL)
        assert [finding.code for finding in report.findings] == ["mute"]
        await printer.close()
        with pytest.raises(DeviceAbsent, match="mute"):
            await printer.open()


async def test_a_printer_that_goes_while_idle_is_lost(emulator: StarPrinterEmulator) -> None:
    async with opened(emulator) as printer:
        changes = printer.changes()
        assert (await anext(changes)).ready
        await emulator.pull(Verb.UNPLUG)
        with pytest.raises(DeviceLost):
            await anext(changes)
        outcome = await printer.print(PrintJob("j", RECEIPT))
        assert (outcome.verdict, outcome.reason) == (FAILED, "unreachable")
        assert not (await printer.status()).ready


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
