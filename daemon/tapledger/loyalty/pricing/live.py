"""Promotions that can hold now, found by article, code and amount instead of by search."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.pricing.basket import ChosenCoupon, Shopper
from tapledger.loyalty.program.earning import EarnRule, Flat, Multiplier
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.articles import Articles
from tapledger.loyalty.promotions.protocol import Slate


class Step:
    """A promotion or coupon in its place of the order in which things are applied."""

    __slots__ = (
        "articles", "at_minor", "below_minor", "benefit", "class_", "code", "combines", "coupon", "exclusive",
        "expires_at", "gift", "group", "id", "key", "kind", "lane", "min_minor", "personal", "promotion",
        "solo",
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
        at, below = promotion.benefit.band()
        self.at_minor, self.below_minor = max(at, promotion.min_minor), below
        """The least basis at which it can do anything, and from which on it can not."""
        self.group, self.solo, self.class_ = promotion.group, promotion.solo, promotion.class_name()
        self.combines = None if promotion.combines is None else frozenset(promotion.combines)
        self.exclusive = bool(self.group or self.solo or self.combines is not None)
        self.code = promotion.code
        self.gift = promotion.benefit.gift(self.id)
        self.personal = is_personal(promotion.when)

    def band(self, before_discounts: bool) -> tuple[int, int | None]:
        """Return the least list price of its articles at which it can apply, and where it surely ends.

        A basis that discounts have lowered can lie below an end that the list price is above.
        """
        return self.at_minor, self.below_minor if before_discounts else None

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


Band = tuple[int, int, int | None]
"""Rank of a step, the least basis at which it can do anything, and the one from which on it can not."""


class Bands:
    """Steps by the list prices at which they can apply: no discount ever raises a basis."""

    __slots__ = ("_edges", "_ranks")

    def __init__(self, bands: Sequence[Band]) -> None:
        ends = {below for _, _, below in bands if below is not None}
        self._edges = sorted({at for _, at, _ in bands} | ends)
        self._ranks = [
            [rank for rank, at, below in bands if at <= edge and (below is None or edge < below)]
            for edge in (-1, *self._edges)
        ]

    def at(self, gross_minor: int) -> list[int]:
        """Return the ranks of what can apply when the articles cost so much before any discount."""
        return self._ranks[bisect_right(self._edges, gross_minor)]


class Live:
    """What can hold for a tier while the same windows are open: promotions and earning."""

    __slots__ = (
        "by_category",
        "by_code",
        "by_order",
        "by_sku",
        "flats",
        "multipliers",
        "rules",
        "steps",
    )

    def __init__(self, steps: Sequence[Step], before_discounts: bool) -> None:
        self.steps = steps
        self.by_code: dict[str, list[int]] = {}
        self.by_sku: dict[str, list[int]] = {}
        self.rules: list[tuple[EarnRule, Articles]] = []
        self.multipliers: list[tuple[Multiplier, Articles]] = []
        self.flats: list[tuple[Flat, Articles]] = []
        order: list[Band] = []
        by_category: dict[str, list[Band]] = {}
        for rank, step in enumerate(steps):
            scope = step.articles.scope
            if step.code:
                self.by_code.setdefault(step.code, []).append(rank)
            elif step.articles.named:
                certain = step.articles.one_category
                for category in set(scope.categories):
                    band = step.band(before_discounts) if certain else (0, None)
                    by_category.setdefault(category, []).append((rank, *band))
                for sku in set(scope.skus):
                    self.by_sku.setdefault(sku, []).append(rank)
            else:
                at, below = step.band(before_discounts)
                order.append((rank, at, below if step.articles.everything else None))
        self.by_order = Bands(order)
        self.by_category = {category: Bands(bands) for category, bands in by_category.items()}

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
        articles, gross = slate.articles, slate.gross
        in_one: dict[int, list[int]] = {}
        by_category: dict[str, list[int]] = {}
        for i in slate.goods:
            category = articles[i].category
            if category in by_category:
                by_category[category].append(i)
            else:
                by_category[category] = [i]
        for category, lines in by_category.items():
            bands = self.by_category.get(category)
            if bands is not None:
                for rank in bands.at(sum([gross[i] for i in lines])):
                    in_one[rank] = lines
        found = set(self.by_order.at(slate.gross_total))
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
