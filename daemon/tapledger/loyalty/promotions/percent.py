"""A percentage off, up to a cap."""

from __future__ import annotations

from collections.abc import Sequence

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.promotions.protocol import Rule, Slate, Taken


class Percent(Rule, frozen=True, tag="percent"):
    """``rate_bp`` off what is left: 1750 is 17.5 %."""

    rate_bp: int
    cap_minor: int | None = None
    """Of one order."""

    def take(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> Taken | None:
        return left * self.rate_bp, 10_000, None, self.cap_minor

    def reason(
        self, promotion: str, basis_minor: int, amount_minor: int, rounding_bp: int, currency: str
    ) -> Reason:
        if self.cap_minor is not None and amount_minor == self.cap_minor:
            return Reason(
                "DISCOUNT_PERCENT_CAPPED",
                {
                    "promotion": promotion,
                    "basis_minor": basis_minor,
                    "rate_bp": self.rate_bp,
                    "cap_minor": self.cap_minor,
                    "amount_minor": amount_minor,
                    "currency": currency,
                },
            )
        return Reason(
            "DISCOUNT_PERCENT",
            {
                "promotion": promotion,
                "basis_minor": basis_minor,
                "rate_bp": self.rate_bp,
                "rounding_bp": rounding_bp,
                "amount_minor": amount_minor,
                "currency": currency,
            },
        )
