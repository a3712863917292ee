"""How sales earn points (loyalty.md section 3.5, decisions R16)."""

from __future__ import annotations

from typing import Literal

import msgspec

from tapledger.loyalty.conditions import Condition, Names, Scope


class EarnRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``points`` for each ``per_minor`` of basis. Each line belongs to its highest-priority rule."""

    id: str
    points: int
    per_minor: int
    mode: Literal["stepped", "continuous"] = "stepped"
    scope: Scope = Scope()
    when: Condition = Condition()
    priority: int = 0
    """The highest number wins a line; equal ones by id."""


class Multiplier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    milli: int
    scope: Scope = Scope()
    rules: list[str] = []
    """Only what these rules earn; empty means all."""
    when: Condition = Condition()
    name: Names = {}


class Flat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fixed number of points for a basket whose basis in scope reaches ``min_minor``."""

    id: str
    points: int
    scope: Scope = Scope()
    min_minor: int = 0
    when: Condition = Condition()
    once: Literal["", "day", "month", "calendar_year", "lifetime"] = ""
    name: Names = {}


class Earning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: list[EarnRule] = []
    multipliers: list[Multiplier] = []
    flats: list[Flat] = []
    stack: Literal["max", "multiply", "add"] = "max"
    rounding: Literal["down", "half_up", "up"] = "down"
    on_points_part: bool = False
    """Whether the part paid by points earns."""
    on_bonus_part: bool = False
    """Whether the part paid by stored-value bonus earns."""
    on_tax: bool = True
    """Whether the tax inside a price earns; a price without tax in it never earns on tax."""
    tier_at: Literal["before", "after"] = "before"
    delay_days: int = 0
    """Points can be spent so many local days after the sale; 0 at once."""
    per_order: int | None = None
    per_member_day: int | None = None
    campaign_budget: int | None = None
    """Points that multipliers and flats may give in all."""
