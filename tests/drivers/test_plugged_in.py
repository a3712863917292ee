"""A device that is really plugged in: ``pytest tests/drivers/test_plugged_in.py -s --device SPEC``.

docs/devices/trying-a-real-device.md tells how; without the option there is nothing to try, so it is skipped.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator

import pytest

from tapledger_drivers.cards.trust.signed_token import SignedTokenPolicy
from tapledger_drivers.device import DeviceConfig, HealthLevel
from tapledger_drivers.errors import DeviceError, DeviceLost
from tapledger_drivers.ports import (
    BarcodeScanner,
    CardPresented,
    CardReader,
    Driver,
    Feedback,
    PrintJob,
    PrintVerdict,
    QrCode,
    ReceiptPrinter,
    Row,
    Scan,
    Text,
)
from tapledger_drivers.registry import create_driver
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo

PERSON_S = 60.0
"""How long a person has to lay on a card, scan a code or pull a plug."""


def read_spec(spec: str) -> DeviceConfig:
    """Read ``driver,option=value,…``; whole numbers, true and false are taken as such."""
    driver, *pairs = spec.split(",")
    options: dict[str, object] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        plain: object = {"true": True, "false": False}.get(value, int(value) if value.isdigit() else value)
        options[name] = plain
    return DeviceConfig("plugged-in", driver, options)


def say(sentence: str) -> None:
    sys.stdout.write(f"\n>>> {sentence}\n")
    sys.stdout.flush()


@pytest.fixture(name="driver")
async def open_driver(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    spec = request.config.getoption("--device")
    if not spec:
        pytest.skip("needs a plugged-in device: --device SPEC, see docs/devices/trying-a-real-device.md")
    config = read_spec(spec)
    io = LiveIo(config.role, Traffic(time.monotonic))
    driver = create_driver(config, SignedTokenPolicy({}), io)
    yield driver
    await driver.close()
    await io.close()


async def test_a_real_device_keeps_its_promises(driver: Driver) -> None:
    info = await driver.open()
    say(f"{info.model} {info.firmware} at {info.address}")
    for name, capability in sorted(info.capabilities.items()):
        say(f"  {name} = {capability.value} ({capability.source})")
    assert not info.virtual, "this is an emulator"
    report = await driver.health(HealthLevel.INTERNAL)
    assert report.ok, report
    await driver.close()
    assert await driver.open() == info
    if isinstance(driver, CardReader):
        await _tap(driver)
    elif isinstance(driver, BarcodeScanner):
        await _scan(driver)
    elif isinstance(driver, ReceiptPrinter):
        await _print(driver)
    else:
        assert (await driver.health(HealthLevel.EXTERNAL)).ok


async def test_a_real_device_that_is_pulled_out_comes_back(driver: Driver) -> None:
    await driver.open()
    if isinstance(driver, CardReader):
        events: AsyncIterator[object] = driver.taps()
    elif isinstance(driver, BarcodeScanner):
        events = driver.scans()
    elif isinstance(driver, ReceiptPrinter):
        events = driver.changes()
    else:
        pytest.skip("a device that reports nothing is only missed when it is used")
    say("Pull the device out now.")
    with pytest.raises(DeviceLost):
        async with asyncio.timeout(PERSON_S):
            async for _ in events:
                pass
    await driver.close()
    say("Plug it in again.")
    async with asyncio.timeout(PERSON_S):
        await _until_open(driver)


async def _until_open(driver: Driver) -> None:
    while True:
        try:
            await driver.open()
        except DeviceError:
            await asyncio.sleep(0.2)
        else:
            return


async def _tap(reader: CardReader) -> None:
    await reader.feedback(Feedback.READY)
    say("Lay a card on the reader.")
    async with asyncio.timeout(PERSON_S):
        async for event in reader.taps():
            if isinstance(event, CardPresented):
                say(f"{event.tech}, {event.uid_kind} number, {event.trust.level.name}")
                assert event.uid and event.read_at_s >= event.seen_at_s
                break
    await reader.feedback(Feedback.ACCEPTED)


async def _scan(scanner: BarcodeScanner) -> None:
    say("Scan any product.")
    async with asyncio.timeout(PERSON_S):
        async for event in scanner.scans():
            assert isinstance(event, Scan), event
            say(f"{event.text!r} {event.symbology} {event.aim_id}")
            return


async def _print(printer: ReceiptPrinter) -> None:
    status = await printer.status()
    assert status.ready, status
    items = (Text("tapledger"), Text("中文 ￥12.50 – 0123456789"), Row("left", "right"), QrCode("tapledger"))
    outcome = await printer.print(PrintJob(f"plugged-in-{time.monotonic_ns()}", items))
    say(f"{outcome.verdict}: {outcome.reason}; {outcome.evidence}. Look at the paper: is it whole?")
    assert outcome.verdict is PrintVerdict.PRINTED, outcome
