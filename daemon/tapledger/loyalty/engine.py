"""The rules: ``decide_*(member, command, program, now) -> Decision``; refusals are ``Refused`` with a code.

Everything here is a function of its arguments. A Decision is what would be posted; nothing is posted here.
The rooms above import from this module only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Refused
from tapledger.loyalty import members
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import BirthdaySet, Credential, Linked, TierSet
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program, Reward, Tier
from tapledger.loyalty.rewards.redeeming import Redeem, decide_fulfil, decide_hold, decide_release, why_not
from tapledger.loyalty.sales.selling import (
    MAX_QUANTITY_MILLI,
    MAX_SALE_LINES,
    TENDER_KINDS,
    BasketLine,
    Quote,
    Sale,
    decide_sale,
    quote,
)
from tapledger.loyalty.tiers import tier_progress
from tapledger.loyalty.tiers.tiering import current as current_tier

__all__ = [
    "MAX_QUANTITY_MILLI",
    "MAX_SALE_LINES",
    "TENDER_KINDS",
    "BasketLine",
    "Decision",
    "Join",
    "Offer",
    "Quote",
    "Redeem",
    "Sale",
    "Summary",
    "current_tier",
    "decide_fulfil",
    "decide_hold",
    "decide_join",
    "decide_link",
    "decide_release",
    "decide_sale",
    "quote",
    "summarize",
    "why_not",
]


@dataclass(frozen=True, slots=True)
class Join:
    member: str
    credentials: tuple[Credential, ...]
    profile_digest: str | None
    staff: str | None
    birthday: BirthdaySet | None = None


def decide_join(command: Join, program: Program, now: dt.datetime) -> Decision:
    """Make a member in the lowest tier with their first credentials."""
    body = EventBody(
        kind="join",
        at=now,
        program=program.version,
        member=command.member,
        effects=(
            *(Linked(one) for one in command.credentials),
            TierSet(program.tiers[0].id),
            *(() if command.birthday is None else (command.birthday,)),
        ),
        profile_digest=command.profile_digest,
        staff=command.staff,
    )
    return decision(None, body)


def decide_link(
    member: Member, credential: Credential, staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Give a member one more credential; refuse one that they already have."""
    if any(known.index == credential.index for known in member.credentials):
        raise Refused("CREDENTIAL_ALREADY_YOURS")
    body = EventBody(
        kind="link",
        at=now,
        program=program.version,
        member=member.id,
        effects=(Linked(credential),),
        staff=staff,
    )
    return decision(member, body)


@dataclass(frozen=True, slots=True)
class Offer:
    reward: Reward
    why_not: Reason | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What a member has and can have now: the answer to a tap."""

    points: members.Points
    tier: Tier
    next_tier: tuple[Tier, int] | None
    """The tier above and the spend in minor units still missing."""
    offers: tuple[Offer, ...]
    """Those that can be had first, dearest first; then the others, nearest first."""


def summarize(member: Member, context: dict[str, Redeem], program: Program, now: dt.datetime) -> Summary:
    """Answer a tap. ``context`` holds this shop's figures for each reward id."""
    have = members.points(member, now)
    offers = [
        Offer(reward, why_not(member, reward, context[reward.id], program, now, have.available))
        for reward in program.rewards
    ]
    offers.sort(
        key=lambda o: (
            o.why_not is not None,
            -o.reward.cost_points if o.why_not is None else o.reward.cost_points,
            o.reward.id,
        )
    )
    held = current_tier(member, program, now)
    return Summary(have, held, tier_progress.next_tier(member, program, now), tuple(offers))
