"""Joining, and giving a member one more card, number or code."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.errors import Refused
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.life import cards
from tapledger.loyalty.people import birthdays
from tapledger.loyalty.people import joining as joining_rules
from tapledger.membership import identity, occasions, receipts
from tapledger.membership.identity import Presented
from tapledger.membership.shop import Shop, change_member, once, operation
from tapledger.store import claims, members, people
from tapledger.store.journal import Recorded
from tapledger.store.members import Stored
from tapledger.store.people import NONCE_BYTES, Profile


@dataclass(frozen=True, slots=True)
class Joining:
    """Who joins, with what; ``key`` makes a repeat the same joining."""

    key: str
    name: str
    phone: str
    credentials: tuple[Presented, ...]
    staff: str | None
    birthday: tuple[int, int, int | None] | None = None
    """Month, day and, if they like, year: given while joining, it counts at once."""
    receipts: tuple[str, ...] = ()
    """Numbers of receipts without a member that are shown, where a card is free only after a spend."""
    paying_minor: int = 0
    """What is being paid for in the same breath."""


async def register_member(shop: Shop, joining: Joining) -> Recorded:
    """Make a member and give them what joining brings.

    Raises ``Refused`` when a credential already names somebody, or when too little was spent for a card.
    """
    name = people.clean_name(joining.name)
    presented = joining.credentials
    if joining.phone:
        presented = (*presented, Presented("phone", identity.normal_phone(joining.phone), 0, "typed"))
    if len(presented) > cards.MAX_CREDENTIALS:
        raise Refused("CREDENTIALS_TOO_MANY", limit=cards.MAX_CREDENTIALS)
    asked = (name, joining.phone, presented, joining.staff)
    more = (joining.birthday, joining.receipts, joining.paying_minor)
    same = operation(joining.key, "join", *asked, *(more if any(more) else ()))

    def work(tx: Transaction) -> Recorded:
        now = shop.clock.now()
        credentials = tuple(identity.credential(shop, one) for one in presented)
        for one in credentials:
            if members.owner(tx, one.index) is not None:
                raise Refused("CREDENTIAL_TAKEN")
        if (why := joining_rules.why_not(_spent(tx, shop, joining), shop.program)) is not None:
            raise Refused(why.code, **why.data)
        birthday = None
        if joining.birthday is not None:
            birthday = birthdays.at_join(*joining.birthday, shop.program, now)
        member = shop.new_id()
        sealed = people.seal(
            shop.store.keyring.profile_key,
            member,
            Profile(name=name, phone=joining.phone),
            shop.randomness(NONCE_BYTES),
        )
        people.put(tx, sealed)
        command = joining_rules.Join(member, credentials, sealed.digest, joining.staff, birthday)
        decision = joining_rules.decide_join(command, shop.program, now)
        recorded = shop.record(tx, same, decision, now)
        assert decision.after is not None
        occasions.give(tx, shop, decision.after, "join", now)
        return recorded

    return await once(shop, same, work)


def _spent(tx: Transaction, shop: Shop, joining: Joining) -> list[int]:
    """Return what the receipts shown and the basket come to; each receipt opens the door to one person."""
    spent = [joining.paying_minor]
    for receipt in joining.receipts:
        sale = receipts.sale_of(receipt, shop, tx)
        known = receipts.load(tx, sale)
        if known.member is not None or not claims.once(tx, f"gate/{sale}"):
            raise Refused("GATE_RECEIPT_USED", receipt=receipt)
        returned = sum(one.refund_minor for one in known.sold.returns)
        spent.append(known.sold.facts.total_minor - returned)
    return spent


async def link_credential(
    shop: Shop, key: str, member: str, presented: Presented, staff: str | None
) -> Recorded:
    """Give a member one more credential; raise ``Refused`` when it names anybody already."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        added = identity.credential(shop, presented)
        owner = members.owner(tx, added.index)
        if owner is not None and owner.member != member:
            raise Refused("CREDENTIAL_TAKEN")
        return cards.decide_link(stored.member, added, staff, shop.program, now)

    return await change_member(shop, operation(key, "link", member, presented, staff), member, decide)
