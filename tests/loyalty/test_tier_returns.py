"""What comes back takes back the tier it paid for, and the tier before returns (3.10, 3.13)."""

from __future__ import annotations

import msgspec
import pytest

from tapledger.loyalty.effects import TierSet
from tapledger.loyalty.tiers import tier_reviews, tiering
from tapledger.loyalty.tiers.tier_reviews import GiveTier
from tests.loyalty.givens import after
from tests.loyalty.ladders import (
    GOLD_ONCE,
    MALL,
    YEARLY,
    bought,
    buy,
    give_back,
    tier_of,
    tiers,
)
from tests.loyalty.lives import apply, at, nobody, ordinal


@pytest.mark.parametrize(
    ("policy", "on", "expected"),
    [
        ("recompute_if_unearned", "2026-03-09", "normal"),
        ("recompute_if_unearned", "2026-03-10", "gold"),
        ("immediate", "2026-03-10", "normal"),
        ("at_review", "2026-03-03", "gold"),
    ],
)
def test_a_tier_whose_purchase_came_back(policy: str, on: str, expected: str) -> None:
    rules = tiers(*MALL.tiers[1:], on_refund=policy)
    member = bought(rules, ("2026-03-02", 80_000))
    returned = give_back(member, 1, "2026-03-02", at(on), rules)
    assert tier_of(returned, rules, on) == expected


@pytest.mark.parametrize("policy", ["recompute_if_unearned", "immediate"])
def test_what_is_still_earned_stays_though_its_day_is_over(policy: str) -> None:
    rules = tiers(*MALL.tiers[1:], on_refund=policy)
    member = bought(rules, ("2026-03-02", 80_500))
    returned = give_back(member, 500, "2026-03-02", at("2026-03-05"), rules)
    assert tier_of(returned, rules, "2026-03-05") == "gold"
    assert returned.tier_until == member.tier_until


def test_P7_a_full_return_leaves_the_tier_as_it_was_before() -> None:
    silver = bought(YEARLY, ("2026-03-02", 50_000))
    gold = buy(silver, 50_000, at("2026-03-05"), YEARLY)
    assert tier_of(gold, YEARLY, "2026-03-05") == "gold"
    back = give_back(gold, 50_000, "2026-03-05", at("2026-03-06"), YEARLY)
    assert tiering.recorded(back, YEARLY) == tiering.recorded(silver, YEARLY)
    assert back.former_tiers == silver.former_tiers
    all_back = give_back(back, 50_000, "2026-03-02", at("2026-03-06"), YEARLY)
    assert tiering.recorded(all_back, YEARLY) == tiering.recorded(nobody(), YEARLY)


def test_a_jump_that_is_half_returned_keeps_the_step_that_is_paid() -> None:
    member = bought(YEARLY, *GOLD_ONCE)
    back = give_back(member, 1, "2026-03-02", at("2026-03-03"), YEARLY)
    held = tiering.recorded(back, YEARLY)
    assert (held.tier, held.gained_on) == ("silver", ordinal("2026-03-02"))
    assert (
        tier_of(give_back(back, 50_000, "2026-03-02", at("2026-03-03"), YEARLY), YEARLY, "2026-03-03")
        == "normal"
    )


def test_a_tier_that_was_given_or_locked_is_never_taken_back() -> None:
    rules = tiers(*YEARLY.tiers[1:], on_refund="immediate")
    member = bought(rules, ("2026-03-02", 50_000))
    given = after(tier_reviews.decide_tier(member, GiveTier("gold", "x", "s"), rules, at("2026-03-03")))
    assert (
        tier_of(give_back(given, 50_000, "2026-03-02", at("2026-03-04"), rules), rules, "2026-03-04")
        == "gold"
    )
    locked = apply(member, TierSet("silver", member.gained_on, member.tier_until, at("2026-04-01")))
    assert give_back(locked, 50_000, "2026-03-02", at("2026-03-04"), rules).tier == "silver"


def test_after_the_lock_a_return_counts_again() -> None:
    rules = tiers(*YEARLY.tiers[1:], on_refund="immediate")
    member = bought(rules, ("2026-03-02", 50_000))
    locked = apply(member, TierSet("silver", member.gained_on, member.tier_until, at("2026-04-01", "00:00")))
    before = give_back(locked, 50_000, "2026-03-02", at("2026-03-31", "23:59:59"), rules)
    assert before.tier == "silver"
    assert give_back(locked, 50_000, "2026-03-02", at("2026-04-01", "00:00"), rules).tier == "normal"


def test_without_a_former_tier_the_rule_says_what_is_left() -> None:
    member = bought(YEARLY, *GOLD_ONCE)
    forgotten = msgspec.structs.replace(member, former_tiers=())
    back = give_back(forgotten, 100_000, "2026-03-02", at("2026-03-03"), YEARLY)
    assert (back.tier, back.gained_on, back.tier_until) == ("normal", 0, None)


def test_the_step_that_is_left_was_gained_on_the_first_day_on_which_it_was_true() -> None:
    member = bought(YEARLY, ("2026-03-02", 100_000), ("2026-03-04", 100))
    back = give_back(member, 50_000, "2026-03-02", at("2026-03-05"), YEARLY)
    assert (back.tier, back.gained_on) == ("silver", ordinal("2026-03-02"))
    assert back.tier_until == at("2027-03-03", "00:00")
