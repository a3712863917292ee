"""A fixed amount off."""

from __future__ import annotations

from collections.abc import Sequence

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.promotions.protocol import Rule, Slate, Taken


class Amount(Rule, frozen=True, tag="amount"):
    """``off_minor`` off, never more than what is left to pay."""

    off_minor: int

    def take(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> Taken | None:
        return self.off_minor, 1, None, None

    def reason(
        self, promotion: str, basis_minor: int, amount_minor: int, rounding_bp: int, currency: str
    ) -> Reason:
        return Reason(
            "DISCOUNT_AMOUNT",
            {
                "promotion": promotion,
                "basis_minor": basis_minor,
                "off_minor": self.off_minor,
                "amount_minor": amount_minor,
                "currency": currency,
            },
        )
