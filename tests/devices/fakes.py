"""Drivers that do what a test tells them, and a clock for the supervisor's notes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from tapledger.devices.supervisor import DeviceSupervisor
from tapledger_drivers.device import DeviceConfig, DeviceInfo
from tapledger_drivers.errors import DeviceError
from tapledger_drivers.ports import (
    CardEvent,
    Driver,
    PrinterStatus,
    PrintJob,
    PrintOutcome,
    PrintVerdict,
    ScanEvent,
)
from tests.store.shops import HandClock

PATIENCE_S = 10.0
INFO = DeviceInfo("fake", "here", virtual=True)
READY = PrinterStatus(True, "ok", "16 12")
PAPER_OUT = PrinterStatus(False, "paper_out", "1e 72")
PRINTED = PrintOutcome(PrintVerdict.PRINTED, "ok", "gs_r answered")
FAILED = PrintOutcome(PrintVerdict.FAILED, "paper_out", "nothing was sent")


class Fake:
    """What every fake shares: how opening goes, one outcome after the other, the last one for ever."""

    def __init__(self) -> None:
        self.openings: list[Exception | None] = [None]
        self.hangs = False
        self.opened = asyncio.Event()
        self.tries = 0
        self.closed = 0

    async def open(self) -> DeviceInfo:
        self.tries += 1
        if self.hangs:
            await asyncio.Event().wait()
        outcome = self.openings.pop(0) if len(self.openings) > 1 else self.openings[0]
        if outcome is not None:
            raise outcome
        self.opened.set()
        return INFO

    async def close(self) -> None:
        self.closed += 1


class FakeReader(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.events: asyncio.Queue[CardEvent | Exception | None] = asyncio.Queue()

    async def taps(self) -> AsyncIterator[CardEvent]:
        while (event := await self.events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event


class FakeScanner(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.events: asyncio.Queue[ScanEvent] = asyncio.Queue()

    async def scans(self) -> AsyncIterator[ScanEvent]:
        while True:
            yield await self.events.get()


class FakePrinter(Fake):
    """``outcomes`` are given one after the other, then every slip is printed; ``paper`` is what came out."""

    def __init__(self) -> None:
        super().__init__()
        self.state = READY
        self.outcomes: list[PrintOutcome | Exception] = []
        self.asked: list[str] = []
        self.paper: list[PrintJob] = []
        self.may_print = asyncio.Event()
        self.may_print.set()
        self.printing = asyncio.Event()

    async def status(self) -> PrinterStatus:
        return self.state

    async def print(self, job: PrintJob) -> PrintOutcome:
        self.asked.append(job.job_id)
        self.printing.set()
        await self.may_print.wait()
        outcome = self.outcomes.pop(0) if self.outcomes else PRINTED
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.verdict is PrintVerdict.PRINTED:
            self.paper.append(job)
        return outcome


class Room:
    """A supervisor over some fakes. ``changes`` wakes whoever waits for it to show something."""

    def __init__(self, drivers: dict[str, Driver]) -> None:
        self.drivers = drivers
        self.changes = 0
        self._changed = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None
        configs = [DeviceConfig(role, "fake") for role in drivers]
        self.devices = DeviceSupervisor(configs, self._build, HandClock(), self._note)
        self.built = 0

    def _build(self, config: DeviceConfig) -> Driver:
        self.built += 1
        driver = self.drivers[config.role]
        if isinstance(driver, DeviceError):
            raise driver
        return driver

    def _note(self) -> None:
        self.changes += 1
        self._changed.set()
        self.on_change()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    def link(self, role: str) -> str:
        return self.devices.states[role].link
