"""Points for what members do outside the shop: a story, a shared link that somebody new followed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Invalid, NotFound, Refused
from tapledger.loyalty import days, gains, limits, tallies
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.gains import Gained
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import giving
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import Gain

MAX_WHAT = 64


@dataclass(frozen=True, slots=True)
class Approve:
    """Somebody has looked at it and approved it."""

    share: str
    what: str
    """Id of the story, or keyed hash of the visitor who acted: each brings points once."""
    id: str
    """Unique to the event; begins the ids of what is given."""
    staff: str


def decide_share(member: Member, command: Approve, program: Program, now: dt.datetime) -> Decision:
    """Give the points of one approved thing, within the limit of its day or window."""
    standing.check_earn(member, now)
    rule = next((one for one in program.shares if one.id == command.share), None)
    if rule is None:
        raise NotFound("SHARE_UNKNOWN")
    if not 0 < len(command.what) <= MAX_WHAT:
        raise Invalid("SHARE_WITHOUT_ID", limit=MAX_WHAT)
    key, once = f"share/{rule.id}", f"shared/{rule.id}/{command.what}"
    if tallies.total(member.tallies, once):
        raise Refused("SHARE_COUNTED")
    if limits.left(member, key, rule.limit, program, now) == 0:
        raise Refused("SHARE_LIMIT", times=rule.limit.times)
    today = days.local_day(now, program.zone()).toordinal()
    given = Gained(
        effects=(Tallied(key, today, 1), Tallied(once, today, 1)),
        reasons=(Reason("SHARE_APPROVED", {}),),
    )
    given = given.plus(
        gains.give(
            member.id,
            Gain(points=rule.points),
            key,
            program,
            now,
            id_=command.id,
            available_at=standing.credit_available_at(member, now),
        )
    )
    facts: dict[str, int | str] = {"share": rule.id, "what": command.what}
    return giving.posted(member, "share", given, program, now, facts=facts, staff=command.staff)
