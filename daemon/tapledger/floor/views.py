"""Devices in the words and the structs of the screens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from tapledger import texts
from tapledger.devices import inputs
from tapledger.devices.claims import Claims
from tapledger.devices.events import Event
from tapledger.devices.reasons import Plain, cause_of
from tapledger.devices.repairs import Repair, help_of
from tapledger.devices.roles import (
    CASH_DRAWER,
    CUSTOMER_DISPLAY,
    KIOSK_READER,
    KIOSK_SCANNER,
    RECEIPT_PRINTER,
    ROLES,
    TILL_LIGHT,
    TILL_READER,
    TILL_SCANNER,
    class_of,
    face_of,
)
from tapledger.devices.scanner_setup import ProbeFinding
from tapledger.devices.state import UNDECIDED, DeviceState
from tapledger.devices.statistics import Statistics, shares_ms
from tapledger.web.device_snapshots import (
    CapabilityView,
    DeviceDetails,
    DeviceEventView,
    DeviceView,
    FindingView,
    HealthView,
    RepairView,
    StatisticsView,
    Thing,
    TimingView,
    TroubleView,
)
from tapledger.web.snapshots import DeviceLight
from tapledger_drivers import quirks
from tapledger_drivers.device import DeviceInfo, HealthReport
from tapledger_drivers.traffic import Traffic

MAIN_WORK = ("tap_to_card", "card_read", "print_job", "report_to_disk")
"""What a device is for, by the names of what is timed, the most telling first."""

EVENTS = (
    "card", "torn", "collision", "removed", "code", "refused", "printing", "printed", "failed", "unknown",
)  # fmt: skip
"""What a device is noted to have done last, by the first word of the note."""

THINGS: Mapping[str, tuple[tuple[Thing, str], ...]] = {
    "kiosk": (("reader", KIOSK_READER), ("scanner", KIOSK_SCANNER), ("printer", RECEIPT_PRINTER)),
    "till": (
        ("reader", TILL_READER),
        ("scanner", TILL_SCANNER),
        ("printer", RECEIPT_PRINTER),
        ("drawer", CASH_DRAWER),
        ("display", CUSTOMER_DISPLAY),
        ("light", TILL_LIGHT),
    ),
}
"""What each face works with; a member need not know of a light."""
PARENT_ABSENT = "parent_absent"
"""Reason of a thing that hangs on another which is not there."""

QUIRK_KINDS = {"card_reader": "reader", "barcode_scanner": "scanner", "receipt_printer": "printer"}
"""Classes of devices of which the table of models speaks, by its own word for them."""


def light(state: DeviceState | None) -> DeviceLight:
    if state is None or state.info is None:
        return "missing"
    return "ok" if state.is_open and state.ready else "trouble"


def troubles(states: Mapping[str, DeviceState], face: Literal["kiosk", "till"]) -> tuple[TroubleView, ...]:
    """Say what does not work of the things of a face, those it has.

    Of a thing that hangs on another which is away only that other is told.
    """
    return tuple(
        TroubleView(thing, plain)
        for thing, role in THINGS[face]
        if role in states
        and states[role].reason != PARENT_ABSENT
        and (plain := _plain(states[role])) is not None
    )


def _plain(state: DeviceState) -> Plain | None:
    """Put how a device is in one of the few ways that everybody understands; None while it works."""
    if state.link == "disabled":
        return "off"
    if state.reason:
        return cause_of(state.reason).plain
    if state.is_open and state.ready:
        return "paper_low" if state.near_end else None
    if state.link in UNDECIDED:
        return None
    return "absent" if state.link in ("absent", "lost") else "silent"


def is_simulated(states: Mapping[str, DeviceState], face: str) -> bool:
    """Tell whether anything that a face works with is no thing; what all share belongs to every face."""
    return any(
        state.virtual for role, state in states.items() if role not in ROLES or ROLES[role].side in ("", face)
    )


def key_of(state: DeviceState, language: str) -> str:
    """Return the key of the sentence that says how a device is."""
    key = f"device.{state.reason or state.link}"
    return key if key in texts.catalogue(language) else "device.other"


def consequence(state: DeviceState, language: str) -> str:
    """Say what cannot be done now; nothing while the device does its work."""
    if (state.is_open and state.ready) or state.role not in ROLES:
        return ""
    return texts.say(language, f"device.consequence.{state.role.replace('-', '_')}")


def last_event(state: DeviceState, language: str) -> str:
    """Say when a device did something last, and what; nothing before it did anything."""
    at, _, what = state.last_event.partition(" ")
    code = what.split(" ")[0]
    return f"{at} {texts.say(language, f'device.event.{code}')}" if code in EVENTS else state.last_event


def device_view(state: DeviceState, claims: Claims, traffic: Traffic, language: str) -> DeviceView:
    """Say in one sentence how a device is, what that means, and what to do next."""
    key, claim = key_of(state, language), claims.claim_of(state.role)
    observed = traffic.observed()
    timing = next((name for name in MAIN_WORK if name in observed), "")
    p50_ms, p95_ms = shares_ms(observed.get(timing, ()), 0.50, 0.95)
    return DeviceView(
        role=state.role,
        kind=class_of(state.role),
        driver=state.driver,
        model="" if state.info is None else state.info.model,
        firmware="" if state.info is None else state.info.firmware,
        address="" if state.info is None else state.info.address,
        link=state.link,
        activity=state.activity,
        reason=state.reason,
        sentence=texts.say(language, key, reason=state.reason, detail=state.detail),
        consequence=consequence(state, language),
        next_step=texts.say(language, f"{key}.next", detail=state.detail),
        help=help_of(state.reason),
        last_event=last_event(state, language),
        opened=state.opened,
        virtual=state.virtual,
        near_end=state.near_end,
        holder=claims.holder_shown(state.role),
        asked_by="" if claim is None else claims.asked_by_shown(claim),
        timing=timing,
        p50_ms=p50_ms,
        p95_ms=p95_ms,
    )


def _advice(class_: str, info: DeviceInfo, language: str) -> list[str]:
    quirk = quirks.find(QUIRK_KINDS.get(class_, ""), usb_id=info.usb_id, name=info.model)
    return [] if quirk is None else [texts.say(language, f"device.advice.{code}") for code in quirk.advice]


def details(
    state: DeviceState,
    claims: Claims,
    traffic: Traffic,
    done: Statistics,
    events: list[Event],
    language: str,
) -> DeviceDetails:
    info = state.info
    return DeviceDetails(
        device=device_view(state, claims, traffic, language),
        detail=state.detail,
        firmware="" if info is None else info.firmware,
        serial="" if info is None else info.serial,
        usb_id="" if info is None else info.usb_id,
        capabilities=[
            CapabilityView(name, str(one.value), one.source.value)
            for name, one in ({} if info is None else info.capabilities).items()
        ],
        advice=[] if info is None else _advice(class_of(state.role), info, language),
        statistics=StatisticsView(
            counters=dict(done.counters),
            hours_powered=done.hours_powered,
            opened=done.opened,
            lost=done.lost,
            timings=[
                TimingView(name, h.count, h.p50_ms, h.p95_ms, h.longest_ms, list(h.buckets))
                for name, h in done.histograms.items()
            ],
        ),
        events=[event_view(event, "") for event in events],
    )


def event_view(event: Event, session: str) -> DeviceEventView:
    """Show an event; what it holds of a person only to the page whose claim it was."""
    mine = bool(session) and event.claim == session
    is_face = event.claim in ("", face_of(event.device))
    return DeviceEventView(
        seq=event.seq,
        ts_wall=event.at.isoformat(),
        ts_mono=event.mono_s,
        device=event.device,
        class_=event.class_,
        type=event.type,
        claim=event.claim if is_face else "console",
        trace_id=event.trace,
        data=dict(event.shown),
        private=inputs.private_view(event.private) if mine else None,
    )


def health_view(report: HealthReport, language: str) -> HealthView:
    return HealthView(
        level=report.level.value,
        ok=report.ok,
        findings=[
            FindingView(one.code, one.ok, _looked_at(one.code, one.detail, language), one.detail)
            for one in report.findings
        ],
    )


def probe_view(findings: Iterable[ProbeFinding], language: str) -> HealthView:
    found = [FindingView(one.code, one.ok, _looked_at(one.code, one.detail, language), one.detail)
             for one in findings]  # fmt: skip
    return HealthView("interactive", all(one.ok for one in found), found)


def _looked_at(code: str, detail: str, language: str) -> str:
    """Name what was looked at; a reason of trouble has its own sentence, another maker's code only itself."""
    known = texts.catalogue(language)
    keys = (f"device.check.{code}", "device.online" if code == "ok" else f"device.{code}")
    key = next((key for key in keys if key in known), None)
    return code if key is None else texts.say(language, key, reason=code, detail=detail)


def repair_view(repair: Repair, state: DeviceState, language: str) -> RepairView:
    key = key_of(state, language)
    return RepairView(
        id=repair.id,
        severity=repair.severity,
        device=repair.device,
        sentence=texts.say(language, key, reason=repair.reason, detail=state.detail),
        next_step=texts.say(language, f"{key}.next", detail=state.detail),
        learn_more=repair.learn_more,
        fix=repair.fix,
    )
