"""Which of the things that are plugged in is meant: pure functions over what the kernel says of them.

A device is known again by its USB serial number; where it has none, or shares it, by udev's by-id name; where
two devices are alike, by the port they are plugged into. Its number (``ttyUSB0``) means nothing.
"""

from __future__ import annotations

import dataclasses
import difflib
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tapledger.devices.discovery.source import HotplugEvent
from tapledger_drivers import quirks
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked

Kind: TypeAlias = Literal["reader", "scanner", "printer", "serial", "keyboard", "other"]
VALUE_MAX = 256


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that is plugged in and may be one of the shop's devices. Unknown is empty."""

    subsystem: str
    path: str
    usb_id: str = ""
    """``VVVV:PPPP`` in upper-case hex."""
    usb_serial: str = ""
    by_id: str = ""
    """The name of udev's link below ``by-id``."""
    by_path: str = ""
    """The port with all that lies between it and the computer; the same for whatever is plugged in there."""
    port: str = ""
    """The USB port as the kernel counts: ``1-1.2``."""
    name: str = ""
    keyboard: bool = False

    def where(self) -> str:
        """Name it so that a person finds it."""
        place = f" at USB port {self.port}" if self.port else ""
        return f"{self.name or self.usb_id or 'a device'} ({self.path}{place})"


def candidate(event: HotplugEvent) -> Candidate:
    """Read what a source said of a device."""
    said = event.properties
    vendor, product = said.get("ID_VENDOR_ID", ""), said.get("ID_MODEL_ID", "")
    links = said.get("DEVLINKS", "").split()
    names = (said.get("ID_VENDOR", ""), said.get("ID_MODEL", ""))
    return Candidate(
        subsystem=event.subsystem,
        path=event.path,
        usb_id=f"{vendor}:{product}".upper() if vendor and product else "",
        usb_serial=said.get("ID_SERIAL_SHORT", ""),
        by_id=next((posixpath.basename(link) for link in links if "/by-id/" in link), ""),
        by_path=said.get("ID_PATH", ""),
        port=said.get("USB_PORT", ""),
        name=" ".join(name.replace("_", " ") for name in names if name),
        keyboard=said.get("ID_INPUT_KEYBOARD") == "1",
    )


# ---- which one is meant --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Match:
    """What a device in daemon.toml is known by; all that is given must agree."""

    usb_serial: str = ""
    by_id: str = ""
    by_path: str = ""
    usb_id: str = ""

    def fits(self, one: Candidate) -> bool:
        return all(
            getattr(self, key.name) in ("", getattr(one, key.name)) for key in dataclasses.fields(self)
        )

    def written(self) -> str:
        """Return it as it stands in daemon.toml."""
        given = {key.name: getattr(self, key.name) for key in dataclasses.fields(self)}
        inside = ", ".join(f'{name} = "{value}"' for name, value in given.items() if value)
        return f"match = {{ {inside} }}"


_KEYS = tuple(key.name for key in dataclasses.fields(Match))


def read_match(role: str, table: object) -> Match:
    """Check the option ``match``; raise ``DeviceBlocked`` that says what was expected."""
    if not isinstance(table, Mapping) or not table:
        raise DeviceBlocked("bad_option", f'device {role!r}: match = {{ usb_serial = "…" }}')
    for key, value in table.items():
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), _KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_KEYS)}"
            raise DeviceBlocked("unknown_option", f"device {role!r}: match has {key!r}, {hint}")
        if not isinstance(value, str) or not 0 < len(value) <= VALUE_MAX:
            raise DeviceBlocked("bad_option", f'device {role!r}: match.{key} = "some text"')
    given = {str(key): str(value) for key, value in table.items()}
    return Match(
        usb_serial=given.get("usb_serial", ""),
        by_id=posixpath.basename(given.get("by_id", "")),
        by_path=posixpath.basename(given.get("by_path", "")),
        usb_id=given.get("usb_id", "").upper(),
    )


def resolve(role: str, match: Match, candidates: Sequence[Candidate]) -> Candidate:
    """Return the one that is meant. Raises ``DeviceAbsent`` when it is not plugged in, and
    ``DeviceBlocked("two_devices")``, which says what to write instead, when more than one is."""
    found = [one for one in candidates if match.fits(one)]
    if not found:
        raise DeviceAbsent("not_plugged_in", f"nothing that is plugged in has {match.written()}")
    if len(found) > 1:
        choices = what_to_write(found, candidates)
        raise DeviceBlocked("two_devices", f"device {role!r} may be one of {len(found)}. {choices}")
    return found[0]


def what_to_write(choices: Iterable[Candidate], candidates: Sequence[Candidate]) -> str:
    """Say for each of some devices which ``match`` names it and none of the other candidates."""
    lines = (f"for {one.where()}: {suggest(one, candidates).written()}" for one in choices)
    return f"Write {'; '.join(lines)}"


def suggest(one: Candidate, candidates: Iterable[Candidate]) -> Match:
    """Return what names this device and no other that is plugged in, in the order that lasts longest:
    serial number, by-id, by-path. The port names it even where nothing else does."""
    others = [other for other in candidates if other != one]
    tries = (
        Match(usb_serial=one.usb_serial),
        Match(by_id=one.by_id),
        Match(by_path=one.by_path),
        # Two functions of one device share their port; what they are parts them as far as it can be parted.
        Match(by_path=one.by_path, by_id=one.by_id, usb_id=one.usb_id),
    )
    known = [match for match in tries if match != Match()]
    unique = (match for match in known if not any(match.fits(other) for other in others))
    return next(unique, known[-1] if known else Match())


# ---- what it probably is -------------------------------------------------------------------------------
_TABLE_KINDS: tuple[Kind, ...] = ("reader", "scanner", "printer")
_BY_SUBSYSTEM: dict[str, Kind] = {"usbmisc": "printer", "tty": "serial"}


def guess(one: Candidate) -> Kind:
    """Say what a device may be, by the known models, else by where it hangs. It is never asked by writing
    to it: that could print, beep or change its settings."""
    for kind in _TABLE_KINDS:
        if quirks.find(kind, usb_id=one.usb_id, name=one.name or one.path) is not None:
            return kind
    return "keyboard" if one.keyboard else _BY_SUBSYSTEM.get(one.subsystem, "other")


# ---- a broken device and the one bought for it ---------------------------------------------------------
def swap_candidates(
    kind: Kind, broken: Candidate | None, candidates: Iterable[Candidate], taken: Callable[[Candidate], bool]
) -> list[Candidate]:
    """Return those that could take over a role of this kind: free, and of its kind by all that is known.

    One in the port of the broken device comes first, then one of the same model; each needs a person's yes.
    """
    port, usb_id = ("", "") if broken is None else (broken.by_path, broken.usb_id)
    free = [one for one in candidates if not taken(one) and _may_be(kind, guess(one))]
    return sorted(free, key=lambda one: (one.by_path != port, one.usb_id != usb_id, one.path))


def _may_be(kind: Kind, guessed: Kind) -> bool:
    """A serial adapter may be anything with a cable, and a keyboard that nobody knows a scanner."""
    return guessed in (kind, "serial") or (kind == "scanner" and guessed == "keyboard")
