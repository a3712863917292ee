"""The shop's logo in the printer's memory: sent once, printed from there, and sent again when it is gone."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw

from tapledger_drivers.device import Capability, Source
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.paper import PaperSlip, PrintedPicture
from tapledger_drivers.ports import Logo, PrintJob, PrintOutcome, PrintVerdict, Text
from tapledger_drivers.printers import logo as logos
from tapledger_drivers.printers import logo_memory
from tapledger_drivers.printers.escpos import EscposPrinter
from tests.drivers.printing import LINES, driver, driving, emulated, fast, printer, until

__all__ = ["driver", "printer"]
SMALL_BYTES = 300


def _png(width: int = 200, height: int = 60) -> bytes:
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((0, 0, width - 1, height - 1), fill="black")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


PNG = _png()
DRAWN = logos.load_logo(PNG, 576)


def slip(number: int) -> PrintJob:
    return PrintJob(f"job-{number}", (Logo(PNG), Text(f"slip {number}")))


def logo_on(paper: PaperSlip) -> PrintedPicture:
    [picture] = [printed for printed in paper.content if isinstance(printed, PrintedPicture)]
    return picture


def stored(printer: EscposPrinterEmulator) -> bool:
    return logos.key_of(DRAWN) in printer.logos


async def sent(driver: EscposPrinter, printer: EscposPrinterEmulator, number: int) -> int:
    """Print a slip and return how many bytes that took."""
    before = printer.wire.bytes_in
    outcome = await driver.print(slip(number))
    assert outcome.verdict is PrintVerdict.PRINTED, outcome
    return printer.wire.bytes_in - before


async def test_the_logo_is_sent_once_and_printed_from_memory(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    sizes = [await sent(driver, printer, number) for number in range(3)]
    assert sizes[0] > len(DRAWN.bits) > SMALL_BYTES > sizes[1] == sizes[2]
    assert [paper.lines() for paper in printer.slips] == [
        ["[picture 200x60]", f"slip {number}"] for number in range(3)
    ]
    assert {logo_on(paper).bits for paper in printer.slips} == {DRAWN.bits}
    assert driver.capabilities["logo_memory"] == Capability(True, Source.DETECTED)
    assert printer.unknown_commands == []


@pytest.mark.parametrize("line", LINES)
async def test_a_printer_that_was_opened_again_or_restarted_has_it_still(line: str) -> None:
    async with emulated(line) as printer:
        async with driving(printer, query=fast(printer)) as driver:
            await sent(driver, printer, 0)
        await printer.power_cycle(0.01)
        async with driving(printer, query=fast(printer)) as driver:
            assert await sent(driver, printer, 1) < SMALL_BYTES
    assert logo_on(printer.slips[1]).bits == DRAWN.bits


async def test_a_printer_that_forgot_it_gets_it_again(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    """Also between two slips on an open line: whoever opens the printer's settings is not announced."""
    await sent(driver, printer, 0)
    printer.logos.clear()
    assert await sent(driver, printer, 1) > len(DRAWN.bits)
    assert stored(printer)
    assert await sent(driver, printer, 2) < SMALL_BYTES
    assert {logo_on(paper).bits for paper in printer.slips} == {DRAWN.bits}


async def test_a_memory_that_takes_nothing_leaves_a_picture_and_is_not_worn_out(
    printer: EscposPrinterEmulator, driver: EscposPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logo_memory, "STORES_MAX", 2)
    await driver.open()
    printer.set_memory_full(True)
    sizes = [await sent(driver, printer, number) for number in range(4)]
    assert {logo_on(paper).width_bytes for paper in printer.slips} == {72}, "a picture of the paper's width"
    assert sizes[0] == sizes[1] > sizes[2] == sizes[3], "two attempts, then none"


@pytest.mark.parametrize(("model", "verdict"), [("no_process_id", "printed"), ("clone", "unknown")])
async def test_a_printer_without_memory_gets_a_picture_each_time(model: str, verdict: str) -> None:
    async with emulated("tcp", model) as printer, driving(printer) as driver:
        outcomes: list[PrintOutcome] = [await driver.print(slip(number)) for number in range(2)]
        assert [outcome.verdict for outcome in outcomes] == [verdict] * 2
        await until(lambda: len(printer.slips) == 2 and printer.slips[-1].cut, "two slips")
    assert [logo_on(paper).width_bytes for paper in printer.slips] == [72, 72]
    assert not stored(printer)


async def test_the_operators_word_on_the_memory_counts() -> None:
    async with emulated() as printer, driving(printer, logo_memory=False) as driver:
        assert await sent(driver, printer, 0) > len(DRAWN.bits)
        assert not stored(printer)
        assert driver.capabilities["logo_memory"] == Capability(False, Source.OPERATOR)
    # One that is said to keep logos and then does not answer is not asked twice.
    async with emulated("tcp", "no_process_id") as mute, driving(mute, logo_memory=True) as driver:
        for number in range(2):
            await sent(driver, mute, number)
        assert bytes(mute.received_bytes).count(logos.ASK_STORED) == 1
    assert [logo_on(paper).width_bytes for paper in mute.slips] == [72, 72]


async def test_a_memory_of_many_logos_is_told_in_several_lists(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    others = [bytes([high, low]) for high in b"abc" for low in range(0x21, 0x51)]
    printer.logos.update(dict.fromkeys(others, PrintedPicture(1, 1, b"\0")))
    assert await sent(driver, printer, 0) > len(DRAWN.bits)
    assert await sent(driver, printer, 1) < SMALL_BYTES
    assert set(printer.logos) == {*others, logos.key_of(DRAWN)}


async def test_a_line_that_breaks_while_the_logo_is_stored_prints_nothing() -> None:
    async with emulated() as printer, driving(printer) as driver:
        await printer.pull(Verb.DROP_AFTER, amount=300)
        outcome = await driver.print(slip(0))
        assert (outcome.verdict, outcome.reason) == (PrintVerdict.FAILED, "unreachable")
        assert printer.slips == []
        await printer.pull(Verb.REPLUG)
        await driver.open()
        await sent(driver, printer, 1)
    assert [paper.lines() for paper in printer.slips] == [["[picture 200x60]", "slip 1"]]
