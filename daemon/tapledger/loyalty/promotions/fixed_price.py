"""Articles at a special price."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.promotions.protocol import Rule, Slate, Taken


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
        return (sum(weights.values()), 1000, weights, None) if weights else None

    def reason(
        self, promotion: str, basis_minor: int, amount_minor: int, rounding_bp: int, currency: str
    ) -> Reason:
        return Reason(
            "DISCOUNT_FIXED_PRICE",
            {
                "promotion": promotion,
                "basis_minor": basis_minor,
                "price_minor": self.price_minor,
                "rounding_bp": rounding_bp,
                "amount_minor": amount_minor,
                "currency": currency,
            },
        )
