"""A recording made with an emulator replays, through the very same driver, to the same outcome."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tapledger_drivers.cassettes import tape
from tapledger_drivers.cassettes.recorder import Recorder
from tapledger_drivers.cassettes.replaying import Replayed, replay
from tapledger_drivers.cassettes.tape import Cassette
from tapledger_drivers.cassettes.watching import WatchedTrust, watch
from tapledger_drivers.device import DeviceConfig, HealthLevel
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.nfc_cards import Ntag
from tapledger_drivers.emulators.pn532 import Pn532Emulator
from tapledger_drivers.emulators.pty_wire import PtyWire
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator
from tapledger_drivers.errors import DeviceError
from tapledger_drivers.ports import (
    BarcodeScanner,
    CardReader,
    Driver,
    PrintJob,
    PrintOutcome,
    PrintVerdict,
    QrCode,
    ReceiptPrinter,
    Row,
    Text,
)
from tapledger_drivers.registry import create_driver
from tapledger_drivers.traffic import Direction, Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import CREDENTIAL, TRUST, member_card

CASSETTES = Path(__file__).resolve().parents[1] / "cassettes"
DEADLINE_S = 15.0
SALT = bytes(range(16))
JOB = PrintJob("slip-1", (Text("茶山路店"), Row("保温杯", "￥88.00"), QrCode("proof")))


async def record(config: DeviceConfig, session: Callable[[Driver], Awaitable[None]]) -> Cassette:
    """Record what ``session`` does with the driver, from before its opening to after its closing."""
    traffic = Traffic(time.monotonic)
    io, recorder = LiveIo(config.role, traffic), Recorder(traffic)
    trust = WatchedTrust(TRUST, traffic)
    driver = watch(create_driver(config, trust, io), traffic)
    try:
        info = await driver.open()
        async with asyncio.timeout(DEADLINE_S):
            await session(driver)
        await driver.close()
    finally:
        recorder.stop()
        await driver.close()
        await io.close()
    return tape.read(recorder.cassette(config, info, "2026-11-22T10:00:00+00:00", SALT).to_bytes())


async def again(cassette: Cassette, *, strict: bool = True) -> Replayed:
    """Replay in a thread of its own: the test's loop runs on real time."""
    return await asyncio.to_thread(replay, cassette, strict=strict)


async def take(driver: Driver, count: int, act: Callable[[], Awaitable[None]]) -> None:
    """Read ``count`` events while ``act`` makes them happen, then close."""
    assert isinstance(driver, CardReader | BarcodeScanner)
    events = driver.taps() if isinstance(driver, CardReader) else driver.scans()

    async def read() -> None:
        left = count
        async for _ in events:
            left -= 1
            if left == 0:
                await driver.close()

    reading = asyncio.create_task(read())
    await act()
    await reading


# ---- scanners ------------------------------------------------------------------------------------------
async def test_scans_replay(tmp_path: Path) -> None:
    scanner = SerialScannerEmulator()
    await scanner.start()

    async def scan() -> None:
        for code in ("6901234567892", "]Q3" + "会员 90012345", "]C101040123456789011721123110LOT7"):
            await scanner.scan(code)

    config = DeviceConfig("till-scanner", "serial_line", {"path": scanner.path})
    cassette = await record(config, lambda driver: take(driver, 3, scan))
    await scanner.close()
    replayed = await again(cassette)
    assert replayed.same, replayed.difference()
    assert sum(line.startswith("event") for line in replayed.outcomes) == 3
    assert b"90012345" not in cassette.to_bytes(), "a member's code is a secret"
    assert b"6901234567892" in cassette.to_bytes(), "a product's is none"


@pytest.mark.parametrize(
    "config",
    [
        DeviceConfig("till-scanner", "serial_line", {"path": "/dev/no-such-port"}),
        DeviceConfig("till-scanner", "evdev_keyboard", {"path": "/dev/input/no-such-keyboard"}),
        DeviceConfig("receipt-printer", "escpos", {"port": "usblp:/dev/usb/no-such-printer"}),
        DeviceConfig("kiosk-reader", "nfcpy", {"port": "tty:/dev/no-such-port"}),
    ],
    ids=lambda config: str(config.driver),
)
async def test_a_device_that_could_not_be_opened_replays(config: DeviceConfig) -> None:
    traffic = Traffic(time.monotonic)
    io, recorder = LiveIo(config.role, traffic), Recorder(traffic)
    driver = watch(create_driver(config, TRUST, io), traffic)
    with pytest.raises(DeviceError):
        await driver.open()
    await io.close()
    replayed = await again(recorder.cassette(config, None, "2026-11-22T10:00:00+00:00", SALT))
    assert replayed.same, replayed.difference()
    assert len(replayed.outcomes) == 1


# ---- printers ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("line", ["tcp", "tty"])
async def test_slips_replay(line: str) -> None:
    printer = EscposPrinterEmulator() if line == "tcp" else EscposPrinterEmulator(wire=PtyWire)
    await printer.start()

    async def session(driver: Driver) -> None:
        assert isinstance(driver, ReceiptPrinter)
        assert (await driver.print(JOB)).verdict is PrintVerdict.PRINTED
        printer.set_cover_open(True)
        assert (await driver.print(replace(JOB, job_id="slip-2"))).verdict is PrintVerdict.FAILED
        printer.set_cover_open(False)
        await driver.status()

    config = DeviceConfig("receipt-printer", "escpos", {"port": printer.wire.address})
    cassette = await record(config, session)
    await printer.close()
    replayed = await again(cassette)
    assert replayed.same, replayed.difference()
    verdicts = [line for line in replayed.outcomes if PrintOutcome.__name__ in line]
    assert len(verdicts) == 2 and '"printed"' in verdicts[0] and "cover_open" in verdicts[1]


async def test_a_printer_that_goes_in_the_middle_replays() -> None:
    printer = EscposPrinterEmulator()
    await printer.start()

    async def session(driver: Driver) -> None:
        assert isinstance(driver, ReceiptPrinter)
        await printer.wire.pull(Verb.DROP_AFTER, amount=60)
        assert (await driver.print(JOB)).verdict is not PrintVerdict.PRINTED
        with contextlib.suppress(DeviceError):
            await driver.health(HealthLevel.INTERNAL)

    config = DeviceConfig("receipt-printer", "escpos", {"port": printer.wire.address})
    cassette = await record(config, session)
    await printer.close()
    replayed = await again(cassette)
    assert replayed.same, replayed.difference()


# ---- cards ---------------------------------------------------------------------------------------------
async def test_taps_on_a_chip_replay() -> None:
    chip = Pn532Emulator()
    await chip.start()

    async def tap() -> None:
        chip.insert(Ntag(bytes.fromhex("04AABBCCDDEEFF"), b"\xd1\x01\x02T\x00x"))

    config = DeviceConfig("kiosk-reader", "nfcpy", {"port": chip.address})
    cassette = await record(config, lambda driver: take(driver, 1, tap))
    await chip.close()
    replayed = await again(cassette)
    assert replayed.same, replayed.difference()
    assert b"04aabbccddeeff" not in cassette.to_bytes().lower()


async def test_taps_behind_pcscd_replay(reader_station: ReaderStation) -> None:
    name, card = reader_station.reader_names[0], member_card()

    async def tap() -> None:
        await reader_station.insert(0, card)

    config = DeviceConfig("kiosk-reader", "pcsc", {"reader_name": name})
    cassette = await record(config, lambda driver: take(driver, 1, tap))
    replayed = await again(cassette)
    assert replayed.same, replayed.difference()
    assert any("CardPresented" in line for line in replayed.outcomes)
    assert card.uid.hex().encode() not in cassette.to_bytes().lower()
    assert CREDENTIAL.encode() not in cassette.to_bytes()


# ---- strict and lenient ----------------------------------------------------------------------------------
async def test_a_driver_that_does_otherwise_is_caught_and_told_where() -> None:
    printer = EscposPrinterEmulator()
    await printer.start()

    async def session(driver: Driver) -> None:
        assert isinstance(driver, ReceiptPrinter)
        await driver.print(JOB)

    config = DeviceConfig("receipt-printer", "escpos", {"port": printer.wire.address})
    cassette = await record(config, session)
    await printer.close()
    place = next(
        place
        for place, frame in enumerate(cassette.frames)
        if frame.direction is Direction.TO_DEVICE and len(frame.data) > 40
    )
    changed = replace(cassette.frames[place], data=cassette.frames[place].data[::-1])
    cassette.frames[place] = changed
    strict = await again(cassette)
    assert not strict.same
    assert strict.mismatch.startswith(f"line {place + 2}:")
    assert "the driver sent" in strict.mismatch
    assert strict.difference() == strict.mismatch, "the place is told before what came of it"


async def test_what_is_read_as_a_recording_does_not_hang(tmp_path: Path) -> None:
    """Half a recording is a recording: the replay ends with it."""
    scanner = SerialScannerEmulator()
    await scanner.start()
    config = DeviceConfig("till-scanner", "serial_line", {"path": scanner.path})
    cassette = await record(config, lambda driver: take(driver, 2, lambda: _two(scanner)))
    await scanner.close()
    for cut in range(1, len(cassette.frames)):
        await again(replace(cassette, frames=cassette.frames[:cut]))


async def _two(scanner: SerialScannerEmulator) -> None:
    await scanner.scan("6901234567892")
    await scanner.scan("6901234567892")


def test_a_recording_from_before_a_field_was_added_is_the_same() -> None:
    path = CASSETTES / "star_slip.jsonl"
    lines = path.read_text("utf-8").replace(',\\"firmware\\":\\"\\"', "")
    assert lines != path.read_text("utf-8")
    replayed = replay(tape.read(lines.encode()))
    assert replayed.same, replayed.difference()
    other = lines.replace('\\"printed\\"', '\\"failed\\"')
    assert not replay(tape.read(other.encode())).same


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ('"driver":"star_raster"', '"driver":"star_roster"', "did you mean 'star_raster'"),
        ('"options":{', '"options":{"colour":"red",', "unknown_option"),
        ('"options":{', '"options":{"colour":{"is":"Colour"},', "unknown value"),
    ],
)
def test_a_recording_of_what_this_release_has_not_says_so(was: str, now: str, why: str) -> None:
    lines = (CASSETTES / "star_slip.jsonl").read_text("utf-8")
    assert was in lines
    replayed = replay(tape.read(lines.replace(was, now, 1).encode()))
    assert not replayed.same
    assert why in replayed.difference()


# ---- the corpus ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", sorted(CASSETTES.glob("*.jsonl")), ids=lambda path: path.stem)
def test_every_recording_in_the_corpus_replays(path: Path) -> None:
    replayed = replay(tape.read(path.read_bytes()))
    assert replayed.same, replayed.difference()
    assert replayed.outcomes
