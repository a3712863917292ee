"""Every reason a device may be in trouble for: how bad it is and what the page can do about it.

Its sentences are ``device.<reason>`` and ``device.<reason>.next`` in the catalogues, its story stands in
docs/devices/problems.md under its name. Drivers give the reasons; a test compares them with this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["note", "warning", "error"]
Fix = Literal["", "wake", "health"]
Plain = Literal[
    "absent", "silent", "paper_out", "cover_open", "jammed", "hot", "paper_low", "technician", "off"
]
"""The few things that members and cashiers are told; the technician gets the reason itself."""


@dataclass(frozen=True, slots=True)
class Cause:
    severity: Severity = "error"
    fix: Fix = "wake"
    """What a button can do once the person has done their part."""
    repair: bool = True
    """A person has to do something; without it the trouble passes by itself, or with the link."""
    plain: Plain = "silent"
    """What people at the faces are told of it."""


_CONFIGURATION = Cause(plain="technician")
_PASSING = Cause("warning", repair=False)

REASONS: Mapping[str, Cause] = {
    # Not there, or gone.
    "reader_absent": Cause(plain="absent"),
    "reader_gone": Cause(plain="absent"),
    "port_absent": Cause(plain="absent"),
    "unplugged": Cause(plain="absent"),
    "not_plugged_in": Cause(plain="absent"),
    "parent_absent": Cause("warning", repair=False, plain="absent"),
    "unreachable": Cause(plain="absent"),
    "hung": Cause(),
    "closed": _PASSING,
    # The smart card service.
    "pcscd_absent": Cause(plain="technician"),
    "pcscd_lost": Cause(),
    "pcscd_silent": Cause(),
    "two_readers": _CONFIGURATION,
    "reader_in_use": _CONFIGURATION,
    # Paper and what else a printer says.
    "paper_out": Cause("error", "health", plain="paper_out"),
    "near_end": Cause("note", "health", plain="paper_low"),
    "cover_open": Cause("error", "health", plain="cover_open"),
    "cutter_error": Cause("error", "health", plain="jammed"),
    "overheated": Cause("warning", "health", plain="hot"),
    "printer_error": Cause("error", "health"),
    "offline": Cause("error", "health"),
    "mute": Cause(),
    "stalled": Cause(),
    "cut_off": Cause("warning"),
    "power_cycled": Cause("warning", repair=False),
    "no_completion": Cause("warning", repair=False),
    "bad_job": Cause("warning", repair=False),
    # What is on the wire.
    "noise": Cause("warning", "health"),
    "not_answering": Cause(),
    # Permission and configuration.
    "not_permitted": _CONFIGURATION,
    "in_use": _CONFIGURATION,
    "bad_address": _CONFIGURATION,
    "bad_option": _CONFIGURATION,
    "unknown_option": _CONFIGURATION,
    "unknown_driver": _CONFIGURATION,
    "not_a_serial_port": _CONFIGURATION,
    "not_a_keyboard": _CONFIGURATION,
    "wrong_device": _CONFIGURATION,
    "pyscard_missing": _CONFIGURATION,
    "evdev_missing": _CONFIGURATION,
    "nfcpy_missing": _CONFIGURATION,
    "two_devices": _CONFIGURATION,
    "font_missing": _CONFIGURATION,
    "recording_ended": _PASSING,
    "driver_fault": Cause(plain="technician"),
}

UNKNOWN = Cause()
"""Of a driver that is not ours."""


def cause_of(reason: str) -> Cause:
    return REASONS.get(reason, UNKNOWN)
