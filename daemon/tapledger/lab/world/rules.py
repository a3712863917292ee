"""The programme and the articles of the simulated chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tapledger.errors import Invalid
from tapledger.loyalty.sales import catalogue
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership import programs
from tapledger.membership.programs import Source

TEA, TOWEL, SET = "tea", "towel", "set"
REWARDS = {"sip": 5, "cup": 25, "pot": 100, "box": 275}
ARTICLES = ["sku,name,price,tax,category,flags", "tea,Tea,12,13,food,", "towel,Towel,60,13,home,",
            "set,Set,150,13,home,"]  # fmt: skip


def make(quota_points: int, quota_node_points: int) -> tuple[Source, Catalogue]:
    """Return the rules of a chain in which shops that are away give out so much without a lease."""
    table: dict[str, Any] = {
        "version": f"world-{quota_points}-{quota_node_points}",
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "tiers": [{"id": "base", "name": {"en": "Base"}, "from_spend_minor": 0, "earn_points": 1,
                   "earn_per_minor": 100}],
        "expiry": {"mode": "never"},
        "rewards": [
            {"id": id_, "title": {"en": id_.title()}, "cost_points": cost} for id_, cost in REWARDS.items()
        ],
        "trust": {"l1_points_per_day": 100_000, "l2_points_per_day": 100_000},
        "unsettled_points": quota_points,
        "offline": {"node_points": quota_node_points, "full_hours": 24, "lease_hours": 72},
        "points_as_cash": {"unit_points": 10, "unit_minor": 10, "min_points": 10, "max_pct": 50},
        "stored_value": {
            "top_up": [{"pay_minor": 10_000, "bonus_minor": 1000}],
            "offline_top_up_per_day_minor": 50_000,
        },
    }  # fmt: skip
    source = programs.of_table(table, "", Path("world.toml"))
    if source.program is None:
        raise Invalid("PROGRAM_INVALID", where="world", why="\n".join(map(str, source.mistakes)))
    return source, catalogue.read(ARTICLES, source.program.currency)
