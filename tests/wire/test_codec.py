"""Bytes on the wire: what is written is read back, golden bytes stay, and anything else is refused."""

from __future__ import annotations

import datetime as dt
import hashlib

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid
from tapledger.loyalty.effects import Credential, Credited, Linked, Lot, TierSet
from tapledger.loyalty.ledger import POINT, EventBody, Line
from tapledger.wire.codec import GENESIS, decode_event, encode_event, link, pack, unpack
from tapledger.wire.enrolment import SYMBOLS, make_code, normal_code, printed, read_code
from tapledger.wire.messages import (
    EVENT_VERSION,
    MAX_BATCH_BYTES,
    Batch,
    BatchAnswer,
    Enrol,
    FeedPage,
    LedgerEvent,
    Refusal,
)

AT = dt.datetime(2026, 5, 4, 9, 0, tzinfo=dt.UTC)
EVENT = LedgerEvent(
    v=EVENT_VERSION,
    id="019dee00-0000-7000-8000-000000000000",
    node="k7m2p9qx",
    epoch=1,
    seq=1,
    hlc=1777885200000 << 16,
    body=EventBody(
        kind="join",
        at=AT,
        program="1",
        member="m-1",
        lines=(Line("member/m-1/points", POINT, 5), Line("program/points", POINT, -5)),
        effects=(
            Credited(Lot("lot-1", 5, 5, AT, None)),
            Linked(Credential("card", "index", 1)),
            TierSet("base"),
        ),
    ),
)
GOLDEN_SHA256 = "b414cb24530f8ac98e1a89c4b24da2d56506cfd22c9cee24936f9dd0466e64f9"


def test_an_event_has_its_golden_bytes() -> None:
    """A change here would break every chain there is: events are read and written as they ever were."""
    raw = encode_event(EVENT)
    assert hashlib.sha256(raw).hexdigest() == GOLDEN_SHA256
    assert decode_event(raw) == EVENT


def test_the_chain_is_sha256_of_the_previous_hash_and_the_raw_bytes() -> None:
    assert link(GENESIS, b"raw") == hashlib.sha256(bytes(32) + b"raw").digest()


def test_fields_of_a_newer_version_are_ignored() -> None:
    fields = msgspec.msgpack.decode(encode_event(EVENT))
    newer = msgspec.msgpack.encode({**fields, "colour": "red", "body": {**fields["body"], "mood": [1]}})
    assert decode_event(newer) == EVENT


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    for kind in (Batch, Enrol, FeedPage, Refusal, BatchAnswer):
        for packed in (data, zstandard.compress(data)):
            with pytest.raises(Invalid):
                unpack(packed, kind)
    with pytest.raises(Invalid, match="EVENT_UNREADABLE"):
        decode_event(data)


@given(st.data())
def test_a_flipped_bit_never_gives_the_same_event(data: st.DataObject) -> None:
    raw = bytearray(encode_event(EVENT))
    place = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[place // 8] ^= 1 << place % 8
    assert link(GENESIS, bytes(raw)) != link(GENESIS, encode_event(EVENT))
    try:
        decode_event(bytes(raw))
    except Invalid as error:
        assert error.code == "EVENT_UNREADABLE"


@pytest.mark.parametrize(
    "data",
    [
        zstandard.compress(bytes(MAX_BATCH_BYTES + 1)),
        zstandard.ZstdCompressor(write_content_size=False).compress(bytes(MAX_BATCH_BYTES + 1)),
        zstandard.compress(b"\x91" * 500_000),
        pack(BatchAnswer(ack=1)) + b"more",
        pack(BatchAnswer(ack=1)) * 2,
        pack(BatchAnswer(ack=1))[:-1],
    ],
)
def test_bombs_and_leftovers_are_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        unpack(data, BatchAnswer)


def test_a_message_of_the_largest_size_is_read() -> None:
    filler = "x" * (MAX_BATCH_BYTES - 100)
    message = Refusal(code="LARGE", data={"x": filler})
    assert unpack(pack(message), Refusal) == message


@pytest.mark.parametrize("code", ["", "lower", "A B", "A\x1bB", "X" * 65, "1ST"])
def test_a_refusal_has_a_plain_code(code: str) -> None:
    with pytest.raises(Invalid):
        unpack(pack(Refusal(code=code)), Refusal)


@given(st.binary(min_size=5, max_size=5))
def test_a_code_survives_paper_and_fingers(randomness: bytes) -> None:
    code = make_code(lambda count: randomness[:count])
    assert len(code) == 8
    assert set(code) <= set(SYMBOLS)
    typed = printed(code).lower().replace("0", "o").replace("1", "l")
    assert read_code(f" {typed} ") == normal_code(typed) == code
