"""What is given once and was given by two shops that could not see each other: all but one goes back (R19).

Which shop came first does not matter to the member: the gifts are the same, and the earliest lot stays. What
both memberships had before a merge is not touched; it is listed for the owner (X4).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from tapledger.loyalty import ledger, lots, members, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import (
    POINTS,
    CouponMoved,
    Debited,
    Effect,
    Lot,
    Noted,
    Overdrawn,
    Tallied,
    Ungranted,
)
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import campaigns, occasions, surveys, visiting
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import Gain, Survey
from tapledger.loyalty.tiers import tiering

TOLD_FOR = dt.timedelta(days=30)
"""So long the member is told at their next tap."""


@dataclass(frozen=True, slots=True)
class _Twice:
    """One thing that was given more than once."""

    key: str
    day: int
    """On which it was counted last."""
    extra: int
    gain: Gain
    source: str


def decide_taken_back(member: Member, program: Program, now: dt.datetime) -> Decision | None:
    """Take back what was given more than once; None when nothing was.

    Points go from the later lots of the same gift, then from others in spending order, and then become a
    deficit, or are forgiven where the programme clamps. A coupon that was used stays used.
    """
    if member.aliases or member.status not in (standing.ACTIVE, standing.FROZEN):
        return None
    found = list(_found(member, program, now))
    if not found:
        return None
    own = members.as_of(member, now)
    effects: list[Effect] = []
    reasons: list[Reason] = []
    points = 0
    for one in found:
        body = _effects(own, one, program, now)
        own = tiering.with_effects(own, body, now)
        effects += body
        points += sum(_points(effect) for effect in body)
        if one.gain != occasions.NOTHING:
            why = Reason("GIVEN_TWICE", {"points": one.gain.points * one.extra})
            reasons.append(why)
            effects.append(Noted(why, now + TOLD_FOR))
    posted = EventBody(
        kind="benefit",
        at=now,
        program=program.version,
        member=member.id,
        lines=ledger.points_given(member.id, -points),
        effects=tuple(effects),
        reasons=tuple(reasons),
        facts={"twice": " ".join(one.key for one in found)},
    )
    return decision(member, posted)


def _found(member: Member, program: Program, now: dt.datetime) -> Iterator[_Twice]:
    """Yield what was counted twice though it is once for ever, or, for gifts at check-in, once a day."""
    for key, gain, source in _once(member, program):
        if (extra := tallies.total(member.tallies, key) - 1) > 0:
            yield _Twice(key, max(member.tallies[key]), extra, gain, source)
    for key, gain in visiting.once_a_day(member, program, now):
        for day, times in sorted(member.tallies.get(key, {}).items()):
            if times > 1:
                yield _Twice(key, day, times - 1, gain, visiting.SOURCE)
    for survey in program.surveys:
        yield from _quiz(member, survey)


def _once(member: Member, program: Program) -> Iterator[tuple[str, Gain, str]]:
    for key in sorted(member.tallies):
        if key.startswith(occasions.BIRTHDAYS):
            yield key, program.birthday.gain, occasions.BIRTHDAY
    for survey in program.surveys:
        yield surveys.key(survey), survey.gain, surveys.key(survey)
    for campaign in program.campaigns:
        yield campaigns.key(campaign), campaign.gain, campaigns.key(campaign)


def _quiz(member: Member, survey: Survey) -> Iterator[_Twice]:
    """Yield every round of a quiz that brought points but the best one, which the member keeps."""
    rounds = surveys.rounds(member, survey)
    for place, (key, right, times) in enumerate(rounds):
        if (extra := times - (place == 0)) > 0:
            gain = Gain(points=right * survey.points_per_right)
            yield _Twice(key, max(member.tallies[key]), extra, gain, surveys.key(survey))


def _effects(member: Member, one: _Twice, program: Program, now: dt.datetime) -> list[Effect]:
    amount = one.gain.points * one.extra
    takes = lots.take_from(_order(member, one, now), amount)
    short = amount - lots.taken_amount(takes)
    effects: list[Effect] = [Tallied(one.key, one.day, -one.extra)]
    if takes:
        effects.append(Debited(takes))
    if short and program.returns.negative == "deficit":
        effects.append(Overdrawn(short))
    if one.gain.growth:
        effects.append(Tallied(tallies.GROWTH, one.day, -one.gain.growth * one.extra))
    coupons = [x for x in member.coupons if (x.source, x.template) == (one.source, one.gain.coupon)]
    later = sorted(coupons, key=lambda x: (x.state != "redeemed", x.issued_at, x.id))[1:]
    effects += [CouponMoved(x.id, "void") for x in later[-one.extra :] if x.state == "issued"]
    grants = [x for x in member.grants if (x.source, x.entitlement) == (one.source, one.gain.entitlement)]
    effects += [Ungranted(x.id) for x in grants[1:][-one.extra :]]
    return effects


def _points(effect: Effect) -> int:
    """Return the points that an effect takes, what is still owed included."""
    match effect:
        case Debited(takes=takes):
            return lots.taken_amount(takes)
        case Overdrawn(amount=amount):
            return amount
    return 0


def _order(member: Member, one: _Twice, now: dt.datetime) -> Iterator[Lot]:
    """Yield the lots of the gift, the latest first, and then the others as they are spent."""
    mine = [lot for lot in member.lots if lot.source == one.source and lot.pool == POINTS and lot.remaining]
    mine = [lot for lot in mine if lot.expires_at is None or now < lot.expires_at]
    yield from sorted(mine, key=lambda lot: (lot.available_at, lot.id), reverse=True)
    others = (lot for lot in member.lots if lot not in mine and lots.is_available(lot, now))
    yield from lots.spending_order(others)
