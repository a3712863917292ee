"""What a technician does with the devices, in one place: claims, checks, the ring, repairs."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from tapledger.clock import Clock
from tapledger.devices import scanner_setup, statistics
from tapledger.devices.claims import LEASE_S, Claim, Claims, check_session
from tapledger.devices.events import DeviceEvents, Draft
from tapledger.devices.repairs import Repairs
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger.errors import NotFound
from tapledger.floor import views
from tapledger.web.device_snapshots import (
    ClaimView,
    DeviceDetails,
    DeviceEventView,
    DeviceView,
    HealthView,
    RepairView,
)
from tapledger.web.devices_api import Change, Level, Workshop
from tapledger.web.scanner_setup_api import ProbeRead
from tapledger_drivers.device import HealthLevel
from tapledger_drivers.ports import Scan

log = structlog.get_logger()

TAIL = 20
"""Events of one device that its page shows."""


class Technician:
    """Answers the console for the devices; ``language`` in which, ``changed`` redraws it."""

    def __init__(
        self,
        devices: DeviceSupervisor,
        events: DeviceEvents,
        claims: Claims,
        clock: Clock,
        language: Callable[[], str],
        changed: Callable[[], None],
    ) -> None:
        self._devices = devices
        self._events = events
        self._claims = claims
        self._clock = clock
        self._language = language
        self._changed = changed
        self._repairs = Repairs()

    def api(self) -> Workshop:
        return Workshop(
            details=self.details,
            events=self.events,
            check=self.check,
            change=self.change,
            enable=self._devices.enable,
            reopen=self._devices.reopen,
            acknowledge=self.acknowledge,
            metrics=self.metrics,
        )

    # What the console shows.
    def devices(self, language: str) -> list[DeviceView]:
        return [
            views.device_view(one, self._claims, self._devices.traffic[role], language)
            for role, one in self._devices.states.items()
        ]

    def repairs(self, language: str) -> list[RepairView]:
        states = self._devices.states
        return [
            views.repair_view(repair, states[repair.device], language)
            for repair in self._repairs.open(states.values())
        ]

    # What it asks.
    async def details(self, role: str) -> DeviceDetails:
        state = self._devices.states.get(role)
        if state is None:
            raise NotFound("DEVICE_UNKNOWN", role=role)
        newest = await self._events.newest(TAIL, role)
        done = self._devices.statistics(role)
        traffic = self._devices.traffic[role]
        return views.details(state, self._claims, traffic, done, newest, self._language())

    async def events(self, since: int, session: str) -> list[DeviceEventView]:
        if session:
            check_session(session)
        return [views.event_view(event, session) for event in await self._events.since(since, session)]

    async def check(self, role: str, level: Level) -> HealthView:
        report = await self._devices.check(role, HealthLevel(level))
        self._events.tell(Draft(role, "status", {"what": "health", "level": level, "ok": report.ok}))
        return views.health_view(report, self._language())

    def probe(self, read: ProbeRead) -> HealthView:
        """Say what is wrong with a scanner that read a probe code so."""
        scan = Scan(b"", read.text, 0.0, aim_id=read.aim_id, encoding=read.encoding)
        findings = scanner_setup.judge(scan, read.probe)
        return views.probe_view(findings, self._language())

    def change(self, change: Change, role: str, session: str) -> ClaimView | None:
        if role not in self._devices.states:
            raise NotFound("DEVICE_UNKNOWN", role=role)
        claims = self._claims
        match change:
            case "claim":
                return self._view(claims.claim(role, session), session)
            case "take-over":
                return self._view(claims.take_over(role, session), session)
            case "override":
                return self._view(claims.override(role, session), session)
            case "refuse":
                claims.refuse(role, session)
            case "release":
                claims.release(role, session)
        return None

    def _view(self, claim: Claim, session: str) -> ClaimView:
        waits_s = claim.given_at_s - self._clock.monotonic_s() if claim.asked_by == session else None
        return ClaimView(
            role=claim.role,
            holder=claim.holder,
            yours=claim.session == session,
            lease_s=LEASE_S,
            answer_s=waits_s,
        )

    def acknowledge(self, id_: str) -> None:
        self._repairs.acknowledge(id_)
        self._changed()

    def metrics(self) -> str:
        states = self._devices.states
        return statistics.prometheus({role: self._devices.statistics(role) for role in states}, states)

    def claim_changed(self, role: str, what: str, who: str) -> None:
        """Write down whose a device is now; an override too, for somebody lost it without being asked."""
        say = log.warning if what == "overridden" else log.info
        say("device claim", role=role, what=what, who=who)
        self._events.tell(Draft(role, "lifecycle", {"what": what, "who": who}))
        self._changed()
