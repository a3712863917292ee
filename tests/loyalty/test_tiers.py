"""Tiers: reached by the rule, kept for their time, reviewed by their own day, taken back if unearned."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import time
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid, Refused, TapledgerError
from tapledger.loyalty import tallies, tier_progress, tier_reviews, tiering
from tapledger.loyalty.effects import Effect, RefereeCounted, Tallied, TierSet
from tapledger.loyalty.members import APPLY, Member
from tapledger.loyalty.program import Clause, Program, Tier, Tiering
from tapledger.loyalty.tier_reviews import GiveTier
from tests.loyalty.givens import after, program

ZONES = ("Asia/Shanghai", "America/Los_Angeles", "Africa/Cairo")
MACHINE_ZONES = ("Pacific/Kiritimati", "America/Noronha", "UTC")
JOINED = dt.datetime(2026, 1, 5, 4, 0, tzinfo=dt.UTC)


def tiers(*tiers: Tier, zone: str = "Asia/Shanghai", **tiering_rules: object) -> Program:
    rules = msgspec.convert(tiering_rules, Tiering)
    return program(tiers=[Tier("normal", {"en": "Normal"}), *tiers], timezone=zone, tiering=rules)


def tier(id_: str, *groups: list[Clause], **more: object) -> Tier:
    return Tier(id_, {"en": id_}, reach=list(groups), **more)  # type: ignore[arg-type]


def spend(at_least: int, window: str = "lifetime", rolling: int = 0) -> Clause:
    return Clause("spend", at_least, window, rolling)  # type: ignore[arg-type]


MALL = tiers(tier("gold", [spend(80_000, "day")], [spend(200_000, "rolling", 30)], valid_days=365))
YEARLY = tiers(
    tier("silver", [spend(50_000, "rolling", 365)], valid_days=365),
    tier("gold", [spend(100_000, "rolling", 365)], valid_days=365),
)


def at(day: str, clock: str = "12:00", zone: str = "Asia/Shanghai") -> dt.datetime:
    local = dt.datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(dt.UTC)


def ordinal(day: str) -> int:
    return dt.date.fromisoformat(day).toordinal()


def nobody() -> Member:
    return Member("m-1", JOINED)


def apply(member: Member, effects: Iterable[Effect], now: dt.datetime) -> Member:
    for effect in effects:
        member = APPLY[type(effect)](member, effect, now)
    return member


def buy(member: Member, minor: int, now: dt.datetime, rules: Program) -> Member:
    """Buy as a sale does: count, then rise."""
    today = now.astimezone(rules.zone()).date().toordinal()
    counted = (Tallied(tallies.SPEND, today, minor), Tallied(tallies.SALES, today, 1))
    return apply(member, (*counted, *tiering.upgrade(member, counted, rules, now)), now)


def give_back(member: Member, minor: int, sold: str, now: dt.datetime, rules: Program) -> Member:
    member = apply(member, [Tallied(tallies.SPEND, ordinal(sold), -minor)], now)
    return apply(member, tiering.after_return(member, rules, now), now)


def bought(rules: Program, *purchases: tuple[str, int]) -> Member:
    member = nobody()
    for day, minor in purchases:
        member = buy(member, minor, at(day), rules)
    return member


def tier_of(member: Member, rules: Program, day: str, clock: str = "12:00") -> str:
    return tiering.current(member, rules, at(day, clock, rules.timezone)).id


def review_all(member: Member, rules: Program, now: dt.datetime) -> tuple[Member, int]:
    count = 0
    while (decision := tier_reviews.decide_review(member, rules, now)) is not None:
        member, count = after(decision), count + 1
        assert count < 100
    return member, count


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
    assert tiering.upgrade(apply(nobody(), [*counted, effect], now), [], YEARLY, now) == ()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("machine", MACHINE_ZONES)
def test_days_are_those_of_the_programme(zone: str, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """P11: spend of a day ends with the programme's day, to the second, wherever the machine thinks it is."""
    monkeypatch.setitem(os.environ, "TZ", machine)
    time.tzset()
    try:
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
    finally:
        monkeypatch.undo()
        time.tzset()


def test_visits_are_days_and_growth_is_a_sum() -> None:
    rules = tiers(tier("silver", [Clause("visits", 2)]), tier("gold", [Clause("growth", 10)]))
    twice_a_day = bought(rules, ("2026-03-02", 100), ("2026-03-02", 100))
    assert tier_of(twice_a_day, rules, "2026-03-02") == "normal"
    assert tier_of(buy(twice_a_day, 100, at("2026-03-03"), rules), rules, "2026-03-03") == "silver"
    grown = apply(nobody(), [Tallied(tallies.GROWTH, ordinal("2026-03-02"), 9)], at("2026-03-02"))
    assert tier_of(grown, rules, "2026-03-02") == "normal"
    grown = apply(grown, [Tallied(tallies.GROWTH, ordinal("2026-03-02"), 1)], at("2026-03-02"))
    assert tier_of(grown, rules, "2026-03-02") == "gold"


def test_a_tier_without_a_rule_is_only_given() -> None:
    rules = tiers(tier("silver", [spend(100)]), tier("black", given=True))
    member = bought(rules, ("2026-03-02", 10**9))
    assert tier_of(member, rules, "2026-03-02") == "silver"
    given = after(
        tier_reviews.decide_tier(member, GiveTier("black", "friend", "s-1"), rules, at("2026-03-03"))
    )
    assert tier_of(given, rules, "2030-01-01") == "black"


# ---- review -----------------------------------------------------------------------------------------------
GOLD_ONCE = (("2026-03-02", 100_000),)
"""Gold from 2 March 2026, valid through 2 March 2027."""


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


# ---- returns ----------------------------------------------------------------------------------------------
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
    locked = apply(
        member, [TierSet("silver", member.gained_on, member.tier_until, at("2026-04-01"))], at("2026-03-03")
    )
    assert give_back(locked, 50_000, "2026-03-02", at("2026-03-04"), rules).tier == "silver"


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
    member = apply(
        nobody(), [RefereeCounted(f"r{n}", "bought", day) for n, day in enumerate(days)], at("2026-03-02")
    )
    told = tier_progress.progress(member, rules, at("2026-03-10"))
    assert told is not None
    clause = told.groups[0][0]
    assert (clause.have, clause.missing, clause.counts_on) == (3, 0, ordinal("2026-03-12"))
    why = tier_progress.said(clause, told.tier, rules)
    assert (why.code, why.data["day"]) == ("TIER_REFERRALS_WAIT", "2026-03-12")
    assert tier_of(member, rules, "2026-03-11", "23:59:59") == "normal"
    assert tier_of(member, rules, "2026-03-12", "00:00") == "silver"
    two = apply(member, [RefereeCounted("r0", "returned")], at("2026-03-09"))
    told = tier_progress.progress(two, rules, at("2026-03-09"))
    assert told is not None and (told.groups[0][0].have, told.groups[0][0].missing) == (2, 1)
