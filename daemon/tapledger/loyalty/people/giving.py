"""The event by which something is given to a member for what they did."""

from __future__ import annotations

import datetime as dt

from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.gains import Gained
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.tiers import tiering


def posted(
    member: Member,
    kind: str,
    given: Gained,
    program: Program,
    now: dt.datetime,
    *,
    facts: dict[str, int | str] | None = None,
    staff: str | None = None,
    trust: int | None = None,
    evidence: str = "",
) -> Decision:
    """Return the event that gives something; growth points in it may lift the tier."""
    rise = tiering.upgrade(member, given.effects, program, now, why="growth")
    body = EventBody(
        kind=kind,
        at=now,
        program=program.version,
        member=member.id,
        lines=given.lines,
        effects=(*given.effects, *rise),
        reasons=(*given.reasons, *(Reason("TIER_REACHED", {"tier": one.tier}) for one in rise)),
        facts=facts or {},
        staff=staff,
        trust=trust,
        evidence=evidence,
    )
    return decision(member, body)
