"""What members change of themselves: name, phone number and choices. Birthdays have rules of their own."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Invalid
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Credential, Effect, Linked, Tagged, Unlinked
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program

PREFERENCES = "preferences"
"""Kind of the tags that members choose themselves."""
MAX_PREFERENCES = 20
MAX_PREFERENCE_LENGTH = 40


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """``digest`` is of the profile as it is sealed now; the phones are indexes, empty for none."""

    digest: str
    old_phone: str
    new_phone: str
    staff: str | None


def decide_profile(member: Member, change: ProfileChange, program: Program, now: dt.datetime) -> Decision:
    """Record that a profile changed, not what it says; another phone number names the member from now on."""
    standing.check_earn(member, now)
    effects: list[Effect] = []
    if change.old_phone != change.new_phone:
        if change.old_phone:
            effects.append(Unlinked(change.old_phone))
        if change.new_phone:
            effects.append(Linked(Credential("phone", change.new_phone, 0)))
    body = EventBody(
        kind="profile",
        at=now,
        program=program.version,
        member=member.id,
        effects=tuple(effects),
        staff=change.staff,
        profile_digest=change.digest,
    )
    return decision(member, body)


def decide_preferences(
    member: Member, chosen: tuple[str, ...], staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Replace what a member chose, such as tastes and the channel they like."""
    standing.check_earn(member, now)
    kept = tuple(dict.fromkeys(one.strip() for one in chosen))
    if len(kept) > MAX_PREFERENCES or any(not 0 < len(one) <= MAX_PREFERENCE_LENGTH for one in kept):
        raise Invalid("PREFERENCES_TOO_MANY", limit=MAX_PREFERENCES, length=MAX_PREFERENCE_LENGTH)
    body = EventBody(
        kind="tag",
        at=now,
        program=program.version,
        member=member.id,
        effects=(Tagged(PREFERENCES, kept),),
        staff=staff,
    )
    return decision(member, body)
