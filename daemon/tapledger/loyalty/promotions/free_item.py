"""The cheapest article of a scope for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.promotions.protocol import Rule, Slate, Taken, by_unit_value, value_of_units


class FreeItem(Rule, frozen=True, tag="free_item"):
    """One unit of the scope's cheapest article, as it costs now, is free; what is free is passed by."""

    lane: ClassVar[int] = 2

    def take(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> Taken | None:
        cheapest = next((i for i in by_unit_value(slate, lines) if slate.left[i]), None)
        return None if cheapest is None else value_of_units(slate, {cheapest: 1})

    def most(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> int:
        counted = by_unit_value(slate, lines)
        taken = value_of_units(slate, {counted[-1]: 1}) if counted else None
        return 0 if taken is None else -(-taken[0] // taken[1])

    def reason(
        self, promotion: str, basis_minor: int, amount_minor: int, rounding_bp: int, currency: str
    ) -> Reason:
        return Reason(
            "DISCOUNT_FREE_ITEM",
            {
                "promotion": promotion,
                "rounding_bp": rounding_bp,
                "amount_minor": amount_minor,
                "currency": currency,
            },
        )
