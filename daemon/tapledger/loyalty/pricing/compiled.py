"""A programme made ready for pricing: what can hold now is found by article, code and amount."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

import msgspec

from tapledger.loyalty.conditions import Condition, Scope
from tapledger.loyalty.pricing.amounts import rounding
from tapledger.loyalty.pricing.basket import ChosenCoupon, Moment, Shopper
from tapledger.loyalty.program import Program, Tier
from tapledger.loyalty.program.earning import Earning, EarnRule, Flat, Multiplier
from tapledger.loyalty.program.prices import Money, PointsAsCash
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.protocol import Article, Slate

MAX_LIVE = 256
"""Kept indexes: one for each tier and state of the windows that was met."""


class Articles:
    """A scope that is quick to ask. Categories and articles that are named add up; exceptions take away."""

    __slots__ = (
        "_categories", "_except_categories", "_except_skus", "_skus", "everything", "named", "one_category",
        "scope",
    )  # fmt: skip

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._categories, self._skus = frozenset(scope.categories), frozenset(scope.skus)
        self._except_categories = frozenset(scope.except_categories)
        self._except_skus = frozenset(scope.except_skus)
        self.named = bool(scope.categories or scope.skus)
        excepts = bool(scope.except_categories or scope.except_skus)
        self.everything = not (self.named or excepts)
        self.one_category = len(self._categories) == 1 and not (self._skus or excepts)

    def has(self, article: Article) -> bool:
        if self.everything:
            return True
        category, sku = article.category, article.sku
        if category in self._except_categories or sku in self._except_skus:
            return False
        return not self.named or category in self._categories or sku in self._skus

    def of(self, slate: Slate) -> list[int]:
        """Return the lines of a slate that are in scope."""
        if self.everything:
            return slate.goods
        return [i for i in slate.goods if self.has(slate.articles[i])]


class Step:
    """A promotion or coupon in its place of the order in which things are applied."""

    __slots__ = (
        "articles", "benefit", "class_", "code", "combines", "coupon", "exclusive", "expires_at", "gift",
        "group", "id", "key", "kind", "lane", "min_minor", "personal", "promotion", "solo",
    )  # fmt: skip

    def __init__(self, promotion: Promotion, coupon: ChosenCoupon | None = None) -> None:
        self.promotion = promotion
        self.id = promotion.id
        self.coupon = "" if coupon is None else coupon.id
        self.expires_at = None if coupon is None else coupon.expires_at
        self.benefit = promotion.benefit
        self.kind = str(promotion.benefit.__struct_config__.tag)
        self.lane = promotion.lane_number()
        self.key = (self.lane, promotion.priority, self.id, self.coupon)
        self.articles = Articles(promotion.scope)
        self.min_minor = promotion.min_minor
        self.group, self.solo, self.class_ = promotion.group, promotion.solo, promotion.class_name()
        self.combines = None if promotion.combines is None else frozenset(promotion.combines)
        self.exclusive = bool(self.group or self.solo or self.combines is not None)
        self.code = promotion.code
        self.gift = promotion.benefit.gift(self.id)
        self.personal = is_personal(promotion.when)

    def goes_with(self, other: Step) -> bool:
        """Tell whether both may be used for one sale: solo, groups, and classes agreeing both ways."""
        return not self.clashes(other)

    def clashes(self, other: Step) -> list[str]:
        """Return the rules that keep two apart: ``solo:ID``, ``group:NAME``, ``class``."""
        found = [f"solo:{one.id}" for one in (self, other) if one.solo]
        if self.group and self.group == other.group:
            found.append(f"group:{self.group}")
        ours = self.combines is None or other.class_ in self.combines
        theirs = other.combines is None or self.class_ in other.combines
        if not (ours and theirs):
            found.append("class")
        return found


def is_personal(when: Condition) -> bool:
    """Tell whether a condition depends on more of the member than their tier and birthday."""
    return bool(when.segments or when.campaign)


def suits(when: Condition, shopper: Shopper | None) -> bool:
    """Tell whether the personal part of a condition is true; it is where there is none."""
    if not (when.segments or when.campaign):
        return True
    if shopper is None:
        return False
    if when.segments and shopper.segments.isdisjoint(when.segments):
        return False
    return not when.campaign or when.campaign in shopper.campaigns


class Live:
    """What can hold for a tier while the same windows are open: promotions and earning."""

    __slots__ = (
        "by_category",
        "by_code",
        "by_order",
        "by_sku",
        "edges",
        "flats",
        "multipliers",
        "rules",
        "steps",
    )

    def __init__(self, steps: Sequence[Step], before_discounts: bool) -> None:
        self.steps = steps
        self.by_code: dict[str, list[int]] = {}
        self.by_category: dict[str, list[int]] = {}
        self.by_sku: dict[str, list[int]] = {}
        self.rules: list[tuple[EarnRule, Articles]] = []
        self.multipliers: list[tuple[Multiplier, Articles]] = []
        self.flats: list[tuple[Flat, Articles]] = []
        order: list[tuple[int, int, int | None]] = []
        for rank, step in enumerate(steps):
            if step.code:
                self.by_code.setdefault(step.code, []).append(rank)
            elif step.articles.named:
                for category in set(step.articles.scope.categories):
                    self.by_category.setdefault(category, []).append(rank)
                for sku in set(step.articles.scope.skus):
                    self.by_sku.setdefault(sku, []).append(rank)
            else:
                at, below = step.benefit.band()
                certain = before_discounts and step.articles.everything
                order.append((rank, max(at, step.min_minor), below if certain else None))
        self._place(order)

    def _place(self, order: list[tuple[int, int, int | None]]) -> None:
        """Put what is about the whole order beside the list prices of baskets at which it can apply."""
        self.edges = sorted(
            {at for _, at, _ in order} | {below for _, _, below in order if below is not None}
        )
        self.by_order = [
            [
                rank
                for rank, at, below in order
                if at <= edge and (below is None or edge < below)
            ]
            for edge in (-1, *self.edges)
        ]  # fmt: skip

    def steps_for(self, codes: Iterable[str], shopper: Shopper | None) -> list[Step]:
        """Return every promotion that holds for a member who gave these codes, whatever the basket."""
        given = {"", *codes}
        return [
            step
            for step in self.steps
            if step.code in given and (not step.personal or suits(step.promotion.when, shopper))
        ]

    def candidates(
        self, slate: Slate, codes: Iterable[str], shopper: Shopper | None
    ) -> list[tuple[Step, Sequence[int]]]:
        """Return what may apply, in its order, each with the lines it is about."""
        articles = slate.articles
        in_one: dict[int, list[int]] = {}
        found = set(self.by_order[bisect_right(self.edges, slate.gross_total)])
        by_category: dict[str, list[int]] = {}
        for i in slate.goods:
            category = articles[i].category
            if category in by_category:
                by_category[category].append(i)
            else:
                by_category[category] = [i]
        for category, lines in by_category.items():
            for rank in self.by_category.get(category, ()):
                in_one[rank] = lines
        found.update(in_one)
        if self.by_sku:
            for i in slate.goods:
                found.update(self.by_sku.get(articles[i].sku, ()))
        for code in codes:
            found.update(self.by_code.get(code, ()))
        steps = self.steps
        answer: list[tuple[Step, Sequence[int]]] = []
        for rank in sorted(found):
            step = steps[rank]
            if step.personal and not suits(step.promotion.when, shopper):
                continue
            lines = in_one[rank] if rank in in_one and step.articles.one_category else step.articles.of(slate)
            if lines:
                answer.append((step, lines))
        return answer


class Standing(msgspec.Struct, frozen=True):
    """What a tier means for prices and points."""

    id: str
    discount_bp: int
    multiplier_milli: int
    rule: EarnRule
    """How it earns where the programme has no rules of its own."""


class Compiled:
    """A programme's prices and earning. Keep one for each: making it costs far more than using it."""

    def __init__(
        self,
        *,
        currency: str,
        zone: ZoneInfo,
        tiers: Sequence[Tier],
        promotions: Sequence[Promotion] = (),
        earning: Earning | None = None,
        money: Money | None = None,
        points_as_cash: PointsAsCash | None = None,
    ) -> None:
        self.currency = currency
        self.money = money or Money()
        self.earning = earning or Earning()
        self.points_as_cash = points_as_cash
        self.rounded = rounding(self.money.rounding)
        self.before_discounts = self.money.threshold == "before_discounts"
        self.tax_exclusive = self.money.tax == "exclusive"
        self._standings = {tier.id: _standing(tier) for tier in tiers}
        self._lowest = _standing(tiers[0])
        self._zone = zone
        self._steps = sorted((Step(promotion) for promotion in promotions), key=lambda step: step.key)
        conditions = list(self._conditions())
        self._windows = frozenset(when.window for when in conditions if when.window)
        self._birthday = any(when.birthday for when in conditions)
        self._instants = sorted(
            {self._instant(at) for when in conditions for at in (when.from_, when.to) if at is not None}
        )
        self._lives: dict[tuple[str | None, frozenset[str], bool, int], Live] = {}

    def _conditions(self) -> Iterator[Condition]:
        yield from (step.promotion.when for step in self._steps)
        yield from (rule.when for rule in self.earning.rules)
        yield from (multiplier.when for multiplier in self.earning.multipliers)
        yield from (flat.when for flat in self.earning.flats)

    def _instant(self, local: dt.datetime) -> dt.datetime:
        return (local if local.tzinfo else local.replace(tzinfo=self._zone)).astimezone(dt.UTC)

    def standing(self, tier: str) -> Standing:
        """Return what a tier means; the lowest for an id that this programme does not know."""
        return self._standings.get(tier, self._lowest)

    def newcomer(self) -> Shopper:
        """Return a member in the lowest tier: who an unknown customer would be."""
        return Shopper("", self._lowest.id)

    def holds(self, when: Condition, shopper: Shopper | None, moment: Moment) -> bool:
        """Tell whether a condition is true."""
        return self._holds_for_all(when, shopper, moment) and suits(when, shopper)

    def _holds_for_all(self, when: Condition, shopper: Shopper | None, moment: Moment) -> bool:
        if shopper is None and (when.tiers or when.members_only or when.birthday):
            return False
        if shopper is not None and when.tiers and shopper.tier not in when.tiers:
            return False
        if shopper is not None and when.birthday and not shopper.birthday:
            return False
        if when.window and when.window not in moment.open_windows:
            return False
        if when.from_ is not None and moment.now < self._instant(when.from_):
            return False
        return when.to is None or moment.now < self._instant(when.to)

    def live(self, shopper: Shopper | None, moment: Moment) -> Live:
        """Return what can hold now for a member of this tier."""
        key = (
            None if shopper is None else shopper.tier,
            moment.open_windows & self._windows,
            self._birthday and shopper is not None and shopper.birthday,
            bisect_right(self._instants, moment.now),
        )
        live = self._lives.get(key)
        if live is None:
            live = self._live(shopper, moment)
            if len(self._lives) >= MAX_LIVE:
                self._lives.clear()
            self._lives[key] = live
        return live

    def _live(self, shopper: Shopper | None, moment: Moment) -> Live:
        def now(when: Condition) -> bool:
            return self._holds_for_all(when, shopper, moment)

        live = Live([step for step in self._steps if now(step.promotion.when)], self.before_discounts)
        rules = self.earning.rules or [self.standing("" if shopper is None else shopper.tier).rule]
        live.rules = [
            (rule, Articles(rule.scope))
            for rule in sorted(rules, key=lambda rule: (-rule.priority, rule.id))
            if now(rule.when)
        ]
        live.multipliers = [(one, Articles(one.scope)) for one in self.earning.multipliers if now(one.when)]
        live.flats = [(flat, Articles(flat.scope)) for flat in self.earning.flats if now(flat.when)]
        return live


def _standing(tier: Tier) -> Standing:
    rule = EarnRule(f"tier.{tier.id}", tier.earn_points, tier.earn_per_minor)
    return Standing(tier.id, tier.discount_bp, tier.multiplier_milli, rule)


def compile_program(program: Program) -> Compiled:
    """Make a programme ready for pricing."""
    return Compiled(
        currency=program.currency,
        zone=program.zone(),
        tiers=program.tiers,
        promotions=program.promotions,
        earning=program.earning,
        money=program.money,
        points_as_cash=program.points_as_cash,
    )
