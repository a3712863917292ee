"""How far a member is from the next tier, reckoned from the rule itself (article 003-6, 004-17)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction

from tapledger.loyalty import days
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Clause, Program, Tier
from tapledger.loyalty.tiers import tiering


@dataclass(frozen=True, slots=True)
class ClauseProgress:
    clause: Clause
    have: int
    """In the clause's unit: minor units of money for ``spend``, else a count. Referrals that still wait for
    their return window are in it."""
    missing: int
    counts_on: int = 0
    """Of referrals that are enough but still wait: the local day on which they count."""

    @property
    def need(self) -> int:
        return self.clause.at_least

    @property
    def unit(self) -> str:
        """``money``, ``days``, ``points`` or ``people``."""
        return {"spend": "money", "visits": "days", "growth": "points"}.get(self.clause.metric, "people")


@dataclass(frozen=True, slots=True)
class Progress:
    """The tier above, and for each way to it how far the member is: the nearest way first."""

    tier: Tier
    groups: tuple[tuple[ClauseProgress, ...], ...]


def progress(member: Member, program: Program, now: dt.datetime) -> Progress | None:
    """Return the way to the next tier that has a rule; None when there is none above."""
    rank = program.rank(tiering.current(member, program, now).id)
    above = next((tier for tier in program.tiers[rank + 1 :] if tiering.groups(tier)), None)
    if above is None:
        return None
    today = days.local_day(now, program.zone())
    ways = [
        tuple(_clause(member, clause, program, today) for clause in group) for group in tiering.groups(above)
    ]
    return Progress(above, tuple(sorted(ways, key=_distance)))


def _clause(member: Member, clause: Clause, program: Program, today: dt.date) -> ClauseProgress:
    have = tiering.metric(member, clause, program, today)
    if clause.metric != "referrals":
        return ClauseProgress(clause, have, max(0, clause.at_least - have))
    waiting = [on for on in tiering.referrals(member) if on > today.toordinal()]
    short, have = clause.at_least - have, have + len(waiting)
    counts_on = waiting[short - 1] if 0 < short <= len(waiting) else 0
    return ClauseProgress(clause, have, max(0, clause.at_least - have), counts_on)


def _distance(group: tuple[ClauseProgress, ...]) -> tuple[Fraction, Fraction]:
    """Return how far a group is: its furthest clause, then all of them together."""
    parts = [Fraction(one.missing, max(1, one.need)) for one in group]
    return max(parts, default=Fraction(0)), sum(parts, Fraction(0))


def said(way: ClauseProgress, tier: Tier, program: Program) -> Reason:
    """Return in words what one clause still asks: "1,100.00 more within 30 days", "3 of 3, counts on ..."."""
    clause = way.clause
    money: dict[str, int | str] = {
        "tier": tier.id,
        "missing_minor": way.missing,
        "currency": program.currency,
        "days": clause.days,
    }
    people: dict[str, int | str] = {"tier": tier.id, "have": way.have, "need": way.need}
    match clause.metric:
        case "spend" if clause.window == "day":
            return Reason("TIER_SPEND_TODAY", money)
        case "spend" if clause.window == "rolling":
            return Reason("TIER_SPEND_DAYS", money)
        case "spend":
            return Reason("TIER_SPEND", money)
        case "visits":
            return Reason("TIER_VISITS", people)
        case "growth":
            return Reason("TIER_GROWTH", people)
        case "referees":
            return Reason(
                "TIER_REFEREES",
                {"tier": tier.id, "have": way.have, "need": way.need, "reached": clause.reached},
            )
    if not way.counts_on:
        return Reason("TIER_REFERRALS", people)
    day = dt.date.fromordinal(way.counts_on).isoformat()
    return Reason("TIER_REFERRALS_WAIT", {"tier": tier.id, "have": way.have, "need": way.need, "day": day})


def next_tier(member: Member, program: Program, now: dt.datetime) -> tuple[Tier, int] | None:
    """Return the tier above and what is missing of its nearest way by spend alone, in minor units.

    None where there is no such way: ``progress`` tells the others.
    """
    found = progress(member, program, now)
    if found is None:
        return None
    spends = [group[0] for group in found.groups if len(group) == 1 and group[0].clause.metric == "spend"]
    return (found.tier, min(one.missing for one in spends)) if spends else None
