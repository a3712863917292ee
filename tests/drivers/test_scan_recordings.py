"""A card number that came in pieces is in no recording."""

from __future__ import annotations

import time

import pytest

from tapledger_drivers.cassettes.pseudonyms import Pseudonyms
from tapledger_drivers.cassettes.spanning import redacted
from tapledger_drivers.emulators.memory import MemoryIo, MemoryWire
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator
from tapledger_drivers.scanners.serial_line import SerialLineScanner
from tapledger_drivers.traffic import Traffic
from tests.drivers.scanners import take, texts

CARD = "4111111111111111"


@pytest.mark.parametrize("piece", [1, 3, 7, 100])
async def test_a_card_number_in_pieces_is_found(piece: int) -> None:
    traffic = Traffic(time.monotonic)
    emulator = SerialScannerEmulator(lambda machine: MemoryWire(machine, "scanner"))
    await emulator.start()
    assert isinstance(emulator.wire, MemoryWire)
    driver = SerialLineScanner(MemoryIo({emulator.path: emulator.wire}, traffic), emulator.path)
    await driver.open()
    sent = f"6901234567892\r{CARD}\r6901234567892\r".encode()
    stream = driver._stream
    assert stream is not None
    read = stream.read
    stream.read = lambda timeout_s, limit=piece: read(timeout_s, piece)  # type: ignore[method-assign]
    await emulator.send_raw(sent)
    assert texts(await take(driver, 3)) == ["6901234567892", "<payment_card>", "6901234567892"]
    frames = [frame for frame in traffic.frames() if frame.data]
    assert b"".join(frame.data for frame in frames) == sent
    clean = redacted(frames, Pseudonyms(b"salt", traffic.secrets()))
    assert [len(one) for one in clean] == [len(frame.data) for frame in frames]
    joined = b"".join(clean)
    assert CARD.encode() not in joined
    assert joined.startswith(b"6901234567892\r") and joined.endswith(b"\r6901234567892\r")
    await driver.close()
    await emulator.close()
