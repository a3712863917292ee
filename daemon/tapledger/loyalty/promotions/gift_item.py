"""Something more in the bag, for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tapledger.loyalty.facts import Reason, SaleLine
from tapledger.loyalty.promotions.protocol import Rule, Slate, Taken


class GiftItem(Rule, frozen=True, tag="gift_item"):
    """Adds a line at price 0. ``shadow_minor`` is what a kept gift costs when its sale comes back (X6)."""

    lane: ClassVar[int] = 2
    sku: str
    name: str
    shadow_minor: int
    quantity_milli: int = 1000
    category: str = ""
    tax_bp: int = 0

    def take(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> Taken | None:
        return 0, 1, None, None

    def gift(self, promotion: str) -> SaleLine | None:
        return SaleLine(
            sku=self.sku,
            name=self.name,
            quantity_milli=self.quantity_milli,
            unit_minor=0,
            net_minor=0,
            tax_bp=self.tax_bp,
            category=self.category,
            earns=False,
            kind="gift",
            shadow_minor=self.shadow_minor,
            gift_of=promotion,
        )

    def reason(
        self, promotion: str, basis_minor: int, amount_minor: int, rounding_bp: int, currency: str
    ) -> Reason:
        return Reason(
            "DISCOUNT_GIFT",
            {
                "promotion": promotion,
                "gift": self.name,
                "basis_minor": basis_minor,
                "shadow_minor": self.shadow_minor,
                "currency": currency,
            },
        )
