"""The answer to a tap: what a member has, and what they can have now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.loyalty import members
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program, Reward, Tier
from tapledger.loyalty.rewards.redeeming import Redeem, why_not
from tapledger.loyalty.tiers import tier_progress, tiering


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
    held = tiering.current(member, program, now)
    return Summary(have, held, tier_progress.next_tier(member, program, now), tuple(offers))
