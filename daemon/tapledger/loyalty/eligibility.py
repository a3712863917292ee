"""Whether a condition of the programme holds for a member now, and if not, what is in the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache

from tapledger.loyalty import days, windows
from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.insight import targeting
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.tiers import tiering

SEGMENTS = "segments"
"""Kind of the tags that central's segments give."""


def why_not(member: Member | None, when: Condition, program: Program, now: dt.datetime) -> Reason | None:
    """Return the first part of a condition that is not true now, or None; a stranger is nobody's tier."""
    if when.from_ is not None and now < days.instant(when.from_, program.zone()):
        return Reason("NOT_YET", {"from": shown(when.from_)})
    if when.to is not None and now >= days.instant(when.to, program.zone()):
        return Reason("NO_LONGER", {"to": shown(when.to)})
    if when.window and not is_open(when.window, program, now):
        return Reason("NOT_NOW", {"window": when.window})
    if member is None:
        asks = when.members_only or when.tiers or when.segments or when.campaign or when.birthday
        return Reason("MEMBERS_ONLY", {}) if asks else None
    if when.tiers and tiering.current(member, program, now).id not in when.tiers:
        return Reason("OTHER_TIER", {"tier": when.tiers[0]})
    if when.segments and not set(when.segments) & set(member.tags.get(SEGMENTS, ())):
        return Reason("OTHER_SEGMENT", {})
    if when.campaign and when.campaign not in campaigns(member, program):
        return Reason("OTHER_SEGMENT", {})
    if when.birthday and birthday_year(member, program, now) is None:
        return Reason("BIRTHDAY_ONLY", {})
    return None


def shown(local: dt.datetime) -> str:
    return f"{local:%Y-%m-%d %H:%M}"


def is_open(window: str, program: Program, now: dt.datetime) -> bool:
    """Tell whether a window of the programme is open; one that is not there never is."""
    known = next((one for one in program.windows if one.id == window), None)
    return known is not None and windows.is_open(known, now, program.zone(), holiday_sets(program))


def holiday_sets(program: Program) -> Mapping[str, frozenset[dt.date]]:
    """Return the days of each holiday calendar of the programme."""
    return {name: frozenset(dates.values()) for name, dates in program.holidays.items()}


@lru_cache(maxsize=4096)
def _held_out(campaign: str, member: str, holdout_pct: int) -> bool:
    return targeting.is_held_out(campaign, member, holdout_pct)


def campaigns(member: Member, program: Program) -> frozenset[str]:
    """Return the campaigns whose audience the member belongs to and is not held out of."""
    tags = set(member.tags.get(SEGMENTS, ()))
    return frozenset(
        one.id
        for one in program.campaigns
        if (not one.segments or tags & set(one.segments))
        and not _held_out(one.id, member.id, one.holdout_pct)
    )


def birthday_year(member: Member, program: Program, now: dt.datetime) -> int | None:
    """Return the year of the birthday whose window is open for the member; None when none is."""
    born, rule = member.birthday, program.birthday
    today = days.local_day(now, program.zone())
    if born is None or today.toordinal() < born.counts_from:
        return None
    return days.birthday_occurrence(born.month, born.day, today, rule.window, rule.days, rule.leap_day)
