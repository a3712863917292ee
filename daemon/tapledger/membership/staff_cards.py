"""Cards of the staff: who lays one down is known by name; what it opens still asks for their PIN."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.errors import NotFound, Refused
from tapledger.membership import identity
from tapledger.membership.identity import Presented
from tapledger.membership.shop import Shop
from tapledger.store import members, staff
from tapledger.store.staff import Person

MAINTAINERS = ("technician", "manager", "owner")
"""Roles that may close a kiosk, clean it and see what is wrong with it."""


async def give_card(shop: Shop, id_: str, presented: Presented) -> None:
    """Let a card stand for somebody who signs in here; raise ``Refused`` when it is a member's."""

    def work(tx: Transaction) -> None:
        if staff.get(tx, id_) is None:
            raise NotFound("STAFF_UNKNOWN")
        index = identity.index(shop, presented.kind, presented.value)
        if members.owner(tx, index) is not None:
            raise Refused("CREDENTIAL_TAKEN")
        staff.give_card(tx, index, id_)

    await shop.store.transact(work)


async def take_cards(shop: Shop, id_: str) -> int:
    """Take all their cards away from somebody; return how many."""
    return await shop.store.transact(lambda tx: staff.take_cards(tx, id_))


async def holder(shop: Shop, presented: Presented) -> Person | None:
    """Return whose card it is; None for anybody else's."""
    index = identity.index(shop, presented.kind, presented.value)
    return await shop.store.transact(lambda tx: staff.holder(tx, index))
