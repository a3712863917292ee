"""Tiers: how each is reached, how long it lasts and what it gives (loyalty.md section 3.10)."""

from __future__ import annotations

from typing import Literal

import msgspec

from tapledger.loyalty.conditions import Names
from tapledger.loyalty.days import LimitWindow


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that must have been reached."""

    metric: Literal["spend", "visits", "growth", "referrals", "referees"]
    """Net spend, days with a purchase, growth points, qualified referees, or referees who reached a tier."""
    at_least: int
    window: LimitWindow = "lifetime"
    days: int = 0
    """Of a ``rolling`` window, today included."""
    reached: str = ""
    """With ``referees``: the tier that they must have reached."""


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    name: Names
    from_spend_minor: int = 0
    """Short for one clause of lifetime spend; 0 with no ``reach`` is the lowest tier."""
    earn_points: int = 1
    """Points per ``earn_per_minor`` of basis, where ``[earning]`` has no rule of its own."""
    earn_per_minor: int = 100
    multiplier_milli: int = 1000
    discount_bp: int = 0
    """Off every line in scope, unless a member price is better."""
    reach: list[list[Clause]] = []
    """Reached when every clause of any one group is true."""
    given: bool = False
    """Reached by no rule: only staff give it."""
    valid_days: int | None = None
    """Reviewed so many days after it was reached or renewed; null with no ``valid_until`` is for ever."""
    valid_until: Literal["", "end_of_next_year"] = ""
    benefits: list[str] = []
    """Ids of the entitlements it gives."""


class Tiering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    downgrade: Literal["one_down", "recompute", "none"] = "one_down"
    grace_days: int = 0
    on_refund: Literal["recompute_if_unearned", "immediate", "at_review"] = "recompute_if_unearned"
    refund_window_days: int = 7
    visit_min_minor: int = 1
    """A purchase of at least so much makes a visit, and qualifies for referral and missions."""
    warn_days: tuple[int, ...] = (30, 7)
    growth_per_minor: int = 0
    """One growth point for each so much of net spend; 0 is none."""
