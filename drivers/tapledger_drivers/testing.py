"""The contract every driver keeps, as a test class.

Subclass it in the driver's own test module and override the fixture ``lab`` with a ``DriverLab``. pytest
collects the subclass and finds the tests here; docs/adding-a-driver.md shows the whole of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tapledger_drivers.device import DeviceInfo, HealthLevel, HealthReport, Source
from tapledger_drivers.errors import DeviceAbsent, DeviceError, DeviceLost
from tapledger_drivers.ports import BarcodeScanner, CardReader, Driver, ReceiptPrinter
from tapledger_drivers.traffic import Traffic

_Answer = TypeVar("_Answer")

DEADLINE_S = 10.0
"""How long a contract test waits for anything; no driver may need it."""
CLOSE_DEADLINE_S = 3.0
"""How long ``close`` may take, whatever the device does."""


@dataclass(frozen=True)
class DriverLab:
    """One device to try a driver on."""

    driver: Driver
    """Not open; the device is there."""
    absent: Driver
    """The same driver for a device that is not there."""
    unplug: Callable[[], Awaitable[None]] | None = None
    """Makes the device go; None for a device that is asked anew for each job and cannot be lost."""
    replug: Callable[[], Awaitable[None]] | None = None
    """Brings it back, perhaps under another name."""
    hang: Callable[[], Awaitable[None]] | None = None
    """Makes the device say nothing and take nothing from now on."""
    traffic: Traffic | None = None
    """What passed between driver and device."""


class DriverContract:
    async def test_open_says_what_it_is(self, lab: DriverLab) -> None:
        info = await _in_time(lab.driver.open())
        assert isinstance(info, DeviceInfo)
        assert info.model and info.address
        assert info.virtual, "an emulated device must say so"

    async def test_every_capability_has_its_source(self, lab: DriverLab) -> None:
        info = await _in_time(lab.driver.open())
        assert all(isinstance(capability.source, Source) for capability in info.capabilities.values())

    async def test_absent_device_is_named_absent(self, lab: DriverLab) -> None:
        error = await _failure(lab.absent.open())
        assert isinstance(error, DeviceAbsent)
        assert error.reason

    async def test_close_may_come_at_any_time(self, lab: DriverLab) -> None:
        await _in_time(lab.driver.close())
        await _in_time(lab.driver.open())
        await _in_time(lab.driver.close())
        await _in_time(lab.driver.close())

    async def test_opens_again_after_close(self, lab: DriverLab) -> None:
        first = await _in_time(lab.driver.open())
        await _in_time(lab.driver.close())
        assert await _in_time(lab.driver.open()) == first

    async def test_close_ends_the_wait_for_events(self, lab: DriverLab) -> None:
        await _in_time(lab.driver.open())
        events = _events(lab.driver)
        if events is None:
            return
        waiting = asyncio.create_task(_drain(events))
        await asyncio.sleep(0)
        await _in_time(lab.driver.close())
        await _in_time(waiting)

    async def test_a_device_that_goes_is_reported_once(self, lab: DriverLab) -> None:
        await _in_time(lab.driver.open())
        events = _events(lab.driver)
        if events is None or lab.unplug is None:
            return
        waiting = asyncio.create_task(_failure(_drain(events)))
        await lab.unplug()
        error = await _in_time(waiting)
        assert isinstance(error, DeviceLost), repr(error)
        assert error.__cause__ is not None, "the vendor's own error is the cause"

    async def test_a_device_that_comes_back_is_opened_again(self, lab: DriverLab) -> None:
        if lab.unplug is None or lab.replug is None:
            return
        first = await _in_time(lab.driver.open())
        await lab.unplug()
        await _in_time(lab.driver.close())
        await lab.replug()
        async with asyncio.timeout(DEADLINE_S):
            while True:
                with contextlib.suppress(DeviceAbsent):  # a device takes its time to appear
                    again = await lab.driver.open()
                    break
                await asyncio.sleep(0.02)
        assert again.model == first.model

    async def test_health_is_told_at_every_level(self, lab: DriverLab) -> None:
        await _in_time(lab.driver.open())
        for level in HealthLevel:
            report = await _in_time(lab.driver.health(level))
            assert isinstance(report, HealthReport)
            assert report.findings and report.ok, report

    async def test_what_passes_is_counted(self, lab: DriverLab) -> None:
        await _in_time(lab.driver.open())
        await _in_time(lab.driver.health(HealthLevel.INTERNAL))
        if lab.traffic is not None:
            assert lab.traffic.frames(), "the driver goes past its Io"

    async def test_a_hung_device_holds_nobody(self, lab: DriverLab) -> None:
        if lab.hang is None:
            return
        await _in_time(lab.driver.open())
        await lab.hang()
        try:
            report = await _in_time(lab.driver.health(HealthLevel.INTERNAL))
        except DeviceError:
            pass
        else:
            # A device that is never asked anything, such as a scanner, cannot be told from a quiet one.
            assert not report.ok or isinstance(lab.driver, BarcodeScanner), report
        async with asyncio.timeout(CLOSE_DEADLINE_S):
            await lab.driver.close()


def _events(driver: Driver) -> AsyncIterator[object] | None:
    if isinstance(driver, CardReader):
        return driver.taps()
    if isinstance(driver, BarcodeScanner):
        return driver.scans()
    if isinstance(driver, ReceiptPrinter):
        return driver.changes()
    return None


async def _drain(events: AsyncIterator[object]) -> None:
    async for _ in events:
        pass


async def _failure(awaitable: Awaitable[object]) -> DeviceError:
    try:
        await _in_time(awaitable)
    except DeviceError as error:
        return error
    raise AssertionError("no DeviceError came")


async def _in_time(awaitable: Awaitable[_Answer]) -> _Answer:
    async with asyncio.timeout(DEADLINE_S):
        return await awaitable
