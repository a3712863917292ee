"""Coupons that a shop can check without asking anybody: what they say, signed by the node that issued them.

The text of the QR code is ``TC1:`` and base32 of msgpack and its Ed25519 signature: letters that QR codes
pack well and that no keyboard wedge changes (loyalty.md section 3.12).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Callable

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger.errors import Denied, Invalid, Refused
from tapledger.wire import signing

PREFIX = "TC1:"
VERSION = 1
SIGNATURE_BYTES = 64
MAX_CHARS = 512


class SignedCoupon(msgspec.Struct, frozen=True, array_like=True):
    """What the paper or the phone says of one coupon."""

    v: int
    coupon: str
    """Its id, by which it is redeemed once."""
    template: str
    member: str
    """The only member who may use it; empty for whoever holds it."""
    not_after_s: int | None
    """First second at which it is worth nothing, since 1970."""
    max_value_minor: int | None
    """What it takes off at most."""
    key_id: str
    """The node that signed it; only there can it be used while that node is offline."""

    @property
    def not_after(self) -> dt.datetime | None:
        return None if self.not_after_s is None else dt.datetime.fromtimestamp(self.not_after_s, dt.UTC)


def is_signed(text: str) -> bool:
    return text.upper().startswith(PREFIX)


def encode(coupon: SignedCoupon, key: Ed25519PrivateKey) -> str:
    """Return the text of a coupon's QR code."""
    payload = msgspec.msgpack.encode(coupon)
    signature = signing.sign(key, signing.coupon_statement(payload))
    return PREFIX + base64.b32encode(payload + signature).decode().rstrip("=")


def decode(text: str, find_key: Callable[[str], bytes | None]) -> SignedCoupon:
    """Return what a scanned coupon says.

    Raises ``Invalid`` CODE_MISTYPED for what is no such text, and ``Refused`` COUPON_CODE_WRONG when
    ``find_key`` does not know who signed it or the signature is not theirs.
    """
    folded = text.strip().upper()
    if not is_signed(folded) or len(folded) > MAX_CHARS:
        raise Invalid("CODE_MISTYPED")
    body = folded.removeprefix(PREFIX)
    try:
        data = base64.b32decode(body + "=" * (-len(body) % 8))
        payload, signature = data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:]
        coupon = msgspec.msgpack.decode(payload, type=SignedCoupon)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError) as error:
        raise Invalid("CODE_MISTYPED") from error
    public_key = find_key(coupon.key_id)
    try:
        if public_key is None or coupon.v != VERSION:
            raise Denied("SIGNATURE_WRONG")
        signing.verify(public_key, signing.coupon_statement(payload), signature)
    except Denied as error:
        raise Refused("COUPON_CODE_WRONG") from error
    return coupon
