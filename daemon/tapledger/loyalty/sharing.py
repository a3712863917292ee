"""What a shop's hub gives of its own leases to the other computers of its shop while central is away.

One event takes from the hub's leases and gives the taker a lease of just that: escrow is only divided, so
free, leased and spent add up as before, whoever hears of it first.
"""

from __future__ import annotations

import datetime as dt

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import escrow, leases, lots
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import POINTS, Lease, Leased, LeaseDrawn, LotTake
from tapledger.loyalty.leases import MAX_LEASES, Asked
from tapledger.loyalty.ledger import EventBody, is_balanced
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program

KIND = "lease_share"


def decide_share(member: Member, asked: Asked, hub: str, program: Program, now: dt.datetime) -> Decision:
    """Give a part of the hub's own leases to another node; it ends when the first of them would.

    Raises ``Refused`` when the hub holds less than is asked for, and for a member who may not spend.
    """
    if asked.amount <= 0:
        raise Invalid("AMOUNT_IMPOSSIBLE", sku=asked.pool)
    standing.check_spend(member, now)
    if len(member.leases) >= MAX_LEASES:
        raise Refused("LEASES_TOO_MANY", limit=MAX_LEASES)
    own = [one for one in leases.own(member, hub, now) if one.pool == asked.pool]
    held = escrow.worth(own, member.lots, now, asked.pool)
    if asked.amount > held:
        if asked.pool == POINTS:
            raise Refused("POINTS_MISSING", points=asked.amount - held)
        raise Refused("INSUFFICIENT", available_minor=held, currency=program.currency)
    draws, until, left = [], None, asked.amount
    for lease in own:
        takes = _first(escrow.usable(lease, member.lots, now), left)
        if takes:
            left -= lots.taken_amount(takes)
            draws.append(LeaseDrawn(lease.id, takes, asked.pool))
            until = until or lease.until  # those that end first come first
    assert until is not None
    taken = _together(draws)
    given = Lease(asked.id, asked.node, asked.pool, taken, now, until)
    body = EventBody(
        kind=KIND,
        at=now,
        program=program.version,
        member=member.id,
        lines=(
            leases.lines(member.id, hub, asked.pool, -asked.amount, program)[1],
            leases.lines(member.id, asked.node, asked.pool, asked.amount, program)[1],
        ),
        effects=(*draws, Leased(given)),
    )
    return decision(member, body)


def given(body: EventBody, asked: Asked, member: str) -> Lease | None:
    """Return the lease that a hub's event gives; None unless it is what was asked for, drawn to the point."""
    *draws, last = body.effects or (None,)
    sound = (
        body.kind == KIND
        and body.member == member
        and isinstance(last, Leased)
        and draws
        and all(isinstance(one, LeaseDrawn) and one.pool == asked.pool for one in draws)
        and is_balanced(body.lines)
    )
    if not sound or not isinstance(last, Leased):
        return None
    lease = last.lease
    is_asked = (lease.id, lease.node, lease.pool) == (asked.id, asked.node, asked.pool)
    fresh = not lease.recalled and not lease.alias and all(one.amount > 0 for one in lease.taken)
    instants = (body.at, lease.at, lease.until, *(one.expires_at for one in lease.taken))
    fresh = fresh and all(one is None or one.tzinfo is not None for one in instants)
    drawn = _together([one for one in draws if isinstance(one, LeaseDrawn) and one.lease != lease.id])
    same = {one.lot: one.amount for one in drawn} == {one.lot: one.amount for one in lease.taken}
    return lease if is_asked and fresh and same and lots.taken_amount(lease.taken) == asked.amount else None


def beyond(member: Member | None, node: str, body: EventBody) -> dict[str, int]:
    """Return what a node's event leases, by pool, beyond what it draws from leases of its own.

    Only central may take from what is free: whatever another node gives has to come out of a lease.
    """
    has = () if member is None else tuple(one for one in member.leases if one.node == node)
    found: dict[str, int] = {}
    for effect in body.effects:
        if isinstance(effect, Leased):
            pool = effect.lease.pool
            found[pool] = found.get(pool, 0) + lots.taken_amount(effect.lease.taken)
        elif isinstance(effect, LeaseDrawn):
            after = escrow.after((), has, effect, body.at)
            found[effect.pool] = found.get(effect.pool, 0) - sum(lot.remaining for lot in after.lots)
            has = after.leases
    return {pool: amount for pool, amount in found.items() if amount > 0}


def _first(usable: tuple[LotTake, ...], amount: int) -> tuple[LotTake, ...]:
    """Return the first so many of what a lease holds, or all of it."""
    found = []
    for take in usable:
        part = min(take.amount, amount)
        if part > 0:
            found.append(LotTake(take.lot, part, take.expires_at))
            amount -= part
    return tuple(found)


def _together(draws: list[LeaseDrawn]) -> tuple[LotTake, ...]:
    """Return what was drawn of several leases, each lot once."""
    found: dict[str, LotTake] = {}
    for take in (take for draw in draws for take in draw.takes):
        before = found.get(take.lot)
        amount = take.amount + (0 if before is None else before.amount)
        found[take.lot] = LotTake(take.lot, amount, take.expires_at)
    return tuple(found.values())
