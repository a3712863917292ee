"""Earning: every rule can get a line, and buying never earns more than it costs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from tapledger.loyalty.conditions import Condition, Scope
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.earning import EarnRule, Flat
from tapledger.loyalty.program.findings import Finding, Path

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program

MICRO = 1_000_000


def lint_earning(program: Program) -> Iterator[Finding]:
    rules = program.earning.rules
    for place, rule in enumerate(rules):
        hiding = next((one for one in rules if _hides(one, rule)), None)
        if hiding is not None:
            figures: dict[str, int | str] = {"rule": rule.id, "other": hiding.id}
            yield Finding(("earning", "rules", place), Reason("PROGRAM_RULE_HIDDEN", figures))
    known = {rule.id for rule in rules} or {f"tier.{tier.id}" for tier in program.tiers}
    for place, multiplier in enumerate(program.earning.multipliers):
        path: Path = ("earning", "multipliers", place)
        if multiplier.milli == 1000:
            yield Finding((*path, "milli"), Reason("PROGRAM_MULTIPLIER_ONE", {"multiplier": multiplier.id}))
        for number, one in enumerate(multiplier.rules):
            if one not in known:
                at = (*path, "rules", number)
                yield Finding(at, Reason("PROGRAM_RULE_UNKNOWN", {"rule": one}))
    for place, flat in enumerate(program.earning.flats):
        if _is_endless(flat, program):
            yield Finding(("earning", "flats", place), Reason("PROGRAM_FLAT_ENDLESS", {"flat": flat.id}))
    if program.earning.campaign_budget and not (program.earning.multipliers or program.earning.flats):
        yield Finding(("earning", "campaign_budget"), Reason("PROGRAM_BUDGET_USELESS", {}))
    yield from _pays_itself(program)


def _hides(one: EarnRule, other: EarnRule) -> bool:
    """Tell whether a rule that is asked before another leaves it no line."""
    first = (-one.priority, one.id) < (-other.priority, other.id)
    everything = one.scope == Scope() or one.scope == other.scope
    return one is not other and first and everything and one.when == Condition()


def _is_endless(flat: Flat, program: Program) -> bool:
    """Tell whether splitting a basket into ever smaller ones gives the same points again and again."""
    return not flat.min_minor and not flat.once and program.earning.per_member_day is None


def point_value(program: Program) -> Fraction:
    """Return what a point buys at best, in minor units of money."""
    rule = program.points_as_cash
    worth = Fraction(program.point_value_micro, MICRO)
    if rule is not None and rule.unit_points > 0:
        worth = max(worth, Fraction(rule.unit_minor, rule.unit_points))
    return worth


def best_rate(program: Program) -> Fraction:
    """Return the most points that a minor unit of spend can earn, with every multiplier at once."""
    tiers = program.tiers
    rates = [(one.points, one.per_minor) for one in program.earning.rules]
    rates = rates or [(tier.earn_points, tier.earn_per_minor) for tier in tiers]
    base = max((Fraction(points, per) for points, per in rates if per > 0), default=Fraction(0))
    lift = max((tier.multiplier_milli for tier in tiers), default=1000)
    return base * Fraction(lift, 1000) * _best_multiplier(program)


def _best_multiplier(program: Program) -> Fraction:
    above = [one.milli for one in program.earning.multipliers if one.milli > 1000]
    if program.earning.stack == "max":
        return Fraction(max(above, default=1000), 1000)
    if program.earning.stack == "add":
        return Fraction(1000 + sum(milli - 1000 for milli in above), 1000)
    product = Fraction(1)
    for milli in above:
        product *= Fraction(milli, 1000)
    return product


def _pays_itself(program: Program) -> Iterator[Finding]:
    share = best_rate(program) * point_value(program)
    if share >= 1:
        path: Path = ("points_as_cash",) if program.points_as_cash is not None else ("point_value_micro",)
        figures: dict[str, int | str] = {"rate_bp": int(share * 10_000)}
        yield Finding(path, Reason("PROGRAM_EARN_EXCEEDS_SPEND", figures))
