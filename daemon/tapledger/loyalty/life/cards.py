"""Cards and numbers of a member: lost, replaced, limited a day (loyalty.md section 3.20).

A card is not its member: a family has several, each with a limit of its own, and a lost one is refused at
once while its member goes on with another.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import money, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Blocked, CardLimited, Credential, Effect, Linked, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program

MAX_CREDENTIALS = 20
LOST, STOLEN, REPLACED = "lost", "stolen", "replaced"
WhyBlocked = Literal["lost", "stolen"]


def find(member: Member, index: str) -> Credential:
    """Return one of a member's credentials; raise ``Refused`` for one that is not theirs."""
    found = next((one for one in member.credentials if one.index == index), None)
    if found is None:
        raise Refused("CREDENTIAL_NOT_YOURS")
    return found


def why_not_use(member: Member, index: str) -> Reason | None:
    """Return why a credential names nobody any more: it was lost, stolen or replaced."""
    known = next((one for one in member.credentials if one.index == index), None)
    if known is not None and known.blocked:
        return Reason("CARD_BLOCKED", {"why": known.blocked})
    return None


def why_not_pay(
    member: Member, index: str, amount_minor: int, today: dt.date, currency: str
) -> Reason | None:
    """Return why a card may not take so much out of its member's account today; None when it may.

    ``amount_minor`` is what points and stored value pay together; a credential without a limit may pay all.
    """
    known = next((one for one in member.credentials if one.index == index), None)
    if known is None or known.blocked:
        return why_not_use(member, index)
    if known.day_limit_minor is None:
        return None
    day = today.toordinal()
    left = known.day_limit_minor - tallies.total(member.tallies, tally_key(index), day, day)
    if amount_minor > left:
        return Reason("CARD_DAY_LIMIT", {"left_minor": max(0, left), "currency": currency})
    return None


def paid(member: Member, index: str, amount_minor: int, today: dt.date) -> tuple[Tallied, ...]:
    """Return what counts a payment, or with a negative amount a refund, towards a limited card's day."""
    known = next((one for one in member.credentials if one.index == index), None)
    if known is None or known.day_limit_minor is None or not amount_minor:
        return ()
    return (Tallied(tally_key(index), today.toordinal(), amount_minor),)


def tally_key(index: str) -> str:
    return f"card/{index}"


def decide_block(
    member: Member, index: str, why: WhyBlocked, staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Refuse a card from now on, because it was lost or stolen."""
    if why not in (LOST, STOLEN):
        raise Invalid("BLOCK_REASON_UNKNOWN", why=why)
    if find(member, index).blocked:
        raise Refused("CARD_BLOCKED_ALREADY")
    return _posted("block", member, (Blocked(index, why),), staff, program, now)


def decide_unblock(
    member: Member, index: str, staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Accept a card again that was found; one that was replaced stays refused."""
    match find(member, index).blocked:
        case "":
            raise Refused("CARD_NOT_BLOCKED")
        case "replaced":
            raise Refused("CARD_REPLACED")
    return _posted("unblock", member, (Blocked(index, ""),), staff, program, now)


def decide_replace(
    member: Member, index: str, new: Credential, staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Give a new card in place of one, with the same limit; the old one is refused for ever."""
    standing.check_earn(member, now)
    old = find(member, index)
    if old.blocked == REPLACED:
        raise Refused("CARD_REPLACED")
    if any(one.index == new.index for one in member.credentials):
        raise Refused("CREDENTIAL_ALREADY_YOURS")
    added = Linked(msgspec.structs.replace(new, day_limit_minor=old.day_limit_minor))
    return _posted("replace", member, (Blocked(index, REPLACED), added), staff, program, now)


def decide_link(
    member: Member, new: Credential, staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Give a member one more card, number or code."""
    standing.check_earn(member, now)
    if any(one.index == new.index for one in member.credentials):
        raise Refused("CREDENTIAL_ALREADY_YOURS")
    if len(member.credentials) >= MAX_CREDENTIALS:
        raise Refused("CREDENTIALS_TOO_MANY", limit=MAX_CREDENTIALS)
    return _posted("link", member, (Linked(new),), staff, program, now)


def decide_limit(
    member: Member, index: str, limit_minor: int | None, staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Say how much a card may spend a local day; None is without limit."""
    standing.check_earn(member, now)
    find(member, index)
    if limit_minor is not None and not 0 <= limit_minor <= money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_TOO_LARGE")
    return _posted("card_limit", member, (CardLimited(index, limit_minor),), staff, program, now)


def _posted(
    kind: str,
    member: Member,
    effects: tuple[Effect, ...],
    staff: str | None,
    program: Program,
    now: dt.datetime,
) -> Decision:
    body = EventBody(
        kind=kind, at=now, program=program.version, member=member.id, effects=effects, staff=staff
    )
    return decision(member, body)
