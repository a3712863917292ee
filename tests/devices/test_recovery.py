"""Real drivers on real lines under the supervisor: what goes is noticed, what comes back is used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tapledger.clock import SystemClock
from tapledger.devices.events import DeviceEvents
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.faults import Emulated, Verb
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator
from tapledger_drivers.ports import Driver, Scan
from tapledger_drivers.registry import create_driver
from tapledger_drivers.traffic import Traffic
from tests.devices.fakes import PATIENCE_S
from tests.drivers.cards import TRUST
from tests.store.shops import Bench

NOTICED_S, USABLE_S = 1.0, 2.0
SCANNER, PRINTER = "till-scanner", "receipt-printer"
ROUNDS = 3
BURST = 20


class Shop:
    """A supervisor with the real ring over a scanner on a pty and a printer on TCP."""

    def __init__(self, bench: Bench, scanner: SerialScannerEmulator, printer: EscposPrinterEmulator) -> None:
        self.clock = SystemClock()
        self.wrap: Callable[[str, Driver, Traffic], Driver] = lambda role, driver, traffic: driver
        self._changed = asyncio.Event()
        self.events = DeviceEvents(bench.shop.store, self.clock, bench.shop.randomness)
        configs = [
            DeviceConfig(SCANNER, "serial_line", {"path": scanner.path}),
            DeviceConfig(PRINTER, "escpos", {"port": printer.wire.address}),
        ]
        self.devices = DeviceSupervisor(
            configs,
            lambda config, io, sibling: self.wrap(
                config.role, create_driver(config, TRUST, io, sibling), io.traffic
            ),
            self.clock,
            self._changed.set,
            self.events,
        )
        self.codes = self.devices.scans()

    async def until(self, holds: Callable[[], bool], seconds: float = PATIENCE_S) -> float:
        """Wait until it holds; return how long that took."""
        began_s = self.clock.monotonic_s()
        async with asyncio.timeout(seconds):
            while not holds():
                self._changed.clear()
                await self._changed.wait()
        return self.clock.monotonic_s() - began_s

    def is_up(self, role: str) -> bool:
        state = self.devices.states[role]
        return state.is_open and state.ready

    async def code(self) -> str:
        async with asyncio.timeout(PATIENCE_S):
            scanned = (await anext(self.codes)).event
        assert isinstance(scanned, Scan)
        return scanned.text


@asynccontextmanager
async def plugged() -> AsyncIterator[tuple[SerialScannerEmulator, EscposPrinterEmulator]]:
    scanner, printer = SerialScannerEmulator(), EscposPrinterEmulator()
    await scanner.start()
    await printer.start()
    try:
        yield scanner, printer
    finally:
        await printer.close()
        await scanner.close()


@asynccontextmanager
async def running(
    bench: Bench, scanner: SerialScannerEmulator, printer: EscposPrinterEmulator
) -> AsyncIterator[Shop]:
    shop = Shop(bench, scanner, printer)
    task = asyncio.create_task(shop.devices.run())
    try:
        yield shop
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("role", [SCANNER, PRINTER])
async def test_a_line_that_goes_and_comes_back(bench: Bench, role: str) -> None:
    """No hot-plug source tells of it: cheap looks alone keep both times, however long it was away."""
    async with plugged() as (scanner, printer), running(bench, scanner, printer) as shop:
        device: Emulated = scanner if role == SCANNER else printer
        other = PRINTER if role == SCANNER else SCANNER
        await shop.until(lambda: shop.is_up(SCANNER) and shop.is_up(PRINTER))
        for _ in range(ROUNDS):
            await device.pull(Verb.UNPLUG)
            assert await shop.until(lambda: not shop.is_up(role)) <= NOTICED_S
            await shop.until(lambda: shop.devices.states[role].link == "absent")
            await device.pull(Verb.REPLUG)
            assert await shop.until(lambda: shop.is_up(role)) <= USABLE_S
            assert shop.is_up(other)
        await scanner.scan("6901234567908")
        assert await shop.code() == "6901234567908"
        assert shop.devices.states[role].reason == ""


async def test_a_scan_is_on_disk_soon_and_a_burst_in_order(bench: Bench) -> None:
    async with plugged() as (scanner, printer), running(bench, scanner, printer) as shop:
        await shop.until(lambda: shop.is_up(SCANNER))
        for number in range(BURST):
            await scanner.scan(f"code-{number}")
        assert [await shop.code() for _ in range(BURST)] == [f"code-{number}" for number in range(BURST)]
        assert bench.rows("SELECT count(*) FROM device_event WHERE type = 'data' AND open = 1") == [(BURST,)]
        timing = shop.devices.statistics(SCANNER).histograms["report_to_disk"]
        assert timing.count == BURST


async def test_trouble_of_a_printer_is_told_and_passes(bench: Bench) -> None:
    async with plugged() as (scanner, printer), running(bench, scanner, printer) as shop:
        await shop.until(lambda: shop.is_up(PRINTER))
        for verb, reason in ((Verb.PAPER_OUT, "paper_out"), (Verb.COVER_OPEN, "cover_open")):
            await printer.pull(verb)
            await shop.until(lambda: shop.devices.states[PRINTER].reason == reason)  # noqa: B023
            assert shop.devices.states[PRINTER].link == "degraded"
            assert not shop.devices.states[PRINTER].ready
            await printer.pull(verb, on=False)
            await shop.until(lambda: shop.is_up(PRINTER) and shop.devices.states[PRINTER].ready)


async def test_a_hung_printer_delays_no_scan(bench: Bench) -> None:
    async with plugged() as (scanner, printer), running(bench, scanner, printer) as shop:
        await shop.until(lambda: shop.is_up(SCANNER) and shop.is_up(PRINTER))
        await printer.pull(Verb.GO_AWOL)
        took = []
        for number in range(BURST):
            began_s = shop.clock.monotonic_s()
            await scanner.scan(str(1000 + number))
            await shop.code()
            took.append(shop.clock.monotonic_s() - began_s)
        assert sorted(took)[-2] < 0.1
