"""What points can be exchanged for (loyalty.md section 3.8)."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from tapledger.loyalty.conditions import Condition, Names
from tapledger.loyalty.program.people import Limit


class Reward(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    title: Names
    cost_points: int
    stock: int | None = None
    """How many this shop may give out in all; null is without limit."""
    tiers: list[str] = []
    kind: Literal["item", "coupon", "service", "entitlement", "draw", "event"] = "item"
    grants: str = ""
    """Of a ``coupon``, ``entitlement`` or ``draw``: the id of what it gives."""
    cost_minor: int = 0
    """Money to pay beside the points, when it is handed over."""
    value_minor: int = 0
    """What it is worth; the lint compares it with what its points cost."""
    per_member: Limit | None = None
    when: Condition = Condition()
    category: str = ""
    ends: dt.datetime | None = None
    """Of an ``event``: local time; its tickets are good until then. Its ``stock`` are the seats."""
    attend_points: int = 0
    """Of an ``event``: points for who comes, given when the ticket is checked in."""
