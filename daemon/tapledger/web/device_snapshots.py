"""What a browser may know of the devices: each in short, the rest of one when it is asked for."""

from __future__ import annotations

from typing import Literal

import msgspec

Plain = Literal[
    "absent", "silent", "paper_out", "cover_open", "jammed", "hot", "paper_low", "technician", "off"
]
"""As ``devices.reasons`` has it for each reason."""
Thing = Literal["reader", "scanner", "printer", "drawer", "display", "light"]
"""What a device is to those who work with it."""


class TroubleView(msgspec.Struct, frozen=True):
    """What is wrong with a thing of a face, in one of the few ways that a member or a cashier is told."""

    device: Thing
    plain: Plain


class DeviceView(msgspec.Struct, frozen=True):
    """One device in short; ``GET /api/devices/{role}`` tells the rest of it (``DeviceDetails``)."""

    role: str
    kind: str
    """Its class: ``card_reader``, ``receipt_printer`` …; empty for a role that we do not know."""
    driver: str
    model: str
    firmware: str
    address: str
    link: Literal[
        "absent", "discovered", "opening", "online", "degraded", "lost", "backing_off", "blocked", "disabled"
    ]
    activity: Literal["idle", "busy", "error"]
    reason: str
    """Code of what is wrong, else empty."""
    sentence: str
    consequence: str
    """What members and staff cannot do now; empty while everything goes."""
    next_step: str
    help: str
    """Page and anchor of the reason's story, else empty."""
    last_event: str
    """``hh:mm:ss what happened`` without personal data, else empty."""
    opened: int
    """How often it was opened since start: more than one means it came back."""
    virtual: bool
    near_end: bool = False
    """A printer's roll is almost done."""
    holder: str = ""
    """Who gets its data: ``kiosk``, ``till``, or a page such as ``console 1``; empty where all share it."""
    asked_by: str = ""
    """The page that asked the holder for it."""
    timing: str = ""
    """What ``p50_ms`` and ``p95_ms`` are of: its main work; empty before it did any."""
    p50_ms: float = 0.0
    p95_ms: float = 0.0


class CapabilityView(msgspec.Struct, frozen=True):
    name: str
    value: str
    source: Literal["default", "detected", "quirk", "operator"]


class DeviceEventView(msgspec.Struct, frozen=True):
    """One event of the ring. ``private`` is there only for the page that tests the device."""

    seq: int
    ts_wall: str
    """ISO instant."""
    ts_mono: float
    device: str
    class_: str = msgspec.field(name="class")
    type: Literal["data", "status", "error", "output", "lifecycle"]
    claim: str
    """Whose it was: a face, ``console`` for any page, or empty."""
    trace_id: str
    data: dict[str, str | int | bool]
    private: dict[str, str] | None = None


class TimingView(msgspec.Struct, frozen=True):
    name: str
    count: int
    p50_ms: float
    p95_ms: float
    longest_ms: float
    buckets: list[tuple[int, int]]
    """How many took at most so many ms."""


class StatisticsView(msgspec.Struct, frozen=True):
    counters: dict[str, int]
    """By their UnifiedPOS names."""
    hours_powered: float
    opened: int
    lost: int
    timings: list[TimingView]


class DeviceDetails(msgspec.Struct, frozen=True):
    device: DeviceView
    detail: str
    """What the driver itself says, for a technician."""
    firmware: str
    serial: str
    usb_id: str
    capabilities: list[CapabilityView]
    advice: list[str]
    """What a technician should know of this model."""
    statistics: StatisticsView
    events: list[DeviceEventView]
    """The newest, the oldest of them first."""


class FindingView(msgspec.Struct, frozen=True):
    code: str
    ok: bool
    sentence: str
    detail: str


class HealthView(msgspec.Struct, frozen=True):
    """What a check of a device's health found. ``level`` may be lower than asked for."""

    level: Literal["internal", "external", "interactive"]
    ok: bool
    findings: list[FindingView]


class ClaimView(msgspec.Struct, frozen=True):
    role: str
    holder: str
    yours: bool
    lease_s: float
    """Send the same claim again before it is over."""
    answer_s: float | None
    """While the holder may still refuse: so long until the device is yours."""


class RepairView(msgspec.Struct, frozen=True):
    id: str
    severity: Literal["note", "warning", "error"]
    device: str
    sentence: str
    next_step: str
    learn_more: str
    fix: Literal["", "wake", "health"]
    """What the page's button does."""
