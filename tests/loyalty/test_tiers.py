"""Tiers: the highest one whose rule is true, by the days of the programme; and how far the next is (3.10)."""

from __future__ import annotations

import itertools

import pytest

from tapledger.loyalty import tallies
from tapledger.loyalty.effects import RefereeCounted, Tallied
from tapledger.loyalty.program import Clause, Tier
from tapledger.loyalty.tiers import tier_progress, tier_reviews, tiering
from tapledger.loyalty.tiers.tier_reviews import GiveTier
from tests.loyalty.givens import after, program
from tests.loyalty.ladders import (
    MALL,
    YEARLY,
    bought,
    buy,
    spend,
    tier,
    tier_of,
    tiers,
)
from tests.loyalty.lives import MACHINES, ZONES, apply, at, machine_in, nobody, ordinal


# ---- the rule ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("purchases", "on", "expected"),
    [
        ([("2026-03-02", 50_000), ("2026-03-02", 30_000)], "2026-03-02", "gold"),
        ([("2026-03-02", 79_999)], "2026-03-02", "normal"),
        ([("2026-03-02", 70_000), ("2026-03-15", 50_001), ("2026-03-31", 79_999)], "2026-03-31", "gold"),
        ([("2026-03-02", 70_000), ("2026-03-15", 50_000), ("2026-03-31", 79_999)], "2026-03-31", "normal"),
        ([("2026-03-01", 70_000), ("2026-03-15", 50_001), ("2026-03-31", 79_999)], "2026-03-31", "normal"),
        ([("2026-03-02", 50_000), ("2026-03-03", 30_000)], "2026-03-03", "normal"),
    ],
    ids=["G51", "G52", "G53", "G55", "one day too old", "two days are not one"],
)
def test_G51_to_G55_a_day_or_thirty_days(purchases: list[tuple[str, int]], on: str, expected: str) -> None:
    assert tier_of(bought(MALL, *purchases), MALL, on) == expected


@pytest.mark.parametrize(
    ("before", "this", "expected"),
    [
        (0, 6000, "bronze"), (0, 15_000, "silver"), (0, 25_000, "gold"), (4000, 500, "bronze"),
        (8000, 3000, "silver"), (18_000, 3000, "silver2gold"), (22_000, 5000, "gold"),
    ],
)  # fmt: skip
def test_G48_the_tier_that_counts_the_sale_itself(before: int, this: int, expected: str) -> None:
    rules = program(tiers=[Tier("bronze", {}), Tier("silver", {}, 10_000), Tier("gold", {}, 20_000)])
    now = at("2026-03-02")
    member = buy(nobody(), before, now, rules) if before else nobody()
    counted = [Tallied(tallies.SPEND, ordinal("2026-03-02"), this)]
    expected = "gold" if expected == "silver2gold" else expected
    assert tiering.tier_after(member, counted, rules, now).id == expected


def test_G59_the_highest_tier_whose_rule_is_true_whatever_the_order() -> None:
    clauses = [spend(10_000), Clause("visits", 2), spend(5_000, "rolling", 7)]
    answers = set()
    for one in itertools.permutations(clauses):
        for other in itertools.permutations(clauses):
            rules = tiers(tier("silver", *([c] for c in one)), tier("gold", list(other)))
            for purchases in itertools.permutations([("2026-03-02", 9_000), ("2026-03-03", 9_000)]):
                answers.add(tier_of(bought(rules, *purchases), rules, "2026-03-03"))
    assert answers == {"gold"}


def test_it_may_jump_and_counts_from_the_next_sale_on() -> None:
    now = at("2026-03-02")
    counted = [Tallied(tallies.SPEND, ordinal("2026-03-02"), 100_000)]
    assert tiering.current(nobody(), YEARLY, now).id == "normal"
    (effect,) = tiering.upgrade(nobody(), counted, YEARLY, now)
    assert (effect.tier, effect.gained_on, effect.why) == ("gold", ordinal("2026-03-02"), "spend")
    assert effect.valid_until == at("2027-03-03", "00:00")
    assert tiering.upgrade(apply(nobody(), *counted, effect), [], YEARLY, now) == ()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("machine", MACHINES)
def test_days_are_those_of_the_programme(zone: str, machine: str) -> None:
    """P11: spend of a day ends with the programme's day, to the second, wherever the machine thinks it is."""
    with machine_in(machine):
        rules = tiers(tier("gold", [spend(80_000, "day")], [spend(200_000, "rolling", 30)]), zone=zone)
        late, early = at("2026-03-02", "23:59:59", zone), at("2026-03-03", "00:00:00", zone)
        apart = buy(buy(nobody(), 40_000, late, rules), 40_000, early, rules)
        together = buy(buy(nobody(), 40_000, at("2026-03-02", "00:00", zone), rules), 40_000, late, rules)
        assert tiering.current(apart, rules, early).id == "normal"
        assert tiering.current(together, rules, late).id == "gold"
        month = buy(nobody(), 79_999, at("2026-03-02", "00:00", zone), rules)
        month = buy(month, 50_001, at("2026-03-15", "12:00", zone), rules)
        on_the_30th = buy(month, 70_000, at("2026-03-31", "23:59:59", zone), rules)
        too_late = buy(month, 70_000, at("2026-04-01", "00:00", zone), rules)
        assert tiering.current(on_the_30th, rules, at("2026-03-31", "23:59:59", zone)).id == "gold"
        assert tiering.current(too_late, rules, at("2026-04-01", "00:00", zone)).id == "normal"


def test_visits_are_days_and_growth_is_a_sum() -> None:
    rules = tiers(tier("silver", [Clause("visits", 2)]), tier("gold", [Clause("growth", 10)]))
    twice_a_day = bought(rules, ("2026-03-02", 100), ("2026-03-02", 100))
    assert tier_of(twice_a_day, rules, "2026-03-02") == "normal"
    assert tier_of(buy(twice_a_day, 100, at("2026-03-03"), rules), rules, "2026-03-03") == "silver"
    grown = apply(nobody(), Tallied(tallies.GROWTH, ordinal("2026-03-02"), 9))
    assert tier_of(grown, rules, "2026-03-02") == "normal"
    grown = apply(grown, Tallied(tallies.GROWTH, ordinal("2026-03-02"), 1))
    assert tier_of(grown, rules, "2026-03-02") == "gold"


def test_a_tier_without_a_rule_is_only_given() -> None:
    rules = tiers(tier("silver", [spend(100)]), tier("black", given=True))
    member = bought(rules, ("2026-03-02", 10**9))
    assert tier_of(member, rules, "2026-03-02") == "silver"
    given = after(
        tier_reviews.decide_tier(member, GiveTier("black", "friend", "s-1"), rules, at("2026-03-03"))
    )
    assert tier_of(given, rules, "2030-01-01") == "black"


def test_spend_recorded_before_days_were_kept_counts_for_a_lifetime_only() -> None:
    early = nobody(earlier_spend_minor=40_000)
    rules = tiers(tier("silver", [spend(50_000)]), tier("gold", [spend(50_000, "rolling", 3650)]))
    assert tier_of(early, rules, "2026-03-02") == "normal"
    assert tier_of(buy(early, 10_000, at("2026-03-02"), rules), rules, "2026-03-02") == "silver"


def test_referrals_have_windows_too() -> None:
    rules = tiers(tier("silver", [Clause("referrals", 1, "rolling", 10)]))
    member = apply(nobody(), RefereeCounted("r", "bought", ordinal("2026-03-10")))
    days = ("2026-03-09", "2026-03-10", "2026-03-19", "2026-03-20")
    assert [tier_of(member, rules, day) for day in days] == ["normal", "silver", "silver", "normal"]


# ---- how far ----------------------------------------------------------------------------------------------
def test_how_far_is_told_by_the_same_rule_nearest_way_first() -> None:
    member = bought(MALL, ("2026-03-02", 70_000), ("2026-03-10", 20_000))
    told = tier_progress.progress(member, MALL, at("2026-03-10"))
    assert told is not None and told.tier.id == "gold"
    assert [(c.clause.window, c.have, c.need, c.missing, c.unit) for (c,) in told.groups] == [
        ("rolling", 90_000, 200_000, 110_000, "money"), ("day", 20_000, 80_000, 60_000, "money"),
    ]  # fmt: skip
    assert tier_progress.next_tier(member, MALL, at("2026-03-10")) == (MALL.tiers[1], 60_000)


def test_at_the_top_or_below_a_tier_that_is_only_given_nothing_is_missing() -> None:
    rules = tiers(tier("silver", [Clause("visits", 3)]), tier("black", given=True))
    told = tier_progress.progress(nobody(), rules, at("2026-03-02"))
    assert told is not None and told.groups[0][0].missing == 3
    assert tier_progress.next_tier(nobody(), rules, at("2026-03-02")) is None
    visited = bought(rules, *((f"2026-03-0{day}", 1) for day in (2, 3, 4)))
    assert tier_progress.progress(visited, rules, at("2026-03-04")) is None


def test_three_of_three_names_the_day_on_which_they_count() -> None:
    rules = tiers(tier("silver", [Clause("referrals", 3)]))
    days = [ordinal("2026-03-10"), ordinal("2026-03-12"), ordinal("2026-03-11")]
    member = apply(nobody(), *(RefereeCounted(f"r{n}", "bought", day) for n, day in enumerate(days)))
    told = tier_progress.progress(member, rules, at("2026-03-10"))
    assert told is not None
    clause = told.groups[0][0]
    assert (clause.have, clause.missing, clause.counts_on) == (3, 0, ordinal("2026-03-12"))
    why = tier_progress.said(clause, told.tier, rules)
    assert (why.code, why.data["day"]) == ("TIER_REFERRALS_WAIT", "2026-03-12")
    assert tier_of(member, rules, "2026-03-11", "23:59:59") == "normal"
    assert tier_of(member, rules, "2026-03-12", "00:00") == "silver"
    two = apply(member, RefereeCounted("r0", "returned"))
    told = tier_progress.progress(two, rules, at("2026-03-09"))
    assert told is not None and (told.groups[0][0].have, told.groups[0][0].missing) == (2, 1)
