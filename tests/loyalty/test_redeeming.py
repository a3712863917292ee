"""Rewards: who may have what now, and why not (loyalty.md 3.8, decisions R8)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tapledger.errors import Refused
from tapledger.loyalty.days import first_instant, local_day
from tapledger.loyalty.effects import HoldSettled, LotTake
from tapledger.loyalty.members import Member, replace
from tapledger.loyalty.program import Program, TrustLimits
from tapledger.loyalty.rewards.redeeming import Redeem, decide_fulfil, decide_hold, decide_release, why_not
from tapledger.loyalty.summary import summarize
from tapledger.loyalty.tallies import TRUST
from tests.loyalty.givens import (
    DAY,
    MEMBER,
    NOON,
    PROGRAM,
    TODAY,
    after,
    available,
    code_of,
    hold_of,
    lot,
    member,
    program,
    redeem,
    rich,
)


def refusal(
    who: Member, command: Redeem, rules: Program = PROGRAM, now: dt.datetime = NOON
) -> tuple[str, Any]:
    """Return why a reward is refused; the screen must give the same reason."""
    with pytest.raises(Refused) as refused:
        decide_hold(who, command, rules, now)
    reward = rules.reward(command.reward)
    if reward is not None:
        why = why_not(who, reward, command, rules, now)
        assert why is not None
        assert (why.code, why.data) == code_of(refused.value)
    return code_of(refused.value)


# ---- what a hold is --------------------------------------------------------------------------------------
def test_a_hold_names_the_lots_and_the_voucher() -> None:
    who = member(lot("late", 60), lot("soon", 50, NOON + DAY))
    decided = decide_hold(who, redeem("coffee", language="zh-Hans"), PROGRAM, NOON)
    body, hold = decided.body, hold_of(decided)
    assert hold.taken == (LotTake("soon", 50, NOON + DAY), LotTake("late", 30))
    assert (hold.title, hold.points, hold.voucher) == ("咖啡", 80, "voucher of hold-1")
    assert after(decided).holds == (hold,)
    assert [one.remaining for one in after(decided).lots] == [30, 0], "what is used up may come back"
    assert (body.trust, body.evidence, body.staff) == (3, "test", "staff-1")


def test_a_title_that_is_missing_in_a_language_is_told_in_english() -> None:
    hold = hold_of(decide_hold(rich(), redeem("mug", language="zh-Hans"), PROGRAM, NOON))
    assert hold.title == "Mug"


def test_exactly_enough_is_enough() -> None:
    assert available(after(decide_hold(member(lot("a", 80)), redeem("coffee"), PROGRAM, NOON))) == 0


# ---- why not ---------------------------------------------------------------------------------------------
def test_an_unknown_reward_is_refused() -> None:
    assert refusal(rich(), redeem("yacht")) == ("REWARD_UNKNOWN", {})


@pytest.mark.parametrize("have", [0, 1, 79])
def test_missing_points_are_told(have: int) -> None:
    who = member(lot("a", have)) if have else member()
    assert refusal(who, redeem("coffee")) == ("POINTS_MISSING", {"points": 80 - have})


def test_lapsed_pending_and_owed_points_do_not_buy() -> None:
    who = member(lot("lapsed", 500, NOON), lot("pending", 500, begins=NOON + DAY), lot("a", 10))
    assert refusal(who, redeem("coffee")) == ("POINTS_MISSING", {"points": 70})
    assert refusal(replace(rich(90), deficit=20), redeem("coffee")) == ("POINTS_MISSING", {"points": 10})
    owing = member(lot("pending", 500, begins=NOON + DAY), deficit=20)
    assert refusal(owing, redeem("coffee")) == ("POINTS_MISSING", {"points": 80})
    assert refusal(owing, redeem("mug"), now=NOON + DAY) == ("POINTS_MISSING", {"points": 20})


def test_a_hold_is_paid_after_the_debt() -> None:
    """What has become available repays first (decisions (e)); the hold takes what is left of the lots."""
    owing = member(lot("soon", 50, NOON + 9 * DAY), lot("late", 100), deficit=60)
    held = decide_hold(owing, redeem("coffee"), PROGRAM, NOON)
    assert hold_of(held).taken == (LotTake("late", 80),)
    assert (available(after(held)), after(held).deficit) == (10, 0)


@pytest.mark.parametrize(("left", "allowed"), [(None, True), (1, True), (0, False), (-1, False)])
def test_stock_ends(left: int | None, allowed: bool) -> None:
    if allowed:
        assert hold_of(decide_hold(rich(), redeem("mug", stock_left=left), PROGRAM, NOON))
    else:
        assert refusal(rich(), redeem("mug", stock_left=left)) == ("OUT_OF_STOCK", {})


def test_a_reward_of_a_tier_is_for_that_tier() -> None:
    assert refusal(rich(), redeem("earphones")) == ("REWARD_OTHER_TIER", {"tier": "silver"})
    for tier in ("silver", "gold"):
        assert hold_of(decide_hold(rich(tier=tier), redeem("earphones"), PROGRAM, NOON))
    reached = member(lot("savings", 10_000), spend_minor=100_000)
    assert hold_of(decide_hold(reached, redeem("earphones"), PROGRAM, NOON))


def test_a_card_that_only_identifies_redeems_nothing() -> None:
    """R8: L0 never redeems alone."""
    assert refusal(rich(), redeem("coffee", trust=0)) == ("CARD_ONLY_IDENTIFIES", {})


@pytest.mark.parametrize(("trust", "limit"), [(1, 2000), (2, 20_000), (3, 1_000_000)])
def test_each_level_has_its_daily_limit(trust: int, limit: int) -> None:
    rules = program(unsettled_points=10**9)
    spent = replace(rich(), tallies={TRUST: {TODAY: limit - 80, TODAY - 1: limit}})
    assert hold_of(decide_hold(spent, redeem("coffee", trust=trust), rules, NOON))
    spent = replace(rich(), tallies={TRUST: {TODAY: limit - 79}})
    assert refusal(spent, redeem("coffee", trust=trust), rules) == ("DAILY_LIMIT", {"points": limit})


def test_many_small_redemptions_meet_the_daily_limit() -> None:
    rules, who, number = program(unsettled_points=10**9, trust=TrustLimits(0, 6000)), rich(100_000), 0
    while (reward := rules.reward("coffee")) and not why_not(
        who, reward, redeem("coffee", trust=1), rules, NOON
    ):
        who = after(decide_hold(who, redeem("coffee", f"hold-{number}", trust=1), rules, NOON))
        number += 1
        assert number <= 75
    assert number == 75
    assert refusal(who, redeem("coffee", trust=1), rules) == ("DAILY_LIMIT", {"points": 6000})


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Africa/Cairo", "America/Sao_Paulo", "Pacific/Apia"])
def test_the_day_of_the_limit_is_the_shops_local_day(zone: str) -> None:
    rules = program(timezone=zone, unsettled_points=10**9, trust=TrustLimits(0, 500))
    midnight = first_instant(local_day(NOON + DAY, rules.zone()), rules.zone())
    second = dt.timedelta(seconds=1)
    who = after(decide_hold(rich(), redeem("mug", trust=1), rules, midnight - second))
    assert refusal(who, redeem("coffee", trust=1), rules, midnight - second) == (
        "DAILY_LIMIT",
        {"points": 500},
    )
    assert hold_of(decide_hold(who, redeem("coffee", "next", trust=1), rules, midnight))


def test_an_undone_redemption_does_not_count() -> None:
    rules = program(trust=TrustLimits(0, 500))
    held = after(decide_hold(rich(), redeem("mug", trust=1), rules, NOON))
    undone = after(decide_release(held, "hold-1", None, rules, NOON))
    assert hold_of(decide_hold(undone, redeem("mug", "again", trust=1), rules, NOON))


def test_points_that_central_has_not_confirmed_are_bounded() -> None:
    assert hold_of(decide_hold(rich(), redeem("mug", unsettled_points=1500), PROGRAM, NOON))
    assert refusal(rich(), redeem("mug", unsettled_points=1501)) == ("UNSETTLED_LIMIT", {"points": 2000})


# ---- handing over ----------------------------------------------------------------------------------------
def test_a_voucher_is_good_for_whole_local_days() -> None:
    """Issued on 4 May at 12:00 in Shanghai for 30 days: until the end of 3 June there."""
    held = after(decide_hold(rich(), redeem("mug"), PROGRAM, NOON))
    ends = dt.datetime(2026, 6, 3, 16, 0, tzinfo=dt.UTC)
    assert held.holds[0].until == ends
    fulfilled = decide_fulfil(held, "hold-1", "staff-1", PROGRAM, ends - dt.timedelta(seconds=1))
    assert fulfilled.body.effects == (HoldSettled("hold-1", given_back=False),)
    with pytest.raises(Refused, match="VOUCHER_EXPIRED"):
        decide_fulfil(held, "hold-1", "staff-1", PROGRAM, ends)


def test_a_lapsed_voucher_gives_its_points_back() -> None:
    held = after(decide_hold(rich(), redeem("mug"), PROGRAM, NOON))
    assert available(after(decide_release(held, "hold-1", None, PROGRAM, NOON + 40 * DAY))) == 10_000


def test_a_voucher_is_handed_in_once() -> None:
    done = after(
        decide_fulfil(after(decide_hold(rich(), redeem("mug"), PROGRAM, NOON)), "hold-1", None, PROGRAM, NOON)
    )
    for again in (decide_fulfil, decide_release):
        with pytest.raises(Refused, match="VOUCHER_USED"):
            again(done, "hold-1", None, PROGRAM, NOON)


# ---- the answer to a tap ---------------------------------------------------------------------------------
def offers(who: Member, trust: int = 3) -> list[tuple[str, str]]:
    context = {reward.id: redeem(reward.id, trust=trust) for reward in PROGRAM.rewards}
    told = summarize(who, context, PROGRAM, NOON)
    return [(one.reward.id, "" if one.why_not is None else one.why_not.code) for one in told.offers]


def test_what_can_be_had_comes_first_dearest_first() -> None:
    assert offers(rich(tier="gold")) == [("earphones", ""), ("mug", ""), ("coffee", "")]


def test_what_cannot_be_had_follows_nearest_first_with_its_reason() -> None:
    assert offers(member(lot("a", 100), tier="gold")) == [
        ("coffee", ""),
        ("mug", "POINTS_MISSING"),
        ("earphones", "POINTS_MISSING"),
    ]
    assert offers(rich(), trust=0)[0] == ("coffee", "CARD_ONLY_IDENTIFIES")


def test_every_offer_without_a_reason_can_be_had() -> None:
    for who in (member(), member(lot("a", 100)), rich(), rich(tier="silver")):
        for reward_id, reason in offers(who):
            if reason:
                assert refusal(who, redeem(reward_id))[0] == reason
            else:
                assert decide_hold(who, redeem(reward_id), PROGRAM, NOON).body.member == MEMBER
