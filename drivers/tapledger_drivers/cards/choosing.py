"""Which of pcscd's readers a role means.

pcscd names a reader ``MODEL [INTERFACE] (SERIAL) NN SS``: the interface where there are several, the serial
where the reader has one, NN counts readers and SS the slots of one reader. Of these only NN changes with the
order of plugging in, so a configuration should do without it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked

_SAM = re.compile(r"\bSAM\b", re.IGNORECASE)
"""A slot inside the case for a secure element: it never sees a member's card."""
_CONTACTLESS = re.compile(r"\b(PICC|CL|contactless)\b", re.IGNORECASE)
_COUNTS = re.compile(r" [0-9A-F]{2} [0-9A-F]{2}$")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a technician says of a reader; empty and 0 mean: whichever."""

    reader_name: str
    """A part of the name, whatever the case; a whole name is that reader and no other."""
    serial: str = ""
    number: int = 0
    """Which one of several alike, counted from 1 in pcscd's order: that of their plugging in."""
    contact: bool = False
    """Of a reader with both kinds of slot, the one into which cards are put."""


def choose(names: Sequence[str], wanted: Wanted) -> str:
    """Return the one reader that is meant; raise ``DeviceAbsent`` when there is none, ``DeviceBlocked`` when
    there are several."""
    if wanted.reader_name in names:
        return wanted.reader_name
    matching = [name for name in names if wanted.reader_name.casefold() in name.casefold()]
    if wanted.serial:
        matching = [name for name in matching if wanted.serial.casefold() in name.casefold()]
    fitting = _one_slot_each([name for name in matching if not _SAM.search(name)], wanted.contact)
    if not fitting:
        detail = f"no reader like {_words(wanted)} among: {'; '.join(names) or 'none'}"
        raise DeviceAbsent("reader_absent", detail)
    if wanted.number:
        if wanted.number > len(fitting):
            raise DeviceAbsent("reader_absent", f"only {len(fitting)} of {_words(wanted)}")
        return fitting[wanted.number - 1]
    if len(fitting) > 1:
        raise DeviceBlocked("two_readers", f"{_words(wanted)} is each of: {'; '.join(fitting)}")
    return fitting[0]


def _one_slot_each(names: list[str], contact: bool) -> list[str]:
    """Of each model that has contactless slots and others keep the kind that is wanted."""
    kinds: dict[str, set[bool]] = {}
    for name in names:
        kinds.setdefault(_model(name), set()).add(_is_contactless(name))
    return [name for name in names if len(kinds[_model(name)]) == 1 or _is_contactless(name) is not contact]


def _is_contactless(name: str) -> bool:
    return _CONTACTLESS.search(name) is not None


def _model(name: str) -> str:
    return _COUNTS.sub("", name).partition(" [")[0]


def _words(wanted: Wanted) -> str:
    serial = f" with serial {wanted.serial}" if wanted.serial else ""
    return f"{wanted.reader_name!r}{serial}"
