"""Keeps one device open: its task, its waits, and what it says of itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog

from tapledger.clock import Clock
from tapledger.devices.deadlines import end_all, in_time, result_of
from tapledger.devices.reasons import REASONS
from tapledger.devices.state import CLOSED, UNDECIDED, Cue, DeviceState, Doing, Link, next_activity, next_link
from tapledger.devices.waiting import CLOSED_S, Waits, jittered
from tapledger_drivers.device import DeviceConfig, DeviceInfo, HealthLevel, HealthReport
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceError, DeviceLost
from tapledger_drivers.io import Io
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

OPEN_DEADLINE_S = 30.0
CLOSE_DEADLINE_S = 5.0
HEALTH_EVERY_S = 20.0
HEALTH_DEADLINE_S = 5.0
MISSES_MAX = 2
"""So many health checks in a row without an answer: it is closed and opened again."""
DRIVER_FAULT = "driver_fault"
"""Reason of a driver that raised what no port allows."""

Input: TypeAlias = CardEvent | ScanEvent


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a keeper is given by the supervisor."""

    clock: Clock
    dice: Callable[[], float]
    """Returns a number in [0, 1)."""
    build: Callable[[DeviceConfig, Io], Driver]
    changed: Callable[[DeviceState], None]
    """Its state is another than before."""
    report: Callable[[DeviceState, Input], Awaitable[None]]
    """It saw a card or a code; returns once there is room for the next."""


class _Reopen(Exception):
    """Somebody asked to close it and to open it again."""


class Keeper:
    """One device, from the first look for it to the end of the daemon."""

    def __init__(self, config: DeviceConfig, io: Io, around: Surroundings) -> None:
        self._config = config
        self._io = io
        self._around = around
        self._waits = Waits()
        self._woken = asyncio.Event()
        self._reopen = asyncio.Event()
        self._is_down = False
        self._link: Link = "absent"
        self._told: tuple[object, ...] = ()
        self._down_since_s: float | None = None
        self.enabled = True
        self.driver: Driver | None = None
        """While it is open."""
        self.state = DeviceState(config.role, config.driver, link="opening")

    # What others ask of it.
    def wake(self) -> None:
        """Something changed: try it now, or look at once whether it is still there."""
        self._waits.woken()
        if self._link in CLOSED:
            self._cue(Cue.FOUND)
        self._woken.set()

    def reopen(self) -> None:
        self._reopen.set()
        self._woken.set()

    def enable(self, enabled: bool) -> None:
        if enabled != self.enabled:
            self.enabled = enabled
            self.reopen()

    def does(self, doing: Doing) -> None:
        self.state.activity = next_activity(self.state.activity, doing)

    # Its life.
    async def run(self) -> None:
        while True:
            if not self.enabled:
                await self._stay_disabled()
            began_s = self._around.clock.monotonic_s()
            wait_s = await self._live(began_s)
            await self._nap(wait_s)

    async def _stay_disabled(self) -> None:
        self._cue(Cue.DISABLE)
        while not self.enabled:
            self._woken.clear()
            await self._woken.wait()
        self._reopen.clear()
        self._cue(Cue.ENABLE)

    async def _live(self, began_s: float) -> float:
        """Open it and serve it until that ends; return how long to wait before the next time."""
        self._reopen.clear()
        opened_before = self.state.opened
        error = await self._open_and_serve()
        now_s = self._around.clock.monotonic_s()
        was_open = self.state.opened > opened_before
        open_s = 0.0 if self.state.open_since_s is None else now_s - self.state.open_since_s
        self._closed(open_s)
        dice = self._around.dice()
        if isinstance(error, _Reopen):
            self._cue(Cue.WENT)
            return jittered(CLOSED_S, dice) if self.enabled else 0.0
        if isinstance(error, DeviceBlocked):
            self._cue(Cue.REFUSED, error)
            return self._waits.after_refusal(dice)
        if isinstance(error, DeviceAbsent) and not was_open:
            self._cue(Cue.MISSING, error)
            return self._waits.after_absence(now_s - began_s, dice)
        self._io.traffic.count("CommunicationErrorCount")
        if isinstance(error, DeviceError):
            self.state.lost += was_open
            wait_s = self._waits.after_failure(open_s, dice)
            self._cue(Cue.WENT if was_open or self._waits.failures == 1 else Cue.FAILED, error)
            return wait_s
        # A driver that breaks the port's promises is a device in trouble, not the end of the shop.
        log.error("driver fault", role=self.state.role, exc_info=error)
        self._cue(Cue.FAILED, DeviceError(DRIVER_FAULT, type(error).__name__))
        return self._waits.after_refusal(dice)

    async def _open_and_serve(self) -> Exception:
        """Return what ended it."""
        driver: Driver | None = None
        try:
            self._cue(Cue.TRY)
            driver = self._around.build(self._config, self._io)
            info = await in_time(driver.open(), OPEN_DEADLINE_S)
            self._opened(info, driver)
            await self._serve(driver)
        except Exception as error:
            return error
        finally:
            self.driver = None
            await self._close(driver)
        return RuntimeError("the driver stopped reporting without being closed")

    async def _close(self, driver: Driver | None) -> None:
        try:
            if driver is not None:
                await self._finish(driver.close())
        finally:
            await self._finish(self._io.close())  # also when the daemon ends while a driver closes

    async def _finish(self, closing: Coroutine[Any, Any, None]) -> None:
        try:
            await in_time(closing, CLOSE_DEADLINE_S)
        except Exception as error:
            log.warning("device did not close", role=self.state.role, why=str(error))

    def _opened(self, info: DeviceInfo, driver: Driver) -> None:
        state, now_s = self.state, self._around.clock.monotonic_s()
        state.info, state.open_since_s = info, now_s
        state.opened += 1
        if self._down_since_s is not None:
            self._io.traffic.observe("recover", now_s - self._down_since_s)
            self._down_since_s = None
        self._waits.looks = 0
        self.driver = driver
        # A printer is ready on its own word alone.
        state.ready = not isinstance(driver, ReceiptPrinter)
        self._cue(Cue.OPENED)

    def _closed(self, open_s: float) -> None:
        state = self.state
        if state.open_since_s is not None:
            self._down_since_s = self._around.clock.monotonic_s()
        state.online_s += open_s
        state.open_since_s = None
        state.activity = next_activity(state.activity, Doing.RESET)
        state.ready, state.near_end, state.drawer_open = False, False, None

    async def _serve(self, driver: Driver) -> None:
        """Run until one of its parts ends, and end as that one did."""
        parts = [
            asyncio.create_task(self._listen(driver), name=f"listen {self.state.role}"),
            asyncio.create_task(self._watch(driver), name=f"watch {self.state.role}"),
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            if not self._reopen.is_set():
                self._woken.clear()  # whoever woke an open device wanted a look at it: this is what it says
            for part in done:
                result_of(part)
        finally:
            await end_all(parts, CLOSE_DEADLINE_S)

    async def _listen(self, driver: Driver) -> None:
        if isinstance(driver, CardReader):
            async for tap in driver.taps():
                await self._around.report(self.state, tap)
        elif isinstance(driver, BarcodeScanner):
            async for scan in driver.scans():
                await self._around.report(self.state, scan)
        elif isinstance(driver, ReceiptPrinter):
            async for status in driver.changes():
                self._printer_is(status)
        else:
            await asyncio.Event().wait()  # it reports nothing; its health is asked

    async def _watch(self, driver: Driver) -> None:
        """Ask it now and then whether it is still there, and at once when it is woken."""
        misses = 0
        while True:
            await self._nap(jittered(HEALTH_EVERY_S, self._around.dice()))
            if self._reopen.is_set():
                self._reopen.clear()
                raise _Reopen
            if self.state.busy:
                continue
            try:
                self._found(await in_time(driver.health(HealthLevel.INTERNAL), HEALTH_DEADLINE_S))
                misses = 0
            except DeviceLost as error:
                misses += 1
                if error.reason != "hung" or misses >= MISSES_MAX:
                    raise

    def _printer_is(self, status: PrinterStatus) -> None:
        """Show what ``changes`` told. Nothing else may: an answer to a question of ours could be older than
        what it told last, and it tells nothing twice."""
        if not self.state.is_open:
            return
        self.state.ready = status.ready
        self.state.near_end, self.state.drawer_open = status.near_end, status.drawer_open
        if status.ready and not status.near_end:
            self._cue(Cue.WELL)
        else:
            reason = status.reason if not status.ready else "near_end"
            self._cue(Cue.UNWELL, DeviceError(reason, status.evidence))

    def _found(self, report: HealthReport) -> None:
        """Show what a check of its health found; a printer says by itself how it is."""
        if isinstance(self.driver, ReceiptPrinter):
            return
        # Other findings are advice, such as a setting of a scanner that would be better.
        wrong = next((one for one in report.findings if not one.ok and one.code in REASONS), None)
        if wrong is None:
            self._cue(Cue.WELL)
        else:
            self._cue(Cue.UNWELL, DeviceError(wrong.code, wrong.detail))

    async def _nap(self, seconds: float) -> None:
        """Wait, or until ``wake``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
            self._woken.clear()

    # What is told of it.
    def _cue(self, cue: Cue, error: DeviceError | None = None) -> None:
        """Move the link and tell it, unless it is the next silent look for something that is not there."""
        state, was = self.state, self._link
        self._link = next_link(was, cue)
        if cue is Cue.TRY and was != "discovered" and self._told:
            return  # what is wrong stands until this try has ended
        state.link = self._link
        if state.link not in UNDECIDED:
            state.reason, state.detail = ("", "") if error is None else (error.reason, error.detail)
        # A detail may hold a counter or a time: by itself it is no news.
        now = (state.link, state.reason, state.ready, state.near_end, state.drawer_open)
        if now != self._told:
            self._told = now
            self._log(error)
            self._around.changed(state)

    def _log(self, error: DeviceError | None) -> None:
        """Say once that it went and once that it is back."""
        state = self.state
        if state.link == "online" and (self._is_down or state.opened == 1):
            self._is_down = False
            address = "" if state.info is None else state.info.address
            log.info("device online", role=state.role, address=address)
        elif error is not None and (not self._is_down or state.link == "blocked"):
            self._is_down = True
            log.warning("device trouble", role=state.role, reason=error.reason, detail=error.detail)
