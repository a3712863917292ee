"""Everything that is due to a member at a moment, given once: "Happy birthday, 100 points".

``due`` looks, ``decide_due`` gives one of the things found. Each leaves a tally, so that asking again finds
nothing. A use case gives them one after the other in the transaction of the tap, the joining or the day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from tapledger.loyalty import days, eligibility, gains, tallies
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.gains import Gained
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import campaigns, giving, missions
from tapledger.loyalty.people.campaigns import Moment
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import Gain

WELCOME = "welcome"
BIRTHDAY = "birthday"
"""What a birthday's gift comes from."""
BIRTHDAYS = "birthday/"
"""Tally of the gift of a birthday's year."""
NOTHING = Gain()


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that a member is to be given now."""

    key: str
    """The tally that says that it was given."""
    kind: str
    """Of the event."""
    source: str
    """What it comes from: ``birthday``, ``welcome``, ``campaign/ID``, ``mission/ID``."""
    gain: Gain = NOTHING
    reason: Reason | None = None
    """None says nothing to the member: they are held out."""
    budget: str = ""
    """Tally of the points that the gain takes from a budget."""


def due(
    member: Member,
    program: Program,
    now: dt.datetime,
    moment: Moment = "tap",
    spent: Collection[str] = frozenset(),
) -> list[Due]:
    """Return what is due to a member, in a fixed order; nothing while the member is not active.

    ``spent`` are the budgets that pay no further gain (``campaigns.budget_key``).
    """
    if member.status != standing.ACTIVE:
        return []
    found = []
    if moment == "join":
        found += _welcome(member, program)
    if moment == "tap":
        found += [*_birthday(member, program, now), *_missions(member, program, now)]
    for one in campaigns.reached(member, moment, program, now, spent):
        if campaigns.is_held_out(member, one, program):
            found.append(Due(campaigns.held_out_key(one), "campaign", f"campaign/{one.id}"))
        else:
            why = Reason("CAMPAIGN_GAIN", {"campaign": one.id})
            budget = campaigns.budget_key(one) if one.budget_points is not None else ""
            found.append(Due(campaigns.key(one), "campaign", f"campaign/{one.id}", one.gain, why, budget))
    return found


def _welcome(member: Member, program: Program) -> list[Due]:
    gain = program.membership.welcome
    if gain == NOTHING or tallies.total(member.tallies, WELCOME):
        return []
    return [Due(WELCOME, "benefit", WELCOME, gain, Reason("WELCOME_GAIN", {}))]


def _birthday(member: Member, program: Program, now: dt.datetime) -> list[Due]:
    gain, year = program.birthday.gain, eligibility.birthday_year(member, program, now)
    key = f"{BIRTHDAYS}{year}"
    if gain == NOTHING or year is None or tallies.total(member.tallies, key):
        return []
    return [Due(key, "birthday_gift", BIRTHDAY, gain, Reason("BIRTHDAY_GAIN", {"year": year}))]


def _missions(member: Member, program: Program, now: dt.datetime) -> list[Due]:
    return [
        Due(
            missions.key(one.mission),
            "mission",
            f"mission/{one.mission.id}",
            one.mission.gain,
            Reason("MISSION_GAIN", {"mission": one.mission.id, "have": one.have}),
        )
        for one in missions.progress(member, program, now)
        if one.is_done
    ]


def decide_due(
    member: Member,
    thing: Due,
    program: Program,
    now: dt.datetime,
    *,
    id_: str,
    exhausted: Collection[str] = frozenset(),
) -> Decision:
    """Give one thing that is due. ``id_`` is unique to the event and makes the ids of what is given."""
    today = days.local_day(now, program.zone()).toordinal()
    given = Gained(
        effects=(Tallied(thing.key, today, 1),),
        reasons=() if thing.reason is None else (thing.reason,),
    )
    if thing.budget and thing.gain.points:
        given = given.plus(Gained(effects=(Tallied(thing.budget, today, thing.gain.points),)))
    given = given.plus(
        gains.give(member.id, thing.gain, thing.source, program, now, id_=id_, exhausted=exhausted)
    )
    return giving.posted(member, thing.kind, given, program, now)
