"""A shop's devices for the benchmarks: a scanner on a pty, a printer on TCP, readers behind pcscd."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from tapledger.clock import SystemClock
from tapledger.devices.discovery.watch import live_discovery
from tapledger.devices.events import DeviceEvents
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger.membership.shop import Shop
from tapledger_drivers.cards.trust.signed_token import SignedTokenPolicy
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator
from tapledger_drivers.registry import create_driver

SCANNER, PRINTER, READER = "till-scanner", "receipt-printer", "kiosk-reader"
PATIENCE_S = 30.0


class Watched:
    """A running supervisor, and a way to wait for what becomes of its devices."""

    def __init__(self, shop: Shop, configs: Sequence[DeviceConfig]) -> None:
        self.clock = SystemClock()
        self.changed = asyncio.Event()
        self.events = DeviceEvents(shop.store, self.clock, shop.randomness)
        trust = SignedTokenPolicy(shop.store.keyring.token_keys)
        self.devices = DeviceSupervisor(
            list(configs),
            lambda config, io, sibling: create_driver(config, trust, io, sibling),
            self.clock,
            self.changed.set,
            self.events,
        )
        self.discovery = live_discovery(list(configs), self.devices.wake)
        self.scans = self.devices.scans()
        self.taps = self.devices.taps()

    def is_up(self, role: str) -> bool:
        state = self.devices.states[role]
        return state.is_open and state.ready

    async def until(self, holds: Callable[[], bool], after: Awaitable[object] | None = None) -> float:
        """Wait until it holds; return how many seconds that took from the beginning of ``after``."""
        began_s = self.clock.monotonic_s()
        async with asyncio.timeout(PATIENCE_S):
            if after is not None:
                await after
            while not holds():
                self.changed.clear()
                await self.changed.wait()
        return self.clock.monotonic_s() - began_s


@asynccontextmanager
async def running(shop: Shop, configs: Sequence[DeviceConfig]) -> AsyncIterator[Watched]:
    watched = Watched(shop, configs)
    tasks = [asyncio.create_task(loop) for loop in (watched.devices.run(), watched.discovery.run())]
    try:
        yield watched
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def plugged() -> AsyncIterator[tuple[SerialScannerEmulator, EscposPrinterEmulator, list[DeviceConfig]]]:
    """Yield a scanner and a printer, and how they are configured."""
    scanner, printer = SerialScannerEmulator(), EscposPrinterEmulator()
    await scanner.start()
    await printer.start()
    configs = [
        DeviceConfig(SCANNER, "serial_line", {"path": scanner.path}),
        DeviceConfig(PRINTER, "escpos", {"port": printer.wire.address}),
    ]
    try:
        yield scanner, printer, configs
    finally:
        await printer.close()
        await scanner.close()
