"""The slow oracle's numbers, conditions and kinds of benefit; see ``oracle``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

from tapledger.loyalty.conditions import Condition, Scope
from tapledger.loyalty.pricing import Basket, BasketLine, Moment, Shopper
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.earning import Earning
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
