"""A basket is put aside while somebody else is served, and taken up again: each by one till only (X5).

What it had is kept whole; its price is not: taking it up asks for a new quote.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.database import Transaction
from tapledger.errors import Conflict, Corrupt, Refused
from tapledger.membership import basket as baskets
from tapledger.membership.basket import Basket
from tapledger.membership.shop import Shop
from tapledger.store import drafts, parked

MOST = 9
"""As many as have a digit."""
PROOF_LIFE = dt.timedelta(minutes=15)
"""How long a card that was shown still counts for a basket put aside; then it only says whose it is."""


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """One basket that waits. ``id`` is the sale it will be."""

    id: str
    at: dt.datetime
    staff: str
    member: str
    """Masked name; empty for a guest or somebody without one."""
    due_minor: int
    """As it was shown."""
    basket: Basket


async def waiting(shop: Shop) -> list[Parked]:
    """Return what waits, the longest waiting first."""
    return await shop.store.transact(_everything)


async def park(shop: Shop, till: str, put_aside: Parked) -> Basket:
    """Put a basket aside and begin another, in one instant; raise ``Refused`` for an empty one."""
    if not put_aside.basket.entries:
        raise Refused("NOTHING_TO_PARK")
    fresh = Basket(sale=shop.new_id())

    def work(tx: Transaction) -> Basket:
        _put(tx, put_aside)
        drafts.save(tx, till, msgspec.msgpack.encode(fresh))
        return fresh

    return await shop.store.transact(work)


async def recall(shop: Shop, till: str, id_: str, instead: Parked) -> Basket:
    """Take a basket up again; what lies on the counter meanwhile is put aside in its place.

    Raises ``Conflict`` PARKED_GONE for the second of two tills that want the same.
    """

    def work(tx: Transaction) -> Basket:
        body = parked.take(tx, id_)
        if body is None:
            raise Conflict("PARKED_GONE")
        if instead.basket.entries:
            _put(tx, instead)
        waited = _read(body)
        taken = baskets.known(shop, waited.basket)
        if shop.clock.now() - waited.at >= PROOF_LIFE:
            taken = baskets.unproved(taken)
        drafts.save(tx, till, msgspec.msgpack.encode(taken))
        return taken

    return await shop.store.transact(work)


def _put(tx: Transaction, one: Parked) -> None:
    if len(parked.everything(tx)) >= MOST:
        raise Refused("TOO_MANY_PARKED", limit=MOST)
    at_ms = int(one.at.timestamp() * 1000)
    parked.put(tx, one.id, at_ms, msgspec.msgpack.encode(one))


def _everything(tx: Transaction) -> list[Parked]:
    return [_read(body) for body in parked.everything(tx)]


def _read(body: bytes) -> Parked:
    try:
        return msgspec.msgpack.decode(body, type=Parked)
    except msgspec.DecodeError as error:
        raise Corrupt("DRAFT_UNREADABLE", till="parked") from error
