"""A fixed amount off."""

from __future__ import annotations

from collections.abc import Sequence

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.promotions.protocol import Figures, Rule, Slate, Taken


class Amount(Rule, frozen=True, tag="amount"):
    """``off_minor`` off, never more than what is left to pay."""

    off_minor: int

    def take(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> Taken | None:
        return Taken(self.off_minor)

    def reason(self, figures: Figures) -> Reason:
        return Reason(
            "DISCOUNT_AMOUNT",
            {
                "promotion": figures.promotion,
                "basis_minor": figures.basis_minor,
                "off_minor": self.off_minor,
                "amount_minor": figures.amount_minor,
                "currency": figures.currency,
            },
        )
