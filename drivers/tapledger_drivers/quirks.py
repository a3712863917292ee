"""What is known of models that people own, as data: one entry a model, its source beside it.

A driver states what it assumes and what it detected; ``capabilities`` lays the table's word and the
operator's word over it and remembers who said what, so that a technician sees why a reader does not beep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tapledger_drivers.device import Capabilities, Capability, Source, Value


@dataclass(frozen=True, slots=True)
class Quirk:
    """How one model differs. ``kind`` is ``reader``, ``scanner`` or ``printer``; it matches by USB ids
    (``VVVV:PPPP``) or by a part of the name that the device or pcscd gives, whatever the case."""

    model: str
    kind: str
    usb_ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    capabilities: Mapping[str, Value] = field(default_factory=dict)
    advice: tuple[str, ...] = ()
    """Codes of what a technician should know (``device.advice.<code>``)."""
    source: str = ""

    def matches(self, kind: str, usb_id: str, name: str) -> bool:
        if kind != self.kind:
            return False
        return usb_id.upper() in self.usb_ids or any(
            part.casefold() in name.casefold() for part in self.names
        )


def find(kind: str, *, usb_id: str = "", name: str = "") -> Quirk | None:
    """Return the first entry that matches, None for a model that nobody has described."""
    return next((quirk for quirk in QUIRKS if quirk.matches(kind, usb_id, name)), None)


def capabilities(
    defaults: Mapping[str, Value],
    detected: Mapping[str, Value],
    quirk: Quirk | None,
    operator: Mapping[str, Value],
) -> Capabilities:
    """Return what a device can and who says so; a later argument overrides an earlier one."""
    layers = (
        (defaults, Source.DEFAULT),
        (detected, Source.DETECTED),
        ({} if quirk is None else quirk.capabilities, Source.QUIRK),
        (operator, Source.OPERATOR),
    )
    return {name: Capability(value, source) for said, source in layers for name, value in said.items()}


_READERS = (
    Quirk(
        model="ACS ACR122U",
        kind="reader",
        usb_ids=("072F:2200",),
        names=("ACR122U",),
        capabilities={"felica": False, "led": True, "buzzer": True, "signals": "acr122"},
        advice=("reader_kernel_driver", "reader_beeps_early"),
        source="libccid's list of unsupported readers; ACS ACR122U API; devices.md section 4",
    ),
    Quirk(
        model="ACS ACR1252U",
        kind="reader",
        usb_ids=("072F:223B", "072F:223E", "072F:2259"),
        names=("ACR1252", "ACM1252"),
        capabilities={"felica": True, "led": True, "buzzer": True, "signals": "acr1252"},
        source="libccid's readers/ACS_ACR1252_Dual_Reader.txt; ACS ACR1252U API",
    ),
    Quirk(
        model="ACS ACR39U",
        kind="reader",
        usb_ids=("072F:B100", "072F:B000"),
        names=("ACR39U", "ACR3901U"),
        capabilities={"contact": True},
        advice=("reader_card_stays",),
        source="libccid's readers/ACS_ACR39U_ICC_Reader.txt and ACS_ACR3901U_ICC_Reader.txt",
    ),
    Quirk(
        model="Sony RC-S300",
        kind="reader",
        usb_ids=("054C:0DC8", "054C:0DC9"),
        names=("RC-S300",),
        capabilities={"felica": True},
        source="libccid's list of readers; FF CA gives a FeliCa card's IDm",
    ),
    Quirk(
        model="Sony RC-S380",
        kind="reader",
        usb_ids=("054C:06C1", "054C:06C3"),
        names=("RC-S380", "NFC Port-100"),
        capabilities={"felica": True, "led": False, "buzzer": False},
        advice=("reader_kernel_driver",),
        source="nfcpy's list of devices (rcs380); Linux claims it by its module port100",
    ),
)

_PRINTERS = (
    Quirk(
        model="Xprinter XP-80C",
        kind="printer",
        names=("XP-80C",),
        capabilities={"status": "eot"},
        source="ESC-POS-.NET issue 266: automatic status stops until it is switched off and on",
    ),
    Quirk(
        model="58 mm clone (POS-58, Zjiang, GP-58)",
        kind="printer",
        names=("POS-58", "POS58", "ZJ-58", "GP-58"),
        capabilities={"cutter": False, "chunk_bytes": 1024, "pause_ms": 50},
        source="python-escpos pull request 624 and issue 628: small buffers lose what comes too fast",
    ),
)

_UDEV_RULES = "udev rules in public projects that name the device"
_SCANNERS = (
    Quirk(
        model="Zebra scanner, USB CDC",
        kind="scanner",
        usb_ids=("05E0:1701", "05E0:0600"),
        capabilities={"mode": "cdc"},
        advice=("scanner_modem_manager",),
        source=_UDEV_RULES,
    ),
    Quirk(
        model="Zebra scanner, keyboard",
        kind="scanner",
        usb_ids=("05E0:1200",),
        capabilities={"mode": "keyboard"},
        advice=("scanner_setup",),
        source=_UDEV_RULES,
    ),
    Quirk(
        model="Honeywell scanner, USB serial",
        kind="scanner",
        usb_ids=("0C2E:0900", "0C2E:0B6A"),
        capabilities={"mode": "cdc"},
        advice=("scanner_modem_manager",),
        source="usb-serial-for-android issue 334 (Vuquest 3310g); " + _UDEV_RULES,
    ),
    Quirk(
        model="Datalogic scanner, USB-COM",
        kind="scanner",
        usb_ids=("05F9:4204",),
        capabilities={"mode": "cdc"},
        advice=("scanner_modem_manager",),
        source=_UDEV_RULES,
    ),
    Quirk(
        model="Newland scanner, USB CDC",
        kind="scanner",
        usb_ids=("1EAB:8306",),
        capabilities={"mode": "cdc"},
        advice=("scanner_modem_manager",),
        source=_UDEV_RULES,
    ),
    Quirk(model="Honeywell scanner", kind="scanner", names=("Honeywell",), advice=("scanner_setup",)),
    Quirk(model="Zebra scanner", kind="scanner", names=("Zebra", "Symbol"), advice=("scanner_setup",)),
    Quirk(model="Datalogic scanner", kind="scanner", names=("Datalogic",), advice=("scanner_setup",)),
    Quirk(model="Newland scanner", kind="scanner", names=("Newland",), advice=("scanner_setup",)),
)
"""By its name only where no id is known: a serial port's name under /dev/serial/by-id bears the maker."""

QUIRKS: tuple[Quirk, ...] = (*_READERS, *_PRINTERS, *_SCANNERS)
"""The first match counts, so a special model stands before its family."""
