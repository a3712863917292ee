"""The emulated PN532 by itself, and nfcpy's chip driver on what no chip should say."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable

import pytest

from tapledger_drivers.cards.nfc_chips import BadFrames, open_pn532, take_frame
from tapledger_drivers.cards.nfc_watch import Watch
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.nfc_cards import FelicaLite, IsoDepCard, MifareClassic, NfcCard, Ntag
from tapledger_drivers.emulators.pn532 import (
    ACK,
    NACK,
    SYNTAX_ERROR,
    FrameParser,
    Pn532Chip,
    Pn532Emulator,
    crc_a,
    frame_of,
)
from tapledger_drivers.ports import CardPresented
from tapledger_drivers.traffic import Traffic
from tests.drivers.cards import TRUST, UID
from tests.drivers.own_time import OwnTime

CASES, CASES_LONG = 10_000, 1_000_000
CASE_TIME_MAX_S = 0.1
IDM = bytes.fromhex("012E4CD2F1A09B33")
GET_FIRMWARE = bytes.fromhex("D402")


def conversation(chip: Pn532Chip, heard: list[bytes], content: bytes) -> bytes:
    """Return what the chip answers to a command, without its frame."""
    heard.clear()
    chip.received(frame_of(content))
    assert heard[0] == ACK
    (answer,) = FrameParser().feed(heard[1])
    return answer


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def chip(heard: list[bytes]) -> Pn532Chip:
    return Pn532Chip(heard.append)


# ---- the emulator, by the examples of NXP's manual -----------------------------------------------------
def test_a_command_is_acknowledged_and_answered(chip: Pn532Chip, heard: list[bytes]) -> None:
    chip.received(bytes.fromhex("5555000000000000FF02FED4022A00"))
    assert heard == [ACK, bytes.fromhex("0000FF06FAD50332010607E800")]


def test_a_frame_in_pieces_and_two_at_once(chip: Pn532Chip, heard: list[bytes]) -> None:
    frame = frame_of(GET_FIRMWARE)
    for byte in frame:
        chip.received(bytes([byte]))
    chip.received(frame + frame)
    assert len(heard) == 6


def test_the_last_answer_is_repeated_on_demand(chip: Pn532Chip, heard: list[bytes]) -> None:
    chip.received(frame_of(GET_FIRMWARE))
    chip.received(NACK)
    assert heard[1] == heard[2]


@pytest.mark.parametrize("content", ["D4FF", "D5", "D440", "D44A0300", "D406", "D4060000FF", "D432"])
def test_a_command_that_is_none_is_a_syntax_error(chip: Pn532Chip, heard: list[bytes], content: str) -> None:
    chip.received(frame_of(bytes.fromhex(content)))
    assert heard == [ACK, SYNTAX_ERROR]


def test_a_long_frame_comes_back_whole(chip: Pn532Chip, heard: list[bytes]) -> None:
    content = bytes.fromhex("D40000") + bytes(n & 0xFF for n in range(262))
    assert conversation(chip, heard, content) == b"\xd5\x01" + content[2:]


def test_a_wrong_checksum_is_ignored(chip: Pn532Chip, heard: list[bytes]) -> None:
    frame = bytearray(frame_of(GET_FIRMWARE))
    frame[-2] ^= 1
    chip.received(bytes(frame))
    assert heard == []


def test_targets_of_each_technology(chip: Pn532Chip, heard: list[bytes]) -> None:
    chip.field = [Ntag(UID), IsoDepCard(UID[::-1]), FelicaLite(IDM)]
    one = conversation(chip, heard, bytes.fromhex("D44A0100"))
    assert one == bytes.fromhex("D54B0101004400") + b"\x07" + UID
    two = conversation(chip, heard, bytes.fromhex("D44A0200"))
    assert two[2] == 2 and two.endswith(bytes.fromhex("0203442007") + UID[::-1])
    felica = conversation(chip, heard, bytes.fromhex("D44A010100FFFF0100"))
    assert felica[2:5] == bytes.fromhex("010114") and felica[6:14] == IDM
    assert conversation(chip, heard, bytes.fromhex("D44A010200AAAA0000")) == bytes.fromhex("D54B00")


def test_reading_pages_with_and_without_the_chips_checksums(chip: Pn532Chip, heard: list[bytes]) -> None:
    chip.field = [Ntag(UID)]
    conversation(chip, heard, bytes.fromhex("D44A0100"))
    page = conversation(chip, heard, bytes.fromhex("D4423003"))
    assert page[:7] == bytes.fromhex("D54300E1106D00") and len(page) == 3 + 16
    assert conversation(chip, heard, bytes.fromhex("D440013003")) == b"\xd5\x41" + page[2:]
    assert conversation(chip, heard, bytes.fromhex("D44230FF")) == bytes.fromhex("D54302")
    conversation(chip, heard, bytes.fromhex("D408630300"))
    assert conversation(chip, heard, bytes.fromhex("D4423003")) == page + crc_a(page[3:])
    assert conversation(chip, heard, bytes.fromhex("D44230FF")) == bytes.fromhex("D5430000")
    chip.field = []
    assert conversation(chip, heard, bytes.fromhex("D4423003")) == bytes.fromhex("D54301")


def test_a_card_in_its_protocol_hears_no_request_until_the_field_was_off(
    chip: Pn532Chip, heard: list[bytes]
) -> None:
    chip.field = [IsoDepCard(UID)]
    look = bytes.fromhex("D44A0100")
    assert conversation(chip, heard, look)[2] == 1
    assert conversation(chip, heard, bytes.fromhex("D442E080"))[2:] == bytes.fromhex("00067577810280")
    assert conversation(chip, heard, look)[2] == 0
    conversation(chip, heard, bytes.fromhex("D4320100"))
    assert conversation(chip, heard, look)[2] == 1


def test_the_checksum_of_the_standard() -> None:
    # ISO 14443-3, annex B: READ of page 0, and HLTA.
    assert crc_a(bytes.fromhex("3000")) == bytes.fromhex("02A8")
    assert crc_a(bytes.fromhex("5000")) == bytes.fromhex("57CD")


async def test_it_names_its_faults() -> None:
    board = Pn532Emulator()
    await board.start()
    for verb in board.verbs():
        if verb not in (Verb.REPLUG, Verb.UNPLUG):
            await board.pull(verb)
    assert {fault.verb for fault in board.faults()} == set(board.verbs()) - {Verb.REPLUG, Verb.UNPLUG}
    for verb in board.verbs():
        await board.pull(verb, on=False)
    assert board.faults() == ()
    with pytest.raises(ValueError, match="paper_out"):
        await board.pull(Verb.PAPER_OUT)
    await board.close()


# ---- fuzz ----------------------------------------------------------------------------------------------
def mangled(data: bytes, rng: random.Random) -> bytes:
    """Return ``data`` with one to three things wrong; its checksums are often right again."""
    wrong = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(wrong) + 1)
        match rng.randrange(5):
            case 0:
                wrong[at:at] = rng.randbytes(rng.randint(1, 8))
            case 1:
                del wrong[at : at + rng.randint(1, 8)]
            case 2 if at < len(wrong):
                wrong[at] = rng.randrange(256)
            case 3:
                wrong += wrong[at:]
            case _:
                del wrong[at:]
    return bytes(wrong)


def mangled_frame(frame: bytes, rng: random.Random) -> bytes:
    contents = list(FrameParser().feed(frame))
    if rng.random() < 0.5 or not contents or contents[0] in (ACK, NACK):
        return mangled(frame, rng)
    head, rest = contents[0][:2], contents[0][2:]
    return frame_of((head + mangled(rest, rng))[:265])


def timed(case: Callable[[], object]) -> None:
    own = OwnTime()
    with own:
        case()
    assert own.slowest_s < CASE_TIME_MAX_S


def fuzz_parsers(cases: int, seed: int) -> None:
    rng = random.Random(seed)
    whole = [
        ACK,
        NACK,
        SYNTAX_ERROR,
        frame_of(GET_FIRMWARE),
        frame_of(bytes.fromhex("D54B01010044000704A1B2C3D4E5F6")),
        frame_of(b"\xd5\x43\x00" + bytes(260)),
    ]
    chip = Pn532Chip(lambda data: None)
    chip.field = [IsoDepCard(UID), Ntag(UID), FelicaLite(IDM)]
    buffer = bytearray()

    def driver_takes(data: bytes) -> None:
        buffer.extend(data)
        try:
            while take_frame(buffer) is not None:
                pass
        except BadFrames:
            buffer.clear()
        assert len(buffer) < 2048

    for _ in range(cases):
        data = mangled(rng.choice(whole), rng) if rng.random() < 0.9 else rng.randbytes(rng.randrange(64))
        timed(functools.partial(driver_takes, data))
        code = rng.choice([*range(0x00, 0x60, 2), 0x55])
        command = frame_of(bytes([0xD4, code]) + rng.randbytes(rng.randrange(12)))
        timed(functools.partial(chip.received, command if rng.random() < 0.5 else mangled(command, rng)))


class ChipPort:
    """A ``Port`` with the chip right behind it; what the chip sends may be mangled on the way."""

    address, virtual = "tty:/dev/fuzz", True

    def __init__(self, rng: random.Random) -> None:
        self.chip = Pn532Chip(self._arrived)
        self.mangle = False
        self._rng = rng
        self._data = b""

    def _arrived(self, data: bytes) -> None:
        if self.mangle and self._rng.random() < 0.1:
            data = mangled_frame(data, self._rng)
        self._data += data

    def read(self, limit: int, timeout_s: float) -> bytes:
        data, self._data = self._data[:limit], self._data[limit:]
        return data

    def write(self, data: bytes) -> None:
        self.chip.received(data)

    def set_baud(self, baud: int) -> None: ...

    def flush_input(self) -> None:
        self._data = b""

    def close(self) -> None: ...


def fuzz_driver(cases: int, seed: int) -> int:
    """Look at cards through a chip that answers wrongly; return how often one was read all the same."""
    rng = random.Random(seed)
    port = ChipPort(rng)
    device = open_pn532(port)
    read = 0
    watch = Watch(device, TRUST, Traffic(time.monotonic))
    port.mangle = True

    def look() -> None:
        nonlocal read, watch
        try:
            read += isinstance(watch.look(), CardPresented)
        except OSError:
            # The driver calls it a lost chip, closes it and opens it again.
            watch = Watch(device, TRUST, Traffic(time.monotonic))

    for _ in range(cases):
        cards: list[NfcCard] = [Ntag(UID, b"x" * 40), IsoDepCard(UID, b"x" * 300), FelicaLite(IDM, b"x" * 40)]
        port.chip.field = [rng.choice([*cards, MifareClassic(UID[:4])])] if rng.random() < 0.8 else []
        port.chip.faults.exchanges_left = rng.choice([None, None, None, 1, 2, 3])
        timed(look)
    return read


def test_fuzzed_bytes_crash_neither_parser() -> None:
    fuzz_parsers(CASES, seed=1)


def test_fuzzed_answers_of_the_chip_crash_no_driver() -> None:
    assert 0 < fuzz_driver(CASES, seed=2) < CASES


@pytest.mark.long
def test_fuzzed_bytes_crash_neither_parser_a_million_times() -> None:
    fuzz_parsers(CASES_LONG, seed=3)


@pytest.mark.long
def test_fuzzed_answers_of_the_chip_crash_no_driver_a_million_times() -> None:
    assert 0 < fuzz_driver(CASES_LONG, seed=4) < CASES_LONG
