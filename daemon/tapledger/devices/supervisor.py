"""Keeps every configured device open, says how each is, and hands on what they report.

One task and one ``Io`` a device, so one that hangs or fails never delays another. What a reader or scanner
saw is on disk before anybody is told (events.py), and goes to whoever holds the device (claims.py).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import structlog

from tapledger.clock import Clock
from tapledger.devices import inputs, statistics
from tapledger.devices.deadlines import in_time
from tapledger.devices.events import DeviceEvents, Draft, Event
from tapledger.devices.keeper import DRIVER_FAULT, Input, Keeper, Surroundings
from tapledger.devices.roles import class_of, face_of
from tapledger.devices.state import UNDECIDED, DeviceState, Doing
from tapledger.devices.statistics import Statistics
from tapledger.errors import NotFound, TapledgerError, Unavailable
from tapledger_drivers.device import DeviceConfig, HealthLevel, HealthReport
from tapledger_drivers.errors import DeviceBlocked, DeviceError
from tapledger_drivers.io import Io
from tapledger_drivers.ports import (
    CardEvent,
    CardReader,
    Driver,
    Feedback,
    ReceiptPrinter,
    ScanEvent,
)
from tapledger_drivers.registry import Sibling
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo

log = structlog.get_logger()

QUEUE_LENGTH = 256
"""Inputs of one kind that wait for their faces; beyond it their devices wait, and none is lost."""
CHECK_DEADLINE_S = {HealthLevel.INTERNAL: 5.0, HealthLevel.EXTERNAL: 15.0, HealthLevel.INTERACTIVE: 60.0}
FEEDBACK_DEADLINE_S = 1.0
E = TypeVar("E")

Build = Callable[[DeviceConfig, Io, Callable[[str], Sibling | None]], Driver]


@dataclass(frozen=True, slots=True)
class Reported(Generic[E]):
    """Something that the device of a role reported. ``seq`` is its number in the ring, None when the store
    could not keep it; ``simulated`` when no thing did it."""

    role: str
    event: E
    seq: int | None = None
    simulated: bool = False


class DeviceSupervisor:
    """Runs the devices of one shop. ``build`` makes a driver from its configuration, its ``Io`` and the way
    to the open device of another role; ``holder`` answers who gets a device's data."""

    def __init__(
        self,
        configs: list[DeviceConfig],
        build: Build,
        clock: Clock,
        on_change: Callable[[], None],
        events: DeviceEvents,
        holder: Callable[[str], str] = face_of,
        make_io: Callable[[str, Traffic], Io] = LiveIo,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._on_change = on_change
        self._events = events
        self._holder = holder
        self._taps: asyncio.Queue[Reported[CardEvent]] = asyncio.Queue(QUEUE_LENGTH)
        self._scans: asyncio.Queue[Reported[ScanEvent]] = asyncio.Queue(QUEUE_LENGTH)
        self._coming: dict[str, asyncio.Queue[tuple[asyncio.Future[Event], str, Input, bool]]] = {}
        self.traffic: dict[str, Traffic] = {}
        self._keepers: dict[str, Keeper] = {}
        self._written: dict[str, Draft] = {}
        self._children: dict[str, set[str]] = {}
        self._open: set[str] = set()
        """As those were last told that hang on it."""
        around = Surroundings(
            clock=clock,
            dice=dice,
            build=lambda config, io: build(config, io, partial(self._parent, config.role)),
            changed=self._changed,
            report=self._report,
        )
        for config in configs:
            traffic = self.traffic[config.role] = Traffic(clock.monotonic_s)
            self._keepers[config.role] = Keeper(config, make_io(config.role, traffic), around)
            self._coming[config.role] = asyncio.Queue(QUEUE_LENGTH)
        self.states = {role: keeper.state for role, keeper in self._keepers.items()}

    async def run(self) -> None:
        """Keep all devices open until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._events.run(), name="device events")
            for role, keeper in self._keepers.items():
                group.create_task(keeper.run(), name=f"device {role}")
                group.create_task(self._hand_on(role), name=f"events of {role}")

    # What they report.
    async def taps(self) -> AsyncIterator[Reported[CardEvent]]:
        while True:
            yield await self._taps.get()

    async def scans(self) -> AsyncIterator[Reported[ScanEvent]]:
        while True:
            yield await self._scans.get()

    async def _report(self, state: DeviceState, event: Input) -> None:
        role, simulated = state.role, state.virtual
        draft = inputs.draft(role, self._holder(role), face_of(role), event, simulated)
        stored = await self._events.record_when_there_is_room(draft)
        await self._coming[role].put((stored, draft.claim, event, simulated))

    async def _hand_on(self, role: str) -> None:
        """Give what is stored to the faces, in the order in which the device reported it."""
        while True:
            stored, claim, event, simulated = await self._coming[role].get()
            seq = None
            try:
                kept = await stored
            except TapledgerError:
                pass  # the till will fail at the same disk, and say so: better than a code that vanishes
            else:
                seq = kept.seq
                self.traffic[role].observe("report_to_disk", self._clock.monotonic_s() - kept.mono_s)
            if claim == face_of(role):
                await self._put(role, event, seq, simulated)

    async def _put(self, role: str, event: Input, seq: int | None, simulated: bool) -> None:
        if isinstance(event, CardEvent):
            await self._taps.put(Reported(role, event, seq, simulated))
        else:
            await self._scans.put(Reported(role, event, seq, simulated))

    # What others ask of them.
    def driver(self, role: str) -> Driver | None:
        """Return the open device of a role, or None when it is not there."""
        keeper = self._keepers.get(role)
        return None if keeper is None else keeper.driver

    def sibling(self, role: str) -> Sibling | None:
        """Return the open device of another role, for a device that hangs on it."""
        keeper = self._keepers.get(role)
        if keeper is None or keeper.driver is None or keeper.state.info is None:
            return None
        return Sibling(keeper.driver, keeper.state.info)

    def _parent(self, child: str, role: str) -> Sibling | None:
        """Return a sibling that another device hangs on, and let that one know when it comes and goes.

        Raises ``DeviceBlocked`` for one that is not configured: it would be waited for in vain.
        """
        if role not in self._keepers or role == child:
            others = ", ".join(sorted(self._keepers.keys() - {child}))
            raise DeviceBlocked("bad_option", f"device {child!r}: no other is {role!r}; known: {others}")
        self._children.setdefault(role, set()).add(child)
        return self.sibling(role)

    def printer(self, role: str) -> ReceiptPrinter | None:
        driver = self.driver(role)
        return driver if isinstance(driver, ReceiptPrinter) else None

    def wake(self, role: str) -> None:
        """Try a device again now instead of after its wait; look at once whether an open one is there."""
        self._keeper(role).wake()

    def reopen(self, role: str) -> None:
        """Close a device and open it again."""
        self._keeper(role).reopen()

    def enable(self, role: str, enabled: bool) -> None:
        self._keeper(role).enable(enabled)

    def note(self, role: str, what: str, doing: Doing = Doing.DONE) -> None:
        """Remember what a device does, without personal data."""
        keeper = self._keeper(role)
        keeper.state.last_event = f"{self._clock.now().astimezone():%H:%M:%S} {what}"
        keeper.does(doing)
        if class_of(role) == "receipt_printer" and doing is not Doing.BEGIN:
            self._events.tell(Draft(role, "output", {"what": what}))
        self._on_change()

    async def check(self, role: str, level: HealthLevel) -> HealthReport:
        """Look at an open device; raise ``Unavailable`` for one that is not open or does not answer."""
        driver = self._keeper(role).driver
        if driver is None:
            raise Unavailable("DEVICE_NOT_OPEN", role=role)
        try:
            return await in_time(driver.health(level), CHECK_DEADLINE_S[level])
        except DeviceError as error:
            self.wake(role)
            raise Unavailable("DEVICE_NOT_ANSWERING", role=role, why=str(error)) from error

    async def feedback(self, role: str, pattern: Feedback) -> None:
        """Show a pattern at a reader that can; nothing waits for it or fails by it."""
        driver = self.driver(role)
        if isinstance(driver, CardReader):
            try:
                await in_time(driver.feedback(pattern), FEEDBACK_DEADLINE_S)
            except Exception as error:
                log.info("no feedback", role=role, why=str(error))

    def statistics(self, role: str) -> Statistics:
        return statistics.statistics(self._keeper(role).state, self.traffic[role], self._clock)

    def _keeper(self, role: str) -> Keeper:
        keeper = self._keepers.get(role)
        if keeper is None:
            raise NotFound("DEVICE_UNKNOWN", role=role)
        return keeper

    def _changed(self, state: DeviceState) -> None:
        """A device is otherwise than before: write it down and tell the faces."""
        draft = _draft_of(state)
        if state.link not in UNDECIDED and self._written.get(state.role) != draft:
            self._written[state.role] = draft
            self._events.tell(draft)
        if state.is_open != (state.role in self._open):
            self._open ^= {state.role}
            for child in self._children.get(state.role, ()):
                self.wake(child)
        self._on_change()


def _draft_of(state: DeviceState) -> Draft:
    shown: dict[str, str | int | bool] = {"link": state.link}
    if state.reason:
        shown["reason"] = state.reason
    if state.virtual:
        shown["simulated"] = True
    if state.drawer_open is not None:
        shown["drawer_open"] = state.drawer_open
    kind = "error" if state.reason == DRIVER_FAULT else "status" if state.is_open else "lifecycle"
    return Draft(state.role, kind, shown)  # type: ignore[arg-type]
