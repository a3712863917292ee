"""Expiry as entries, and what is owed to members until when (loyalty.md sections 3.7 and 5.14).

A balance is right whether these entries are posted or not: ``members.points`` looks at the instant alone. One
shop posts them for a member, so that none is posted twice.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tapledger.loyalty import days, ledger, lots, members, money, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import BONUS, POINTS, PRINCIPAL, Effect, Lapsed, LotTake, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program

POOLS = (POINTS, PRINCIPAL, BONUS)
MICRO = 1_000_000


def decide_expire(member: Member, program: Program, now: dt.datetime) -> Decision | None:
    """Write off what has expired by now; give back what was written off and had been spent in time (X10).

    None when there is nothing to write. Everything of all days before goes into one event, so a shop that
    was closed for a week skips nothing.
    """
    own = members.as_of(member, now)
    lines: list[Line] = []
    effects: list[Effect] = []
    reasons: list[Reason] = []
    for pool in POOLS:
        takes = expired(own, pool, now)
        counted = _wrongly(own, pool)
        amount = lots.taken_amount(takes) - sum(counted.values())
        if takes:
            effects.append(Lapsed(takes, pool))
        effects += [
            Tallied(tallies.of_overlapse(pool), day, -wrong) for day, wrong in sorted(counted.items())
        ]
        if amount:
            lines += _lines(member.id, pool, amount, program)
            reasons.append(_why(pool, amount, program))
    if not effects:
        return None
    body = EventBody(
        kind="expire",
        at=now,
        program=program.version,
        member=member.id,
        lines=tuple(lines),
        effects=tuple(effects),
        reasons=tuple(reasons),
    )
    return decision(member, body)


def expired(member: Member, pool: str, now: dt.datetime) -> tuple[LotTake, ...]:
    """Name what is left of the lots of a pool that are worth nothing any more."""
    return lots.everything(
        (lot for lot in member.lots if lot.expires_at is not None and lot.expires_at <= now), pool
    )


def _wrongly(member: Member, pool: str) -> dict[int, int]:
    """Return what was written off by day and had been spent before."""
    return dict(member.tallies.get(tallies.of_overlapse(pool), {}))


def _lines(member: str, pool: str, amount: int, program: Program) -> tuple[Line, ...]:
    if pool == POINTS:
        return ledger.points_given(member, -amount)
    return (
        Line(ledger.member_value(member, pool), program.currency, amount),
        Line(ledger.FORFEITED, program.currency, -amount),
    )


def _why(pool: str, amount: int, program: Program) -> Reason:
    if pool == POINTS:
        if amount < 0:
            return Reason("EXPIRY_TAKEN_BACK", {"points": -amount})
        return Reason("POINTS_EXPIRED", {"points": amount})
    if amount < 0:
        return Reason("VALUE_EXPIRY_TAKEN_BACK", {"amount_minor": -amount, "currency": program.currency})
    return Reason("VALUE_EXPIRED", {"amount_minor": amount, "currency": program.currency})


def next_expiry(member: Member, now: dt.datetime) -> dt.datetime | None:
    """Return when the next of a member's lots expires; None when none will."""
    ends = [
        lot.expires_at
        for lot in member.lots
        if lot.remaining and lot.expires_at is not None and lot.expires_at > now
    ]
    return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class Owed:
    """What members hold that lapses in one month, or never: points with their price, and stored value."""

    month: str
    """``2027-05``; empty for what never lapses."""
    points: int = 0
    points_minor: int = 0
    """What the points cost by ``point_value_micro``, half-up for the month as a whole."""
    principal_minor: int = 0
    bonus_minor: int = 0


def liability(everybody: Iterable[Member], program: Program, now: dt.datetime) -> list[Owed]:
    """Return what the shop owes its members, by the local month of the last valid day; never-lapsing last.

    Points that wait, are set aside or leased to a shop count; what has expired does not. What one member owes
    is no less owed to the others.
    """
    sums: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(POOLS, 0))
    for member in everybody:
        own = members.as_of(member, now)
        for lot in own.lots:
            if lot.expires_at is None or now < lot.expires_at:
                sums[_month(lot.expires_at, program)][lot.pool] += lot.remaining
        taken = [(POINTS, hold.taken) for hold in own.holds]
        taken += [(lease.pool, lease.taken) for lease in own.leases if not lease.alias]
        for pool, takes in taken:
            for take in takes:
                sums[_month(take.expires_at, program)][pool] += take.amount
    owed = [
        Owed(
            month,
            pools[POINTS],
            money.divide_half_up(pools[POINTS] * program.point_value_micro, MICRO),
            pools[PRINCIPAL],
            pools[BONUS],
        )
        for month, pools in sums.items()
        if any(pools.values())
    ]
    return sorted(owed, key=lambda one: (one.month == "", one.month))


def _month(expires_at: dt.datetime | None, program: Program) -> str:
    if expires_at is None:
        return ""
    return f"{days.local_day(expires_at - dt.timedelta(microseconds=1), program.zone()):%Y-%m}"
