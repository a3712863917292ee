"""The open basket of a till: kept in the store at every change, so a crash loses no scan."""

from __future__ import annotations

import dataclasses

import msgspec

from tapledger.errors import Corrupt, Invalid
from tapledger.loyalty.engine import MAX_SALE_LINES, BasketLine
from tapledger.membership.identity import Known, Presented
from tapledger.membership.scanning import MAX_QUANTITY
from tapledger.membership.shop import Shop
from tapledger.store import drafts

THOUSAND = 1000


class Entry(msgspec.Struct, frozen=True):
    sku: str
    quantity: int


class Basket(msgspec.Struct, frozen=True):
    """What is being bought. ``sale`` is the id the sale will have, so that paying twice is one sale."""

    sale: str
    entries: tuple[Entry, ...] = ()
    member: str | None = None
    presented: Presented | None = None

    def lines(self, shop: Shop, language: str) -> tuple[BasketLine, ...]:
        return tuple(shop.catalogue.find(e.sku).line(e.quantity * THOUSAND, language) for e in self.entries)


def add(basket: Basket, sku: str, quantity: int) -> Basket:
    """Return the basket with more of an article: on its line when it has one, else on a new line."""
    entries = list(basket.entries)
    for place, entry in enumerate(entries):
        if entry.sku == sku:
            return set_quantity(basket, place + 1, entry.quantity + quantity)
    if len(entries) >= MAX_SALE_LINES:
        raise Invalid("BASKET_TOO_LONG", limit=MAX_SALE_LINES)
    if not 0 < quantity <= MAX_QUANTITY:
        raise Invalid("QUANTITY_IMPOSSIBLE", sku=sku)
    return msgspec.structs.replace(basket, entries=(*entries, Entry(sku, quantity)))


def set_quantity(basket: Basket, number: int, quantity: int) -> Basket:
    """Return the basket with another quantity on a line, counted from 1; 0 takes the line out."""
    if not 1 <= number <= len(basket.entries):
        raise Invalid("LINE_UNKNOWN", line=number)
    entry = basket.entries[number - 1]
    if not 0 <= quantity <= MAX_QUANTITY:
        raise Invalid("QUANTITY_IMPOSSIBLE", sku=entry.sku)
    entries = list(basket.entries)
    if quantity == 0:
        del entries[number - 1]
    else:
        entries[number - 1] = Entry(entry.sku, quantity)
    return msgspec.structs.replace(basket, entries=tuple(entries))


def of_member(basket: Basket, known: Known) -> Basket:
    """Return the basket of a member. It remembers how sure we are of who it is, not what was shown."""
    presented = dataclasses.replace(known.presented, value="")
    return msgspec.structs.replace(basket, member=known.member.id, presented=presented)


async def keep(shop: Shop, till: str, basket: Basket) -> None:
    body = msgspec.msgpack.encode(basket)
    await shop.store.transact(lambda tx: drafts.save(tx, till, body))


async def restore(shop: Shop, till: str) -> Basket:
    """Return the basket as it was at the last scan, or a new one.

    An article that has left the catalogue since is left out rather than blocking the till.
    """
    body = await shop.store.transact(lambda tx: drafts.load(tx, till))
    if body is None:
        return Basket(sale=shop.new_id())
    try:
        basket = msgspec.msgpack.decode(body, type=Basket)
    except msgspec.DecodeError as error:
        raise Corrupt("DRAFT_UNREADABLE", till=till) from error
    known = tuple(entry for entry in basket.entries if entry.sku in shop.catalogue.articles)
    return msgspec.structs.replace(basket, entries=known)
