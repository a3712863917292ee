"""Members' PINs: what a plain card needs beside itself at a kiosk (decisions R8, R9, R13).

A verifier is argon2id over an HMAC with this shop's key, so a copied disk alone tells no PIN. It is known
where it was set; elsewhere a phone code serves.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import re
from dataclasses import replace

from argon2.exceptions import VerificationError

from tapledger.database import Transaction
from tapledger.errors import Denied, Invalid
from tapledger.loyalty.effects import POINTS
from tapledger.membership import permits
from tapledger.membership.identity import Presented, with_proof
from tapledger.membership.shop import Shop, known_member
from tapledger.membership.sign_in import HASHER
from tapledger.store import members, pins

DIGITS = 6
TRIES, TRIES_AWAY = 5, 3
"""Wrong ones in all; of them, while central is out of reach."""
MOST_PROVEN = 2
"""Level of a signed card with its PIN; a bare one with it is as good as a signed one alone."""
_PIN = re.compile(rf"[0-9]{{{DIGITS}}}")


async def set_pin(shop: Shop, member: str, pin: str) -> None:
    """Set a member's PIN, in place of the one before.

    Raises ``Invalid`` for one that is no six digits, or the first that anybody would try.
    """
    if not _PIN.fullmatch(pin):
        raise Invalid("PIN_NOT_SIX_DIGITS")
    if _is_easy(pin):
        raise Invalid("PIN_TOO_EASY")
    known = await shop.store.transact(lambda tx: known_member(tx, member).member.id)
    verifier = await asyncio.to_thread(HASHER.hash, _peppered(shop, known, pin))
    await shop.store.transact(lambda tx: pins.put(tx, known, verifier))


async def has_pin(shop: Shop, member: str) -> bool:
    """Tell whether a PIN was set here that can still be tried."""
    pin = await shop.store.transact(lambda tx: pins.get(tx, member))
    return pin is not None and not _is_locked(pin, away=_is_away(shop))


async def prove_pin(shop: Shop, member: str, typed: str) -> None:
    """Check a PIN; raise ``Denied`` for a wrong one with the tries that are left, or when none is.

    The try is counted before it is looked at, in a transaction of its own.
    """
    away = _is_away(shop)

    def begin(tx: Transaction) -> str:
        pin = pins.get(tx, member)
        if pin is None:
            raise Denied("PIN_NOT_SET")
        if _is_locked(pin, away=away):
            raise Denied("PIN_LOCKED")
        pins.tried(tx, member, away=away)
        return pin.verifier

    verifier = await shop.store.transact(begin)
    try:
        await asyncio.to_thread(HASHER.verify, verifier, _peppered(shop, member, typed))
    except VerificationError as error:
        raise await shop.store.transact(lambda tx: _wrong(pins.get(tx, member), away)) from error
    await shop.store.transact(lambda tx: pins.passed(tx, member))


def _wrong(pin: pins.Pin | None, away: bool) -> Denied:
    left = 0 if pin is None else _left(pin, away=away)
    return Denied("PIN_WRONG", left=left) if left else Denied("PIN_LOCKED")


async def lifts(shop: Shop, member: str) -> bool:
    """Tell whether a PIN or a code lifts a card that only identifies: not while central is away and has set
    nothing of this member's aside here (R8)."""
    if not _is_away(shop):
        return True

    def leased(tx: Transaction) -> int:
        stored = members.load(tx, member)
        return 0 if stored is None else permits.hand_of(tx, shop, stored.member).leased(POINTS)

    return await shop.store.transact(leased) > 0


def proven(presented: Presented, how: str) -> Presented:
    """Return a credential together with what was typed: one level more, up to ``MOST_PROVEN``."""
    level = max(presented.level, min(presented.level + 1, MOST_PROVEN))
    return with_proof(replace(presented, level=level), how)


def _is_away(shop: Shop) -> bool:
    return shop.store.keyring.enrolled and not shop.online


def _left(pin: pins.Pin, *, away: bool) -> int:
    left = TRIES - pin.wrong
    return max(0, min(left, TRIES_AWAY - pin.wrong_away) if away else left)


def _is_locked(pin: pins.Pin, *, away: bool) -> bool:
    return _left(pin, away=away) == 0


def _peppered(shop: Shop, member: str, pin: str) -> str:
    key = shop.store.keyring.index_key
    return hmac.new(key, f"pin\0{member}\0{pin}".encode(), hashlib.sha256).hexdigest()


def _is_easy(pin: str) -> bool:
    """Tell whether all digits are one, or follow each other up or down."""
    steps = {(int(b) - int(a)) % 10 for a, b in itertools.pairwise(pin)}
    return steps in ({0}, {1}, {9})
