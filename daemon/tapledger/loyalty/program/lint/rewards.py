"""Rewards: each can be had by somebody, and none is worth more than the shopping that pays for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.findings import Finding, Path
from tapledger.loyalty.program.lint.earning import best_rate
from tapledger.loyalty.program.lint.references import unknown_tiers
from tapledger.loyalty.program.lint.walk import structs
from tapledger.loyalty.program.people import Gain
from tapledger.loyalty.program.rewards import Reward

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program

GRANTING = ("coupon", "entitlement", "draw")


def lint_rewards(program: Program) -> Iterator[Finding]:
    gifts = {struct.gift for _, struct in structs(program) if isinstance(struct, Gain) and struct.gift}
    for place, reward in enumerate(program.rewards):
        path: Path = ("rewards", place)
        yield from unknown_tiers(reward.tiers, (*path, "tiers"), program)
        yield from _grants(path, reward, program)
        if not reward.cost_points and not reward.cost_minor:
            if reward.id not in gifts:
                yield Finding((*path, "cost_points"), Reason("PROGRAM_REWARD_FREE", {"reward": reward.id}))
            elif reward.per_member is None:
                yield Finding(path, Reason("PROGRAM_GIFT_ENDLESS", {"reward": reward.id}))
        yield from _out_of_reach(path, reward, program)
        yield from _worth(path, reward, program)
        if reward.kind != "event" and (reward.ends is not None or reward.attend_points):
            at = (*path, "ends" if reward.ends is not None else "attend_points")
            yield Finding(at, Reason("PROGRAM_EVENT_ONLY", {"reward": reward.id}))


def _grants(path: Path, reward: Reward, program: Program) -> Iterator[Finding]:
    at = (*path, "grants")
    if reward.kind not in GRANTING:
        if reward.grants:
            yield Finding(at, Reason("PROGRAM_GRANTS_USELESS", {"kind": reward.kind}))
        return
    known = {
        "coupon": [one.id for one in program.coupons],
        "entitlement": [one.id for one in program.entitlements],
        "draw": [one.id for one in program.lotteries],
    }[reward.kind]
    if reward.grants not in known:
        listed = ", ".join(known)
        figures: dict[str, int | str] = {"kind": reward.kind, "given": reward.grants, "known": listed}
        yield Finding(at, Reason("PROGRAM_GRANTS_UNKNOWN", figures))


def _out_of_reach(path: Path, reward: Reward, program: Program) -> Iterator[Finding]:
    """Find rewards that nobody can ever pay for."""
    cost, at = reward.cost_points, (*path, "cost_points")
    trusted = max(program.trust.points_per_day(level) for level in range(4))
    if cost > trusted:
        figures: dict[str, int | str] = {"reward": reward.id, "cost": cost, "limit": trusted}
        yield Finding(at, Reason("PROGRAM_REWARD_ABOVE_TRUST", figures))
    most = most_points(program)
    if most is not None and cost > most:
        more: dict[str, int | str] = {"reward": reward.id, "cost": cost, "limit": most}
        yield Finding(at, Reason("PROGRAM_REWARD_UNAFFORDABLE", more))


def most_points(program: Program) -> int | None:
    """Return the most points of purchases that can be alive at once; None without a daily cap."""
    cap, rule = program.earning.per_member_day, program.expiry
    if cap is None:
        return None
    lives = {"days": rule.count + 1, "months": 31 * rule.count + 1, "end_of_month": 31 * (rule.count + 1)}
    alive = lives.get(rule.mode)
    return None if alive is None else cap * alive


def _worth(path: Path, reward: Reward, program: Program) -> Iterator[Finding]:
    """A reward worth what earning its points costs would be bought for itself, again and again."""
    rate = best_rate(program)
    if not reward.value_minor or not rate or not reward.cost_points:
        return
    spend = reward.cost_points * rate.denominator // rate.numerator + reward.cost_minor
    if reward.value_minor >= spend:
        figures: dict[str, int | str] = {
            "reward": reward.id,
            "value_minor": reward.value_minor,
            "spend_minor": spend,
            "currency": program.currency,
        }
        yield Finding((*path, "value_minor"), Reason("PROGRAM_REWARD_WORTH_MORE", figures))
