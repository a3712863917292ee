"""The Star raster driver against an emulated TSP100 on TCP and on a pseudo-terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tapledger_drivers.device import Capability, DeviceConfig, HealthLevel, Source
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.star_printer import PRINTER_VERBS, StarPrinterEmulator
from tapledger_drivers.emulators.wire import WIRE_VERBS
from tapledger_drivers.errors import DeviceAbsent, DeviceLost
from tapledger_drivers.ports import (
    PrinterStatus,
    PrintJob,
    QrCode,
    Row,
    Rule,
    Text,
)
from tapledger_drivers.printers.raster import DOTS_PER_MM, bitmap
from tapledger_drivers.printers.star import StarPrinter
from tapledger_drivers.printers.star_raster import CUT, safe_row
from tapledger_drivers.registry import create_driver
from tapledger_drivers.testing import DriverContract, DriverLab
from tests.drivers.cards import TRUST
from tests.drivers.star import (
    FAILED,
    PRINTED,
    RECEIPT,
    UNKNOWN,
    expected_rows,
    new_io,
    opened,
    rows_on_paper,
    until,
    without_blank_end,
)
from tests.drivers.star import (
    emulator as emulator,
)


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


async def test_that_all_was_sent_is_told_once_and_only_then(emulator: StarPrinterEmulator) -> None:
    told: list[bool] = []

    def on_sent() -> None:
        told.append(b"".join(frame.data for frame in printer.traffic.frames()).endswith(CUT))

    job = PrintJob("j", RECEIPT, on_sent)
    async with opened(emulator) as printer:
        assert (await printer.print(job)).verdict is PRINTED
        assert told == [True]
        await emulator.pull(Verb.PAPER_OUT)
        assert (await printer.print(job)).verdict is FAILED
    assert told == [True], "nothing was sent"


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
    async with opened(emulator, answers=False, ask=False) as printer:
        assert (await printer.status()).ready
        assert (await printer.open()).capabilities["ask"] == Capability(False, Source.OPERATOR)
        outcome = await printer.print(PrintJob("j", RECEIPT))
        assert (outcome.verdict, outcome.reason) == (UNKNOWN, "no_completion")
        assert outcome.never_says
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
