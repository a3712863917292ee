"""The print loop over the real driver and an emulated printer: what is cut short comes out again, whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tapledger.devices import prints as print_loop
from tapledger.devices.roles import RECEIPT_PRINTER
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.paper import PaperSlip
from tapledger_drivers.printers.escpos import EscposPrinter
from tapledger_drivers.printers.escpos_options import EscposOptions
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.devices.desk import Desk, desk
from tests.store.shops import Bench


@pytest.fixture
async def emulator() -> AsyncIterator[EscposPrinterEmulator]:
    made = EscposPrinterEmulator()
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def at(
    bench: Bench, emulator: EscposPrinterEmulator, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    monkeypatch.setattr(print_loop, "AFTER_FAILURE_S", 0.05)
    live = LiveIo("printer", Traffic(time.monotonic))
    driver = EscposPrinter(live, emulator.address, EscposOptions(hold_line=False, answer_timeout_s=1.0))
    info = await driver.open()
    async with desk(bench) as made:
        made.real = driver
        made.states[RECEIPT_PRINTER].info = info
        yield made
    await driver.close()
    await live.close()


async def begun(emulator: EscposPrinterEmulator, lines: int) -> None:
    """Wait until so many lines of the newest slip are on paper."""
    reached = asyncio.Event()

    async def look() -> None:
        if emulator.slips and len(emulator.slips[-1].content) >= lines:
            reached.set()

    emulator.line_delay_s = 0.01  # a mechanism takes its time for a line
    emulator.after_line = look
    async with asyncio.timeout(10):
        await reached.wait()
    emulator.after_line, emulator.line_delay_s = None, 0.0


def whole(slips: list[PaperSlip], receipt: str) -> list[PaperSlip]:
    return [slip for slip in slips if slip.cut and receipt in [line.strip() for line in slip.lines()]]


def is_copy(slip: PaperSlip, receipt: str) -> bool:
    return f"COPY of {receipt}" in [line.strip() for line in slip.lines()]


async def test_a_receipt_cut_short_by_the_power_comes_out_again_as_a_copy(
    bench: Bench, at: Desk, emulator: EscposPrinterEmulator
) -> None:
    selling = asyncio.create_task(at.sell())
    await begun(emulator, 3)
    await emulator.power_cycle()
    receipt = (await selling).removeprefix("slip-")
    await at.until(("printed", ""))
    (copy,) = whole(emulator.slips, receipt)
    assert is_copy(copy, receipt)
    assert bench.rows("SELECT copies FROM print_job") == [(1,)]


async def test_a_line_that_breaks_in_the_middle_ends_in_one_copy(
    bench: Bench, at: Desk, emulator: EscposPrinterEmulator
) -> None:
    await emulator.pull(Verb.DROP_AFTER, amount=200)
    receipt = (await at.sell()).removeprefix("slip-")
    await at.until(("printed", ""))
    assert [is_copy(slip, receipt) for slip in whole(emulator.slips, receipt)] == [True]
    await at.sell()
    await at.until(("printed", ""), ("printed", ""))
    assert not is_copy(emulator.slips[-1], receipt)


async def test_paper_that_ends_in_the_middle_is_no_reason_for_a_copy(
    bench: Bench, at: Desk, emulator: EscposPrinterEmulator
) -> None:
    """The printer itself says that no usable slip is on paper, and that it forgot the rest."""
    emulator.set_paper_lines_left(3)
    receipt = (await at.sell()).removeprefix("slip-")
    await at.until(("queued", "paper_out"))
    emulator.set_paper_out(False)
    await at.until(("printed", ""))
    (slip,) = whole(emulator.slips, receipt)
    assert not is_copy(slip, receipt)


async def test_the_drawer_of_the_printer_opens(at: Desk, emulator: EscposPrinterEmulator) -> None:
    assert await at.printer(RECEIPT_PRINTER).kick_drawer()  # type: ignore[union-attr]
    assert emulator.drawer_kicks == 1
