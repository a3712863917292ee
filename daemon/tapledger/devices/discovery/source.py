"""One way of noticing that something was plugged in or pulled out."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Change(enum.StrEnum):
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class HotplugEvent:
    kind: Change
    subsystem: str
    """``tty``, ``input``, ``usbmisc``, ``hidraw`` and ``usb`` of the kernel, ``pcsc``, or ``config``."""
    path: str
    """What a driver opens: a device file, or a PC/SC reader's name."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """By udev's names, whoever supplied them; empty when it was removed."""


class HotplugSource(Protocol):
    name: str

    def scan(self) -> list[HotplugEvent]:
        """Return what changed since it was last told; the first time, all that is there.

        At once, and without a word to any device.
        """
        ...

    def events(self) -> AsyncIterator[HotplugEvent]:
        """Yield what ``scan`` would return now, and then every change, until it is closed."""
        ...
