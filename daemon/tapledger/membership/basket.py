"""The open basket of a till: kept in the store at every change, so a crash loses no scan."""

from __future__ import annotations

import dataclasses

import msgspec

from tapledger.database import Transaction
from tapledger.errors import Corrupt, Invalid, Refused
from tapledger.loyalty.pricing import ManualDiscount
from tapledger.loyalty.sales.selling import MAX_SALE_LINES, BasketLine
from tapledger.membership.identity import Known, Presented, with_proof
from tapledger.membership.scanning import MAX_QUANTITY
from tapledger.membership.shop import Shop
from tapledger.store import device_events, drafts

THOUSAND = 1000
MAX_UNDONE = 10
MAX_SCANNED = 20
"""Coupons without a wallet, or codes, of one basket."""


class Entry(msgspec.Struct, frozen=True):
    sku: str
    quantity: int


class Basket(msgspec.Struct, frozen=True):
    """What is being bought. ``sale`` is the id the sale will have, so that paying twice is one sale."""

    sale: str
    entries: tuple[Entry, ...] = ()
    member: str | None = None
    presented: Presented | None = None
    coupons: tuple[str, ...] | None = None
    """Ids that the cashier chose; None is the best combination, whatever is in the basket."""
    scanned: tuple[str, ...] = ()
    """Ids of coupons that belong to no wallet, and of public codes."""
    codes: tuple[str, ...] = ()
    """Of promotions."""
    points: int = 0
    """To pay with."""
    manual: ManualDiscount | None = None
    """What staff take off the whole order (X7)."""
    stepped_up: bool = False
    """Staff typed the last digits of the phone number that the member told them (R8)."""
    early_access_approved: bool = False
    """Staff let this customer buy what is not for everybody yet."""
    value_minor: int = 0
    """Stored value to pay with; what the basket does not need of it stays where it is."""
    top_ups: int = 0
    """How many were taken beside this basket: each has an id of its own, also after a crash."""
    past: tuple[Basket, ...] = ()
    """As it was before each of the last changes, the newest last; without a past of their own."""

    def lines(self, shop: Shop, language: str) -> tuple[BasketLine, ...]:
        return tuple(shop.catalogue.find(e.sku).line(e.quantity * THOUSAND, language) for e in self.entries)

    @property
    def can_step_up(self) -> bool:
        """The last digits of the phone number would prove something: to name a member by the whole of it is
        to have told them already."""
        return self.presented is not None and self.presented.kind != "phone" and not self.stepped_up

    def proof(self) -> Presented | None:
        """Return what names the member, and all that proved it, as the ledger keeps it."""
        if self.presented is None or not self.stepped_up:
            return self.presented
        return with_proof(self.presented, "phone digits")


def add(basket: Basket, sku: str, quantity: int) -> Basket:
    """Return the basket with more of an article: on its line when it has one, else on a new line."""
    for entry in basket.entries:
        if entry.sku == sku:
            return set_quantity(basket, sku, entry.quantity + quantity)
    if len(basket.entries) >= MAX_SALE_LINES:
        raise Invalid("BASKET_TOO_LONG", limit=MAX_SALE_LINES)
    if not 0 < quantity <= MAX_QUANTITY:
        raise Invalid("QUANTITY_IMPOSSIBLE", sku=sku)
    return msgspec.structs.replace(basket, entries=(*basket.entries, Entry(sku, quantity)))


def set_quantity(basket: Basket, sku: str, quantity: int) -> Basket:
    """Return the basket with another quantity of an article; 0 takes its line out."""
    _entry(basket, sku)
    if not 0 <= quantity <= MAX_QUANTITY:
        raise Invalid("QUANTITY_IMPOSSIBLE", sku=sku)
    changed = (Entry(sku, quantity) if entry.sku == sku else entry for entry in basket.entries)
    return msgspec.structs.replace(basket, entries=tuple(entry for entry in changed if entry.quantity))


def step(basket: Basket, sku: str, by: int) -> Basket:
    """Return the basket with more or less of an article, never down to nothing: that is taking it out."""
    return set_quantity(basket, sku, max(1, _entry(basket, sku).quantity + by))


def _entry(basket: Basket, sku: str) -> Entry:
    """Return the line of an article: by its name, since numbers move up when a line is taken out."""
    for entry in basket.entries:
        if entry.sku == sku:
            return entry
    raise Invalid("NOT_IN_BASKET", sku=sku)


def of_member(basket: Basket, known: Known) -> Basket:
    """Return the basket of a member. It remembers how sure we are of who it is, not what was shown.

    What another member wanted to pay with is not this one's.
    """
    presented = dataclasses.replace(known.presented, value="")
    if basket.member not in (None, known.member.id):
        basket = of_nobody(basket)
    return msgspec.structs.replace(basket, member=known.member.id, presented=presented)


def of_nobody(basket: Basket) -> Basket:
    """Return the basket without its member and what only a member has."""
    return msgspec.structs.replace(
        basket, member=None, presented=None, stepped_up=False, coupons=None, points=0, value_minor=0
    )


def unproved(basket: Basket) -> Basket:
    """Return the basket of the same member, of whom nothing is proved any more."""
    shown = basket.presented and dataclasses.replace(basket.presented, level=0)
    return msgspec.structs.replace(basket, presented=shown, stepped_up=False)


def emptied(basket: Basket) -> Basket:
    """Return a basket with nothing in it: the same sale, should it be paid after all."""
    return Basket(sale=basket.sale, top_ups=basket.top_ups)


def use_scanned(basket: Basket, id_: str) -> Basket:
    """Return the basket with a coupon that was scanned; the cashier's own choice has it too."""
    if id_ not in basket.scanned and len(basket.scanned) >= MAX_SCANNED:
        raise Invalid("TOO_MANY_COUPONS", limit=MAX_SCANNED)
    scanned = tuple(dict.fromkeys((*basket.scanned, id_)))
    return choose(msgspec.structs.replace(basket, scanned=scanned), id_)


def choose(basket: Basket, id_: str) -> Basket:
    """Return the basket with a coupon added to the cashier's choice; the best combination finds it anyway."""
    if basket.coupons is None:
        return basket
    return msgspec.structs.replace(basket, coupons=tuple(dict.fromkeys((*basket.coupons, id_))))


def use_code(basket: Basket, code: str) -> Basket:
    """Return the basket with the code of a promotion."""
    if code not in basket.codes and len(basket.codes) >= MAX_SCANNED:
        raise Invalid("TOO_MANY_COUPONS", limit=MAX_SCANNED)
    return msgspec.structs.replace(basket, codes=tuple(dict.fromkeys((*basket.codes, code))))


async def keep(shop: Shop, till: str, basket: Basket, taken: int | None = None) -> None:
    """Keep the basket; ``taken`` is the scan that changed it, which is handled in the same instant."""
    body = msgspec.msgpack.encode(basket)

    def work(tx: Transaction) -> None:
        drafts.save(tx, till, body)
        if taken is not None:
            device_events.settle(tx, [taken])

    await shop.store.transact(work)


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
    return known(shop, basket)


def known(shop: Shop, basket: Basket) -> Basket:
    """Return the basket without articles that have left the catalogue since."""
    entries = tuple(entry for entry in basket.entries if entry.sku in shop.catalogue.articles)
    return msgspec.structs.replace(basket, entries=entries)


def changed(before: Basket, after: Basket) -> Basket:
    """Return a basket that remembers how it was, so that the change can be taken back."""
    bare = msgspec.structs.replace(before, past=())
    if msgspec.structs.replace(after, past=()) == bare:
        return after
    return msgspec.structs.replace(after, past=(*before.past, bare)[-MAX_UNDONE:])


def undone(basket: Basket) -> Basket:
    """Return the basket before its last change; raise ``Refused`` when there was none.

    What was recorded meanwhile stays: a top-up, a coupon that went into a wallet.
    """
    if not basket.past:
        raise Refused("NOTHING_UNDONE")
    *past, before = basket.past
    return msgspec.structs.replace(before, past=tuple(past), top_ups=basket.top_ups)
