"""What changes of tiers post, to the last figure (loyalty.md 3.10)."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from tapledger.errors import Invalid, Refused
from tapledger.loyalty.effects import Noted, RefereeCounted, Tallied, TierSet
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program import Clause
from tapledger.loyalty.tiers import former_tiers, tier_reviews, tiering
from tapledger.loyalty.tiers.former_tiers import FormerTier
from tapledger.loyalty.tiers.tier_reviews import GiveTier
from tapledger.loyalty.tiers.tiering import Standing
from tests.loyalty.ladders import GOLD_ONCE, YEARLY, bought, tier, tiers
from tests.loyalty.lives import apply, at, nobody, ordinal

GOLD = bought(YEARLY, *GOLD_ONCE)
END = at("2027-03-03", "00:00")
"""The first instant after the last valid day of that gold."""
TWO_YEARS = at("2028-03-03", "00:00")
GAINED = ordinal("2026-03-02")
LOCK = at("2030-01-01", "00:00")


# ---- reviews ----------------------------------------------------------------------------------------------
def test_a_review_that_lowers_posts_the_tier_below() -> None:
    done = tier_reviews.decide_review(GOLD, YEARLY, END)
    assert done is not None
    assert done.body.kind == "review"
    next_end = at("2028-03-03", "00:00")
    assert done.body.effects == (TierSet("silver", 0, next_end, None, "review"),)
    figures: dict[str, int | str] = {"tier": "silver", "before": "gold", "last_day": "2027-03-02"}
    assert done.body.reasons == (Reason("TIER_LOWERED", figures),)
    assert tier_reviews.decide_review(GOLD, YEARLY, END - dt.timedelta(seconds=1)) is None


def test_a_review_that_keeps_posts_the_next_term() -> None:
    more = apply(GOLD, Tallied("spend", ordinal("2027-03-01"), 100_000))
    done = tier_reviews.decide_review(more, YEARLY, END)
    assert done is not None
    assert done.body.effects == (TierSet("gold", GAINED, at("2028-03-02", "00:00"), None, "review"),)
    assert done.body.reasons == (Reason("TIER_RENEWED", {"tier": "gold", "last_day": "2027-03-02"}),)


def test_a_rise_by_time_alone_is_posted_with_its_reason() -> None:
    rules = tiers(tier("silver", [Clause("referrals", 1)], valid_days=10))
    member = apply(nobody(), RefereeCounted("r", "bought", ordinal("2026-03-10")))
    done = tier_reviews.decide_review(member, rules, at("2026-03-10", "00:00"))
    assert done is not None
    assert (done.body.kind, done.body.reasons) == ("tier", (Reason("TIER_REACHED", {"tier": "silver"}),))
    ends = at("2026-03-21", "00:00")
    assert done.body.effects == (TierSet("silver", ordinal("2026-03-10"), ends, None, "referral"),)
    assert done.after is not None
    assert done.after.former_tiers == (FormerTier("normal"),)


def test_a_warning_is_counted_and_noted_until_the_tier_ends() -> None:
    done = tier_reviews.decide_warning(GOLD, YEARLY, at("2027-02-28"))
    assert done is not None
    why = Reason("TIER_ENDS", {"tier": "gold", "last_day": "2027-03-02", "days": 3})
    assert done.body.effects == (
        Tallied("tier-warning/7", ordinal("2027-03-03"), 1),
        Noted(why, END),
    )
    assert done.body.reasons == (why,)
    assert done.body.kind == "review"


# ---- given ------------------------------------------------------------------------------------------------
def test_a_tier_that_staff_give_is_not_gained_and_starts_anew() -> None:
    now = at("2026-04-01")
    done = tier_reviews.decide_tier(GOLD, GiveTier("gold", " long a friend ", "s-1", LOCK), YEARLY, now)
    assert done.body.effects == (TierSet("gold", 0, at("2027-04-02", "00:00"), LOCK, "staff"),)
    assert done.body.reasons == (Reason("TIER_GIVEN", {"tier": "gold"}),)
    assert done.body.facts == {"why": " long a friend "}
    assert done.after is not None and done.after.former_tiers == ()


@pytest.mark.parametrize(
    ("command", "error", "code", "figures"),
    [
        (GiveTier("silver", "x", "s"), Refused, "TIER_BELOW_RULE", {"tier": "gold"}),
        (GiveTier("ruby", "x", "s"), Invalid, "TIER_UNKNOWN", {"tier": "ruby"}),
        (GiveTier("gold", " ", "s"), Invalid, "REASON_MISSING", {}),
        (GiveTier("gold", "x", "s", at("2026-04-01")), Invalid, "TIER_LOCK_IMPOSSIBLE", {}),
    ],
)
def test_a_tier_that_cannot_be_given_says_why(
    command: GiveTier, error: type[Exception], code: str, figures: dict[str, str]
) -> None:
    with pytest.raises(error) as refused:
        tier_reviews.decide_tier(GOLD, command, YEARLY, at("2026-04-01"))
    assert (refused.value.code, refused.value.data) == (code, figures)  # type: ignore[attr-defined]


# ---- by what a sale counts, and what comes back -----------------------------------------------------------
def test_a_rise_remembers_why_when_and_until() -> None:
    counted = (Tallied("spend", ordinal("2026-03-02"), 50_000),)
    locked = msgspec.structs.replace(nobody(), tier_locked_until=LOCK)
    now, ends = at("2026-03-02"), at("2027-03-03", "00:00")
    assert tiering.upgrade(nobody(), counted, YEARLY, now) == (
        TierSet("silver", GAINED, ends, None, "spend"),
    )
    assert tiering.upgrade(locked, counted, YEARLY, now, "growth") == (
        TierSet("silver", GAINED, ends, LOCK, "growth"),
    )
    assert tiering.upgrade(GOLD, counted, YEARLY, now) == ()
    assert tiering.tier_after(nobody(), counted, YEARLY, now).id == "silver"


def test_what_a_return_takes_back_is_the_tier_before_with_its_time() -> None:
    twice = bought(YEARLY, ("2026-03-02", 50_000), ("2026-04-02", 50_000))
    assert twice.former_tiers == (FormerTier("normal"), FormerTier("silver", GAINED, END))
    back = apply(twice, Tallied("spend", ordinal("2026-04-02"), -1))
    now = at("2026-04-03")
    assert tiering.after_return(back, YEARLY, now) == (TierSet("silver", GAINED, END, None, "refund"),)
    assert tiering.after_return(twice, YEARLY, now) == ()
    locked = msgspec.structs.replace(back, tier_locked_until=at("2026-04-01"))
    assert tiering.after_return(locked, YEARLY, now) == (
        TierSet("silver", GAINED, END, at("2026-04-01"), "refund"),
    )
    # What was gained longer ago than the window of returns stays until its review.
    nothing = apply(back, Tallied("spend", GAINED, -50_000))
    silver = (TierSet("silver", GAINED, END, None, "refund"),)
    assert tiering.after_return(nothing, YEARLY, at("2026-04-02")) == silver
    soon = bought(YEARLY, ("2026-03-02", 50_000), ("2026-03-08", 50_000))
    nothing = apply(soon, *(Tallied("spend", ordinal(f"2026-03-{day}"), -50_000) for day in ("02", "08")))
    normal = (TierSet("normal", 0, None, None, "refund"),)
    assert tiering.after_return(nothing, YEARLY, at("2026-03-09")) == normal
    assert tiering.after_return(nothing, YEARLY, at("2026-03-10")) == silver


def test_the_tiers_risen_from_are_kept_by_why_it_changed() -> None:
    before = (FormerTier("normal"), FormerTier("silver", 5, END))
    held = FormerTier("gold", 9)
    for why in ("spend", "growth", "referral"):
        assert former_tiers.after(before, held, TierSet("black", 0, why=why)) == (*before, held)
    for why in ("review", "staff"):
        assert former_tiers.after(before, held, TierSet("black", 0, why=why)) == ()
    assert former_tiers.after(before, held, TierSet("silver", 0, why="refund")) == before[:1]
    assert former_tiers.after(before, held, TierSet("normal", 0, why="refund")) == ()
    assert former_tiers.after(before, held, TierSet("ruby", 0, why="refund")) == before


# ---- how long ---------------------------------------------------------------------------------------------
def test_how_long_a_tier_lasts() -> None:
    rules = tiers(
        tier("days", [Clause("visits", 1)], valid_days=0),
        tier("year", [Clause("visits", 2)], valid_until="end_of_next_year"),
        tier("ever", [Clause("visits", 3)]),
    )
    since = dt.date(2026, 3, 2)
    lasts = [tiering.valid_until(one, since, rules) for one in rules.tiers]
    assert lasts == [None, at("2026-03-03", "00:00"), at("2028-01-01", "00:00"), None]


def test_a_tier_that_is_due_is_seen_as_reviewed_before_anybody_posts_it() -> None:
    assert tiering.standing(GOLD, YEARLY, END - dt.timedelta(seconds=1)) == Standing("gold", GAINED, END)
    silver = Standing("silver", 0, TWO_YEARS)
    assert tiering.standing(GOLD, YEARLY, END) == silver
    assert tiering.standing(GOLD, YEARLY, TWO_YEARS - dt.timedelta(seconds=1)) == silver
    assert tiering.standing(GOLD, YEARLY, TWO_YEARS) == Standing("normal", ordinal("2028-03-03"), None)
    locked = msgspec.structs.replace(GOLD, tier_locked_until=LOCK)
    assert tiering.standing(locked, YEARLY, TWO_YEARS).tier == "gold"
    assert tiering.standing(locked, YEARLY, LOCK).tier == "silver"


def test_each_metric_counts_inside_its_window() -> None:
    member = apply(
        nobody(),
        *(Tallied("spend", ordinal(f"2026-03-{day:02d}"), 100) for day in (1, 5, 10)),
        *(Tallied("sales", ordinal(f"2026-03-{day:02d}"), 2) for day in (1, 5, 10)),
        Tallied("growth", ordinal("2026-03-05"), 7),
        RefereeCounted("a", "bought", ordinal("2026-03-05")),
        RefereeCounted("b", "bought", ordinal("2026-03-11")),
        RefereeCounted("c", "gold"),
    )
    old = msgspec.structs.replace(member, earlier_spend_minor=1000)
    today = dt.date(2026, 3, 10)

    def metric(clause: Clause) -> int:
        return tiering.metric(old, clause, YEARLY, today)

    assert [metric(Clause("spend", 1, "rolling", days)) for days in (1, 5, 6, 10)] == [100, 100, 200, 300]
    assert [metric(Clause("visits", 1, "rolling", days)) for days in (1, 5, 6, 10)] == [1, 1, 2, 3]
    assert (metric(Clause("spend", 1)), metric(Clause("visits", 1))) == (1300, 3)
    assert metric(Clause("growth", 1, "rolling", 6)) == metric(Clause("growth", 1)) == 7
    assert metric(Clause("growth", 1, "rolling", 5)) == 0
    assert (metric(Clause("referrals", 1)), metric(Clause("referrals", 1, "rolling", 5))) == (1, 0)
    assert metric(Clause("referees", 1, reached="gold")) == 1
    assert tiering.referrals(old) == [ordinal("2026-03-05"), ordinal("2026-03-11")]
