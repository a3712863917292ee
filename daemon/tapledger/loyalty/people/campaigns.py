"""Targeted campaigns: who gets one now, who is held out to be compared with, and what is left of a budget."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Literal

from tapledger.loyalty import days, eligibility, tallies
from tapledger.loyalty.insight import segments
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import Campaign
from tapledger.loyalty.tiers import tiering

Moment = Literal["join", "tap", "day"]
"""When somebody joins, when they show a card, and once a day while they are away."""

TRIGGERS: Mapping[Moment, frozenset[str]] = {
    "join": frozenset({"join"}),
    "tap": frozenset({"tap", "tier", "sleeping"}),
    "day": frozenset({"sleeping"}),
}


def key(campaign: Campaign) -> str:
    return f"campaign/{campaign.id}"


def held_out_key(campaign: Campaign) -> str:
    """Return the tally of members who would have got it and are compared with: assigned once and stored."""
    return f"held-out/{campaign.id}"


def budget_key(campaign: Campaign) -> str:
    """Return the tally of the points that a campaign has given, for its budget at this shop."""
    return f"budget/{campaign.id}"


def is_held_out(member: Member, campaign: Campaign, program: Program) -> bool:
    return campaign.id not in eligibility.campaigns(member, program)


def reached(
    member: Member, moment: Moment, program: Program, now: dt.datetime, spent: Collection[str]
) -> list[Campaign]:
    """Return the campaigns that reach a member at this moment for the first time, held out or not.

    ``spent`` are the ``budget_key`` of campaigns whose budget does not pay another gain.
    """
    return [
        one
        for one in program.campaigns
        if one.trigger in TRIGGERS[moment]
        and budget_key(one) not in spent
        and _is_first(member, one)
        and _is_meant(member, one, program, now)
    ]


def _is_first(member: Member, campaign: Campaign) -> bool:
    return not any(tallies.total(member.tallies, one) for one in (key(campaign), held_out_key(campaign)))


def _is_meant(member: Member, campaign: Campaign, program: Program, now: dt.datetime) -> bool:
    tags = member.tags.get(eligibility.SEGMENTS, ())
    if campaign.segments and not set(campaign.segments) & set(tags):
        return False
    if campaign.trigger == "tier" and tiering.current(member, program, now).id != campaign.tier:
        return False
    if campaign.trigger == "sleeping" and not is_sleeping(member, campaign.sleeping_months, program, now):
        return False
    return eligibility.why_not(member, campaign.when, program, now) is None


def is_sleeping(member: Member, months: int, program: Program, now: dt.datetime) -> bool:
    """Tell whether a member has bought nothing for so many calendar months (section 3.23)."""
    zone = program.zone()
    last_on, joined_on = _last_purchase(member), days.local_day(member.joined_at, zone)
    return segments.is_sleeping(last_on, joined_on, days.local_day(now, zone), months)


def _last_purchase(member: Member) -> dt.date | None:
    bought = [
        day
        for day, sales in member.tallies.get(tallies.SALES, {}).items()
        if day > tallies.BEFORE and sales > 0
    ]
    return dt.date.fromordinal(max(bought)) if bought else None


def waking(member: Member, program: Program) -> list[Campaign]:
    """Return the campaigns that would wake a member once they sleep."""
    return [one for one in program.campaigns if one.trigger == "sleeping" and _is_first(member, one)]


def sleeps_at(member: Member, campaign: Campaign, program: Program) -> dt.datetime:
    """Return the first instant at which a member sleeps by a campaign's months, if they buy nothing more."""
    zone = program.zone()
    last = _last_purchase(member) or days.local_day(member.joined_at, zone)
    day = days.add_months(last, campaign.sleeping_months)
    while not segments.is_sleeping(last, last, day, campaign.sleeping_months):
        day += dt.timedelta(days=1)
    return days.first_instant(day, zone)
