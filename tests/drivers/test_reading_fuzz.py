"""A card is a stranger: whatever it answers, reading ends soon, in contents or in ``CardUnreadable``."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable

import pytest

from tapledger_drivers.cards.exchange import CardUnreadable
from tapledger_drivers.cards.reader_session import secret_pieces
from tapledger_drivers.cards.reading import CardContents, read_card, read_contact_card
from tapledger_drivers.emulators.virtual_card import CardKind, CardSession, CardTakenAway, VirtualCard
from tests.drivers.cards import TRUST, UID, token
from tests.drivers.own_time import OwnTime

CASE_MAX_S = 0.1
MEMORY_GROWTH_MAX_BYTES = 2 * 1024 * 1024
CASES = [10_000, pytest.param(1_000_000, marks=pytest.mark.long)]

OK = b"\x90\x00"
STATUSES = [bytes.fromhex(word) for word in ["9000", "6A82", "6300", "6282", "6C05", "6110", "6D00", "6F00"]]
ATRS = [VirtualCard(kind, b"\x00" * 4).atr for kind in CardKind] + [b"", b"\x3b", bytes.fromhex("A000000306")]
CARDS = [
    VirtualCard(kind, UID, ndef)
    for kind in CardKind
    for ndef in (b"", token(), bytes(range(200)) * 4)
    if len(ndef) < 800 or kind is not CardKind.TYPE2
]


def _strange(rng: random.Random) -> Callable[[bytes], bytes]:
    """Answers with bytes of its own, mostly as long as was asked for."""

    def answer(apdu: bytes) -> bytes:
        match rng.randrange(10):
            case 0:
                return rng.randbytes(rng.randrange(4))
            case 1:
                return rng.randbytes(rng.randrange(300)) + rng.choice(STATUSES)
            case 2:
                return rng.choice(STATUSES)
            case _:
                length = (apdu[4] or 256) if len(apdu) == 5 else 0
                data = bytearray(rng.randbytes(length))
                if length and rng.randrange(2):
                    data[:16] = rng.choice(SEEDS)[:length]
                return bytes(data) + OK

    return answer


SEEDS = [
    bytes.fromhex(seed)
    for seed in (
        "E1106F0003FF07D0" + "00" * 8,
        "E110FF00" + "01" * 12,
        "E1101200" + "0000000003FF0000FE000000",
        "000F2000FF00FF0406E10408000000FF",
        "000F20FFFFFFFF0406E104FFFF00FFFF",
        "5A0A1234567890123456785A0A123456",
        "5A7F0000000000000000000000000000",
    )
]


def _broken(rng: random.Random) -> tuple[Callable[[bytes], bytes], bytes]:
    """A sound card whose answers are now and then cut, doubled or wrong in a bit."""
    card = rng.choice(CARDS)
    session = CardSession(card)
    seldom = rng.choice((2, 8, 40))

    def answer(apdu: bytes) -> bytes:
        whole = session.transmit(apdu)
        match rng.randrange(4 * seldom):
            case 0:
                return whole[: rng.randrange(len(whole) + 1)]
            case 1:
                return whole + whole
            case 2:
                at = rng.randrange(len(whole))
                return whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :]
            case 3:
                raise CardUnreadable("removed")
            case _:
                return whole

    return answer, card.atr


def _read_one(rng: random.Random) -> CardContents | None:
    if rng.randrange(2):
        answer, atr = _strange(rng), rng.choice(ATRS)
    else:
        answer, atr = _broken(rng)
    chunks: list[bytes] = []

    def transceive(apdu: bytes) -> bytes:
        given = answer(apdu)
        chunks.append(given[:-2])
        return given

    read = rng.choice((read_card, read_card, read_contact_card))
    try:
        contents = read(transceive, atr)
    except CardUnreadable as error:
        assert error.reason
        return None
    except CardTakenAway:
        raise AssertionError("none of these cards leaves") from None
    TRUST.judge(contents.uid, contents.uid_kind, contents.ndef)
    assert b"".join(secret_pieces(contents.ndef, chunks)) in (contents.ndef or b"")
    return contents


@pytest.mark.parametrize("cases", CASES)
def test_whatever_a_card_answers_reading_ends_in_time(cases: int) -> None:
    own, whole = OwnTime(), 0
    tracemalloc.start()
    try:
        for seed in range(cases):
            rng = random.Random(seed)
            with own:
                try:
                    whole += _read_one(rng) is not None
                except Exception as error:
                    raise AssertionError(f"case {seed}") from error
            if seed == cases // 10:
                at_first, _ = tracemalloc.get_traced_memory()
        at_last, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert own.slowest_s < CASE_MAX_S
    assert whole > cases / 10, "most cases never get past the first answer"
    assert at_last - at_first < MEMORY_GROWTH_MAX_BYTES
