"""Which tier counts for a member now, and how it changes (loyalty.md section 3.10).

``standing`` is a pure function of what is recorded and of time: reviews that are due are reckoned whether or
not a job has posted them. Posting them (``decide_review``) changes nothing that anybody sees.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from tapledger.loyalty import days, members, tallies
from tapledger.loyalty.effects import Effect, TierSet
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Clause, Program, Tier


# ---- the rule ---------------------------------------------------------------------------------------------
def metric(member: Member, clause: Clause, program: Program, today: dt.date) -> int:
    """Return how far a member is in one clause at the end of a day. Redeeming points never changes it."""
    since, until = _window(member, clause, program, today), today.toordinal()
    match clause.metric:
        case "spend":
            earlier = member.earlier_spend_minor if since is None else 0
            return tallies.total(member.tallies, tallies.SPEND, since, until) + earlier
        case "visits":
            return tallies.days_counted(member.tallies, tallies.SALES, since, until)
        case "growth":
            return tallies.total(member.tallies, tallies.GROWTH, since, until)
        case "referrals":
            return sum((since or 0) <= on <= until for on in referrals(member))
        case "referees":
            return sum(clause.reached in one.reached for one in member.referees.values())


def referrals(member: Member) -> list[int]:
    """Return the days on which the purchases of those this member sent count, when nothing comes back."""
    return sorted(one.counts_on for one in member.referees.values() if one.counts_on)


def _window(member: Member, clause: Clause, program: Program, today: dt.date) -> int | None:
    if clause.window == "lifetime":  # of most rules, and asked for at every sale
        return None
    joined_on = days.local_day(member.joined_at, program.zone())
    start = days.window_start(clause.window, today, joined_on, clause.days)
    return None if start is None else start.toordinal()


def groups(tier: Tier) -> list[list[Clause]]:
    """Return a tier's rule as groups of clauses: any one group whose clauses are all true is enough.

    None at all is a tier that only staff give, or the lowest.
    """
    if tier.reach:
        return tier.reach
    return [[Clause("spend", tier.from_spend_minor)]] if tier.from_spend_minor else []


def is_reached(member: Member, tier: Tier, program: Program, today: dt.date) -> bool:
    """Tell whether a tier's rule is true. Plain loops: every sale asks several times."""
    for group in groups(tier):
        for clause in group:
            if metric(member, clause, program, today) < clause.at_least:
                break
        else:
            return True
    return program.rank(tier.id) == 0


def reached(member: Member, program: Program, today: dt.date) -> Tier:
    """Return the highest tier whose rule is true, whatever the order of its groups and clauses."""
    return _above(member, 0, program, today) or program.tiers[0]


def _above(member: Member, rank: int, program: Program, today: dt.date) -> Tier | None:
    """Return the highest tier above a rank whose rule is true; None when there is none."""
    for place in range(len(program.tiers) - 1, rank, -1):
        if is_reached(member, program.tiers[place], program, today):
            return program.tiers[place]
    return None


# ---- what holds now ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Standing:
    """A tier with its time."""

    tier: str
    gained_on: int
    """Local day on which its rule became true; 0 when it was given."""
    until: dt.datetime | None
    """First instant after its last valid day; null is for ever."""


def valid_until(tier: Tier, since: dt.date, program: Program) -> dt.datetime | None:
    """Return the first instant after the last valid day of a tier that was gained or renewed on a day."""
    if program.rank(tier.id) == 0:
        return None
    if tier.valid_until == "end_of_next_year":
        return days.end_of_day(dt.date(since.year + 1, 12, 31), program.zone())
    if tier.valid_days is None:
        return None
    return days.end_of_day(since + dt.timedelta(days=tier.valid_days), program.zone())


def review_at(member: Member, until: dt.datetime, program: Program) -> dt.datetime:
    """Return when a tier that is valid until an instant is reviewed: after the grace, and after any lock."""
    zone = program.zone()
    grace = dt.timedelta(days=program.tiering.grace_days)
    due = days.first_instant(days.local_day(until, zone) + grace, zone)
    locked = member.tier_locked_until
    return due if locked is None else max(due, locked)


def review(member: Member, held: Standing, program: Program, at: dt.datetime) -> Standing:
    """Return what a tier becomes when it is reviewed: judged by the days that were over then."""
    assert held.until is not None
    zone = program.zone()
    today = days.local_day(at, zone)
    judged = today - dt.timedelta(days=1)
    tier = program.tier(held.tier)
    if program.tiering.downgrade == "none" or is_reached(member, tier, program, judged):
        last = days.local_day(held.until, zone) - dt.timedelta(days=1)
        return Standing(tier.id, held.gained_on, valid_until(tier, last, program))
    lower = reached(member, program, judged)
    if program.tiering.downgrade == "one_down":
        lower = program.tiers[max(program.rank(tier.id) - 1, program.rank(lower.id))]
    earned = is_reached(member, lower, program, judged)
    return Standing(lower.id, today.toordinal() if earned else 0, valid_until(lower, today, program))


def recorded(member: Member, program: Program) -> Standing:
    """Return the tier as it was last posted."""
    return Standing(program.tier(member.tier).id, member.gained_on, member.tier_until)


def due_review(member: Member, held: Standing, program: Program, now: dt.datetime) -> dt.datetime | None:
    """Return when a tier's review was due, if it was by now."""
    if held.until is None:
        return None
    at = review_at(member, held.until, program)
    return at if at <= now else None


def reviewed(member: Member, program: Program, now: dt.datetime) -> Standing:
    """Return the recorded tier after every review that is due, posted or not."""
    held = recorded(member, program)
    while (at := due_review(member, held, program, now)) is not None:
        held = review(member, held, program, at)
    return held


def standing(member: Member, program: Program, now: dt.datetime) -> Standing:
    """Return the tier that counts, with its time, even if no review was ever posted.

    A higher tier whose rule is true counts too: two shops may each record too little for one that both
    together reach, and a referral counts by time alone.
    """
    held = reviewed(member, program, now)
    today = days.local_day(now, program.zone())
    higher = _above(member, program.rank(held.tier), program, today)
    if higher is None:
        return held
    return Standing(higher.id, today.toordinal(), valid_until(higher, today, program))


def current(member: Member, program: Program, now: dt.datetime) -> Tier:
    """Return the tier that counts for a member now."""
    return program.tier(standing(member, program, now).tier)


# ---- changes ----------------------------------------------------------------------------------------------
def upgrade(
    member: Member, counted: Iterable[Effect], program: Program, now: dt.datetime, why: str = "spend"
) -> tuple[TierSet, ...]:
    """Return the new tier when what an event counts lifts its member; nothing when it does not.

    It may be several tiers higher, and counts from the next sale on.
    """
    after = with_effects(member, counted, now)
    held = reviewed(member, program, now)
    today = days.local_day(now, program.zone())
    higher = _above(after, program.rank(held.tier), program, today)
    if higher is None:
        return ()
    until = valid_until(higher, today, program)
    return (TierSet(higher.id, today.toordinal(), until, member.tier_locked_until, why),)


def tier_after(member: Member, counted: Iterable[Effect], program: Program, now: dt.datetime) -> Tier:
    """Return the tier that counts with an event's effects: by it a sale earns where ``tier_at = after``."""
    return current(with_effects(member, counted, now), program, now)


def with_effects(member: Member, counted: Iterable[Effect], now: dt.datetime) -> Member:
    for effect in counted:
        member = members.APPLY[type(effect)](member, effect, now)
    return member


def after_return(member: Member, program: Program, now: dt.datetime) -> tuple[TierSet, ...]:
    """Return the tier that a return takes back. ``member`` is as the return's tallies leave them.

    A tier that was given (``gained_on`` 0) or is locked is never taken back.
    """
    rules = program.tiering
    today = days.local_day(now, program.zone())
    if rules.on_refund == "at_review" or _is_locked(member, now):
        return ()
    before = held = recorded(member, program)
    formers = list(member.former_tiers)
    while _may_take_back(held, program, today) and not _was_reached(member, held, program, today):
        by_rule = _best_since(member, held, program, today)
        former = formers.pop() if formers else None
        if former is not None and program.rank(former.tier) >= program.rank(by_rule.tier):
            held = Standing(former.tier, former.gained_on, former.until)
        else:
            held = by_rule
    if held == before:
        return ()
    return (TierSet(held.tier, held.gained_on, held.until, member.tier_locked_until, "refund"),)


def _is_locked(member: Member, now: dt.datetime) -> bool:
    return member.tier_locked_until is not None and now < member.tier_locked_until


def _may_take_back(held: Standing, program: Program, today: dt.date) -> bool:
    if not held.gained_on or program.rank(held.tier) == 0:
        return False
    age = today.toordinal() - held.gained_on
    return program.tiering.on_refund == "immediate" or age <= program.tiering.refund_window_days


def _was_reached(member: Member, held: Standing, program: Program, today: dt.date) -> bool:
    """Tell whether the rule is true, after what came back, on any day since the tier was gained: a rule about
    one day is long false on the next, with or without a return."""
    tier = program.tier(held.tier)
    return any(is_reached(member, tier, program, day) for day in _days_since(member, held.gained_on, today))


def _best_since(member: Member, held: Standing, program: Program, today: dt.date) -> Standing:
    """Return the highest lower tier whose rule is true on a day since this one was gained."""
    best, gained = program.tiers[0], held.gained_on
    for day in _days_since(member, held.gained_on, today):
        tier = reached(member, program, day)
        if program.rank(best.id) < program.rank(tier.id) < program.rank(held.tier):
            best, gained = tier, day.toordinal()
    if program.rank(best.id) == 0:
        return Standing(best.id, 0, None)
    return Standing(best.id, gained, valid_until(best, dt.date.fromordinal(gained), program))


def _days_since(member: Member, gained_on: int, today: dt.date) -> list[dt.date]:
    """Return the days since then on which something was counted, and both ends."""
    last = today.toordinal()
    found = {gained_on, last}
    for key in (tallies.SPEND, tallies.SALES, tallies.GROWTH):
        found.update(day for day in member.tallies.get(key, {}) if gained_on <= day <= last)
    return [dt.date.fromordinal(day) for day in sorted(found)]
