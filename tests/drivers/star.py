"""An emulated Star printer on TCP or a pseudo-terminal, the driver on it, and what must be on paper."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tapledger_drivers.emulators.pty_wire import PtyWire
from tapledger_drivers.emulators.star_printer import StarPrinterEmulator
from tapledger_drivers.emulators.wire import Machine, TcpWire, Wire
from tapledger_drivers.ports import (
    PaperItem,
    PrintVerdict,
)
from tapledger_drivers.printers.layout import lay_out
from tapledger_drivers.printers.star import StarPrinter
from tapledger_drivers.printers.star_raster import StarPage, safe_row
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.printing import RECEIPT as RECEIPT

PRINTED, FAILED, UNKNOWN = PrintVerdict.PRINTED, PrintVerdict.FAILED, PrintVerdict.UNKNOWN
WIRES: dict[str, Callable[[Machine], Wire]] = {"tcp": TcpWire, "pty": PtyWire}


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


async def until(satisfied: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not satisfied():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.005)
