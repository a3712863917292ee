"""How far the next tier is, in figures that a sentence is made of (articles 003-6, 004-17)."""

from __future__ import annotations

from typing import Any

import pytest

from tapledger import texts
from tapledger.languages import LANGUAGES
from tapledger.loyalty.effects import RefereeCounted, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program import Clause
from tapledger.loyalty.tiers import tier_progress
from tests.loyalty.ladders import buy, tier, tiers
from tests.loyalty.lives import apply, at, nobody, ordinal

NOW = at("2026-03-10")
TODAY = ordinal("2026-03-10")


@pytest.mark.parametrize(
    ("clause", "unit", "code", "figures"),
    [
        (
            Clause("spend", 1000, "day"),
            "money",
            "TIER_SPEND_TODAY",
            {"missing_minor": 700, "currency": "CNY", "days": 0},
        ),
        (
            Clause("spend", 1000, "rolling", 30),
            "money",
            "TIER_SPEND_DAYS",
            {"missing_minor": 700, "currency": "CNY", "days": 30},
        ),
        (
            Clause("spend", 1000),
            "money",
            "TIER_SPEND",
            {"missing_minor": 700, "currency": "CNY", "days": 0},
        ),
        (Clause("visits", 5), "days", "TIER_VISITS", {"have": 1, "need": 5}),
        (Clause("growth", 50), "points", "TIER_GROWTH", {"have": 8, "need": 50}),
        (
            Clause("referees", 3, reached="gold"),
            "people",
            "TIER_REFEREES",
            {"have": 1, "need": 3, "reached": "gold"},
        ),
        (Clause("referrals", 3), "people", "TIER_REFERRALS", {"have": 2, "need": 3}),
        (
            Clause("referrals", 2),
            "people",
            "TIER_REFERRALS_WAIT",
            {"have": 2, "need": 2, "day": "2026-03-12"},
        ),
    ],
)
def test_each_clause_tells_what_it_still_asks(
    clause: Clause, unit: str, code: str, figures: dict[str, Any]
) -> None:
    rules = tiers(tier("silver", [clause]))
    member = apply(
        buy(nobody(), 300, NOW, rules),
        Tallied("growth", TODAY, 8),
        RefereeCounted("a", "bought", TODAY),
        RefereeCounted("a", "gold"),
        RefereeCounted("b", "bought", ordinal("2026-03-12")),
    )
    told = tier_progress.progress(member, rules, NOW)
    assert told is not None
    ((way,),) = told.groups
    assert way.unit == unit
    why = tier_progress.said(way, told.tier, rules)
    assert why == Reason(code, {"tier": "silver", **figures})
    for language in LANGUAGES:
        assert texts.say(language, f"reason.{code}", **texts.figures(language, why.data))


def test_of_two_ways_the_one_whose_furthest_clause_is_nearer_comes_first() -> None:
    far = [Clause("visits", 10), Clause("spend", 400)]
    near = [Clause("visits", 4), Clause("spend", 1000)]
    nearer = [Clause("visits", 4), Clause("spend", 800)]
    rules = tiers(tier("silver", far, near, nearer))
    told = tier_progress.progress(buy(nobody(), 300, NOW, rules), rules, NOW)
    assert told is not None
    assert [[one.need for one in group] for group in told.groups] == [[4, 800], [4, 1000], [10, 400]]
    assert [[one.missing for one in group] for group in told.groups] == [[3, 500], [3, 700], [9, 100]]
    # Neither way is by spend alone.
    assert tier_progress.next_tier(nobody(), rules, NOW) is None
