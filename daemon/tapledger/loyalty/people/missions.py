"""Missions: so much within so many days, then something is gained ("3 visits in 30 days")."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.loyalty import days, eligibility, limits, tallies
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import Mission
from tapledger.loyalty.tiers import tiering

CHECK_INS = "check-in"
"""Tally of the days on which a member checked in at any shop."""


def key(mission: Mission) -> str:
    return f"mission/{mission.id}"


@dataclass(frozen=True, slots=True)
class MissionProgress:
    mission: Mission
    have: int
    """Since the mission was last accomplished: nothing counts for two rounds."""
    why_not: Reason | None
    """Why it cannot be accomplished now, however much is done; else None."""

    @property
    def is_done(self) -> bool:
        return self.why_not is None and self.have >= self.mission.at_least


def progress(member: Member, program: Program, now: dt.datetime) -> list[MissionProgress]:
    """Return how far a member is in each mission of the programme, in its order."""
    return [_progress(member, mission, program, now) for mission in program.missions]


def _progress(member: Member, mission: Mission, program: Program, now: dt.datetime) -> MissionProgress:
    why = eligibility.why_not(member, mission.when, program, now)
    if why is None and limits.left(member, key(mission), mission.repeat, program, now) == 0:
        why = Reason("MISSION_DONE", {"times": mission.repeat.times})
    return MissionProgress(mission, _have(member, mission, program, now), why)


def _have(member: Member, mission: Mission, program: Program, now: dt.datetime) -> int:
    today = days.local_day(now, program.zone()).toordinal()
    accomplished = [day for day, times in member.tallies.get(key(mission), {}).items() if times > 0]
    since = max(today - mission.days + 1, max(accomplished, default=0) + 1)
    match mission.metric:
        case "visits":
            return tallies.days_counted(member.tallies, tallies.SALES, since, today)
        case "spend":
            return max(0, tallies.total(member.tallies, tallies.SPEND, since, today))
        case "check_ins":
            return tallies.days_counted(member.tallies, CHECK_INS, since, today)
        case "referrals":
            return sum(since <= on <= today for on in tiering.referrals(member))
