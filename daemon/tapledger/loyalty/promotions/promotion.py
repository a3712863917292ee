"""A promotion: a benefit with terms. Each kind of benefit has one file here and is named in ``Benefit``."""

from __future__ import annotations

import msgspec

from tapledger.loyalty.conditions import Condition, Names, Scope
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.bundle import Bundle
from tapledger.loyalty.promotions.every_threshold import EveryThreshold
from tapledger.loyalty.promotions.fixed_price import FixedPrice
from tapledger.loyalty.promotions.free_item import FreeItem
from tapledger.loyalty.promotions.gift_item import GiftItem
from tapledger.loyalty.promotions.n_for_m import NForM
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold

Benefit = (
    Amount
    | Bundle
    | EveryThreshold
    | FixedPrice
    | FreeItem
    | GiftItem
    | NForM
    | Percent
    | Threshold
)  # fmt: skip

LINE_CLASS, ORDER_CLASS = "line", "order"
"""Class of a promotion that names none, by its lane."""


class Promotion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"class_": "class"}):
    """A benefit with its terms: what it is about, for whom, when, and what it goes together with.

    ``[[promotions]]`` of the programme are these; a coupon template holds one too.
    """

    id: str
    benefit: Benefit
    name: Names = {}
    scope: Scope = Scope()
    when: Condition = Condition()
    lane: int | None = None
    """2 lines or 3 order; None is the kind's own. Lower lanes go first."""
    priority: int = 0
    """Within a lane the lowest goes first; equal ones by id."""
    min_minor: int = 0
    """What the articles of the scope must come to (R15)."""
    group: str = ""
    """At most one of a group applies."""
    class_: str = ""
    combines: list[str] | None = None
    """Classes that it goes together with; two combine when each names the other's. None is with all."""
    solo: bool = False
    """Together with no other promotion or coupon."""
    code: str = ""
    """Empty: applies by itself; else only when somebody gives this code."""

    def lane_number(self) -> int:
        return self.benefit.lane if self.lane is None else self.lane

    def class_name(self) -> str:
        return self.class_ or (LINE_CLASS if self.lane_number() == 2 else ORDER_CLASS)
