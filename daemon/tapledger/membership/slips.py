"""What a print job remembers: which event, in which language; the paper is drawn from the ledger."""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.database import Transaction
from tapledger.membership.shop import Shop
from tapledger.store import prints
from tapledger.store.journal import Recorded

SLIP_LIFE = dt.timedelta(minutes=15)
"""A slip that could not be printed until then is stale; it must not surprise the next customer."""


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """A slip to be drawn. The ledger has no names and no codes, so they are here, until it is printed."""

    kind: str
    """``sale``, ``voucher`` or ``test``."""
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


def encode(slip: Slip) -> bytes:
    return msgspec.msgpack.encode(slip)


def decode(document: bytes) -> Slip:
    return msgspec.msgpack.decode(document, type=Slip)


def job_id(recorded: Recorded) -> str:
    """Name a slip after its event: asking twice for the same slip is one slip."""
    return f"slip-{recorded.receipt}"


def enqueue(tx: Transaction, shop: Shop, job: str, slip: Slip) -> None:
    until = shop.clock.now() + SLIP_LIFE
    prints.enqueue(tx, job, slip.kind, encode(slip), int(until.timestamp() * 1000))


def stored(tx: Transaction, job: str) -> Slip | None:
    found = prints.get(tx, job)
    return None if found is None else decode(found.document)
