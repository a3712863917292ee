"""Posting what time does to a tier: reviews, warnings before them; and tiers that staff give (3.10)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import days, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Effect, Noted, Tallied, TierSet
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.tiers import tiering
from tapledger.loyalty.tiers.tiering import Standing

MAX_LOCK = dt.timedelta(days=days.MAX_PERIODS)


def decide_review(member: Member, program: Program, now: dt.datetime) -> Decision | None:
    """Return the first review that is due and not posted, else a rise that time alone brought, else None.

    The caller posts one after the other until there is none: however long nobody asked, none is skipped. Each
    is judged by its own day, never by the day on which it is posted.
    """
    held = tiering.recorded(member, program)
    at = tiering.due_review(member, held, program, now)
    if at is not None:
        assert held.until is not None
        after = tiering.review(member, held, program, at)
        last = days.local_day(held.until, program.zone()) - dt.timedelta(days=1)
        return _posted(
            "review", member, (_set(after, member, "review"),), _said(held, after, last), program, now
        )
    higher = tiering.standing(member, program, now)
    if program.rank(higher.tier) > program.rank(held.tier):
        why = Reason("TIER_REACHED", {"tier": higher.tier})
        return _posted("tier", member, (_set(higher, member, "referral"),), why, program, now)
    return None


def _said(held: Standing, after: Standing, last: dt.date) -> Reason:
    if after.tier == held.tier:
        return Reason("TIER_RENEWED", {"tier": after.tier, "last_day": last.isoformat()})
    return Reason("TIER_LOWERED", {"tier": after.tier, "before": held.tier, "last_day": last.isoformat()})


def _set(after: Standing, member: Member, why: str) -> TierSet:
    return TierSet(after.tier, after.gained_on, after.until, member.tier_locked_until, why)


def _posted(
    kind: str, member: Member, effects: tuple[Effect, ...], why: Reason, program: Program, now: dt.datetime
) -> Decision:
    body = EventBody(
        kind=kind,
        at=now,
        program=program.version,
        member=member.id,
        effects=effects,
        reasons=(why,),
    )
    return decision(member, body)


def decide_warning(member: Member, program: Program, now: dt.datetime) -> Decision | None:
    """Return the note that a tier is about to be lost, once for each of ``warn_days``; None when none is due.

    Who will keep the tier with what they have bought already is not warned.
    """
    held = tiering.recorded(member, program)
    if held.until is None or tiering.due_review(member, held, program, now) is not None:
        return None
    zone = program.zone()
    today, first_without = days.local_day(now, zone), days.local_day(held.until, zone)
    left = (first_without - today).days
    due = [one for one in program.tiering.warn_days if 0 < left <= one]
    if not due:
        return None
    at = tiering.review_at(member, held.until, program)
    if tiering.review(member, held, program, at).tier == held.tier:
        return None
    key = f"tier-warning/{min(due)}"
    if tallies.total(member.tallies, key, first_without.toordinal()):
        return None
    last = first_without - dt.timedelta(days=1)
    why = Reason("TIER_ENDS", {"tier": held.tier, "last_day": last.isoformat(), "days": left})
    effects = (Tallied(key, first_without.toordinal(), 1), Noted(why, held.until))
    return _posted("review", member, effects, why, program, now)


@dataclass(frozen=True, slots=True)
class GiveTier:
    """Staff give a tier, and may fix it until an instant."""

    tier: str
    why: str
    staff: str
    locked_until: dt.datetime | None = None


def decide_tier(member: Member, command: GiveTier, program: Program, now: dt.datetime) -> Decision:
    """Give a member a tier by hand; it is reviewed like any other, once it is not locked any more.

    A tier below what the rule gives would not last a moment and is refused.
    """
    standing.check_earn(member, now)
    if all(tier.id != command.tier for tier in program.tiers):
        raise Invalid("TIER_UNKNOWN", tier=command.tier)
    if not command.why.strip():
        raise Invalid("REASON_MISSING")
    if command.locked_until is not None and not now < command.locked_until <= now + MAX_LOCK:
        raise Invalid("TIER_LOCK_IMPOSSIBLE")
    tier, today = program.tier(command.tier), days.local_day(now, program.zone())
    by_rule = tiering.reached(member, program, today)
    if program.rank(tier.id) < program.rank(by_rule.id):
        raise Refused("TIER_BELOW_RULE", tier=by_rule.id)
    effect = TierSet(tier.id, 0, tiering.valid_until(tier, today, program), command.locked_until, "staff")
    body = EventBody(
        kind="tier",
        at=now,
        program=program.version,
        member=member.id,
        effects=(effect,),
        reasons=(Reason("TIER_GIVEN", {"tier": tier.id}),),
        facts={"why": command.why},
        staff=command.staff,
    )
    return decision(member, body)
