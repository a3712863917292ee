"""What can never work in a programme, or can be farmed: one sentence each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfoNotFoundError

import msgspec

from tapledger.loyalty import days
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.loyalty.program.tiers import Tier, lint_reach

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program

MAX_EARN_POINTS = 1000
MAX_MULTIPLIER_MILLI = 100_000


def lint(program: Program) -> list[str]:
    """Name what can never work in a programme, one sentence each."""
    return [*_lint_frame(program), *_lint_tiers(program.tiers), *_lint_rewards(program)]


def _lint_frame(program: Program) -> Iterator[str]:
    if not program.version:
        yield "version must not be empty"
    if not re.fullmatch(r"[A-Z]{3}", program.currency):
        yield f"currency {program.currency!r} is not a three-letter code such as CNY"
    try:
        program.zone()
    except (ZoneInfoNotFoundError, ValueError):
        yield f"timezone {program.timezone!r} is not in the tz database"
    yield from days.lint_expiry(program.expiry)
    if not 0 < program.voucher_days <= days.MAX_PERIODS:
        yield f"voucher_days must be 1 to {days.MAX_PERIODS}"
    if program.unsettled_points < 0:
        yield "unsettled_points must not be below 0"
    if min(msgspec.structs.astuple(program.trust)) < 0:
        yield "trust: points per day must not be below 0"


def _lint_tiers(tiers: list[Tier]) -> Iterator[str]:
    if not tiers:
        yield "there must be at least one tier"
    elif tiers[0].from_spend_minor != 0 or tiers[0].reach:
        yield f"the first tier {tiers[0].id!r} must start at from_spend_minor = 0"
    thresholds = [tier.from_spend_minor for tier in tiers if not (tier.reach or tier.given)]
    if thresholds != sorted(set(thresholds)):
        yield "tiers must be listed by rising from_spend_minor, each once"
    if len({tier.id for tier in tiers}) != len(tiers):
        yield "two tiers have the same id"
    for tier in tiers:
        if not tier.id or not any(tier.name.values()):
            yield f"tier {tier.id!r}: id and name must not be empty"
        if tier.earn_per_minor <= 0:
            yield f"tier {tier.id!r}: earn_per_minor must be above 0"
        if not 0 <= tier.earn_points <= MAX_EARN_POINTS:
            yield f"tier {tier.id!r}: earn_points must be 0 to {MAX_EARN_POINTS}"
        if not 0 <= tier.multiplier_milli <= MAX_MULTIPLIER_MILLI:
            yield f"tier {tier.id!r}: multiplier_milli must be 0 to {MAX_MULTIPLIER_MILLI}"
        yield from lint_reach(tier, {one.id for one in tiers})


def _lint_rewards(program: Program) -> Iterator[str]:
    known = {tier.id for tier in program.tiers}
    if len({reward.id for reward in program.rewards}) != len(program.rewards):
        yield "two rewards have the same id"
    for reward in program.rewards:
        if not reward.id or not any(reward.title.values()):
            yield f"reward {reward.id!r}: id and title must not be empty"
        if not 0 < reward.cost_points <= MAX_AMOUNT_MINOR:
            yield f"reward {reward.id!r}: cost_points must be 1 to {MAX_AMOUNT_MINOR}"
        if reward.stock is not None and reward.stock < 0:
            yield f"reward {reward.id!r}: stock must not be below 0"
        for tier_id in reward.tiers:
            if tier_id not in known:
                yield f"reward {reward.id!r}: there is no tier {tier_id!r}"
