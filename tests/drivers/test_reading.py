"""Reading a card, without a reader: what it costs, what it refuses, what no card can do to us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.cards.exchange import APDUS_MAX, GET_UID, CardUnreadable
from tapledger_drivers.cards.reading import CardContents, classify_uid, read_card
from tapledger_drivers.emulators.virtual_card import CardKind, CardSession, CardTakenAway, VirtualCard
from tapledger_drivers.ports import UidKind
from tests.drivers.cards import UID, member_card, token

TYPE4_ATR = VirtualCard(CardKind.TYPE4, UID).atr
TYPE2_ATR = VirtualCard(CardKind.TYPE2, UID).atr


def read(card: VirtualCard) -> tuple[CardContents, int]:
    session = CardSession(card)
    return read_card(session.transmit, card.atr), session.apdus


@pytest.mark.parametrize(
    ("kind", "tech", "apdus"), [(CardKind.TYPE4, "iso14443-4", 6), (CardKind.TYPE2, "type2", 10)]
)
def test_a_token_is_read_with_few_apdus(kind: CardKind, tech: str, apdus: int) -> None:
    contents, used = read(member_card(kind))
    assert contents == CardContents(UID, UidKind.FIXED, tech, token())
    assert used <= apdus


def test_a_card_without_ndef_costs_one_apdu() -> None:
    contents, used = read(VirtualCard(CardKind.UID_ONLY, UID))
    assert contents == CardContents(UID, UidKind.FIXED, "storage", None)
    assert used == 1


@pytest.mark.parametrize("size", [0, 1, 252, 253, 254, 255, 256, 800])
@pytest.mark.parametrize("kind", [CardKind.TYPE4, CardKind.TYPE2])
def test_messages_of_every_length_come_back_whole(kind: CardKind, size: int) -> None:
    ndef = bytes(n % 251 for n in range(size))
    contents, _ = read(VirtualCard(kind, UID, ndef))
    assert contents.ndef == (ndef or None)


@pytest.mark.parametrize("kind", [CardKind.TYPE4, CardKind.TYPE2])
def test_wrong_answers_are_torn_not_believed(kind: CardKind) -> None:
    with pytest.raises(CardUnreadable, match="bad_answer"):
        read(VirtualCard(kind, UID, token(), wrong_answers=True))


def test_leaving_at_any_apdu_is_never_a_read() -> None:
    _, apdus = read(member_card())
    for left_after in range(apdus):
        with pytest.raises(CardTakenAway):
            read(member_card(torn_after=left_after))


def test_an_empty_answer_is_a_card_that_left() -> None:
    with pytest.raises(CardUnreadable, match="removed"):
        read_card(lambda _: b"", TYPE4_ATR)


def test_a_card_that_promises_the_most_is_stopped_by_the_apdu_limit() -> None:
    apdus = []

    def endless_type2(apdu: bytes) -> bytes:
        apdus.append(apdu)
        if apdu == GET_UID:
            return UID + b"\x90\x00"
        # 2040 bytes of memory, one NDEF message of 2000 bytes, read 16 by 16.
        page = bytes.fromhex("E110FF0003FF07D0") + bytes(8) if apdu[3] == 3 else bytes(16)
        return page + b"\x90\x00"

    with pytest.raises(CardUnreadable, match="too_many_apdus"):
        read_card(endless_type2, TYPE2_ATR)
    assert len(apdus) == APDUS_MAX


@given(
    answers=st.lists(st.binary(max_size=300), max_size=80), atr=st.sampled_from([TYPE4_ATR, TYPE2_ATR, b""])
)
def test_whatever_a_card_answers_reading_ends_in_contents_or_torn(answers: list[bytes], atr: bytes) -> None:
    left = [UID + b"\x90\x00", *(answer + b"\x90\x00" for answer in answers)]
    try:
        contents = read_card(lambda _: left.pop(0) if left else b"", atr)
    except CardUnreadable:
        return
    assert contents.uid == UID


@pytest.mark.parametrize(
    ("uid", "kind"),
    [
        ("04A1B2C3", UidKind.FIXED),
        ("04A1B2C3D4E5F6", UidKind.FIXED),
        ("08A1B2C3", UidKind.RANDOM),
        ("08A1B2C3D4E5F6", UidKind.FIXED),
        ("01020304", UidKind.FORBIDDEN),
        ("00000000", UidKind.FORBIDDEN),
        ("FFFFFFFFFFFFFF", UidKind.FORBIDDEN),
        ("04A1B2", UidKind.FORBIDDEN),
        ("04A1B2C3D4", UidKind.FORBIDDEN),
    ],
)
def test_uid_kinds(uid: str, kind: UidKind) -> None:
    assert classify_uid(bytes.fromhex(uid)) is kind
