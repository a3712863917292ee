"""Two memberships of one person become one, and two again when that was wrong (decisions X4)."""

from __future__ import annotations

import datetime as dt

from tapledger.database import Transaction
from tapledger.errors import NotFound, Refused
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Merged
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import merging, unmerging
from tapledger.loyalty.members import Member
from tapledger.membership.rights import require
from tapledger.membership.shop import Shop, known_member, once, operation
from tapledger.store import history, members
from tapledger.store.journal import Operation, Recorded

LOOK_BACK = 50
"""Events of a kind that are searched for a merge's own."""


async def merge_members(shop: Shop, key: str, old: str, into: str, staff: str | None) -> Recorded:
    """Make one member a part of another, in one transaction; ``old`` leads to ``into`` from then on.

    Needs central, for another shop may be changing either of them.
    """
    same = operation(key, "merge", old, into, staff)

    def work(tx: Transaction) -> Recorded:
        require(tx, shop, "merge")
        now = shop.clock.now()
        one, other = known_member(tx, old).member, known_member(tx, into).member
        referrers = _named(tx, {one.referrer, other.referrer})
        command = merging.Merge(shop.new_id(), staff, referrers)
        return _record(tx, shop, same, merging.decide_merge(one, other, command, shop.program, now), now)

    return await once(shop, same, work)


async def undo_merge(shop: Shop, key: str, old: str, staff: str | None) -> Recorded:
    """Part a member again from the one they were merged into; raise ``Refused`` after 30 days.

    Only the shop that merged them can: its journal says what went where.
    """
    same = operation(key, "unmerge", old, staff)

    def work(tx: Transaction) -> Recorded:
        require(tx, shop, "merge")
        now = shop.clock.now()
        gone = members.load_alias(tx, old)
        if gone is None:
            raise NotFound("MEMBER_UNKNOWN")
        into = members.load_alias(tx, gone.member.merged_into)
        if into is None:
            raise Refused("MERGE_NOT_THERE")
        joined = _joined(tx, into.member.id, old)
        before_it = next(effect.before for effect in joined.effects if isinstance(effect, Merged))
        referrers = _named(tx, {gone.member.referrer, before_it.referrer})
        command = unmerging.Undo(
            shop.new_id(), staff, joined, _referrals(tx, referrers, joined), _by_id(referrers)
        )
        decisions = unmerging.decide_undo(gone.member, into.member, command, shop.program, now)
        return _record(tx, shop, same, decisions, now)

    return await once(shop, same, work)


def _named(tx: Transaction, names: set[str]) -> dict[str, Member]:
    """Return the members that some names mean now, by name; one this shop does not know is left out."""
    found = {name: members.load(tx, name) for name in sorted(names) if name}
    return {name: stored.member for name, stored in found.items() if stored is not None}


def _by_id(named: dict[str, Member]) -> dict[str, Member]:
    return {member.id: member for member in named.values()}


def _joined(tx: Transaction, into: str, old: str) -> EventBody:
    for body in history.recent(tx, into, "merge_in", LOOK_BACK):
        if body.facts.get("from") == old:
            return body
    raise Refused("MERGE_ELSEWHERE")


def _referrals(tx: Transaction, named: dict[str, Member], joined: EventBody) -> tuple[EventBody, ...]:
    return tuple(
        body
        for member in _by_id(named)
        for body in history.recent(tx, member, "referral", LOOK_BACK)
        if body.facts.get("merge") == joined.facts["merge"]
    )


def _record(
    tx: Transaction, shop: Shop, same: Operation, decisions: tuple[Decision, ...], now: dt.datetime
) -> Recorded:
    """Record the events of one command together; the first answers for all."""
    first = shop.record(tx, same, decisions[0], now)
    for number, decision in enumerate(decisions[1:], 2):
        shop.record(tx, Operation(f"{same.key}/{number}", same.input_hash), decision, now)
    return first
