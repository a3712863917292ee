"""The pipeline again, slowly: fractions, lists of single pieces, no index. Written from the specification,
apart from the engine, so that a mistake in one of them shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

from tapledger.loyalty.conditions import Condition, Scope
from tapledger.loyalty.pricing import Basket, BasketLine, Moment, Shopper
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.earning import Earning, EarnRule, Multiplier
from tapledger.loyalty.program.prices import Money, PointsAsCash
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.bundle import Bundle
from tapledger.loyalty.promotions.every_threshold import EveryThreshold
from tapledger.loyalty.promotions.fixed_price import FixedPrice
from tapledger.loyalty.promotions.free_item import FreeItem
from tapledger.loyalty.promotions.gift_item import GiftItem
from tapledger.loyalty.promotions.n_for_m import NForM
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Rules:
    promotions: Sequence[Promotion] = ()
    tiers: Sequence[Tier] = (Tier("normal", {"en": "Member"}),)
    earning: Earning = field(default_factory=Earning)
    money: Money = field(default_factory=Money)
    points_as_cash: PointsAsCash | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))


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


# ---- numbers ---------------------------------------------------------------------------------------------
def half_up(exact: Fraction) -> int:
    return floor(exact + HALF)


def rounded(exact: Fraction, mode: str) -> int:
    if mode == "down":
        return floor(exact)
    if mode == "half_even":
        return round(exact)
    return half_up(exact)


def hamilton(weights: Sequence[Fraction | int], total: int) -> list[int]:
    """Largest remainder, ties to the lowest index."""
    whole = Fraction(sum(weights))
    exact = [total * weight / whole for weight in weights]
    shares = [floor(one) for one in exact]
    by_rest = sorted(range(len(weights)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_rest[: total - sum(shares)]:
        shares[i] += 1
    return shares


def within(weights: Sequence[Fraction], limits: Sequence[int], total: int) -> list[int]:
    """Largest remainder; what a line cannot take goes to the first that can."""
    shares = hamilton(weights, total)
    for i, limit in enumerate(limits):
        while shares[i] > limit:
            shares[i] -= 1
            j = next(j for j in range(len(limits)) if shares[j] < limits[j] and j != i)
            shares[j] += 1
    return shares


# ---- what holds ------------------------------------------------------------------------------------------
def in_scope(scope: Scope, line: BasketLine) -> bool:
    if line.category in scope.except_categories or line.sku in scope.except_skus:
        return False
    if not scope.categories and not scope.skus:
        return True
    return line.category in scope.categories or line.sku in scope.skus


def holds(when: Condition, shopper: Shopper | None, moment: Moment, zone: ZoneInfo) -> bool:
    local = moment.now.astimezone(zone).replace(tzinfo=None)
    personal = bool(when.tiers or when.segments or when.campaign or when.members_only or when.birthday)
    return all(
        [
            shopper is not None or not personal,
            not when.tiers or (shopper is not None and shopper.tier in when.tiers),
            not when.segments or (shopper is not None and set(when.segments) & shopper.segments),
            not when.campaign or (shopper is not None and when.campaign in shopper.campaigns),
            not when.birthday or (shopper is not None and shopper.birthday),
            not when.window or when.window in moment.open_windows,
            when.from_ is None or local >= when.from_,
            when.to is None or local < when.to,
        ]
    )


def together(one: Promotion, other: Promotion) -> bool:
    if one.solo or other.solo or (one.group and one.group == other.group):
        return False
    return all(
        first.combines is None or second.class_name() in first.combines
        for first, second in ((one, other), (other, one))
    )


# ---- one benefit -----------------------------------------------------------------------------------------
class Till:
    """The lines while they are priced."""

    def __init__(self, basket: Basket, rules: Rules) -> None:
        self.lines, self.rules = basket.lines, rules
        units = [x.unit_minor if x.manual_unit_minor is None else x.manual_unit_minor for x in self.lines]
        self.gross = [
            half_up(Fraction(unit * x.quantity_milli, 1000))
            for unit, x in zip(units, self.lines, strict=True)
        ]
        self.left = list(self.gross)
        self.goods = [i for i, x in enumerate(self.lines) if self.gross[i] and not x.kind]

    def scope(self, scope: Scope) -> list[int]:
        return [i for i in self.goods if in_scope(scope, self.lines[i])]

    def basis(self, lines: list[int]) -> int:
        of = self.gross if self.rules.money.threshold == "before_discounts" else self.left
        return sum(of[i] for i in lines)

    def pieces(self, lines: list[int]) -> list[tuple[Fraction, int]]:
        """Return every whole piece as its value now and its line."""
        found = []
        for i in lines:
            line = self.lines[i]
            if not line.weighed:
                value = Fraction(self.left[i] * 1000, line.quantity_milli)
                found += [(value, i)] * (line.quantity_milli // 1000)
        return found

    def take(self, shares: dict[int, int]) -> dict[int, int]:
        for i, part in shares.items():
            self.left[i] -= part
            assert self.left[i] >= 0
        return {i: part for i, part in shares.items() if part}

    def spread(self, lines: list[int], exact: Fraction, cap: int | None = None) -> tuple[int, dict[int, int]]:
        """Take an amount off by what is left of each line."""
        total = sum(self.left[i] for i in lines)
        amount = rounded(exact, self.rules.money.rounding)
        amount = min([amount, total] + ([cap] if cap is not None else []))
        if not amount:
            return 0, {}
        shares = hamilton([self.left[i] for i in lines], amount)
        return amount, self.take(dict(zip(lines, shares, strict=True)))

    def parts(self, exact: dict[int, Fraction]) -> tuple[int, dict[int, int]]:
        """Take exact parts off their lines."""
        exact = {i: exact[i] for i in sorted(exact) if exact[i]}
        amount = rounded(sum(exact.values(), Fraction(0)), self.rules.money.rounding)
        if not amount:
            return 0, {}
        shares = within(list(exact.values()), [self.left[i] for i in exact], amount)
        return amount, self.take(dict(zip(exact, shares, strict=True)))


def apply(promotion: Promotion, till: Till) -> tuple[int, dict[int, int]] | None:
    """Apply one promotion; None when it does nothing."""
    lines = till.scope(promotion.scope)
    left = sum(till.left[i] for i in lines)
    if not left or till.basis(lines) < promotion.min_minor:
        return None
    if isinstance(promotion.benefit, GiftItem):
        return 0, {}
    amount, shares = BENEFITS[type(promotion.benefit)](promotion.benefit, till, lines)
    return (amount, shares) if amount else None


Reached = tuple[int, dict[int, int]]


def _amount(benefit: Amount, till: Till, lines: list[int]) -> Reached:
    return till.spread(lines, Fraction(benefit.off_minor))


def _percent(benefit: Percent, till: Till, lines: list[int]) -> Reached:
    left = sum(till.left[i] for i in lines)
    return till.spread(lines, Fraction(left * benefit.rate_bp, 10_000), benefit.cap_minor)


def _threshold(benefit: Threshold, till: Till, lines: list[int]) -> Reached:
    basis = till.basis(lines)
    if basis < benefit.at_minor or (benefit.below_minor is not None and basis >= benefit.below_minor):
        return 0, {}
    return till.spread(lines, Fraction(benefit.off_minor))


def _every_threshold(benefit: EveryThreshold, till: Till, lines: list[int]) -> Reached:
    times = till.basis(lines) // benefit.at_minor
    return till.spread(lines, Fraction(times * benefit.off_minor), benefit.cap_minor)


def _fixed_price(benefit: FixedPrice, till: Till, lines: list[int]) -> Reached:
    price = {i: Fraction(benefit.price_minor * till.lines[i].quantity_milli, 1000) for i in lines}
    return till.parts({i: till.left[i] - price[i] for i in lines if till.left[i] > price[i]})


def _free_item(benefit: FreeItem, till: Till, lines: list[int]) -> Reached:
    pieces = [piece for piece in till.pieces(lines) if piece[0]]
    if not pieces:
        return 0, {}
    value, i = min(pieces)
    return till.parts({i: value})


def _n_for_m(benefit: NForM, till: Till, lines: list[int]) -> Reached:
    pieces = till.pieces(lines)
    rounds = len(pieces) // (benefit.buy + benefit.get)
    if benefit.max_units is not None:
        rounds = min(rounds, benefit.max_units // benefit.get)
    if benefit.give == "cheapest":
        given = sorted(pieces)[: rounds * benefit.get]
    else:
        queue = [
            piece
            for i in sorted(lines, key=lambda line: -till.gross[line])
            for piece in pieces
            if piece[1] == i
        ]
        given = []
        for _ in range(rounds):
            queue = queue[benefit.buy :]
            given += queue[: benefit.get]
            queue = queue[benefit.get :]
    exact: dict[int, Fraction] = {}
    for value, i in given:
        exact[i] = exact.get(i, Fraction(0)) + value * benefit.rate_bp / 10_000
    return till.parts(exact)


def _bundle(benefit: Bundle, till: Till, lines: list[int]) -> Reached:
    dearest = sorted(till.pieces(lines), key=lambda piece: (-piece[0], -piece[1]))
    best: dict[int, Fraction] = {}
    saved = Fraction(0)
    used: list[tuple[Fraction, int]] = []
    for number in range(1, benefit.max_bundles + 1):
        for part in benefit.parts:
            for _ in range(part.count):
                fitting = [
                    piece
                    for piece in dearest
                    if till.lines[piece[1]].sku in part.skus
                    or till.lines[piece[1]].category in part.categories
                ]
                if not fitting:
                    return till.parts(best)
                used.append(fitting[0])
                dearest.remove(fitting[0])
        worth = sum((value for value, _ in used), Fraction(0))
        less = worth - number * benefit.price_minor
        if less <= saved:
            return till.parts(best)
        saved, best = less, {}
        for value, i in used:
            best[i] = best.get(i, Fraction(0)) + value * less / worth
    return till.parts(best)


BENEFITS: dict[type, Callable[..., Reached]] = {
    Amount: _amount,
    Percent: _percent,
    Threshold: _threshold,
    EveryThreshold: _every_threshold,
    FixedPrice: _fixed_price,
    FreeItem: _free_item,
    NForM: _n_for_m,
    Bundle: _bundle,
}


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
