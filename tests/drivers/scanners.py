"""What the tests of scanners share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from tapledger_drivers.ports import BarcodeScanner, Scan, ScanEvent
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo

T = TypeVar("T")

DEADLINE_S = 10.0


def live_io(name: str = "till-scanner") -> LiveIo:
    return LiveIo(name, Traffic(time.monotonic))


async def in_time(awaitable: Awaitable[T]) -> T:
    async with asyncio.timeout(DEADLINE_S):
        return await awaitable


async def take(scanner: BarcodeScanner, count: int) -> list[ScanEvent]:
    """Return the next ``count`` events."""
    return await in_time(_take(scanner.scans(), count))


async def _take(scans: AsyncIterator[ScanEvent], count: int) -> list[ScanEvent]:
    events: list[ScanEvent] = []
    async for event in scans:
        events.append(event)
        if len(events) == count:
            break
    return events


def texts(events: list[ScanEvent]) -> list[str]:
    """Return what was read, and the reason of what was refused in angle brackets."""
    return [event.text if isinstance(event, Scan) else f"<{event.reason}>" for event in events]
