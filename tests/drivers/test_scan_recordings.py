"""Nobody's card number or code is in a recording, however it came; what is around it stays."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterable

import pytest

from tapledger_drivers.cassettes.pseudonyms import Pseudonyms
from tapledger_drivers.cassettes.recorder import Recorder
from tapledger_drivers.cassettes.spanning import redacted
from tapledger_drivers.cassettes.tape import Cassette
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.memory import MemoryIo, MemoryWire
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator
from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.io import KeyEvent
from tapledger_drivers.scanners.evdev_keyboard import EvdevKeyboardScanner
from tapledger_drivers.scanners.keymaps import ENTER, US
from tapledger_drivers.scanners.reading import CodeFormat
from tapledger_drivers.scanners.serial_line import SerialLineScanner
from tapledger_drivers.traffic import SECRETS_BYTES_MAX, SECRETS_MAX, Traffic
from tests.drivers.scanners import take, texts

CARD = "4111111111111111"
PRODUCT, MEMBER = "6901234567892", "tl-90012345"
CONFIG = DeviceConfig("till-scanner", "serial_line", {"path": "/dev/scanner", "again": True})


@pytest.fixture
async def emulator() -> AsyncIterator[SerialScannerEmulator]:
    scanner = SerialScannerEmulator(lambda machine: MemoryWire(machine, "scanner"))
    await scanner.start()
    yield scanner
    await scanner.close()


def driver_of(
    emulator: SerialScannerEmulator, traffic: Traffic, code_format: CodeFormat | None = None
) -> SerialLineScanner:
    assert isinstance(emulator.wire, MemoryWire)
    io = MemoryIo({emulator.path: emulator.wire}, traffic)
    return SerialLineScanner(io, emulator.path, code_format=code_format)


def recorded(recorder: Recorder) -> Cassette:
    return recorder.cassette(CONFIG, None, "2026-11-22T10:00:00+00:00", b"salt")


def passed(cassette: Cassette) -> bytes:
    return b"".join(frame.data for frame in cassette.frames)


@pytest.mark.parametrize("piece", [1, 3, 7, 100])
async def test_a_card_number_in_pieces_is_found(emulator: SerialScannerEmulator, piece: int) -> None:
    traffic = Traffic(time.monotonic)
    driver = driver_of(emulator, traffic)
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


@pytest.mark.parametrize(
    ("code_format", "code", "reason"),
    [
        (CodeFormat(prefix=b"#"), MEMBER.encode(), "prefix_missing"),
        (CodeFormat(), MEMBER.encode() + b"\x1b", "control_characters"),
        (CodeFormat(), MEMBER.encode() + b"\xff", "not_text"),
        (CodeFormat(), b"7" * 600 + MEMBER.encode(), "too_long"),
    ],
)
async def test_a_code_that_was_refused_is_somebodys_too(
    emulator: SerialScannerEmulator, code_format: CodeFormat, code: bytes, reason: str
) -> None:
    traffic = Traffic(time.monotonic)
    driver, recorder = driver_of(emulator, traffic, code_format), Recorder(traffic)
    await driver.open()
    await emulator.send_raw(code + b"\r")
    assert texts(await take(driver, 1)) == [f"<{reason}>"]
    await driver.close()
    cassette = recorded(recorder)
    assert len(passed(cassette)) == len(code) + 1
    assert b"90012345" not in passed(cassette)


async def test_half_a_code_is_somebodys_when_the_line_ends_in_it(emulator: SerialScannerEmulator) -> None:
    traffic = Traffic(time.monotonic)
    driver, recorder = driver_of(emulator, traffic), Recorder(traffic)
    await driver.open()
    await emulator.send_raw(f"{PRODUCT}\r{CARD[:12]}".encode())
    scans = driver.scans()
    assert texts([await anext(scans)]) == [PRODUCT]
    await emulator.pull(Verb.UNPLUG)
    with pytest.raises(DeviceLost):
        await anext(scans)
    await driver.close()
    shown = passed(recorded(recorder))
    assert len(shown) == len(PRODUCT) + 1 + 12
    assert CARD[:4].encode() not in shown


async def test_a_code_that_nobody_took_is_somebodys_too(emulator: SerialScannerEmulator) -> None:
    traffic = Traffic(time.monotonic)
    driver, recorder = driver_of(emulator, traffic), Recorder(traffic)
    await driver.open()
    await emulator.send_raw(f"{PRODUCT}\r{CARD}\r{MEMBER}\r".encode())
    assert texts(await take(driver, 1)) == [PRODUCT]
    await driver.close()
    shown = passed(recorded(recorder))
    assert len(shown) == len(PRODUCT) + len(CARD) + len(MEMBER) + 3
    assert CARD.encode() not in shown and b"90012345" not in shown


def strokes(text: str) -> list[KeyEvent]:
    key_of = {char: code for code, char in US.plain.items()} | {"\r": ENTER[0]}
    return [KeyEvent(key_of[char], value) for char in text for value in (1, 0)]


def keys_of(text: str) -> bytes:
    return b"".join(event.pack() for event in strokes(text))


class TypedKeys:
    """A keyboard on which the codes have been typed already."""

    address, name, usb_id, virtual = "/dev/input/event5", "keyboard", "", True

    def __init__(self, codes: Iterable[str], traffic: Traffic, end: str = "\r") -> None:
        self._traffic = traffic
        self._typed = [event for code in codes for event in strokes(code + end)]

    async def events(self) -> AsyncIterator[KeyEvent]:
        for event in self._typed:
            self._traffic.received("key", event.pack())
            yield event

    async def close(self) -> None: ...


async def test_a_code_that_was_typed_is_hidden_and_a_product_beside_it_is_not() -> None:
    traffic = Traffic(time.monotonic)

    class Io(MemoryIo):
        async def keys(self, path: str) -> TypedKeys:
            return TypedKeys([MEMBER, PRODUCT, MEMBER], self.traffic)

    driver, recorder = EvdevKeyboardScanner(Io({}, traffic), "/dev/input/event5"), Recorder(traffic)
    await driver.open()
    assert texts(await take(driver, 3)) == [MEMBER, PRODUCT, MEMBER]
    shown, was = passed(recorded(recorder)), b"".join(frame.data for frame in traffic.frames())
    assert len(shown) == len(was)
    assert was.count(keys_of(MEMBER)) == 2 and keys_of(MEMBER[:4]) not in shown
    assert shown.count(keys_of(PRODUCT)) == 1
    await driver.close()


async def test_half_a_code_that_was_typed_is_hidden_when_the_keyboard_goes() -> None:
    traffic = Traffic(time.monotonic)

    class Io(MemoryIo):
        async def keys(self, path: str) -> TypedKeys:
            return TypedKeys([CARD[:12]], self.traffic, end="")

    driver, recorder = EvdevKeyboardScanner(Io({}, traffic), "/dev/input/event5"), Recorder(traffic)
    await driver.open()
    assert [event async for event in driver.scans()] == []
    await driver.close()
    shown = passed(recorded(recorder))
    assert len(shown) == len(keys_of(CARD[:12]))
    assert keys_of(CARD[:4]) not in shown


def test_a_long_recording_remembers_every_secret_of_it() -> None:
    traffic = Traffic(time.monotonic)
    recorder = Recorder(traffic)
    codes = [f"code-{number:06d}".encode() for number in range(SECRETS_MAX + 10)]
    for code in codes:
        traffic.received("stream", code + b"\r")
        traffic.hide(code)
    recorder.stop()
    shown = passed(recorded(recorder))
    assert len(shown) == sum(len(code) + 1 for code in codes)
    assert not any(code in shown for code in (codes[0], codes[9], codes[-1]))


def test_a_recording_of_four_times_as_much_takes_no_more_than_its_share_longer() -> None:
    """Whoever ends a recording waits for it, and all the shop with him."""

    def took_s(count: int) -> float:
        traffic = Traffic(time.monotonic)
        recorder = Recorder(traffic)
        for number in range(count):
            code = f"tl-{number:08d}"
            traffic.received("stream", code.encode() + b"\r")
            traffic.note("event", json.dumps({"call": "scans", "event": {"is": "Scan", "text": code}}))
            traffic.hide(code[3:].encode())
        begun_s = time.process_time()
        assert b"00000123" not in passed(recorded(recorder))
        return time.process_time() - begun_s

    few_s, many_s = (min(took_s(count) for _ in range(3)) for count in (500, 2000))
    assert many_s < 8 * few_s


def test_secrets_have_a_limit_in_bytes() -> None:
    traffic = Traffic(time.monotonic)
    for number in range(20):
        traffic.hide(bytes([number]) * (SECRETS_BYTES_MAX // 10))
    assert sum(map(len, traffic.secrets())) <= SECRETS_BYTES_MAX
    assert traffic.secrets()[-1][0] == 19


@pytest.mark.parametrize("word", ["call", "scans", "Scan", "true", "path", "event", "text"])
def test_a_secret_that_is_a_word_of_the_format_breaks_no_recording(word: str) -> None:
    traffic = Traffic(time.monotonic)
    recorder = Recorder(traffic)
    traffic.note("call", '{"call":"scans","args":[true]}')
    traffic.note("event", json.dumps({"call": "scans", "event": {"is": "Scan", "text": f"{word}-x"}}))
    traffic.hide(word.encode())
    cassette = recorded(recorder)
    assert cassette.head.options.keys() == CONFIG.options.keys()
    assert json.loads(cassette.frames[0].note) == {"call": "scans", "args": [True]}
    told = json.loads(cassette.frames[1].note)
    assert (told["call"], told["event"]["is"]) == ("scans", "Scan")
    assert word not in told["event"]["text"]
