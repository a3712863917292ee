"""Drivers that do what a test tells them, and a clock for the supervisor's notes."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence

from tapledger.clock import Clock
from tapledger.devices.events import DeviceEvents, Event
from tapledger.devices.roles import class_of
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger_drivers.device import DeviceConfig, DeviceInfo, Finding, HealthLevel, HealthReport
from tapledger_drivers.errors import DeviceError
from tapledger_drivers.ports import (
    CardEvent,
    Driver,
    Feedback,
    PrinterStatus,
    PrintJob,
    PrintOutcome,
    PrintVerdict,
    ScanEvent,
)
from tapledger_drivers.registry import Sibling
from tests.store.shops import HandClock

PATIENCE_S = 10.0
INFO = DeviceInfo("fake", "here", virtual=True)
READY = PrinterStatus(True, "ok", "16 12")
PAPER_OUT = PrinterStatus(False, "paper_out", "1e 72")
PRINTED = PrintOutcome(PrintVerdict.PRINTED, "ok", "gs_r answered")
SOUND = HealthReport(HealthLevel.INTERNAL, (Finding("answers", True),))
FAILED = PrintOutcome(PrintVerdict.FAILED, "paper_out", "nothing was sent")


class Fake:
    """What every fake shares: how opening goes, one outcome after the other, the last one for ever."""

    def __init__(self) -> None:
        self.openings: list[BaseException | None] = [None]
        self.hangs = False
        self.opened = asyncio.Event()
        self.tries = 0
        self.closed = 0
        self.healthy: HealthReport | Exception = SOUND
        self.checks = 0

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

    async def health(self, level: HealthLevel) -> HealthReport:
        self.checks += 1
        if isinstance(self.healthy, Exception):
            raise self.healthy
        return self.healthy


class FakeReader(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.events: asyncio.Queue[CardEvent | BaseException | None] = asyncio.Queue()
        self.shown: asyncio.Queue[Feedback] = asyncio.Queue()

    async def taps(self) -> AsyncIterator[CardEvent]:
        while (event := await self.events.get()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event

    async def feedback(self, pattern: Feedback) -> bool:
        self.shown.put_nowait(pattern)
        return True

    async def transceive(self, apdus: Sequence[bytes]) -> list[bytes]:
        return [b"\x90\x00" for _ in apdus]


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
        self._state = READY
        self._changed = asyncio.Event()
        self.outcomes: list[PrintOutcome | Exception] = []
        self.asked: list[str] = []
        self.paper: list[PrintJob] = []
        self.may_print = asyncio.Event()
        self.may_print.set()
        self.printing = asyncio.Event()

    @property
    def state(self) -> PrinterStatus:
        return self._state

    @state.setter
    def state(self, state: PrinterStatus) -> None:
        self._state = state
        self._changed.set()

    async def status(self) -> PrinterStatus:
        return self._state

    async def changes(self) -> AsyncIterator[PrinterStatus]:
        """Tell each state once; one that is over before anybody looked is never told."""
        told = None
        while True:
            self._changed.clear()
            if self._state != told:
                told = self._state
                yield told
            await self._changed.wait()

    async def kick_drawer(self) -> bool:
        return False

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


class MemoryEvents(DeviceEvents):
    """The ring without a disk. ``kept`` is what was written, ``batches`` how much of it at once."""

    def __init__(self, clock: Clock) -> None:
        self._waiting = asyncio.Queue(1024)
        self._clock = clock
        self.on_kept: Callable[[], None] = lambda: None
        self.kept: list[Event] = []
        self.batches: list[int] = []

    async def _write(self, batch: list[object]) -> None:  # type: ignore[override]
        self.batches.append(len(batch))
        for one in batch:
            if isinstance(one, int):
                continue
            draft = one.draft  # type: ignore[attr-defined]
            event = Event(
                len(self.kept) + 1, dt.datetime(2026, 5, 4, tzinfo=dt.UTC), one.mono_s, draft.device,  # type: ignore[attr-defined]
                class_of(draft.device), draft.type, draft.claim, "", draft.shown, draft.private,
            )  # fmt: skip
            self.kept.append(event)
            self.on_kept()
            if not one.stored.done():  # type: ignore[attr-defined]
                one.stored.set_result(event)  # type: ignore[attr-defined]


class HangsOn:
    """A driver that is made with the way to those of other roles."""

    def __init__(self, make: Callable[[Callable[[str], Sibling | None]], Driver]) -> None:
        self.make = make


class Room:
    """A supervisor over some fakes. ``changes`` wakes whoever waits for it to show something."""

    def __init__(self, drivers: dict[str, Driver | HangsOn], clock: Clock | None = None) -> None:
        self.drivers = drivers
        self.changes = 0
        self._changed = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None
        configs = [DeviceConfig(role, "fake") for role in drivers]
        clock = clock or HandClock()
        self.events = MemoryEvents(clock)
        self.devices = DeviceSupervisor(
            configs,
            lambda config, io, sibling: self._build(config, sibling),
            clock,
            self._note,
            self.events,
            dice=lambda: 0.5,
        )
        self.events.on_kept = self._changed.set
        self.built = 0

    def _build(self, config: DeviceConfig, sibling: Callable[[str], Sibling | None]) -> Driver:
        self.built += 1
        driver = self.drivers[config.role]
        if isinstance(driver, HangsOn):
            return driver.make(sibling)
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
