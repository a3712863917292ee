"""The scanner on a pseudo-terminal, through the real pyserial."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator
from tapledger_drivers.errors import DeviceBlocked, DeviceLost
from tapledger_drivers.ports import Scan, ScanEvent, ScanRefused
from tapledger_drivers.registry import create_driver
from tapledger_drivers.scanners.serial_line import CODE_BYTES_MAX, LineFramer, SerialLineScanner
from tapledger_drivers.testing import DriverContract, DriverLab
from tests.drivers.cards import TRUST

DEADLINE_S = 10.0


@pytest.fixture
def cable() -> Iterator[SerialScannerEmulator]:
    emulator = SerialScannerEmulator()
    yield emulator
    emulator.unplug()


@pytest.fixture
async def scanner(cable: SerialScannerEmulator) -> AsyncIterator[SerialLineScanner]:
    driver = SerialLineScanner(cable.path)
    await driver.open()
    async with asyncio.timeout(DEADLINE_S):
        yield driver
    await driver.close()


async def take(scanner: SerialLineScanner, count: int) -> list[ScanEvent]:
    events: list[ScanEvent] = []
    async for event in scanner.scans():
        events.append(event)
        if len(events) == count:
            break
    return events


class TestContract(DriverContract):
    @pytest.fixture
    async def lab(self, cable: SerialScannerEmulator) -> AsyncIterator[DriverLab]:
        driver = create_driver(DeviceConfig("till-scanner", "serial_line", {"path": cable.path}), TRUST)

        async def unplug() -> None:
            cable.unplug()

        yield DriverLab(driver, SerialLineScanner("/dev/no-such-port"), unplug)
        await driver.close()


async def test_codes_arrive_in_order_each_once(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    codes = [f"69{n:011d}" for n in range(100)] + ["6900000000099"] * 3
    for code in codes:
        await cable.scan(code)
    events = await take(scanner, len(codes))
    assert [event.text for event in events if isinstance(event, Scan)] == codes


async def test_64_kib_of_codes_lose_none(cable: SerialScannerEmulator, scanner: SerialLineScanner) -> None:
    codes = [f"{n:013d}" for n in range(64 * 1024 // 15)]
    sending = asyncio.create_task(cable.send_raw("".join(f"{code}\r\n" for code in codes).encode()))
    events = await take(scanner, len(codes))
    await sending
    assert [event.text for event in events if isinstance(event, Scan)] == codes


async def test_64_kib_without_an_end_is_one_refusal_and_the_next_code_is_read(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    sending = asyncio.create_task(cable.send_raw(b"7" * 65536 + b"\r6901234567892\r"))
    refused, scan = await take(scanner, 2)
    await sending
    assert isinstance(refused, ScanRefused)
    assert (refused.reason, refused.length) == ("too_long", 65536)
    assert isinstance(scan, Scan)
    assert scan.text == "6901234567892"


async def test_a_scanner_without_line_ends_is_framed_by_silence(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    await cable.scan("6901234567892", suffix="")
    [event] = await take(scanner, 1)
    assert isinstance(event, Scan)
    assert event.raw == b"6901234567892"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"6901234567892", "6901234567892"),
        ("会员李".encode(), "会员李"),
        ("会员李".encode("gb18030"), "会员李"),
        (b"]C1010690123\x1d10AB", "]C1010690123\x1d10AB"),
        (b"a\x1b@b", "control_characters"),
        (b"a\x00b", "control_characters"),
        ("a\u202eb".encode(), "control_characters"),
        (b"a\xffb", "not_text"),
        (b"1" * CODE_BYTES_MAX, "1" * CODE_BYTES_MAX),
        (b"1" * (CODE_BYTES_MAX + 1), "too_long"),
    ],
)
async def test_codes_and_refusals(
    cable: SerialScannerEmulator, scanner: SerialLineScanner, raw: bytes, expected: str
) -> None:
    await cable.send_raw(raw + b"\r\n")
    [event] = await take(scanner, 1)
    if isinstance(event, Scan):
        assert (event.raw, event.text) == (raw, expected)
    else:
        assert (event.reason, event.length) == (expected, len(raw))


async def test_codes_read_before_the_unplug_are_not_lost(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    await cable.scan("1")
    scans = scanner.scans()
    assert isinstance(await anext(scans), Scan)
    cable.unplug()
    with pytest.raises(DeviceLost, match="unplugged"):
        await anext(scans)


async def test_a_flood_that_nobody_takes_does_not_hold_up_close(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    flood = asyncio.create_task(cable.send_raw((b"1" * 511 + b"\r") * 1024))
    assert len(await take(scanner, 1)) == 1
    await scanner.close()
    assert not flood.done(), "the scanner was read on behalf of nobody"
    await scanner.open()
    reading = asyncio.create_task(take(scanner, 1024))
    await flood
    reading.cancel()


async def test_two_programs_cannot_read_one_scanner(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    with pytest.raises(DeviceBlocked, match="in_use"):
        await SerialLineScanner(cable.path).open()


async def test_a_file_is_no_serial_port(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("ports") / "file"
    file.write_bytes(b"")
    with pytest.raises(DeviceBlocked, match="not_a_serial_port"):
        await SerialLineScanner(str(file)).open()


@given(chunks=st.lists(st.binary(max_size=700), max_size=20))
def test_framing_does_not_depend_on_how_the_bytes_were_cut_up(chunks: list[bytes]) -> None:
    def frame(parts: list[bytes]) -> list[tuple[object, ...]]:
        framer = LineFramer()
        events = [event for part in parts for event in framer.feed(part)] + list(framer.end_of_code())
        return [
            (event.text,) if isinstance(event, Scan) else (event.reason, event.length) for event in events
        ]

    assert frame(chunks) == frame([b"".join(chunks)])
