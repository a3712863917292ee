"""Signed coupons: any shop with the public key checks them alone; nobody can change a word (3.12)."""

from __future__ import annotations

import base64

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid, Refused, TapledgerError
from tapledger.wire import coupons, signing
from tapledger.wire.coupons import PREFIX, SignedCoupon, decode, encode

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
NODE = signing.node_id(PUBLIC)
COUPON = SignedCoupon(
    v=1,
    coupon="019df237-3e80-75b1-a522-4a58b791f1d8",
    template="welcome-2026",
    member="019df237-3e80-75b1-a522-4a58b791f1d9",
    not_after_s=1_800_000_000,
    max_value_minor=5000,
    key_id=NODE,
)


def find(key_id: str) -> bytes | None:
    return PUBLIC if key_id == NODE else None


def test_what_was_signed_is_read_again() -> None:
    text = encode(COUPON, KEY)
    assert decode(text, find) == decode(f" {text.lower()}\n", find) == COUPON
    assert COUPON.not_after is not None
    assert COUPON.not_after.timestamp() == 1_800_000_000
    bearer = msgspec.structs.replace(COUPON, member="", not_after_s=None, max_value_minor=None)
    assert decode(encode(bearer, KEY), find) == bearer
    assert bearer.not_after is None


def test_it_fits_a_qr_code_and_survives_a_keyboard_wedge() -> None:
    text = encode(COUPON, KEY)
    assert len(text) <= 366, "version 11, medium correction, alphanumeric"
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567:1")


@given(st.data())
def test_every_change_is_found(data: st.DataObject) -> None:
    text = encode(COUPON, KEY)
    place = data.draw(st.integers(len(PREFIX), len(text) - 2))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
    forged = text[:place] + letter + text[place + 1 :]
    if forged == text:
        assert decode(forged, find) == COUPON
    else:
        with pytest.raises(TapledgerError) as caught:
            decode(forged, find)
        assert caught.value.code in ("CODE_MISTYPED", "COUPON_CODE_WRONG")


@pytest.mark.parametrize("change", [{"v": 2}, {"key_id": "stranger"}])
def test_what_another_key_or_version_signed_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Refused, match="COUPON_CODE_WRONG"):
        decode(encode(msgspec.structs.replace(COUPON, **change), KEY), find)


def test_a_signature_for_something_else_is_no_coupon() -> None:
    payload = msgspec.msgpack.encode(COUPON)
    text = PREFIX + base64.b32encode(payload + KEY.sign(payload)).decode().rstrip("=")
    with pytest.raises(Refused, match="COUPON_CODE_WRONG"):
        decode(text, find)


@pytest.mark.parametrize(
    "text", ["", "TC1:", "TC1:!!!!", "TC2:AAAA", PREFIX + "A" * 600, PREFIX + "7" * 160, "TC1:é"]
)
def test_what_is_no_coupon_is_mistyped(text: str) -> None:
    with pytest.raises(Invalid, match="CODE_MISTYPED"):
        decode(text, find)
    assert coupons.is_signed(text) == text.startswith(PREFIX)
