"""The pipeline again, slowly: fractions, lists of single pieces, no index. Written from the specification,
apart from the engine, so that a mistake in one of them shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from tapledger.loyalty.pricing import Basket, BasketLine, Moment, Shopper
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.earning import Earning, EarnRule, Multiplier
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.gift_item import GiftItem
from tests.loyalty.oracle_benefits import (
    Rules,
    Till,
    apply,
    half_up,
    hamilton,
    holds,
    in_scope,
    together,
    within,
)

__all__ = ["Result", "Rules", "price"]


@dataclass
class Result:
    discounts: list[tuple[str, int, dict[int, int]]] = field(default_factory=list)
    """Id, amount, shares by line, in the order of application."""
    left: list[int] = field(default_factory=list)
    tax: list[int] = field(default_factory=list)
    total: int = 0
    earned: int = 0
    points_used: int = 0
    coupons: list[str] = field(default_factory=list)
    gifts: list[str] = field(default_factory=list)


# ---- lanes -----------------------------------------------------------------------------------------------
def price(basket: Basket, shopper: Shopper | None, rules: Rules, moment: Moment) -> Result:
    """Price a basket."""
    tier = None if shopper is None else {one.id: one for one in rules.tiers}.get(shopper.tier, rules.tiers[0])
    coupons = sorted(basket.coupons, key=lambda one: (*_place(one.promotion), one.id))
    kept: list[tuple[Promotion, str]] = []
    for one in coupons:
        usable = one.expires_at is None or moment.now < one.expires_at
        if (
            usable
            and holds(one.promotion.when, shopper, moment, rules.zone)
            and Till(basket, rules).scope(one.promotion.scope)
            and len(kept) < rules.money.max_coupons
            and all(together(one.promotion, other) for other, _ in kept)
        ):
            kept.append((one.promotion, one.id))
    while True:
        result, till = Result(), Till(basket, rules)
        if tier is not None:
            _lane_one(till, tier, result)
        idle = _lanes_two_and_three(till, basket, kept, shopper, moment, result)
        if not idle:
            break
        kept = [one for one in kept if one[1] not in idle]
    _pay_with_points(till, basket, shopper, rules, result)
    _finish(till, shopper, tier, moment, result)
    return result


def _place(promotion: Promotion) -> tuple[int, int, str]:
    return promotion.lane_number(), promotion.priority, promotion.id


def _lane_one(till: Till, tier: Tier, result: Result) -> None:
    """Of each line the better one; a tie goes to the member price; one rounding."""
    exact, kinds = {}, {}
    for i in till.goods:
        line = till.lines[i]
        if line.manual_unit_minor is not None:
            continue
        by_tier = Fraction(till.gross[i] * tier.discount_bp, 10_000)
        by_member = Fraction(-1)
        if line.member_minor is not None:
            by_member = till.gross[i] - Fraction(line.member_minor * line.quantity_milli, 1000)
        if max(by_tier, by_member) > 0:
            exact[i] = max(by_tier, by_member)
            kinds[i] = "member_price" if by_member >= by_tier else "tier"
    amount = half_up(sum(exact.values(), Fraction(0)))
    if amount:
        parts = within(list(exact.values()), [till.left[i] for i in exact], amount)
        shares = till.take(dict(zip(exact, parts, strict=True)))
        for kind in ("member_price", "tier"):
            mine = {i: part for i, part in shares.items() if kinds[i] == kind}
            if mine:
                result.discounts.append((kind, sum(mine.values()), mine))


def _lanes_two_and_three(
    till: Till,
    basket: Basket,
    kept: list[tuple[Promotion, str]],
    shopper: Shopper | None,
    moment: Moment,
    result: Result,
) -> set[str]:
    """Apply in order of lane, priority and id; return the coupons that did nothing."""
    rules = till.rules
    automatic = [
        (one, "")
        for one in rules.promotions
        if holds(one.when, shopper, moment, rules.zone) and (not one.code or one.code in basket.codes)
    ]
    steps = sorted([*automatic, *kept], key=lambda one: (*_place(one[0]), one[1]))
    applied: list[Promotion] = []
    idle = set()
    manual_done = basket.manual is None
    for promotion, coupon in steps:
        if not manual_done and promotion.lane_number() > 2:
            _manual(till, basket, result)
            manual_done = True
        others = applied + [one for one, _ in kept]
        if not coupon and not all(together(promotion, other) for other in others):
            continue
        one = apply(promotion, till)
        if one is None:
            idle |= {coupon} - {""}
            continue
        applied.append(promotion)
        result.discounts.append((promotion.id, *one))
        if coupon:
            result.coupons.append(coupon)
        if isinstance(promotion.benefit, GiftItem):
            result.gifts.append(promotion.benefit.sku)
    if not manual_done:
        _manual(till, basket, result)
    return idle


def _manual(till: Till, basket: Basket, result: Result) -> None:
    assert basket.manual is not None
    left = sum(till.left[i] for i in till.goods)
    exact = Fraction(basket.manual.off_minor) + Fraction(left * basket.manual.rate_bp, 10_000)
    if basket.manual.down_to_minor:
        exact = Fraction(left % basket.manual.down_to_minor)
    amount, shares = till.spread(till.goods, exact)
    if amount:
        result.discounts.append(("manual", amount, shares))


def _pay_with_points(
    till: Till, basket: Basket, shopper: Shopper | None, rules: Rules, result: Result
) -> None:
    cash = rules.points_as_cash
    left = sum(till.left[i] for i in till.goods)
    if cash is None or shopper is None or left < cash.min_basket_minor:
        return
    most = min(
        [basket.points, shopper.points_available] + ([cash.max_points] if cash.max_points is not None else [])
    )
    units = min(most // cash.unit_points, floor(Fraction(left * cash.max_pct, 100)) // cash.unit_minor)
    points = units * cash.unit_points
    if points and points >= cash.min_points:
        amount, shares = till.spread(till.goods, Fraction(units * cash.unit_minor))
        result.discounts.append(("points", amount, shares))
        result.points_used = points


# ---- tax and points --------------------------------------------------------------------------------------
def _finish(till: Till, shopper: Shopper | None, tier: Tier | None, moment: Moment, result: Result) -> None:
    money, earning = till.rules.money, till.rules.earning
    result.left, result.tax = till.left, [0] * len(till.left)
    exclusive = money.tax == "exclusive"
    for rate in {line.tax_bp for line in till.lines}:
        mine = [i for i, line in enumerate(till.lines) if line.tax_bp == rate]
        net = sum(till.left[i] for i in mine)
        if net:
            tax = half_up(Fraction(net * rate, 10_000 if exclusive else 10_000 + rate))
            for i, part in zip(mine, hamilton([till.left[i] for i in mine], tax), strict=True):
                result.tax[i] = part
    result.total = sum(till.left) + (sum(result.tax) if exclusive else 0)
    if shopper is None or tier is None:
        return
    points = next((shares for id_, _, shares in result.discounts if id_ == "points"), {})
    bases = []
    for i, line in enumerate(till.lines):
        basis = till.left[i] if i in till.goods and line.earns else 0
        if basis or i in points:
            basis -= 0 if earning.on_tax or exclusive else result.tax[i]
            basis += points.get(i, 0) if earning.on_points_part and line.earns else 0
        bases.append(basis if line.earns else 0)
    result.earned = earned(till.lines, bases, shopper, tier, till.rules, moment)


def earned(
    lines: Sequence[BasketLine],
    bases: list[int],
    shopper: Shopper,
    tier: Tier,
    rules: Rules,
    moment: Moment,
) -> int:
    """Floor once: rules' bases times tier, and what multipliers add on the lines that they touch."""
    earning = rules.earning
    listed = earning.rules or [EarnRule("tier", tier.earn_points, tier.earn_per_minor)]
    listed = sorted(listed, key=lambda rule: (-rule.priority, rule.id))
    alive = [rule for rule in listed if holds(rule.when, shopper, moment, rules.zone)]
    times = [one for one in earning.multipliers if holds(one.when, shopper, moment, rules.zone)]
    of_rule: dict[str, list[int]] = {}
    for i, line in enumerate(lines):
        rule = next((rule for rule in alive if in_scope(rule.scope, line)), None)
        if rule is not None and bases[i] > 0:
            of_rule.setdefault(rule.id, []).append(i)
    plain = extra = Fraction(0)
    for rule in alive:
        mine = of_rule.get(rule.id, [])
        plain += _base(rule, sum(bases[i] for i in mine))
        by_match: dict[tuple[str, ...], list[int]] = {}
        for i in mine:
            hits = tuple(
                one.id
                for one in times
                if (not one.rules or rule.id in one.rules) and in_scope(one.scope, lines[i])
            )
            if hits and earning.stack == "max":
                hits = (max((one for one in times if one.id in hits), key=lambda one: one.milli).id,)
            by_match.setdefault(hits, []).append(i)
        for hits, some in by_match.items():
            factor = _factor([one for one in times if one.id in hits], earning.stack)
            extra += _base(rule, sum(bases[i] for i in some)) * (factor - 1)
    of_tier = Fraction(tier.multiplier_milli, 1000)
    without, points = _rounded(plain * of_tier, earning), _rounded((plain + extra) * of_tier, earning)
    for flat in earning.flats:
        reached = [i for i, line in enumerate(lines) if in_scope(flat.scope, line)]
        basis = sum(bases[i] for i in reached)
        if (
            holds(flat.when, shopper, moment, rules.zone)
            and flat.id not in shopper.flats_taken
            and basis > 0
            and basis >= flat.min_minor
        ):
            points += flat.points
    if moment.budget_left is not None:
        points = min(points, max(without + moment.budget_left, min(points, without)))
    if earning.per_order is not None:
        points = min(points, earning.per_order)
    if earning.per_member_day is not None:
        points = min(points, max(0, earning.per_member_day - shopper.earned_today))
    return points


def _base(rule: EarnRule, basis: int) -> Fraction:
    steps = Fraction(basis, rule.per_minor)
    return (steps if rule.mode == "continuous" else Fraction(floor(steps))) * rule.points


def _factor(matching: list[Multiplier], stack: str) -> Fraction:
    factors = [Fraction(one.milli, 1000) for one in matching]
    if not factors:
        return Fraction(1)
    if stack == "max":
        return max(factors)
    if stack == "add":
        return max(Fraction(0), 1 + sum((factor - 1 for factor in factors), Fraction(0)))
    product = Fraction(1)
    for factor in factors:
        product *= factor
    return product


def _rounded(exact: Fraction, earning: Earning) -> int:
    if earning.rounding == "up":
        return -floor(-exact)
    return half_up(exact) if earning.rounding == "half_up" else floor(exact)
