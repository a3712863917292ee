"""Rights that are used by a tap: lounge, parking minutes, a daily coffee, early access, a named adviser."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Invalid, NotFound, Refused
from tapledger.loyalty import days, eligibility, limits, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Grant, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Limit, Program
from tapledger.loyalty.program.people import Entitlement
from tapledger.loyalty.tiers import tiering

ADVISER = "adviser"
"""Kind of the tag that names a member's own adviser."""
A_DAY = Limit(1, "day")


@dataclass(frozen=True, slots=True)
class Right:
    """One entitlement as a member has it now."""

    entitlement: Entitlement
    uses_left: int | None
    """How often it can still be used in its period; null is without limit."""
    units_left: int | None
    """Of ``amount``: how many units are left in the period; else null."""
    until: dt.datetime | None
    """When it ends; null while the tier that gives it is held."""
    why_not: Reason | None
    """Why it cannot be used now; else None."""


def uses_key(entitlement: str) -> str:
    return f"use/{entitlement}"


def units_key(entitlement: str) -> str:
    return f"units/{entitlement}"


def grant_key(grant: str) -> str:
    return f"granted/{grant}"


def find(program: Program, entitlement: str) -> Entitlement:
    """Return an entitlement; raise ``NotFound``."""
    for one in program.entitlements:
        if one.id == entitlement:
            return one
    raise NotFound("ENTITLEMENT_UNKNOWN")


def _grants(member: Member, entitlement: str, now: dt.datetime) -> list[Grant]:
    """Return what was granted and is not used up, what ends first first."""
    far = dt.datetime.max.replace(tzinfo=dt.UTC)
    live = [
        one
        for one in member.grants
        if one.entitlement == entitlement
        and (one.until is None or now < one.until)
        and (one.uses is None or tallies.total(member.tallies, grant_key(one.id)) < one.uses)
    ]
    return sorted(live, key=lambda one: (one.until or far, one.id))


def _is_of_tier(member: Member, entitlement: str, program: Program, now: dt.datetime) -> bool:
    return entitlement in tiering.current(member, program, now).benefits


def holds(member: Member | None, entitlement: str, program: Program, now: dt.datetime) -> bool:
    """Tell whether a member has a right, whether or not they can use it just now."""
    if member is None or standing.why_not_earn(member, now) is not None:
        return False
    return bool(_grants(member, entitlement, now)) or _is_of_tier(member, entitlement, program, now)


def rights(member: Member, program: Program, now: dt.datetime) -> list[Right]:
    """Return everything a member is entitled to now, in the programme's order, to be shown to staff too."""
    return [
        _right(member, one, program, now)
        for one in program.entitlements
        if holds(member, one.id, program, now)
    ]


def adviser(member: Member) -> str:
    """Return the name of the member's own adviser; empty when they have none."""
    return next(iter(member.tags.get(ADVISER, ())), "")


def _right(member: Member, one: Entitlement, program: Program, now: dt.datetime) -> Right:
    counted = [grant for grant in _grants(member, one.id, now) if grant.uses is not None]
    spare = sum((grant.uses or 0) - tallies.total(member.tallies, grant_key(grant.id)) for grant in counted)
    ends = [grant.until for grant in _grants(member, one.id, now)]
    is_lasting = _is_of_tier(member, one.id, program, now) or None in ends
    until = None if is_lasting else max((end for end in ends if end is not None), default=None)
    uses: int | None = spare
    if _has_periods(member, one, program, now):
        of_period = limits.left(member, uses_key(one.id), one.limit, program, now)
        uses = None if of_period is None else of_period + spare
    units = None if one.kind != "amount" else _units_left(member, one, program, now)
    return Right(one, uses, units, until, why_not(member, one, 1, program, now))


def _has_periods(member: Member, one: Entitlement, program: Program, now: dt.datetime) -> bool:
    """Tell whether the right renews itself: by the tier, or by a grant without a number of uses."""
    lasting = any(grant.uses is None for grant in _grants(member, one.id, now))
    return lasting or _is_of_tier(member, one.id, program, now)


def _units_left(member: Member, one: Entitlement, program: Program, now: dt.datetime) -> int:
    """Return what is left of an amount in its period: that of its limit, else a day."""
    return max(0, one.units - limits.used(member, units_key(one.id), one.limit or A_DAY, program, now))


def why_not(
    member: Member, one: Entitlement, units: int, program: Program, now: dt.datetime
) -> Reason | None:
    """Return why a right cannot be used now for so many units, or None."""
    if not holds(member, one.id, program, now):
        return Reason("ENTITLEMENT_NOT_YOURS", {})
    if one.kind == "flag":
        return Reason("ENTITLEMENT_ONLY_SHOWN", {})
    blocked = eligibility.why_not(member, one.when, program, now)
    if blocked is not None:
        return blocked
    if one.kind == "amount" and units > (left := _units_left(member, one, program, now)):
        return Reason("ENTITLEMENT_UNITS", {"units": left})
    return None if _use(member, one, program, now) is not None else Reason("ENTITLEMENT_USED_UP", {})


def _use(member: Member, one: Entitlement, program: Program, now: dt.datetime) -> tuple[str, ...] | None:
    """Return the tallies of one use: of the period first, of a grant when that is used up; else None."""
    if _has_periods(member, one, program, now):
        left = limits.left(member, uses_key(one.id), one.limit, program, now)
        if left is None or left > 0:
            return (uses_key(one.id),)
    grant = next((grant for grant in _grants(member, one.id, now) if grant.uses is not None), None)
    return None if grant is None else (grant_key(grant.id),)


@dataclass(frozen=True, slots=True)
class Use:
    """A member uses a right: at a door, at a till, at a partner's."""

    entitlement: str
    units: int = 1
    """Of ``amount``: how many; else 1."""
    place: str = ""
    staff: str | None = None
    trust: int | None = None
    evidence: str = ""


def decide_use(member: Member, command: Use, program: Program, now: dt.datetime) -> Decision:
    """Count a use of a right; refuse with the reason that stands in the way."""
    standing.check_spend(member, now)
    one = find(program, command.entitlement)
    most = one.units if one.kind == "amount" else 1
    if command.units < 1 or (one.kind != "amount" and command.units != 1):
        raise Invalid("UNITS_IMPOSSIBLE", limit=most)
    why = why_not(member, one, command.units, program, now)
    if why is not None:
        raise Refused(why.code, **why.data)
    today = days.local_day(now, program.zone()).toordinal()
    counted = [Tallied(key, today, 1) for key in _use(member, one, program, now) or ()]
    if one.kind == "amount":
        counted.append(Tallied(units_key(one.id), today, command.units))
    body = EventBody(
        kind="use",
        at=now,
        program=program.version,
        member=member.id,
        effects=tuple(counted),
        reasons=(Reason("ENTITLEMENT_USED", {"entitlement": one.id, "units": command.units}),),
        facts={"entitlement": one.id, "units": command.units, "place": command.place},
        staff=command.staff,
        trust=command.trust,
        evidence=command.evidence,
    )
    return decision(member, body)
