"""Two codes whose content is known, and what it means when a scanner reads something else in them."""

from __future__ import annotations

from functools import cache

from tapledger_drivers.device import Finding
from tapledger_drivers.ports import ScanEvent, ScanRefused
from tapledger_drivers.scanners.evdev_keyboard import looks_miskeyed
from tapledger_drivers.scanners.gs1 import GROUP_SEPARATOR
from tapledger_drivers.scanners.keymaps import KEYMAPS, Keymap

_DIGITS, _LETTERS, _CHINESE = "7", "yYzZaAqQ", "会员积分"
LINEAR = f"{_DIGITS}TL-{_LETTERS}-1234567890/{GROUP_SEPARATOR}END"
"""For every scanner, as Code 128: both cases, letters and digits that countries swap, a group separator."""
MATRIX = f"{_DIGITS}TL-{_LETTERS}-1234567890/{GROUP_SEPARATOR}{_CHINESE}END"
"""For scanners that read QR: Chinese too."""
_MARKS = ("TL-", "END", "1234567890")
_MARKS_MIN = 1


def is_probe(event: ScanEvent) -> bool:
    """Tell whether this can only be a probe code, read well or badly; then it is for the setup page alone."""
    if isinstance(event, ScanRefused):
        return False
    folded = event.text.upper()
    return sum(mark in folded for mark in _MARKS) > _MARKS_MIN or event.text in _miskeyed_probes()


def judge(event: ScanEvent, expected: str) -> tuple[Finding, ...]:
    """Return what is well and what is not, always in the same order; all is well when every one is ``ok``.

    ``probe_read`` is not ok for something that has too little of the probe in it to be judged.
    """
    if isinstance(event, ScanRefused):
        return (Finding("probe_read", ok=False, detail=event.reason),)
    text, wanted = event.text, expected
    doubled = text.startswith(wanted[0] * 2)
    text = text[1:] if doubled else text
    separated = GROUP_SEPARATOR in text
    text, wanted = (one.replace(GROUP_SEPARATOR, "") for one in (text, wanted))
    encoded, chinese = _chinese(text, wanted)
    text, wanted = (one.replace(chinese, "").replace(_CHINESE, "") for one in (text, wanted))
    layout = _layout(text, wanted)
    cased = bool(layout) or text == wanted or text.casefold() != wanted.casefold()
    whole = bool(layout) or text.casefold() == wanted.casefold()
    return (
        Finding("probe_read", ok=True),
        Finding("probe_aim_id", bool(event.aim_id), event.aim_id),
        Finding("probe_first_digit", not doubled),
        Finding("probe_layout", not layout, layout),
        Finding("probe_case", cased),
        Finding("probe_group_separator", separated),
        Finding("probe_encoding", encoded, event.encoding),
        Finding("probe_characters", whole, "" if whole else f"{len(text)} of {len(wanted)}"),
    )


def _chinese(text: str, wanted: str) -> tuple[bool, str]:
    """Return whether the Chinese is as it should be, and what stands in its place."""
    if _CHINESE not in wanted or _CHINESE in text:
        return True, ""
    before, after = wanted.split(_CHINESE)
    if text.startswith(before) and text.endswith(after) and len(text) > len(before) + len(after):
        return False, text[len(before) : len(text) - len(after)]
    return False, ""


def _layout(text: str, wanted: str) -> str:
    """Return ``de/us`` when the scanner types as in Germany and the driver reads as in the United States."""
    if text == wanted:
        return ""
    for scanner, typed in KEYMAPS.items():
        for driver, read in KEYMAPS.items():
            if typed is not read and text == _miskeyed(wanted, typed, read):
                return f"{scanner}/{driver}"
    digits = text[-len("1234567890/END") : -len("/END")]
    return "?" if looks_miskeyed(digits) else ""


def _miskeyed(text: str, typed: Keymap, read: Keymap) -> str:
    keys = {
        char: (code, level) for level in ("plain", "shift") for code, char in getattr(typed, level).items()
    }
    found = (keys.get(char) for char in text)
    return "".join(getattr(read, key[1]).get(key[0], "") for key in found if key is not None)


@cache
def _miskeyed_probes() -> frozenset[str]:
    return frozenset(
        _miskeyed(probe.replace(GROUP_SEPARATOR, ""), typed, read)
        for probe in (LINEAR, MATRIX)
        for typed in KEYMAPS.values()
        for read in KEYMAPS.values()
        if typed is not read
    )
