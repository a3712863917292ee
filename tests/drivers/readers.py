"""Card readers of the station, made as the daemon makes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tapledger_drivers.cards.pcsc import PcscCardReader
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.io import Io
from tapledger_drivers.ports import CardEvent
from tapledger_drivers.registry import create_driver
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import TRUST

DEADLINE_S = 10.0


def driver_for(reader_name: str, io: Io, **options: object) -> PcscCardReader:
    driver = create_driver(
        DeviceConfig("kiosk-reader", "pcsc", {"reader_name": reader_name, **options}), TRUST, io
    )
    assert isinstance(driver, PcscCardReader)
    return driver


@asynccontextmanager
async def made(
    reader_name: str, traffic: Traffic | None = None, /, **options: object
) -> AsyncIterator[PcscCardReader]:
    """Yield a driver over the real transports, not open, and close it with them."""
    io = LiveIo("kiosk-reader", traffic or Traffic(time.monotonic))
    driver = driver_for(reader_name, io, **options)
    try:
        yield driver
    finally:
        await driver.close()
        await io.close()


@asynccontextmanager
async def watching(
    station: ReaderStation, number: int = 0, **options: object
) -> AsyncIterator[AsyncIterator[CardEvent]]:
    async with made(station.reader_names[number], None, **options) as reader:
        await reader.open()
        async with asyncio.timeout(DEADLINE_S):
            yield reader.taps()
