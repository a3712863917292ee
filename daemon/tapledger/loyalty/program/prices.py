"""What the programme says of money: rounding, tax, cash, tier discounts and points as cash."""

from __future__ import annotations

from typing import Literal

import msgspec

Rounding = Literal["half_up", "half_even", "down"]


class Money(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rounding: Rounding = "half_up"
    cash_rounding_minor: int = 1
    """Cash is paid in multiples of this; the difference is a tender line of its own (X7)."""
    tax: Literal["inclusive", "exclusive"] = "inclusive"
    threshold: Literal["at_lane", "before_discounts"] = "at_lane"
    """What a threshold looks at (R15)."""
    manual_discount_max_bp: int = 1000
    """How much of an order staff may take off by hand without a manager."""
    max_coupons: int = 5
    """Of one sale."""


class PointsAsCash(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``unit_points`` points pay ``unit_minor`` of money."""

    unit_points: int
    unit_minor: int
    min_points: int = 0
    max_points: int | None = None
    """In one order."""
    max_pct: int = 100
    """Of what is left to pay."""
    min_basket_minor: int = 0

    def least_points(self) -> int:
        """Return the fewest points that can pay: ``min_points`` made up to whole units, one at least."""
        return max(1, -(-self.min_points // self.unit_points)) * self.unit_points
