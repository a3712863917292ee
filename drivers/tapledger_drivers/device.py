"""What every device has, whatever its class: what it is, what it can, how it is."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

Value: TypeAlias = str | int | bool


class Source(enum.StrEnum):
    """Who says that a device can something; a later one in this list overrides an earlier one."""

    DEFAULT = "default"
    """What the driver assumes of every device of its kind."""
    DETECTED = "detected"
    QUIRK = "quirk"
    """The table of known models (quirks.py)."""
    OPERATOR = "operator"
    """An option in daemon.toml."""


@dataclass(frozen=True, slots=True)
class Capability:
    value: Value
    source: Source


Capabilities: TypeAlias = Mapping[str, Capability]
"""By name. Reader: ``felica``, ``escape``, ``led``, ``buzzer``,
``signals`` (whose commands), ``contact``. Printer: ``commands``, ``status`` (none, eot, asb),
``completion`` (none, gs_r, process_id, etb), ``cutter``, ``drawer_kick``, ``near_end``, ``columns``,
``dots``, ``code_page``, ``qr``, ``raster``, ``logo_memory``, ``chunk_bytes``, ``pause_ms``, ``ask`` (false:
no person is asked about the slips of a printer that never says whether they came out).
Scanner: ``mode``, ``encoding``, ``layout``."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a device says it is."""

    model: str
    address: str
    firmware: str = ""
    virtual: bool = False
    """No thing: an emulator. Marked on screen, on paper and in the ledger."""
    serial: str = ""
    usb_id: str = ""
    """``VVVV:PPPP`` in upper-case hex, where it is known."""
    capabilities: Capabilities = field(default_factory=dict)


class HealthLevel(enum.StrEnum):
    """UnifiedPOS checkHealth."""

    INTERNAL = "internal"
    """Asks the device alone: nothing moves, nothing is seen or heard."""
    EXTERNAL = "external"
    """Makes it do something: print a line, beep, blink."""
    INTERACTIVE = "interactive"
    """A person takes part: lay a card on, scan the probe code, look at the paper."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``code`` is translated by the product (``device.<code>``)."""

    code: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HealthReport:
    level: HealthLevel
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)


class Device(Protocol):
    """What all ports have in common."""

    async def open(self) -> DeviceInfo:
        """Find the device; raise ``DeviceAbsent`` when it is not there, ``DeviceBlocked`` when a person has
        to do something first."""
        ...

    async def close(self) -> None:
        """Give the device back at once, whatever it was doing; may come at any time and twice."""
        ...

    async def health(self, level: HealthLevel) -> HealthReport:
        """Look at an open device; a level that the device cannot do is answered by the one below it."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """One ``[[devices]]`` table of daemon.toml, after validation of its common keys."""

    role: str
    """Unique in the shop: ``kiosk-reader``, ``till-reader``, ``till-scanner``, ``receipt-printer`` …"""
    driver: str
    """A name of registry.py."""
    options: dict[str, object] = field(default_factory=dict)
