"""Keeps every configured device open, says how each is, and merges what they report.

One task a device, so one that hangs or fails never delays another. A device that fails is closed and opened
again with a growing wait; ``wake`` cuts the wait short.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import structlog

from tapledger.clock import Clock
from tapledger_drivers.device import DeviceConfig, DeviceInfo
from tapledger_drivers.errors import DeviceBlocked, DeviceError
from tapledger_drivers.ports import (
    BarcodeScanner,
    CardEvent,
    CardReader,
    Driver,
    PrinterStatus,
    ReceiptPrinter,
    ScanEvent,
)

log = structlog.get_logger()

FIRST_WAIT_S = 0.2
WAIT_GROWTH = 1.8
LONGEST_WAIT_S = 2.0
"""Short, because every driver we have asks only this machine or its own network."""
BLOCKED_WAIT_S = 30.0
QUEUE_LENGTH = 256
PRINTER_POLL_S = 2.0
DRIVER_FAULT = "driver_fault"
"""Reason of a driver that raised what no port allows."""

Link = Literal["absent", "opening", "online", "degraded", "lost", "backing_off", "blocked"]
E = TypeVar("E")


@dataclass(slots=True)
class DeviceState:
    """How one device is now; the console shows it as it stands."""

    role: str
    driver: str
    link: Link = "opening"
    busy: bool = False
    reason: str = ""
    detail: str = ""
    info: DeviceInfo | None = None
    last_event: str = ""
    opened: int = 0


@dataclass(frozen=True, slots=True)
class Reported(Generic[E]):
    """Something that the device of a role reported."""

    role: str
    event: E


class DeviceSupervisor:
    """Runs the devices of one shop. ``build`` makes a driver from its configuration."""

    def __init__(
        self,
        configs: list[DeviceConfig],
        build: Callable[[DeviceConfig], Driver],
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        self._configs = configs
        self._build = build
        self._clock = clock
        self._on_change = on_change
        self._taps: asyncio.Queue[Reported[CardEvent]] = asyncio.Queue(QUEUE_LENGTH)
        self._scans: asyncio.Queue[Reported[ScanEvent]] = asyncio.Queue(QUEUE_LENGTH)
        self._wake = {config.role: asyncio.Event() for config in configs}
        self._printers: dict[str, ReceiptPrinter] = {}
        self.states = {config.role: DeviceState(config.role, config.driver) for config in configs}
        self.printer_ready = asyncio.Event()

    async def run(self) -> None:
        """Keep all devices open until cancelled."""
        async with asyncio.TaskGroup() as group:
            for config in self._configs:
                group.create_task(self._keep(config), name=f"device {config.role}")

    async def taps(self) -> AsyncIterator[Reported[CardEvent]]:
        while True:
            yield await self._taps.get()

    async def scans(self) -> AsyncIterator[Reported[ScanEvent]]:
        while True:
            yield await self._scans.get()

    def printer(self, role: str) -> ReceiptPrinter | None:
        """Return the open printer of a role, or None when it is not there."""
        return self._printers.get(role)

    def wake(self, role: str) -> None:
        """Try a device again now instead of after its wait."""
        if role in self._wake:
            self._wake[role].set()

    def note(self, role: str, what: str, *, busy: bool = False) -> None:
        """Remember the last thing a device did, without personal data."""
        state = self.states[role]
        state.last_event = f"{self._clock.now().astimezone():%H:%M:%S} {what}"
        state.busy = busy
        self._on_change()

    async def _keep(self, config: DeviceConfig) -> None:
        state, failures = self.states[config.role], 0
        while True:
            self._set(state, "opening" if not state.opened else state.link)
            try:
                driver = self._build(config)
                try:
                    state.info = await driver.open()
                    state.opened += 1
                    failures = 0
                    self._set(state, "online")
                    log.info("device online", role=config.role, address=state.info.address)
                    await self._serve(config.role, driver)
                finally:
                    await driver.close()
            except DeviceBlocked as error:
                self._failed(state, "blocked", error)
                await self._wait(config.role, BLOCKED_WAIT_S)
            except DeviceError as error:
                self._failed(state, "backing_off" if state.opened else "absent", error)
                wait = min(FIRST_WAIT_S * WAIT_GROWTH**failures, LONGEST_WAIT_S)
                failures += 1
                await self._wait(config.role, wait * random.uniform(0.9, 1.1))  # noqa: S311 - spreads retries
            except Exception as error:
                # A driver that breaks the port's promises is a device in trouble, not the end of the shop.
                log.exception("driver fault", role=config.role)
                self._failed(state, "backing_off", DeviceError(DRIVER_FAULT, type(error).__name__))
                await self._wait(config.role, BLOCKED_WAIT_S)

    async def _serve(self, role: str, driver: Driver) -> None:
        if isinstance(driver, CardReader):
            async for tap in driver.taps():
                await self._taps.put(Reported(role, tap))
        elif isinstance(driver, BarcodeScanner):
            async for scan in driver.scans():
                await self._scans.put(Reported(role, scan))
        else:
            await self._watch_printer(role, driver)
        raise RuntimeError("the driver stopped reporting without being closed")

    async def _watch_printer(self, role: str, printer: ReceiptPrinter) -> None:
        """Ask an idle printer how it is, so that an empty roll is seen before the next sale."""
        self._printers[role] = printer
        try:
            while True:
                if not self.states[role].busy:
                    self.printer_is(role, await printer.status())
                await self._wait(role, PRINTER_POLL_S)
        finally:
            del self._printers[role]
            self.printer_ready.clear()

    def printer_is(self, role: str, status: PrinterStatus) -> None:
        state = self.states[role]
        if status.ready:
            if not self.printer_ready.is_set():
                self.printer_ready.set()
                self._on_change()
            self._set(state, "online")
        else:
            self.printer_ready.clear()
            self._set(state, "degraded", status.reason, status.evidence)

    async def _wait(self, role: str, seconds: float) -> None:
        event = self._wake[role]
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        event.clear()

    def _failed(self, state: DeviceState, link: Link, error: DeviceError) -> None:
        if (state.link, state.reason) != (link, error.reason):
            log.warning("device trouble", role=state.role, reason=error.reason, detail=error.detail)
        self._set(state, link, error.reason, error.detail)

    def _set(self, state: DeviceState, link: Link, reason: str = "", detail: str = "") -> None:
        if (state.link, state.reason, state.detail) != (link, reason, detail) or link == "online":
            changed = (state.link, state.reason) != (link, reason)
            state.link, state.reason, state.detail = link, reason, detail
            if changed:
                self._on_change()
