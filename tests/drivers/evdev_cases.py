"""The typing scanner on the real python-evdev; test_evdev_keyboard.py runs this file under umockdev."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tapledger_drivers.device import Capability, DeviceConfig, Source
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.ports import Scan, ScanRefused
from tapledger_drivers.registry import create_driver
from tapledger_drivers.scanners.evdev_keyboard import EvdevKeyboardScanner
from tapledger_drivers.scanners.reading import CodeFormat
from tapledger_drivers.testing import DriverContract, DriverLab
from tests.drivers.cards import TRUST
from tests.drivers.keyboard_emulator import NODE, KeyboardScannerEmulator
from tests.drivers.scanners import in_time, live_io, take, texts

NOTICED_S, USABLE_S = 1.0, 2.0
DEV = Path(os.environ["UMOCKDEV_DIR"]) / "dev"


@pytest.fixture
async def keyboard() -> AsyncIterator[KeyboardScannerEmulator]:
    emulator = KeyboardScannerEmulator(DEV)
    await emulator.start()
    yield emulator
    await emulator.close()


@pytest.fixture
async def scanner(keyboard: KeyboardScannerEmulator) -> AsyncIterator[EvdevKeyboardScanner]:
    """A driver that bears with an emulated keyboard whose computer is busy in the middle of a code."""
    driver = EvdevKeyboardScanner(live_io(), NODE, code_format=CodeFormat(quiet_s=0.5))
    await driver.open()
    yield driver
    await driver.close()


class TestContract(DriverContract):
    @pytest.fixture
    async def lab(self, keyboard: KeyboardScannerEmulator) -> AsyncIterator[DriverLab]:
        io = live_io()
        driver = create_driver(DeviceConfig("till-scanner", "evdev_keyboard", {"path": NODE}), TRUST, io)
        yield DriverLab(
            driver,
            EvdevKeyboardScanner(live_io(), "/dev/input/event99"),
            unplug=lambda: keyboard.pull(Verb.UNPLUG),
            replug=lambda: keyboard.pull(Verb.REPLUG),
            hang=lambda: keyboard.pull(Verb.GO_AWOL),
            traffic=io.traffic,
        )
        await driver.close()


async def test_it_says_what_it_is(keyboard: KeyboardScannerEmulator) -> None:
    driver = EvdevKeyboardScanner(live_io(), NODE, layout="de", code_format=CodeFormat(encoding="gb18030"))
    info = await driver.open()
    assert (info.model, info.address, info.virtual) == ("Emulated scanner", f"evdev:{NODE}", True)
    assert info.capabilities["mode"].value == "keyboard"
    assert info.capabilities["layout"].source == "operator"
    assert info.capabilities["encoding"] == Capability("gb18030", Source.OPERATOR)
    await driver.close()


async def test_codes_arrive_in_order_each_once(
    keyboard: KeyboardScannerEmulator, scanner: EvdevKeyboardScanner
) -> None:
    codes = [f"{n:08d}" for n in range(100)] + ["6901234567892"] * 3
    for code in codes:
        await keyboard.scan(code)
    assert texts(await take(scanner, len(codes))) == codes


async def test_codes_are_read_ahead_of_whoever_takes_them(
    keyboard: KeyboardScannerEmulator, scanner: EvdevKeyboardScanner
) -> None:
    codes = [f"{n:013d}" for n in range(200)]
    scans = scanner.scans()
    await keyboard.scan("first")
    assert texts([await in_time(anext(scans))]) == ["first"]
    for code in codes:
        await keyboard.scan(code)
    assert texts([await in_time(anext(scans)) for _ in codes]) == codes


@pytest.mark.parametrize("layout", ["us", "de", "fr"])
@pytest.mark.parametrize(
    "text", ["]C1010690123456789210Az-1\x1d21S9", "TC1:ABCXYZ", "a1~@#[]{}|\\", "Zz;_:,!?"]
)
async def test_each_layout_types_what_was_scanned(
    keyboard: KeyboardScannerEmulator, layout: str, text: str
) -> None:
    del keyboard
    keyboard_of_layout = KeyboardScannerEmulator(DEV, layout)
    await keyboard_of_layout.start()
    driver = EvdevKeyboardScanner(live_io(), NODE, layout)
    await driver.open()
    await keyboard_of_layout.scan(text)
    [event] = await take(driver, 1)
    assert isinstance(event, Scan)
    assert event.raw.decode() == text
    await driver.close()
    await keyboard_of_layout.close()


async def test_gs1_comes_through_the_keyboard_too(
    keyboard: KeyboardScannerEmulator, scanner: EvdevKeyboardScanner
) -> None:
    await keyboard.scan("]d20106901234567892" + "10AB\x1d21S9", suffix="\t")
    [event] = await take(scanner, 1)
    assert isinstance(event, Scan)
    assert event.gs1 == (("01", "06901234567892"), ("10", "AB"), ("21", "S9"))


async def test_silence_ends_a_code_without_enter(
    keyboard: KeyboardScannerEmulator, scanner: EvdevKeyboardScanner
) -> None:
    await keyboard.scan("6901234567892", suffix="")
    assert texts(await take(scanner, 1)) == ["6901234567892"]


async def test_keys_that_the_kernel_dropped_make_no_code(
    keyboard: KeyboardScannerEmulator, scanner: EvdevKeyboardScanner
) -> None:
    await keyboard.scan("690123", suffix="")
    keyboard.overflow()
    await keyboard.scan("4567892")  # the rest of a code that the kernel dropped the beginning of
    await keyboard.scan("6901234567892")
    assert texts(await take(scanner, 2)) == ["<incomplete>", "6901234567892"]


async def test_a_bank_card_is_hidden_as_keys_and_as_digits(
    keyboard: KeyboardScannerEmulator, scanner: EvdevKeyboardScanner
) -> None:
    await keyboard.scan("4111111111111111")
    [event] = await take(scanner, 1)
    assert event == ScanRefused("payment_card", 16, event.seen_at_s)
    traffic = scanner._io.traffic
    typed = b"".join(frame.data for frame in traffic.frames() if frame.channel == "key")
    assert b"4111111111111111" in traffic.secrets()
    assert typed in traffic.secrets()


async def test_a_members_code_is_hidden_as_keys_and_a_products_is_not(
    keyboard: KeyboardScannerEmulator, scanner: EvdevKeyboardScanner
) -> None:
    traffic = scanner._io.traffic
    await keyboard.scan("6901234567892")
    assert texts(await take(scanner, 1)) == ["6901234567892"]
    assert traffic.secrets() == []
    await keyboard.scan("TL-90012345")
    assert texts(await take(scanner, 1)) == ["TL-90012345"]
    typed = b"".join(frame.data for frame in traffic.frames() if frame.channel == "key")
    assert b"90012345" in traffic.secrets()
    assert any(len(secret) > len("90012345") * 6 and secret in typed for secret in traffic.secrets())


async def test_unplug_is_noticed_and_replug_is_used(
    keyboard: KeyboardScannerEmulator, scanner: EvdevKeyboardScanner
) -> None:
    waiting = asyncio.create_task(take(scanner, 1))
    await asyncio.sleep(0)
    gone_s = time.monotonic()
    await keyboard.pull(Verb.UNPLUG)
    with pytest.raises(DeviceLost, match="unplugged"):
        await waiting
    assert time.monotonic() - gone_s <= NOTICED_S
    with pytest.raises(DeviceAbsent):
        await scanner.open()
    await keyboard.pull(Verb.REPLUG)
    back_s = time.monotonic()
    await scanner.open()
    await keyboard.scan("6901234567892")
    assert texts(await take(scanner, 1)) == ["6901234567892"]
    assert time.monotonic() - back_s <= USABLE_S


async def test_a_device_file_that_goes_is_noticed_though_nothing_says_so(
    keyboard: KeyboardScannerEmulator, scanner: EvdevKeyboardScanner
) -> None:
    waiting = asyncio.create_task(take(scanner, 1))
    await asyncio.sleep(0)
    gone_s = time.monotonic()
    (DEV / NODE.removeprefix("/dev/")).unlink()
    with pytest.raises(DeviceLost, match="the device file has gone"):
        await waiting
    assert time.monotonic() - gone_s <= NOTICED_S


async def test_what_is_no_keyboard_is_refused(keyboard: KeyboardScannerEmulator, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(DeviceBlocked, match="not_a_keyboard"):
        await EvdevKeyboardScanner(live_io(), str(file)).open()


@pytest.mark.parametrize("verb", [Verb.NOISE, Verb.HALF_WRITE, Verb.SLOW, Verb.GO_AWOL])
async def test_a_bad_line_ends_with_the_fault(
    keyboard: KeyboardScannerEmulator, scanner: EvdevKeyboardScanner, verb: Verb
) -> None:
    await keyboard.pull(verb, amount=20)
    for _ in range(5):
        await keyboard.scan("noisy-6901234567892")
    await keyboard.pull(verb, on=False)
    await scanner.close()
    await scanner.open()
    await keyboard.scan("x")
    await keyboard.scan("clean")

    async def until_clean() -> None:
        async for event in scanner.scans():
            if isinstance(event, Scan) and event.text == "clean":
                return

    await in_time(until_clean())
