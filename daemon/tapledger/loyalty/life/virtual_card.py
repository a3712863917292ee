"""A card on a telephone: a code of 20 digits that changes every 30 seconds, so that a screenshot dies (R11).

``9``, ten digits that name the card, eight that prove it now, and a Luhn digit: longer than any payment code
that a till may meet. This is the online form, for whoever knows the secret; the signed one is another.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import codes

SLOT_S = 30
TOLERANCE = 1
"""Slots before and after the present one whose code is taken."""
SECRET_BYTES = 20
NUMBER_DIGITS = 10
PROOF_DIGITS = 8
PREFIX = "9"
LENGTH = 1 + NUMBER_DIGITS + PROOF_DIGITS + 1


def number(randomness: bytes) -> str:
    """Return the ten digits of a new virtual card, from at least 8 random bytes."""
    return f"{int.from_bytes(randomness[:8], 'big') % 10**NUMBER_DIGITS:0{NUMBER_DIGITS}d}"


def slot(now: dt.datetime) -> int:
    return int(now.timestamp()) // SLOT_S


def code(secret: bytes, card: str, at_slot: int) -> str:
    """Return the code that a telephone shows in a slot."""
    digest = hmac.new(secret, f"{card}|{at_slot}".encode(), hashlib.sha256).digest()
    proof = int.from_bytes(digest[:8], "big") % 10**PROOF_DIGITS
    digits = f"{PREFIX}{card}{proof:0{PROOF_DIGITS}d}"
    return digits + codes.luhn_digit(digits)


def is_code(text: str) -> bool:
    """Tell whether a text has the form of such a code."""
    return (
        len(text) == LENGTH
        and text.isascii()
        and text.isdigit()
        and text.startswith(PREFIX)
        and codes.luhn_digit(text[:-1]) == text[-1]
    )


def card_of(text: str) -> str:
    """Return the ten digits that name the card; raise ``Invalid`` for what is no such code."""
    if not is_code(text):
        raise Invalid("VIRTUAL_CODE_MISTYPED")
    return text[1 : 1 + NUMBER_DIGITS]


def verify(text: str, secret: bytes, now: dt.datetime, last_slot: int) -> int:
    """Return the slot of a code that is right now; once that slot is ``last_slot`` it is right no more."""
    card, present = card_of(text), slot(now)
    for at_slot in range(present - TOLERANCE, present + TOLERANCE + 1):
        if hmac.compare_digest(code(secret, card, at_slot), text):
            if at_slot <= last_slot:
                raise Refused("VIRTUAL_CODE_USED")
            return at_slot
    raise Refused("VIRTUAL_CODE_OLD")
