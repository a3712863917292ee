"""Which tier counts for a member now, from what they did and what was recorded (loyalty.md section 3.10)."""

from __future__ import annotations

import datetime as dt

from tapledger.loyalty import days, tallies
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Clause, Program, Tier


def metric(member: Member, clause: Clause, program: Program, today: dt.date) -> int:
    """Return how far a member is in one clause. Redeeming points never changes a metric."""
    joined_on = days.local_day(member.joined_at, program.zone())
    start = days.window_start(clause.window, today, joined_on, clause.days)
    since = None if start is None else start.toordinal()
    match clause.metric:
        case "spend":
            earlier = member.earlier_spend_minor if since is None else 0
            return tallies.total(member.tallies, tallies.SPEND, since) + earlier
        case "visits":
            return tallies.days_counted(member.tallies, tallies.SALES, since)
        case "growth":
            return tallies.total(member.tallies, tallies.GROWTH, since)
        case "referrals":
            return sum("qualified" in one.reached for one in member.referees.values())
        case "referees":
            return sum(clause.reached in one.reached for one in member.referees.values())


def groups(tier: Tier) -> list[list[Clause]]:
    """Return a tier's rule as groups of clauses: any one group whose clauses are all true is enough."""
    if tier.reach:
        return tier.reach
    return [[Clause("spend", tier.from_spend_minor)]] if tier.from_spend_minor else [[]]


def is_reached(member: Member, tier: Tier, program: Program, today: dt.date) -> bool:
    return any(
        all(metric(member, clause, program, today) >= clause.at_least for clause in group)
        for group in groups(tier)
    )


def reached(member: Member, program: Program, today: dt.date) -> Tier:
    """Return the highest tier whose rule is true, whatever the order of the rules."""
    for tier in reversed(program.tiers):
        if is_reached(member, tier, program, today):
            return tier
    return program.tiers[0]


def current(member: Member, program: Program, now: dt.datetime) -> Tier:
    """Return the tier that counts: the one held, or a higher one whose rule is true.

    Two shops may each record too little for a tier that both together reach, or a lower one last.
    """
    held = program.tier(member.tier)
    by_rule = reached(member, program, days.local_day(now, program.zone()))
    return by_rule if program.rank(by_rule.id) > program.rank(held.id) else held


def next_tier(member: Member, program: Program, now: dt.datetime) -> tuple[Tier, int] | None:
    """Return the tier above and what is missing of its nearest single clause; None at the top.

    The figure is in the clause's own unit; for spend, minor units.
    """
    rank = program.rank(current(member, program, now).id)
    if rank + 1 >= len(program.tiers):
        return None
    above, today = program.tiers[rank + 1], days.local_day(now, program.zone())
    missing = [
        max(0, clause.at_least - metric(member, clause, program, today))
        for group in groups(above)
        for clause in group
        if clause.metric == "spend"
    ]
    return above, min(missing, default=0)
