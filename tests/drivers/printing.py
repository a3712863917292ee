"""An emulated ESC/POS printer, and the real driver on the real line to it."""

from __future__ import annotations

import asyncio
import errno
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.pty_wire import PtyWire
from tapledger_drivers.emulators.wire import Machine, TcpWire, Wire
from tapledger_drivers.ports import Align, PaperItem, PrinterStatus, PrintJob, QrCode, Row, Rule, Text
from tapledger_drivers.printers.escpos import EscposPrinter
from tapledger_drivers.printers.escpos_options import EscposOptions
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo

LINES = ("tcp", "pty")
LASTING_PORTS = (12000, 32000)
DEADLINE_S = 10.0
PATIENCE = EscposOptions(
    answer_timeout_s=0.4,
    liveness_timeout_s=0.4,
    detect_timeout_s=0.4,
    send_timeout_s=1.0,
    job_timeout_s=1.0,
)
"""Deadlines that a printer on this machine keeps easily."""

RECEIPT: tuple[PaperItem, ...] = (
    Text("丽人化妆品", Align.CENTER, bold=True, large=True),
    Rule(),
    Row("口红 Rouge 999", "¥128.00"),
    Row("积分 Points", "+128", bold=True),
    QrCode("https://example.test/r/1?名=李"),
    Text("谢谢光临！退换货请保留小票。"),
)
JOB = PrintJob("job-1", RECEIPT)


def wire_of(line: str, baud: int | None = None) -> Callable[[Machine], Wire]:
    return TcpWire if line == "tcp" else lambda machine: PtyWire(machine, "printer", baud=baud)


def live_io(name: str = "receipt-printer") -> LiveIo:
    return LiveIo(name, Traffic(time.monotonic))


@asynccontextmanager
async def emulated(
    line: str = "tcp", model: str = "epson", baud: int | None = None, **more: Any
) -> AsyncIterator[EscposPrinterEmulator]:
    emulator = EscposPrinterEmulator(model=model, wire=wire_of(line, baud), **more)
    await _start(emulator)
    try:
        yield emulator
    finally:
        await emulator.close()


async def _start(emulator: EscposPrinterEmulator) -> None:
    """Start it on a port that the kernel gives to nobody else while the printer is unplugged."""
    while True:
        try:
            await emulator.start(random.randrange(*LASTING_PORTS))
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise


@asynccontextmanager
async def driving(
    emulator: EscposPrinterEmulator, *, opened: bool = True, query: str = "", **options: Any
) -> AsyncIterator[EscposPrinter]:
    """Yield the driver of the emulator; ``driver.traffic`` is what passed."""
    io = live_io()
    driver = EscposPrinter(io, emulator.address + query, replace(PATIENCE, **options))
    try:
        if opened:
            await driver.open()
        yield driver
    finally:
        await driver.close()
        await io.close()


async def until(satisfied: Callable[[], bool], what: str) -> None:
    """Wait for something that happens by itself."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not satisfied():
        assert time.monotonic() < deadline_s, what
        await asyncio.sleep(0.005)


async def next_status(changes: AsyncIterator[PrinterStatus]) -> PrinterStatus:
    async with asyncio.timeout(DEADLINE_S):
        return await anext(changes)


def at_line(
    emulator: EscposPrinterEmulator, number: int, happens: Callable[[], Awaitable[None] | None]
) -> None:
    """Let something happen after so many printed lines of the next slips together."""
    printed = 0

    async def count() -> None:
        nonlocal printed
        printed += 1
        if printed == number and (waiting := happens()) is not None:
            await waiting

    emulator.after_line = count


def fast(printer: EscposPrinterEmulator) -> str:
    return "?baud=115200" if printer.address.startswith("tty") else ""


@pytest.fixture(params=LINES)
async def printer(request: pytest.FixtureRequest) -> AsyncIterator[EscposPrinterEmulator]:
    async with emulated(request.param) as emulator:
        yield emulator


@pytest.fixture
async def driver(printer: EscposPrinterEmulator) -> AsyncIterator[EscposPrinter]:
    async with driving(printer, query=fast(printer)) as opened:
        yield opened
