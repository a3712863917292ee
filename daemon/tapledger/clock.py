"""The only place that asks what time it is; everything else is handed a Clock."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Protocol

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    def now(self) -> dt.datetime:
        """Return the current instant in UTC, with its time zone set."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that never go back; only differences mean anything."""
        ...


class SystemClock:
    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()


def boot_id() -> str:
    """Name this start of the machine, since which its monotonic clock counts; empty where nobody says."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
