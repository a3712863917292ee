"""Lost, found, replaced and limited cards, and cards of several members that have one short number."""

from __future__ import annotations

import datetime as dt

from tapledger.database import Transaction
from tapledger.errors import Refused
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.life import cards
from tapledger.loyalty.life.cards import WhyBlocked
from tapledger.membership import identity
from tapledger.membership.identity import Presented
from tapledger.membership.shop import Shop, change_member, operation
from tapledger.store import alarms, members
from tapledger.store.alarms import Alarm
from tapledger.store.journal import Recorded
from tapledger.store.members import Stored


async def block_card(
    shop: Shop, key: str, member: str, index: str, why: WhyBlocked, staff: str | None
) -> Recorded:
    """Refuse a card from this instant on; ``index`` is that of one of the member's credentials."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        return cards.decide_block(stored.member, index, why, staff, shop.program, now)

    return await change_member(shop, operation(key, "block", member, index, why, staff), member, decide)


async def unblock_card(shop: Shop, key: str, member: str, index: str, staff: str | None) -> Recorded:
    """Accept a card again that was found."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        return cards.decide_unblock(stored.member, index, staff, shop.program, now)

    return await change_member(shop, operation(key, "unblock", member, index, staff), member, decide)


async def replace_card(
    shop: Shop, key: str, member: str, index: str, new: Presented, staff: str | None
) -> Recorded:
    """Give a new card in place of a lost or worn one; raise ``Refused`` when it names anybody already."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        added = identity.credential(shop, new)
        if members.owner(tx, added.index) is not None:
            raise Refused("CREDENTIAL_TAKEN")
        return cards.decide_replace(stored.member, index, added, staff, shop.program, now)

    return await change_member(shop, operation(key, "replace", member, index, new, staff), member, decide)


async def limit_card(
    shop: Shop, key: str, member: str, index: str, limit_minor: int | None, staff: str | None
) -> Recorded:
    """Say how much a card may spend a day; None is without limit."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        return cards.decide_limit(stored.member, index, limit_minor, staff, shop.program, now)

    same = operation(key, "card_limit", member, index, limit_minor, staff)
    return await change_member(shop, same, member, decide)


async def link_shared_uid(
    shop: Shop, key: str, member: str, presented: Presented, staff: str | None
) -> Recorded:
    """Give a member a card whose short UID another member's card has too: a tap asks for the phone then."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        if not identity.has_short_uid(presented):
            raise Refused("CREDENTIAL_TAKEN")
        for number in range(1, identity.MAX_NAMESAKES + 1):
            added = identity.credential(shop, identity.namesake(presented, number))
            owner = members.owner(tx, added.index)
            if owner is None:
                return cards.decide_link(stored.member, added, staff, shop.program, now)
            if owner.member == stored.member.id:
                raise Refused("CREDENTIAL_ALREADY_YOURS")
        raise Refused("CREDENTIAL_TAKEN")

    return await change_member(shop, operation(key, "link-shared", member, presented, staff), member, decide)


async def ring(shop: Shop, presented: Presented, refused: Refused) -> None:
    """Tell staff that somebody showed a card that is refused."""

    def work(tx: Transaction) -> None:
        owner = members.owner(tx, identity.index(shop, presented.kind, presented.value))
        at_ms = int(shop.clock.now().timestamp() * 1000)
        alarms.ring(tx, at_ms, refused.code, "" if owner is None else owner.member, presented.evidence)

    await shop.store.transact(work)


async def newest_alarms(shop: Shop) -> list[Alarm]:
    """Return what staff should look at, the newest first."""
    return await shop.store.transact(alarms.newest)
