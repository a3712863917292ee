"""Joining, and giving a member one more card, number or code."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.errors import Refused
from tapledger.loyalty import engine
from tapledger.membership import identity
from tapledger.membership.identity import Presented
from tapledger.membership.shop import Shop, operation
from tapledger.store import members, people
from tapledger.store.journal import Recorded
from tapledger.store.people import NONCE_BYTES, Profile


@dataclass(frozen=True, slots=True)
class Joining:
    """Who joins, with what; ``key`` makes a repeat the same joining."""

    key: str
    name: str
    phone: str
    credentials: tuple[Presented, ...]
    staff: str | None


async def register_member(shop: Shop, joining: Joining) -> Recorded:
    """Make a member; raise ``Refused`` when a credential already names somebody."""
    name = people.clean_name(joining.name)
    presented = joining.credentials
    if joining.phone:
        presented = (*presented, Presented("phone", identity.normal_phone(joining.phone), 0, "typed"))
    same = operation(joining.key, "join", name, joining.phone, presented, joining.staff)

    def work(tx: Transaction) -> Recorded:
        if (before := shop.store.journal.find(tx, same)) is not None:
            return before
        now = shop.clock.now()
        credentials = tuple(identity.credential(shop, one) for one in presented)
        for one in credentials:
            if members.owner(tx, one.index) is not None:
                raise Refused("CREDENTIAL_TAKEN")
        member = shop.new_id()
        sealed = people.seal(
            shop.store.keyring.profile_key,
            member,
            Profile(name=name, phone=joining.phone),
            shop.randomness(NONCE_BYTES),
        )
        people.put(tx, sealed)
        command = engine.Join(member, credentials, sealed.digest, joining.staff)
        return shop.record(tx, same, engine.decide_join(command, shop.program, now), now)

    return await shop.store.transact(work)


async def link_credential(
    shop: Shop, key: str, member: str, presented: Presented, staff: str | None
) -> Recorded:
    """Give a member one more credential; raise ``Refused`` when it names anybody already."""
    same = operation(key, "link", member, presented, staff)

    def work(tx: Transaction) -> Recorded:
        if (before := shop.store.journal.find(tx, same)) is not None:
            return before
        now = shop.clock.now()
        added = identity.credential(shop, presented)
        owner = members.owner(tx, added.index)
        if owner is not None and owner.member != member:
            raise Refused("CREDENTIAL_TAKEN")
        known = identity.by_id(tx, shop, member, presented)
        decision = engine.decide_link(known.member, added, staff, shop.program, now)
        return shop.record(tx, same, decision, now)

    return await shop.store.transact(work)
