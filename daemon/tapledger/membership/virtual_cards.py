"""A card on a telephone: made once, then proven by codes that are each taken once (decisions R11)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.errors import NotFound, Refused
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.life import cards, virtual_card
from tapledger.membership import identity
from tapledger.membership.identity import Presented
from tapledger.membership.shop import Shop, change_member, operation
from tapledger.store import people, virtual_cards
from tapledger.store.members import Stored
from tapledger.store.virtual_cards import Sealed

LEVEL = 2
"""Of a code that changes."""


@dataclass(frozen=True, slots=True)
class VirtualCard:
    """What the telephone keeps; it is shown to nobody else."""

    number: str
    secret: bytes


async def issue_virtual_card(shop: Shop, key: str, member: str, staff: str | None) -> VirtualCard:
    """Give a member a virtual card; the one they had before is refused from now on."""
    secret = shop.randomness(virtual_card.SECRET_BYTES)
    number = virtual_card.number(shop.randomness(8))

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        who = stored.member
        new = identity.credential(shop, Presented("virtual", number, LEVEL, ""))
        old = virtual_cards.of_member(tx, who.id)
        sealed = people.close_box(
            shop.store.keyring.profile_key, _name(who.id), number.encode() + secret, shop.randomness(12)
        )
        virtual_cards.put(tx, Sealed(who.id, new.index, sealed, 0))
        is_known = old is not None and any(
            one.index == old.number and one.blocked != cards.REPLACED for one in who.credentials
        )
        if old is not None and is_known:
            return cards.decide_replace(who, old.number, new, staff, shop.program, now)
        return cards.decide_link(who, new, staff, shop.program, now)

    recorded = await change_member(shop, operation(key, "virtual", member, staff), member, decide)
    issued = recorded.event.body.member or member
    return await shop.store.transact(lambda tx: _open(shop, virtual_cards.of_member(tx, issued)))


def _open(shop: Shop, card: Sealed | None) -> VirtualCard:
    if card is None:
        raise NotFound("CARD_UNKNOWN")
    plain = people.open_box(shop.store.keyring.profile_key, _name(card.member), card.sealed)
    digits = virtual_card.NUMBER_DIGITS
    return VirtualCard(plain[:digits].decode(), plain[digits:])


def _name(member: str) -> str:
    return f"virtual/{member}"


async def prove_virtual_card(shop: Shop, code: str) -> Presented:
    """Take a code that a telephone shows and return the credential it proves; the same code is taken once.

    Raises ``Invalid`` for a mistyped code, ``NotFound`` for a card that this shop did not make, and
    ``Refused`` for a code that is old or was used.
    """

    def work(tx: Transaction) -> Presented:
        number = virtual_card.card_of(code)
        index = identity.index(shop, "virtual", number)
        card = virtual_cards.find(tx, index)
        if card is None:
            raise NotFound("CARD_UNKNOWN")
        slot = virtual_card.verify(code, _open(shop, card).secret, shop.clock.now(), card.last_slot)
        if not virtual_cards.use(tx, index, slot):
            raise Refused("VIRTUAL_CODE_USED")
        return Presented("virtual", number, LEVEL, "rotating code")

    return await shop.store.transact(work)
