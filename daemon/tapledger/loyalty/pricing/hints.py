"""How little more would reach a threshold: "add 12.00 to get 满200减30", to the unit."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.pricing.basket import Basket, BasketLine, Moment, Shopper
from tapledger.loyalty.pricing.compiled import Compiled
from tapledger.loyalty.pricing.live import Step
from tapledger.loyalty.pricing.pipeline import Candidates, Run, basis_of, candidates, opened
from tapledger.loyalty.promotions.every_threshold import EveryThreshold
from tapledger.loyalty.promotions.threshold import Threshold

MAX_HINTS = 3
"""The nearest ones; each costs some runs of the pipeline."""
FARTHEST = 4
"""No hint asks for more than so many times what is missing: a discount before it eats what is added."""


class Hint(msgspec.Struct, frozen=True):
    """What to add, at list price, so that a promotion or coupon takes (more) off."""

    id: str
    add_minor: int
    coupon: str
    reason: Reason


def hints(
    basket: Basket,
    offered: Sequence[Step],
    shopper: Shopper | None,
    compiled: Compiled,
    moment: Moment,
) -> tuple[Hint, ...]:
    """Return the nearest thresholds that are not reached, with the least that must be added for each.

    ``basket`` has the coupons that are used; ``offered`` are all that may be. What is added is one ordinary
    article of the scope that no other promotion of its own touches.
    """
    chosen = [Step(coupon.promotion, coupon) for coupon in basket.coupons]
    waiting = [
        step
        for step in (*compiled.live(shopper, moment).steps_for(basket.codes, shopper), *offered)
        if all(step.coupon == one.coupon != "" or step.goes_with(one) for one in chosen)
    ]
    near = []
    for step in waiting:
        if step.min_minor or step.benefit.next_at(0) is not None:
            probe = _Probe(step, basket, chosen, shopper, compiled, moment)
            at = probe.next_at()
            if at is not None:
                near.append((at - probe.basis, at, step.key, step, probe))
    near.sort(key=lambda one: one[:3])
    found = []
    for missing, at, _, step, probe in near[:MAX_HINTS]:
        add = probe.least(missing, at)
        if add is not None:
            found.append(Hint(step.id, add, step.coupon, _reason(step, add, at, compiled.currency)))
    return tuple(found)


class _Probe:
    """Asks what a step's threshold would look at if the basket had one article more."""

    def __init__(
        self,
        step: Step,
        basket: Basket,
        chosen: Sequence[Step],
        shopper: Shopper | None,
        compiled: Compiled,
        moment: Moment,
    ) -> None:
        self._step, self._basket, self._chosen = step, basket, chosen
        self._shopper, self._compiled, self._moment = shopper, compiled, moment
        self.basis = self._basis_with(0)

    def next_at(self) -> int | None:
        """Return the basis at which the step takes more off than now; None where it never will."""
        if self.basis < self._step.min_minor:
            return max(self._step.min_minor, self._step.benefit.next_at(0) or 0)
        return self._step.benefit.next_at(self.basis)

    def least(self, missing: int, at: int) -> int | None:
        """Return the least list price that reaches ``at``; an added unit never adds more than one."""
        low, high = missing - 1, missing
        while self._basis_with(high) < at:
            low, high = high, high * 2
            if high > FARTHEST * missing:
                return None
        while high - low > 1:
            middle = (low + high) // 2
            if self._basis_with(middle) < at:
                low = middle
            else:
                high = middle
        return high

    def _basis_with(self, added_minor: int) -> int:
        scope, step, compiled = self._step.promotion.scope, self._step, self._compiled
        category = scope.categories[0] if scope.categories else ""
        sku = scope.skus[0] if scope.skus and not category else ""
        lines = self._basket.lines
        if added_minor:
            lines = (*lines, BasketLine(sku, "", 1000, added_minor, 0, category))
        basket = msgspec.structs.replace(self._basket, lines=lines)
        slate, _ = opened(basket, self._shopper, compiled)
        automatic = candidates(basket, slate, self._shopper, compiled, self._moment)
        coupons: Candidates = [(one, one.articles.of(slate)) for one in self._chosen]
        Run(slate, automatic, coupons, basket, compiled, until=step)
        return basis_of(slate, step.articles.of(slate), compiled.before_discounts)


def _reason(step: Step, add: int, at: int, currency: str) -> Reason:
    benefit = step.benefit
    if isinstance(benefit, Threshold | EveryThreshold) and at > step.min_minor:
        return Reason(
            "HINT_THRESHOLD",
            {
                "promotion": step.id,
                "add_minor": add,
                "at_minor": at,
                "off_minor": benefit.off_minor,
                "currency": currency,
            },
        )
    return Reason("HINT_MIN", {"promotion": step.id, "add_minor": add, "at_minor": at, "currency": currency})
