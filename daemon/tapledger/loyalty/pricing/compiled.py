"""A programme made ready for pricing, once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import msgspec

from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.days import instant
from tapledger.loyalty.pricing.amounts import rounding
from tapledger.loyalty.pricing.basket import Moment, Shopper
from tapledger.loyalty.pricing.live import Live, Step, suits
from tapledger.loyalty.program import Program, Tier
from tapledger.loyalty.program.earning import Earning, EarnRule
from tapledger.loyalty.program.prices import Money, PointsAsCash
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.articles import Articles

MAX_LIVE = 64
"""Kept indexes: one for each tier and state of the windows that was met."""


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
            {instant(at, zone) for when in conditions for at in (when.from_, when.to) if at is not None}
        )
        self._lives: dict[tuple[str | None, frozenset[str], bool, int], Live] = {}

    def _conditions(self) -> Iterator[Condition]:
        yield from (step.promotion.when for step in self._steps)
        yield from (rule.when for rule in self.earning.rules)
        yield from (multiplier.when for multiplier in self.earning.multipliers)
        yield from (flat.when for flat in self.earning.flats)

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
        if when.from_ is not None and moment.now < instant(when.from_, self._zone):
            return False
        return when.to is None or moment.now < instant(when.to, self._zone)

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
