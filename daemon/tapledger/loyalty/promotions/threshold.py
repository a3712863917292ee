"""Spend so much, pay so much less: 满M减N."""

from __future__ import annotations

from collections.abc import Sequence

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.promotions.protocol import Rule, Slate, Taken


class Threshold(Rule, frozen=True, tag="threshold"):
    """``off_minor`` off from ``at_minor`` on; several with ``below_minor`` make bands of amounts."""

    at_minor: int
    off_minor: int
    below_minor: int | None = None

    def band(self) -> tuple[int, int | None]:
        return self.at_minor, self.below_minor

    def take(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> Taken | None:
        return self.off_minor, 1, None, None

    def reason(
        self, promotion: str, basis_minor: int, amount_minor: int, rounding_bp: int, currency: str
    ) -> Reason:
        return Reason(
            "DISCOUNT_THRESHOLD",
            {
                "promotion": promotion,
                "basis_minor": basis_minor,
                "at_minor": self.at_minor,
                "off_minor": self.off_minor,
                "amount_minor": amount_minor,
                "currency": currency,
            },
        )
