"""Tiers are kept for their time and reviewed by their own day, whenever anybody looks (3.10, X10)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid, Refused, TapledgerError
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.members import Member
from tapledger.loyalty.tiers import tier_reviews, tiering
from tapledger.loyalty.tiers.tier_reviews import GiveTier
from tests.loyalty.givens import after
from tests.loyalty.ladders import (
    GOLD_ONCE,
    YEARLY,
    bought,
    buy,
    review_all,
    spend,
    tier,
    tier_of,
    tiers,
)
from tests.loyalty.lives import at, nobody, ordinal


# ---- review -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("posted", [True, False], ids=["posted", "never posted"])
@pytest.mark.parametrize(
    ("policy", "expected"), [("one_down", "silver"), ("recompute", "normal"), ("none", "gold")]
)
def test_a_tier_ends_with_its_last_day(posted: bool, policy: str, expected: str) -> None:
    rules = tiers(*YEARLY.tiers[1:], downgrade=policy)
    member = bought(rules, *GOLD_ONCE)
    if posted:
        member, _ = review_all(member, rules, at("2027-03-03", "00:00"))
    assert tier_of(member, rules, "2027-03-02", "23:59:59") in ("gold", expected)
    assert tier_of(member, rules, "2027-03-03", "00:00") == expected
    if not posted:
        assert tier_of(member, rules, "2027-03-02", "23:59:59") == "gold"


def test_who_still_meets_the_rule_keeps_the_tier_for_another_term() -> None:
    member = bought(YEARLY, *GOLD_ONCE, ("2027-03-02", 100_000))
    held = tiering.standing(member, YEARLY, at("2027-06-01"))
    assert (held.tier, held.until) == ("gold", at("2028-03-02", "00:00"))
    late = bought(YEARLY, *GOLD_ONCE)
    late = buy(late, 100_000, at("2027-03-03"), YEARLY)
    assert tiering.standing(late, YEARLY, at("2027-06-01")).gained_on == ordinal("2027-03-03"), "risen anew"


def test_grace_puts_the_review_off_and_not_the_next_term() -> None:
    rules = tiers(*YEARLY.tiers[1:], grace_days=30)
    member = bought(rules, *GOLD_ONCE)
    assert tier_of(member, rules, "2027-04-01", "23:59:59") == "gold"
    assert tier_of(member, rules, "2027-04-02", "00:00") == "silver"
    saved = buy(member, 100_000, at("2027-04-01"), rules)
    assert tiering.standing(saved, rules, at("2027-04-02")).until == at("2028-03-02", "00:00")


def test_a_soft_landing_is_not_gained() -> None:
    held = tiering.standing(bought(YEARLY, *GOLD_ONCE), YEARLY, at("2027-03-03"))
    assert (held.tier, held.gained_on) == ("silver", 0)
    recompute = tiers(*YEARLY.tiers[1:], downgrade="recompute")
    member = bought(recompute, *GOLD_ONCE, ("2027-02-01", 50_000))
    held = tiering.standing(member, recompute, at("2027-03-03"))
    assert (held.tier, held.gained_on) == ("silver", ordinal("2027-03-03"))


def test_a_soft_landing_goes_down_one_step_a_term() -> None:
    member = bought(YEARLY, *GOLD_ONCE)
    days = ("2027-03-03", "2028-03-02", "2028-03-03", "2029-03-03")
    assert [tier_of(member, YEARLY, day) for day in days] == ["silver", "silver", "normal", "normal"]


def test_end_of_next_year() -> None:
    rules = tiers(tier("gold", [spend(100_000, "calendar_year")], valid_until="end_of_next_year"))
    member = bought(rules, *GOLD_ONCE)
    assert tier_of(member, rules, "2027-12-31", "23:59:59") == "gold"
    assert tier_of(member, rules, "2028-01-01", "00:00") == "normal"
    kept = buy(member, 100_000, at("2027-12-31", "23:59"), rules)
    assert tiering.standing(kept, rules, at("2028-01-01")).until == at("2029-01-01", "00:00")


def test_reviews_are_posted_each_once_and_none_is_skipped() -> None:
    """X10: the job may be late by years; what it posts is what time alone had already done."""
    member = bought(YEARLY, *GOLD_ONCE)
    for now in (at("2027-03-02", "23:59:59"), at("2027-03-03", "00:00"), at("2028-03-03"), at("2031-01-01")):
        reviewed, _ = review_all(member, YEARLY, now)
        assert tiering.standing(reviewed, YEARLY, now) == tiering.standing(member, YEARLY, now)
        assert review_all(reviewed, YEARLY, now)[1] == 0
    assert review_all(member, YEARLY, at("2027-03-02", "23:59:59"))[1] == 0
    assert review_all(member, YEARLY, at("2031-01-01"))[1] == 2


def test_a_sale_after_a_review_that_nobody_posted_rises_from_what_the_review_left() -> None:
    member = bought(YEARLY, *GOLD_ONCE)
    member = buy(member, 60_000, at("2027-05-01"), YEARLY)
    assert tier_of(member, YEARLY, "2027-05-01") == "silver"
    member = buy(member, 40_000, at("2027-05-02"), YEARLY)
    assert tiering.recorded(member, YEARLY).gained_on == ordinal("2027-05-02")


def test_a_lock_skips_the_review_until_it_ends() -> None:
    gift = GiveTier("gold", "anniversary", "s-1", at("2028-06-01", "00:00"))
    member = after(tier_reviews.decide_tier(nobody(), gift, YEARLY, at("2026-03-02")))
    assert tier_of(member, YEARLY, "2028-05-31", "23:59:59") == "gold"
    assert tier_of(member, YEARLY, "2028-06-01", "00:00") == "silver"
    gift = GiveTier("silver", "anniversary", "s-1", at("2028-06-01"))
    given = after(tier_reviews.decide_tier(nobody(), gift, YEARLY, at("2026-03-02")))
    risen = buy(given, 100_000, at("2026-04-01"), YEARLY)
    assert tiering.recorded(risen, YEARLY).tier == "gold"
    assert risen.tier_locked_until == at("2028-06-01")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (GiveTier("platinum", "x", "s"), "TIER_UNKNOWN"),
        (GiveTier("gold", "  ", "s"), "REASON_MISSING"),
        (GiveTier("gold", "x", "s", at("2026-03-05", "12:00")), "TIER_LOCK_IMPOSSIBLE"),
        (GiveTier("gold", "x", "s", dt.datetime.max.replace(tzinfo=dt.UTC)), "TIER_LOCK_IMPOSSIBLE"),
        (GiveTier("normal", "x", "s"), "TIER_BELOW_RULE"),
    ],
)
def test_tiers_that_cannot_be_given(command: GiveTier, code: str) -> None:
    member = bought(YEARLY, ("2026-03-02", 50_000))
    with pytest.raises(TapledgerError) as caught:
        tier_reviews.decide_tier(member, command, YEARLY, at("2026-03-05"))
    assert caught.value.code == code
    assert isinstance(caught.value, Refused if code == "TIER_BELOW_RULE" else Invalid)


PURCHASES = st.lists(
    st.tuples(st.integers(0, 900), st.sampled_from([1, 20_000, 50_000, 100_000])), min_size=1, max_size=12
)


@given(purchases=PURCHASES, jobs=st.lists(st.integers(0, 1000), max_size=6), asked=st.integers(0, 1100))
@pytest.mark.parametrize("policy", ["one_down", "recompute", "none"])
def test_when_reviews_are_posted_changes_nothing(
    policy: str, purchases: list[tuple[int, int]], jobs: list[int], asked: int
) -> None:
    rules = tiers(*YEARLY.tiers[1:], downgrade=policy, grace_days=20)
    start = at("2026-03-02")

    def live(posting: list[int]) -> Member:
        member = nobody()
        for day, minor in sorted([*purchases, *((day, 0) for day in posting)]):
            now = start + dt.timedelta(days=day)
            if day > asked:
                break
            member = buy(member, minor, now, rules) if minor else review_all(member, rules, now)[0]
        return member

    now = start + dt.timedelta(days=asked)
    assert tiering.standing(live([]), rules, now) == tiering.standing(live(jobs), rules, now)


# ---- warnings ---------------------------------------------------------------------------------------------
def test_warnings_come_thirty_and_seven_days_before_each_once() -> None:
    member, told = bought(YEARLY, *GOLD_ONCE), []
    for day in range(ordinal("2027-01-20"), ordinal("2027-03-05")):
        now = at(dt.date.fromordinal(day).isoformat())
        for _ in range(3):
            if (decision := tier_reviews.decide_warning(member, YEARLY, now)) is not None:
                member = after(decision)
                told.append((dt.date.fromordinal(day).isoformat(), decision.body.reasons[0].data["days"]))
    assert told == [("2027-02-01", 30), ("2027-02-24", 7)]
    assert [note.reason.code for note in member.notes] == ["TIER_ENDS", "TIER_ENDS"]


def test_after_days_of_silence_only_the_nearest_warning_is_given() -> None:
    member = bought(YEARLY, *GOLD_ONCE)
    decision = tier_reviews.decide_warning(member, YEARLY, at("2027-02-28"))
    assert decision is not None and decision.body.reasons[0].data["days"] == 3
    assert tier_reviews.decide_warning(after(decision), YEARLY, at("2027-03-01")) is None


def test_who_would_keep_the_tier_is_not_warned() -> None:
    member = bought(YEARLY, *GOLD_ONCE, ("2027-02-01", 100_000))
    assert tier_reviews.decide_warning(member, YEARLY, at("2027-02-28")) is None
    never = tiers(*YEARLY.tiers[1:], downgrade="none")
    assert tier_reviews.decide_warning(bought(never, *GOLD_ONCE), never, at("2027-02-28")) is None


def test_nobody_is_warned_without_an_end_or_in_the_grace() -> None:
    assert tier_reviews.decide_warning(nobody(), YEARLY, at("2026-03-02")) is None
    rules = tiers(*YEARLY.tiers[1:], grace_days=30)
    member = bought(rules, *GOLD_ONCE)
    assert tier_reviews.decide_warning(member, rules, at("2027-03-02", "23:59:59")) is not None
    assert tier_reviews.decide_warning(member, rules, at("2027-03-03", "00:00")) is None


# ---- what is said -----------------------------------------------------------------------------------------
def test_reviews_and_warnings_name_the_last_day() -> None:
    member = bought(YEARLY, *GOLD_ONCE)
    warned = tier_reviews.decide_warning(member, YEARLY, at("2027-02-28"))
    assert warned is not None
    assert warned.body.reasons[0].data == {"tier": "gold", "last_day": "2027-03-02", "days": 3}
    assert [one.amount for one in warned.body.effects if isinstance(one, Tallied)] == [1]
    lowered = tier_reviews.decide_review(member, YEARLY, at("2027-03-03"))
    assert lowered is not None
    (why,) = lowered.body.reasons
    assert (why.code, why.data["last_day"]) == ("TIER_LOWERED", "2027-03-02")
    kept = tier_reviews.decide_review(
        buy(member, 100_000, at("2027-03-01"), YEARLY), YEARLY, at("2027-03-03")
    )
    assert kept is not None and kept.body.reasons[0].code == "TIER_RENEWED"


def test_a_tier_may_be_given_that_is_held_and_locked_to_the_longest() -> None:
    member = bought(YEARLY, ("2026-03-02", 50_000))
    now = at("2026-03-05")
    longest = GiveTier("silver", "x", "s-1", now + tier_reviews.MAX_LOCK)
    given_tier = after(tier_reviews.decide_tier(member, longest, YEARLY, now))
    assert (given_tier.tier, given_tier.tier_locked_until) == ("silver", longest.locked_until)
