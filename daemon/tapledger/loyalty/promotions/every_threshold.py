"""So much less for each full amount spent: 每满M减N."""

from __future__ import annotations

from collections.abc import Sequence

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.promotions.protocol import Rule, Slate, Taken


class EveryThreshold(Rule, frozen=True, tag="every_threshold"):
    """``off_minor`` off for each full ``at_minor``, up to ``cap_minor`` in one order."""

    at_minor: int
    off_minor: int
    cap_minor: int | None = None

    def band(self) -> tuple[int, int | None]:
        return self.at_minor, None

    def next_at(self, basis: int) -> int | None:
        times = basis // self.at_minor
        if self.cap_minor is not None and times * self.off_minor >= self.cap_minor:
            return None
        return (times + 1) * self.at_minor

    def take(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> Taken | None:
        return basis // self.at_minor * self.off_minor, 1, None, self.cap_minor

    def reason(
        self, promotion: str, basis_minor: int, amount_minor: int, rounding_bp: int, currency: str
    ) -> Reason:
        return Reason(
            "DISCOUNT_EVERY_THRESHOLD",
            {
                "promotion": promotion,
                "basis_minor": basis_minor,
                "times": basis_minor // self.at_minor,
                "at_minor": self.at_minor,
                "off_minor": self.off_minor,
                "amount_minor": amount_minor,
                "currency": currency,
            },
        )
