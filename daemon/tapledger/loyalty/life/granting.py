"""Points that staff give or take by hand, such as after a complaint: with a reason and inside a daily limit.

One person may move ``staff_points_per_day``; above it a second one has to agree (decisions R36). Where there
is only one account, its owner acts alone, and the event says so.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import gains, ledger, lots, members, money
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Debited
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.gains import Gained
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program

MAX_WHY_LENGTH = 200


@dataclass(frozen=True, slots=True)
class GrantPoints:
    """``points`` are given, or taken when below 0; ``moved_today`` is what this person moved before."""

    id: str
    points: int
    why: str
    staff: str
    second: str = ""
    """Another person who agrees."""
    is_only_account: bool = False
    moved_today: int = 0


def decide_grant(member: Member, command: GrantPoints, program: Program, now: dt.datetime) -> Decision:
    """Give or take points by hand; nobody is taken below zero."""
    _check(member, command, program, now)
    moved = (
        _given(member, command, program, now) if command.points > 0 else _taken(member, -command.points, now)
    )
    facts: dict[str, int | str] = {"why": command.why.strip()}
    if command.second:
        facts["second"] = command.second
    if command.is_only_account and is_over_limit(command, program):
        facts["alone"] = 1
    body = EventBody(
        kind="grant",
        at=now,
        program=program.version,
        member=member.id,
        lines=moved.lines,
        effects=moved.effects,
        reasons=moved.reasons,
        facts=facts,
        staff=command.staff,
    )
    return decision(member, body)


def is_over_limit(command: GrantPoints, program: Program) -> bool:
    return command.moved_today + abs(command.points) > program.membership.staff_points_per_day


def _check(member: Member, command: GrantPoints, program: Program, now: dt.datetime) -> None:
    if not command.points or abs(command.points) > money.MAX_AMOUNT_MINOR:
        raise Invalid("GRANT_IMPOSSIBLE")
    if not command.why.strip():
        raise Invalid("WHY_MISSING")
    if len(command.why) > MAX_WHY_LENGTH:
        raise Invalid("WHY_TOO_LONG", limit=MAX_WHY_LENGTH)
    standing.check_earn(member, now)
    agreed = command.is_only_account or command.second not in ("", command.staff)
    if is_over_limit(command, program) and not agreed:
        limit = program.membership.staff_points_per_day
        raise Refused("SECOND_PERSON_NEEDED", limit=limit, left=max(0, limit - command.moved_today))


def _given(member: Member, command: GrantPoints, program: Program, now: dt.datetime) -> Gained:
    begins = standing.credit_available_at(member, now)
    lot = gains.points_lot(command.id, command.points, "grant", program, now, available_at=begins)
    why = Reason("GRANTED_BY_STAFF", {"points": command.points})
    return gains.credit(member.id, lot).plus(Gained(reasons=(why,)))


def _taken(member: Member, points: int, now: dt.datetime) -> Gained:
    have = members.points(member, now).available
    if points > have:
        raise Refused("POINTS_MISSING", points=points - have)
    takes = lots.take(members.as_of(member, now).lots, points, now)
    return Gained(
        ledger.points_given(member.id, -points),
        (Debited(takes),),
        (Reason("TAKEN_BY_STAFF", {"points": points}),),
    )
