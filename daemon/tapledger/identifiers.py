"""Identifiers: time-ordered UUIDs from a given instant and given randomness."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

Randomness = Callable[[int], bytes]
"""Returns so many random bytes; ``os.urandom`` in the daemon, seeded in a simulation."""


def uuid7(now: dt.datetime, randomness: Randomness) -> str:
    """Return a UUIDv7 (RFC 9562): 48 bits of milliseconds, then randomness."""
    value = int(now.timestamp() * 1000) << 80 | int.from_bytes(randomness(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
