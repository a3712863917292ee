"""The scanner on a pseudo-terminal, over the live transports."""

from __future__ import annotations

import asyncio
import grp
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.memory import MemoryIo, MemoryWire
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.ports import Scan, ScanEvent, ScanRefused
from tapledger_drivers.registry import create_driver
from tapledger_drivers.scanners.framing import CODE_BYTES_MAX
from tapledger_drivers.scanners.reading import CodeFormat
from tapledger_drivers.scanners.serial_line import SerialLineScanner
from tapledger_drivers.testing import DriverContract, DriverLab
from tapledger_drivers.traffic import Traffic
from tests.drivers.as_nobody import forbidden_tty, needs_root, said_to_nobody
from tests.drivers.cards import TRUST
from tests.drivers.scanners import DEADLINE_S, in_time, live_io, take, texts

NOTICED_S, USABLE_S = 1.0, 2.0


@pytest.fixture
async def cable() -> AsyncIterator[SerialScannerEmulator]:
    emulator = SerialScannerEmulator()
    await emulator.start()
    yield emulator
    await emulator.close()


@pytest.fixture
async def scanner(cable: SerialScannerEmulator) -> AsyncIterator[SerialLineScanner]:
    driver = SerialLineScanner(live_io(), cable.path)
    await driver.open()
    yield driver
    await driver.close()


def terminal_of(cable: SerialScannerEmulator) -> str:
    return os.path.realpath(cable.path)


class TestContract(DriverContract):
    @pytest.fixture
    async def lab(self, cable: SerialScannerEmulator) -> AsyncIterator[DriverLab]:
        io = live_io()
        driver = create_driver(DeviceConfig("till-scanner", "serial_line", {"path": cable.path}), TRUST, io)
        yield DriverLab(
            driver,
            SerialLineScanner(live_io(), "/dev/no-such-port"),
            unplug=lambda: cable.pull(Verb.UNPLUG),
            replug=lambda: cable.pull(Verb.REPLUG),
            hang=lambda: cable.pull(Verb.GO_AWOL),
            traffic=io.traffic,
        )
        await driver.close()


# ---- none lost, in order -------------------------------------------------------------------------------
async def test_codes_arrive_in_order_each_once(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    codes = [f"{n:08d}" for n in range(100)] + ["6901234567892"] * 3
    for code in codes:
        await cable.scan(code)
    assert texts(await take(scanner, len(codes))) == codes


async def test_bursts_of_twenty_lose_none(cable: SerialScannerEmulator, scanner: SerialLineScanner) -> None:
    for burst in range(10):
        codes = [f"{burst:03d}-{n:04d}" for n in range(20)]
        for code in codes:
            await cable.scan(code)
        assert texts(await take(scanner, len(codes))) == codes


async def test_64_kib_of_codes_lose_none(cable: SerialScannerEmulator, scanner: SerialLineScanner) -> None:
    codes = [f"{n:013d}" for n in range(64 * 1024 // 15)]
    await cable.send_raw("".join(f"{code}\r\n" for code in codes).encode())
    assert texts(await take(scanner, len(codes))) == codes


async def test_codes_wait_while_nobody_takes_them(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    codes = [f"{n:013d}" for n in range(2000)]
    scans = scanner.scans()
    await cable.scan(codes[0])
    assert texts([await in_time(anext(scans))]) == codes[:1]
    for code in codes[1:]:
        await cable.scan(code)
    assert texts([await in_time(anext(scans)) for _ in codes[1:]]) == codes[1:]


async def test_a_flood_that_nobody_takes_does_not_hold_up_close(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    await cable.send_raw((b"1" * 511 + b"\r") * 1024)
    assert len(await take(scanner, 1)) == 1
    async with asyncio.timeout(1):
        await scanner.close()


async def test_two_identical_scanners_do_not_mix() -> None:
    cables = [SerialScannerEmulator(), SerialScannerEmulator()]
    scanners = [SerialLineScanner(live_io(f"till-{n}"), cable.path) for n, cable in enumerate(cables)]
    for cable, scanner in zip(cables, scanners, strict=True):
        await cable.start()
        await scanner.open()
    for n in range(50):
        for place, cable in enumerate(cables):
            await cable.scan(f"{place}-{n}")
    for place, scanner in enumerate(scanners):
        assert texts(await take(scanner, 50)) == [f"{place}-{n}" for n in range(50)]
    for cable, scanner in zip(cables, scanners, strict=True):
        await scanner.close()
        await cable.close()


# ---- framing and refusals ------------------------------------------------------------------------------
async def test_64_kib_without_an_end_is_one_refusal_and_the_next_code_is_read(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    await cable.send_raw(b"7" * 65536 + b"\r6901234567892\r")
    refused, scan = await take(scanner, 2)
    assert isinstance(refused, ScanRefused)
    assert (refused.reason, refused.length) == ("too_long", 65536)
    assert texts([scan]) == ["6901234567892"]


async def test_a_scanner_without_line_ends_is_framed_by_silence(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    for code in ("6901234567892", "4006381333931"):
        await cable.scan(code, suffix="")
        assert texts(await take(scanner, 1)) == [code]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"6901234567892", "6901234567892"),
        ("会员李".encode(), "会员李"),
        ("会员李".encode("gb18030"), "会员李"),
        (b"]C1010690123456789210AB", "010690123456789210AB"),
        (b"a\x1b@b", "<control_characters>"),
        (b"a\x00b", "<control_characters>"),
        ("a\u202eb".encode(), "<control_characters>"),
        (b"]E0", "<control_characters>"),
        (b"a\xffb", "<not_text>"),
        (b"A" * CODE_BYTES_MAX, "A" * CODE_BYTES_MAX),
        (b"A" * (CODE_BYTES_MAX + 1), "<too_long>"),
    ],
)
async def test_codes_and_refusals(
    cable: SerialScannerEmulator, scanner: SerialLineScanner, raw: bytes, expected: str
) -> None:
    await cable.send_raw(raw + b"\r\n")
    [event] = await take(scanner, 1)
    assert texts([event]) == [expected]
    assert (event.raw == raw) if isinstance(event, Scan) else (event.length == len(raw))


async def test_everything_that_a_gs1_code_says_is_told(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    await cable.scan("]d2010690123456789217261231" + "10AB-1\x1d21S9")
    [event] = await take(scanner, 1)
    assert isinstance(event, Scan)
    assert (event.aim_id, event.symbology, event.encoding) == ("]d2", "gs1-datamatrix", "ascii")
    assert event.gs1 == (("01", "06901234567892"), ("17", "261231"), ("10", "AB-1"), ("21", "S9"))


async def test_prefix_and_suffix_are_taken_off_and_missed(cable: SerialScannerEmulator) -> None:
    options: dict[str, object] = {"path": cable.path, "prefix": r"\x02", "suffix": r"\x03\r"}
    driver = create_driver(DeviceConfig("till-scanner", "serial_line", options), TRUST, live_io())
    assert isinstance(driver, SerialLineScanner)
    await driver.open()
    await cable.send_raw(b"\x02]E06901234567892\x03\r6901234567892\x03\r\x02lost its end")
    whole, bare, torn = await take(driver, 3)
    assert isinstance(whole, Scan)
    assert (whole.text, whole.raw, whole.aim_id) == ("6901234567892", b"]E06901234567892", "]E0")
    assert texts([bare, torn]) == ["<prefix_missing>", "<incomplete>"]
    await driver.close()


@pytest.mark.parametrize("text", ["\\", r"\q", r"\x1", "x" * 17])
def test_a_suffix_that_means_nothing_is_refused(text: str) -> None:
    config = DeviceConfig("till-scanner", "serial_line", {"path": "/dev/ttyACM0", "suffix": text})
    with pytest.raises(DeviceBlocked, match="suffix"):
        create_driver(config, TRUST, live_io())


# ---- nobody's money ------------------------------------------------------------------------------------
async def test_a_bank_card_leaves_nothing_but_its_length(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    await cable.scan("4111111111111111")
    [event] = await take(scanner, 1)
    assert event == ScanRefused("payment_card", 16, event.seen_at_s)
    traffic = scanner._io.traffic
    assert b"4111111111111111" in traffic.secrets()
    assert (traffic.counters["FailedScanCount"], traffic.counters["GoodScanCount"]) == (1, 0)


# ---- the port ------------------------------------------------------------------------------------------
async def test_codes_read_before_the_unplug_are_not_lost(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    await cable.scan("1")
    scans = scanner.scans()
    assert isinstance(await in_time(anext(scans)), Scan)
    await cable.pull(Verb.UNPLUG)
    with pytest.raises(DeviceLost, match="unplugged"):
        await in_time(anext(scans))
    assert scanner._io.traffic.counters["CommunicationErrorCount"] == 1


async def test_unplug_is_noticed_and_the_next_name_works(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    terminal = terminal_of(cable)
    waiting = asyncio.create_task(take(scanner, 1))
    await asyncio.sleep(0)
    gone_s = time.monotonic()
    await cable.pull(Verb.UNPLUG)
    with pytest.raises(DeviceLost):
        await waiting
    assert time.monotonic() - gone_s <= NOTICED_S
    with pytest.raises(DeviceAbsent, match="port_absent"):
        await scanner.open()
    blocker = os.openpty()  # takes the old name
    await cable.pull(Verb.REPLUG)
    back_s = time.monotonic()
    await scanner.open()
    await cable.scan("6901234567892")
    assert texts(await take(scanner, 1)) == ["6901234567892"]
    assert time.monotonic() - back_s <= USABLE_S
    assert terminal_of(cable) != terminal
    for fd in blocker:
        os.close(fd)


async def test_a_port_in_use_names_the_program(cable: SerialScannerEmulator) -> None:
    holder = (
        "import serial, sys; port = serial.Serial(sys.argv[1], exclusive=True)\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", holder, cable.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert await in_time(process.stdout.readline()) == b"held\n"
    with pytest.raises(DeviceBlocked, match="in_use") as blocked:
        await SerialLineScanner(live_io(), cable.path).open()
    assert f"(PID {process.pid})" in blocked.value.detail
    await in_time(process.communicate(b""))


@needs_root
async def test_permission_denied_names_the_group() -> None:
    with forbidden_tty(group=grp.getgrnam("dialout").gr_gid, mode=0o660) as path:
        said = await said_to_nobody(
            "import asyncio, grp, serial, sys, time\n"
            "from tapledger_drivers.traffic import Traffic\n"
            "from tapledger_drivers.transports.live import LiveIo\n"
            "from tapledger_drivers.transports import serial_port\n"
            "from tapledger_drivers.scanners.serial_line import SerialLineScanner\n"
            "scanner = SerialLineScanner(LiveIo('x', Traffic(time.monotonic)), sys.argv[1])",
            "asyncio.run(scanner.open())",
            path,
        )
    assert b"not_permitted" in said
    assert b"add this user to the group dialout" in said


async def test_a_file_is_no_serial_port(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(DeviceBlocked, match="not_a_serial_port"):
        await SerialLineScanner(live_io(), str(file)).open()


# ---- every way in which a wire breaks ------------------------------------------------------------------
async def test_a_scanner_that_hangs_loses_what_it_reads_and_is_heard_again(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    await cable.pull(Verb.GO_AWOL)
    await cable.scan("lost")
    await cable.pull(Verb.GO_AWOL, on=False)
    await cable.scan("heard")
    assert texts(await take(scanner, 1)) == ["heard"]


async def test_a_slow_scanner_is_only_slow(cable: SerialScannerEmulator, scanner: SerialLineScanner) -> None:
    await cable.pull(Verb.SLOW, amount=30)
    for n in range(5):
        await cable.scan(f"slow-{n}")
    assert texts(await take(scanner, 5)) == [f"slow-{n}" for n in range(5)]


async def test_noise_ends_with_the_noise(cable: SerialScannerEmulator, scanner: SerialLineScanner) -> None:
    seen: list[ScanEvent] = []

    async def until_clean() -> None:
        async for event in scanner.scans():
            seen.append(event)
            if isinstance(event, Scan) and event.text == "clean":
                return

    reading = asyncio.create_task(until_clean())
    await cable.pull(Verb.NOISE, amount=300)
    for _ in range(200):
        await cable.scan("noisy-6901234567892")
    await cable.pull(Verb.NOISE, on=False)
    await cable.send_raw(b"\r")
    await cable.scan("clean")
    await in_time(reading)
    assert any(isinstance(event, ScanRefused) for event in seen)


async def test_half_a_code_is_no_code_once_the_line_end_is_known(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    await cable.scan("6901234567892")
    assert texts(await take(scanner, 1)) == ["6901234567892"]
    await cable.pull(Verb.HALF_WRITE)
    await cable.scan("4006381333931")
    assert texts(await take(scanner, 1)) == ["<incomplete>"]
    await cable.pull(Verb.HALF_WRITE, on=False)
    await cable.scan("4006381333931")
    assert texts(await take(scanner, 1)) == ["4006381333931"]


async def test_a_line_cut_in_the_middle_of_a_code_gives_no_half_of_it(
    cable: SerialScannerEmulator, scanner: SerialLineScanner
) -> None:
    await cable.pull(Verb.DROP_AFTER, amount=20)
    await cable.send_raw(b"6901234567892\r4006381333931\r")
    scans = scanner.scans()
    with pytest.raises(DeviceLost):
        async with asyncio.timeout(DEADLINE_S):
            async for event in scans:
                assert texts([event]) == ["6901234567892"]


async def test_the_same_driver_runs_in_memory() -> None:
    traffic = Traffic(time.monotonic)
    emulator = SerialScannerEmulator(lambda machine: MemoryWire(machine, "scanner"))
    await emulator.start()
    assert isinstance(emulator.wire, MemoryWire)
    io = MemoryIo({emulator.path: emulator.wire}, traffic)
    driver = SerialLineScanner(io, emulator.path, code_format=CodeFormat())
    assert (await driver.open()).virtual
    await emulator.scan("6901234567892")
    assert texts(await take(driver, 1)) == ["6901234567892"]
    await driver.close()
    await emulator.close()
