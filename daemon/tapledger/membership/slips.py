"""What a print job remembers: which event, in which language; the paper is drawn from the ledger.

A slip has a masked name and a voucher's code, which is worth money: in the queue it is sealed.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from tapledger.database import Transaction
from tapledger.errors import Corrupt
from tapledger.languages import LANGUAGES
from tapledger.membership.shop import Shop
from tapledger.store import prints
from tapledger.store.journal import Recorded
from tapledger.store.people import NONCE_BYTES, close_box, open_box

SLIP_LIFE = dt.timedelta(minutes=15)
"""A slip that could not be printed until then is stale; it must not surprise the next customer."""

SlipKind = Literal["sale", "return", "void", "giveback", "voucher", "draw", "topup", "test"]
"""What a slip is of; ``topup`` is of anything done with stored value, ``test`` of no event."""


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """A slip to be drawn. The ledger has no names and no codes, so they are here."""

    kind: SlipKind
    language: str
    event: bytes = b""
    """The raw event it proves."""
    receipt: str = ""
    proof: str = ""
    """16 hex digits of the hash, for eyes."""
    digest: str = ""
    """The whole hash in hex, for the QR code."""
    member_name: str = ""
    points: int = 0
    """What the member has after it."""
    voucher: str = ""
    tier: str = ""
    principal_minor: int = 0
    """With ``bonus_minor``: the stored value after what a slip of kind ``topup`` tells."""
    bonus_minor: int = 0


def read(shop: Shop, job: str, document: bytes) -> Slip:
    """Return the slip of a print job; raise ``Corrupt`` when its document is not what was queued."""
    try:
        plain = open_box(shop.store.keyring.profile_key, job, document)
        return msgspec.msgpack.decode(plain, type=Slip)
    except (ValueError, msgspec.DecodeError) as error:
        raise Corrupt("SLIP_UNREADABLE", job=job) from error


def job_id(recorded: Recorded) -> str:
    """Name a slip after its event: asking twice for the same slip is one slip."""
    return f"slip-{recorded.receipt}"


def enqueue(tx: Transaction, shop: Shop, job: str, slip: Slip) -> None:
    """Queue a slip; in the shop's language when nobody here speaks the one that was asked for."""
    if slip.language not in LANGUAGES:
        slip = msgspec.structs.replace(slip, language=shop.language)
    until = shop.clock.now() + SLIP_LIFE
    key, nonce = shop.store.keyring.profile_key, shop.randomness(NONCE_BYTES)
    document = close_box(key, job, msgspec.msgpack.encode(slip), nonce)
    prints.enqueue(tx, job, slip.kind, document, int(until.timestamp() * 1000))


def stored(tx: Transaction, shop: Shop, job: str) -> Slip | None:
    found = prints.get(tx, job)
    return None if found is None else read(shop, job, found.document)
