"""What members said about messages and their data, by purpose (loyalty.md section 3.26, decisions R20)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Invalid, Refused
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Consent, ConsentGiven
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program

PROGRAMME = "programme"
"""Being a member: the contract itself, which ends by cancelling and not by a withdrawal."""
MARKETING = ("marketing_sms", "marketing_email", "marketing_wechat")
PURPOSES = (PROGRAMME, *MARKETING, "profiling", "partner_sharing")
MAX_TEXT_VERSION = 40


@dataclass(frozen=True, slots=True)
class Statement:
    """A member agrees to a purpose, or withdraws; ``seen`` is the statement they had before their eyes."""

    id: str
    purpose: str
    granted: bool
    text_version: str
    channel: str
    staff: str | None = None
    seen: str | None = None
    """None: the one that holds here and now."""


def decide_consent(member: Member, said: Statement, program: Program, now: dt.datetime) -> Decision:
    """Record what a member said; a later statement that had seen the earlier one wins, else a withdrawal."""
    if said.purpose not in PURPOSES:
        raise Invalid("PURPOSE_UNKNOWN", purpose=said.purpose)
    if not said.text_version or len(said.text_version) > MAX_TEXT_VERSION:
        raise Invalid("TEXT_VERSION_MISSING")
    if said.purpose == PROGRAMME and not said.granted:
        raise Refused("CONSENT_IS_MEMBERSHIP")
    why = standing.why_not_earn(member, now)
    if why is not None and said.granted:
        raise Refused(why.code, **why.data)
    before = current(member, said.purpose)
    seen = said.seen if said.seen is not None else "" if before is None else before.id
    consent = Consent(said.purpose, said.granted, said.text_version, now, said.channel, seen, said.id)
    body = EventBody(
        kind="consent",
        at=now,
        program=program.version,
        member=member.id,
        effects=(ConsentGiven(consent),),
        staff=said.staff,
    )
    return decision(member, body)


def current(member: Member, purpose: str) -> Consent | None:
    """Return the statement that holds for a purpose."""
    return next((one for one in member.consents if one.purpose == purpose), None)


def may_message(member: Member, purpose: str) -> bool:
    """Tell whether a member has agreed to a purpose and is still one; asked when a message is sent.

    To the programme itself everybody has agreed who is in it.
    """
    if member.status not in (standing.ACTIVE, standing.FROZEN):
        return False
    said = current(member, purpose)
    return purpose == PROGRAMME or (said is not None and said.granted)
