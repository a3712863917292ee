"""Leases: what central grants, recalls and writes off, and how their holder spends and closes them.

A lease is escrow: central takes it from the free lots before the holder may spend it, so no partition lets
it be spent twice. What it holds comes back by its holder's close or by an operator's write-off, never by a
timer: a clock that is wrong would give it out a second time (docs/sync-protocol.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import escrow, ledger, lots, members
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import (
    BONUS,
    POINTS,
    PRINCIPAL,
    Debited,
    Effect,
    Held,
    Lease,
    LeaseClosed,
    Leased,
    LeaseDrawn,
    LeaseRecalled,
    LotTake,
)
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program

POOLS = (POINTS, PRINCIPAL, BONUS)
PRE_LEASED = (POINTS, PRINCIPAL)
"""Pools of which shops get a share before anybody asks: a bonus is spent with central alone."""
ALL_PRE_LEASED_PCT = 40
"""Of a balance, in all shops together: the rest can be spent anywhere (X10)."""
SEEN_FOR = dt.timedelta(days=30)
"""How long a share is for that a shop has because it saw the member. How long a shop may spend without
central is another matter: that is counted from its last feed (R7)."""
MAX_LEASES = 64
"""Of one member at a time."""

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Asked:
    """A node wants to spend so much of a member's without asking again. ``id`` is the lease's for ever."""

    id: str
    node: str
    pool: str
    amount: int
    life: dt.timedelta | None = None
    """None: as long as the programme says."""


# ---- central ----------------------------------------------------------------------------------------------
def decide_grant(
    member: Member,
    asked: Asked,
    program: Program,
    now: dt.datetime,
    shop_of: Callable[[str], str] = str,
) -> Decision:
    """Set a slice of a member's balance aside for a node, by the order in which lots are spent.

    Refuses beyond what is free, with what is and which shop holds more: ``shop_of`` names it.
    """
    if asked.amount <= 0:
        raise Invalid("AMOUNT_IMPOSSIBLE", sku=asked.pool)
    standing.check_spend(member, now)
    if len(member.leases) >= MAX_LEASES:
        raise Refused("LEASES_TOO_MANY", limit=MAX_LEASES)
    free = available(member, asked.pool, now)
    if asked.amount > free:
        raise _too_little(member, asked, free, program, now, shop_of)
    takes = lots.take(members.as_of(member, now).lots, asked.amount, now, asked.pool)
    until = now + (asked.life or dt.timedelta(hours=program.offline.lease_hours))
    lease = Lease(asked.id, asked.node, asked.pool, takes, now, until)
    return _decided(
        member,
        "lease",
        (Leased(lease),),
        lines(member.id, asked.node, asked.pool, asked.amount, program),
        program,
        now,
    )


def available(member: Member, pool: str, now: dt.datetime) -> int:
    """Return what of a pool is free to be spent or leased now."""
    return members.points(member, now).available if pool == POINTS else members.value(member, pool, now)


def _too_little(
    member: Member,
    asked: Asked,
    free: int,
    program: Program,
    now: dt.datetime,
    shop_of: Callable[[str], str],
) -> Refused:
    others = [one for one in member.leases if one.pool == asked.pool and one.node != asked.node]
    reserved = escrow.worth(others, member.lots, now, asked.pool)
    if reserved and free + reserved >= asked.amount:
        most = max(others, key=lambda one: (lots.taken_amount(one.taken), one.id))
        figures: dict[str, int | str] = {"shop": shop_of(most.node)}
        if asked.pool == POINTS:
            return Refused("POINTS_RESERVED", available=free, reserved=reserved, **figures)
        money: dict[str, int | str] = {"available_minor": free, "reserved_minor": reserved}
        return Refused("VALUE_RESERVED", **money, **figures, currency=program.currency)
    if asked.pool == POINTS:
        return Refused("POINTS_MISSING", points=asked.amount - free)
    return Refused("INSUFFICIENT", available_minor=free, currency=program.currency)


def decide_pre_lease(
    member: Member, id_: str, node: str, pool: str, program: Program, now: dt.datetime
) -> Decision | None:
    """Lease a node its share of a member whom it sees often, or fill it up when less than half is left.

    None when there is nothing to do: the share is the programme's, never beyond its cap, and all shops
    together hold ``ALL_PRE_LEASED_PCT`` of the balance at most.
    """
    if standing.why_not_spend(member, now) is not None or len(member.leases) >= MAX_LEASES:
        return None
    free = available(member, pool, now)
    leased = escrow.worth(member.leases, member.lots, now, pool)
    balance, rules = free + leased, program.offline
    cap = rules.lease_cap_points if pool == POINTS else rules.lease_cap_minor
    share = min(balance * rules.lease_share_pct // 100, cap)
    mine = [one for one in own(member, node, now) if one.pool == pool]
    there = escrow.worth(mine, member.lots, now, pool)
    if 2 * there >= share:
        return None
    amount = min(share - there, balance * ALL_PRE_LEASED_PCT // 100 - leased, free)
    if amount <= 0:
        return None
    return decide_grant(member, Asked(id_, node, pool, amount, SEEN_FOR), program, now)


def decide_recall(member: Member, lease: Lease, program: Program, now: dt.datetime) -> Decision:
    """Ask the holder to close a lease; nothing of it comes back before that."""
    return _decided(member, "lease_recall", (LeaseRecalled(lease.id),), (), program, now)


def decide_write_off(
    member: Member, lease: Lease, staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Give back what is left of a lease whose holder will not say so any more.

    What the holder has spent of it unheard is lost: never more than what is given back here.
    """
    rest = lots.taken_amount(lease.taken)
    why = (
        Reason("LEASE_WRITTEN_OFF", {"points": rest})
        if lease.pool == POINTS
        else Reason("VALUE_LEASE_WRITTEN_OFF", {"amount_minor": rest, "currency": program.currency})
    )
    return _closed(member, lease, program, now, written_off=True, reasons=(why,), staff=staff)


# ---- the holder -------------------------------------------------------------------------------------------
def decide_close(member: Member, lease: Lease, program: Program, now: dt.datetime) -> Decision:
    """Give back what is left of a lease of one's own."""
    return _closed(member, lease, program, now)


def is_good(lease: Lease, node: str, now: dt.datetime) -> bool:
    """Tell whether a node may spend of a lease at an instant of its own clock."""
    return lease.node == node and not lease.recalled and not lease.alias and now < lease.until


def own(member: Member, node: str, now: dt.datetime) -> tuple[Lease, ...]:
    """Return the leases that a node may spend of now, those that end first before the others."""
    good = [one for one in member.leases if is_good(one, node, now)]
    return tuple(sorted(good, key=lambda one: (one.until, one.id)))


def in_hand(member: Member, node: str, now: dt.datetime) -> Member:
    """Return the member as their holder may spend: with its own leases among the free lots."""
    for lease in own(member, node, now):
        taken = LeaseDrawn(lease.id, escrow.usable(lease, member.lots, now), lease.pool)
        member = members.APPLY[LeaseDrawn](member, taken, now)
    return member


def spent(body: EventBody) -> dict[str, tuple[LotTake, ...]]:
    """Return what an event spends, by pool, as the lots it names."""
    found: dict[str, tuple[LotTake, ...]] = {}
    for effect in body.effects:
        if isinstance(effect, Debited):
            found[effect.pool] = (*found.get(effect.pool, ()), *effect.takes)
        elif isinstance(effect, Held):
            found[POINTS] = (*found.get(POINTS, ()), *effect.hold.taken)
    return found


def drawn(member: Member, body: EventBody, node: str, program: Program, now: dt.datetime) -> EventBody:
    """Let a node's leases pay first for what an event spends that was decided for the member ``in_hand``.

    ``member`` is as they are. The body is returned as it is when no lease of the node pays anything.
    """
    effects: list[Effect] = []
    posted: list[Line] = []
    of_points = 0
    for pool, takes in spent(body).items():
        for draw in _draws(member, node, pool, takes, now):
            amount = lots.taken_amount(draw.takes)
            effects.append(draw)
            posted += lines(member.id, node, pool, -amount, program)
            of_points += amount if pool == POINTS else 0
    if not effects:
        return body
    others = (
        Held(replace(one.hold, leased=of_points)) if isinstance(one, Held) and of_points else one
        for one in body.effects
    )
    return replace(body, effects=(*effects, *others), lines=(*posted, *body.lines))


def _draws(
    member: Member, node: str, pool: str, takes: tuple[LotTake, ...], now: dt.datetime
) -> Iterator[LeaseDrawn]:
    """Yield what each lease pays: of the lots that are named first, then of whatever else it has.

    Which lot a lease pays from does not matter to the balance: what a named lot lacks is a deficit that the
    others repay within the same event.
    """
    left, named = lots.taken_amount(takes), dict.fromkeys((one.lot for one in takes), 0)
    for one in takes:
        named[one.lot] += one.amount
    there = {
        lease.id: escrow.usable(lease, member.lots, now)
        for lease in own(member, node, now)
        if lease.pool == pool
    }
    paid: dict[str, dict[str, int]] = {id_: {} for id_ in there}
    for only_named in (True, False):
        for id_, usable in there.items():
            for take in usable:
                most = named.get(take.lot, 0) if only_named else left
                part = min(take.amount - paid[id_].get(take.lot, 0), most, left)
                if part > 0:
                    paid[id_][take.lot] = paid[id_].get(take.lot, 0) + part
                    named[take.lot] = named.get(take.lot, 0) - part
                    left -= part
    for id_, usable in there.items():
        if paid[id_]:
            drawn = tuple(replace(one, amount=paid[id_][one.lot]) for one in usable if one.lot in paid[id_])
            yield LeaseDrawn(id_, drawn, pool)


def paid(body: EventBody, pool: str) -> int:
    """Return what leases paid for an event."""
    return sum(
        lots.taken_amount(effect.takes)
        for effect in body.effects
        if isinstance(effect, LeaseDrawn) and effect.pool == pool
    )


# ---- the event --------------------------------------------------------------------------------------------
def lines(member: str, node: str, pool: str, amount: int, program: Program) -> tuple[Line, ...]:
    """Return the lines that move an amount from a member's pool to what a node may spend; below 0: back."""
    if pool == POINTS:
        account, unit, less = ledger.member_points(member), ledger.POINT, -amount
    else:  # stored value is what the shop owes
        account, unit, less = ledger.member_value(member, pool), program.currency, amount
    return Line(account, unit, less), Line(ledger.member_leased(member, node), unit, -less)


def _closed(
    member: Member,
    lease: Lease,
    program: Program,
    now: dt.datetime,
    *,
    written_off: bool = False,
    reasons: tuple[Reason, ...] = (),
    staff: str | None = None,
) -> Decision:
    rest = lots.taken_amount(lease.taken)
    back = lines(member.id, lease.node, lease.pool, -rest, program)
    effect = LeaseClosed(lease.id, written_off)
    return _decided(member, "lease_close", (effect,), back, program, now, reasons, staff)


def _decided(
    member: Member,
    kind: str,
    effects: tuple[Effect, ...],
    posted: tuple[Line, ...],
    program: Program,
    now: dt.datetime,
    reasons: tuple[Reason, ...] = (),
    staff: str | None = None,
) -> Decision:
    body = EventBody(
        kind=kind,
        at=now,
        program=program.version,
        member=member.id,
        lines=posted,
        effects=effects,
        reasons=reasons,
        staff=staff,
    )
    return decision(member, body)
