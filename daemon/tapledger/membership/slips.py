"""What a print job remembers: which event, in which language; the paper is drawn from the ledger.

A slip has a masked name and a voucher's code, which is worth money: in the queue it is sealed.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from tapledger.database import Transaction
from tapledger.errors import Conflict, Corrupt, NotFound
from tapledger.languages import LANGUAGES
from tapledger.membership.shop import Shop
from tapledger.store import prints
from tapledger.store.journal import Recorded
from tapledger.store.people import NONCE_BYTES, close_box, open_box
from tapledger.store.prints import Job

SLIP_LIFE = dt.timedelta(minutes=15)
"""A slip that could not be printed until then is stale; it must not surprise the next customer."""

RECEIPT_JOB = "slip-"
"""Begins the name of every slip that an event proves."""

SlipKind = Literal[
    "sale", "return", "void", "giveback", "voucher", "draw", "topup", "coupon", "shift", "status", "test"
]
"""What a slip is of; ``topup`` is of anything done with stored value, the last three of no event."""


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
    """The code of a voucher or of a coupon for whoever holds the paper."""
    qr: str = ""
    """What the QR code of such a coupon says."""
    report: bytes = b""
    """What a slip says that no event proves: ``devices.receipts.fields`` of its kind, as msgpack."""
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
    return f"{RECEIPT_JOB}{recorded.receipt}"


def name_of(job: Job) -> str:
    """Return what a person finds a slip by: its receipt's number, or its place in the queue."""
    return job.id.removeprefix(RECEIPT_JOB) if job.id.startswith(RECEIPT_JOB) else f"#{job.number}"


def enqueue(tx: Transaction, shop: Shop, job: str, slip: Slip, *, drawer: bool = False) -> None:
    """Queue a slip; in the shop's language when nobody here speaks the one that was asked for. ``drawer``
    opens the cash drawer with it."""
    if slip.language not in LANGUAGES:
        slip = msgspec.structs.replace(slip, language=shop.language)
    key, nonce = shop.store.keyring.profile_key, shop.randomness(NONCE_BYTES)
    document = close_box(key, job, msgspec.msgpack.encode(slip), nonce)
    prints.enqueue(tx, job, slip.kind, document, _until_ms(shop), drawer=drawer)


def _until_ms(shop: Shop) -> int:
    return int((shop.clock.now() + SLIP_LIFE).timestamp() * 1000)


def stored(tx: Transaction, shop: Shop, job: str) -> Slip | None:
    found = prints.get(tx, job)
    return None if found is None else read(shop, job, found.document)


# ---- a person's word ---------------------------------------------------------------------------------------
async def came_out(shop: Shop, job: str, yes: bool, who: str) -> None:
    """Take a person's word for a slip of which the printer's is missing: it is printed, or a copy is.

    Raises ``NotFound`` for no such slip, ``Conflict`` when its fate is known by now.
    """
    word = _word(shop, who)

    def work(tx: Transaction) -> bool:
        found = _known(tx, job)
        if yes or found.state != "unknown":
            return prints.answer(tx, job, word)
        return prints.ask_again(tx, job, word, _until_ms(shop))

    if not await shop.store.transact(work):
        raise Conflict("SLIP_SETTLED")


async def print_again(shop: Shop, job: str, who: str) -> None:
    """Queue a slip anew that expired, failed or is wanted twice; what may be on paper comes out as a copy.

    Raises ``NotFound`` for no such slip, ``Conflict`` while it is on its way or if what it is of was undone.
    """
    word = _word(shop, who)

    def work(tx: Transaction) -> bool:
        _known(tx, job)
        return prints.ask_again(tx, job, word, _until_ms(shop))

    if not await shop.store.transact(work):
        raise Conflict("SLIP_NOT_AGAIN")


def _known(tx: Transaction, job: str) -> Job:
    found = prints.get(tx, job)
    if found is None:
        raise NotFound("SLIP_UNKNOWN")
    return found


def _word(shop: Shop, who: str) -> str:
    return f"{who} {shop.clock.now():%Y-%m-%dT%H:%M:%SZ}"
