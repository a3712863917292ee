"""Articles at a special price."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.promotions.protocol import Figures, Rule, Slate, Taken


class FixedPrice(Rule, frozen=True, tag="fixed_price"):
    """Each article of the scope costs ``price_minor`` for 1000 thousandths, where that is less than now."""

    lane: ClassVar[int] = 2
    price_minor: int

    def take(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> Taken | None:
        weights = {}
        for i in lines:
            less = slate.left[i] * 1000 - self.price_minor * slate.milli[i]
            if less > 0:
                weights[i] = less
        return Taken(sum(weights.values()), 1000, weights) if weights else None

    def reason(self, figures: Figures) -> Reason:
        return Reason(
            "DISCOUNT_FIXED_PRICE",
            {
                "promotion": figures.promotion,
                "basis_minor": figures.basis_minor,
                "price_minor": self.price_minor,
                "rounding_bp": figures.rounding_bp,
                "amount_minor": figures.amount_minor,
                "currency": figures.currency,
            },
        )
