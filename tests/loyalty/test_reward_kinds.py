"""Kinds of rewards, their windows, limits and ends (loyalty.md 3.8, R17, R18)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import msgspec
import pytest

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import tallies
from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.coupons import claiming
from tapledger.loyalty.coupons.claiming import Claim
from tapledger.loyalty.effects import CouponIssued, CouponMoved, Debited, Granted, Held, Tallied
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Limit, Program, Reward, Template
from tapledger.loyalty.program.people import Lottery, Prize
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.rewards import redeeming
from tapledger.loyalty.rewards.redeeming import decide_fulfil, decide_redeem, decide_release, decide_undo
from tests.loyalty.givens import (
    DAY,
    MEMBER,
    NOON,
    TODAY,
    after,
    available,
    hold_of,
    lot,
    member,
    of_kind,
    posted,
    program,
    redeem,
    rich,
)

SECOND = dt.timedelta(seconds=1)


def with_reward(reward: Reward, **changes: Any) -> Program:
    return program(rewards=[reward], unsettled_points=10**9, **changes)


def refusal(who: Member, rule: Program, now: dt.datetime = NOON, **how: Any) -> str:
    """Return why the one reward cannot be had; empty when it can. Screen and refusal must agree."""
    reward = rule.rewards[0]
    command = dataclasses.replace(redeem(reward.id), **how)
    why = redeeming.why_not(who, reward, command, rule, now)
    try:
        decide_redeem(who, command, rule, now)
    except Refused as error:
        assert why is not None
        assert (error.code, error.data) == (why.code, why.data)
        return error.code
    assert why is None
    return ""


# ---- limits ----------------------------------------------------------------------------------------------
def test_G42_a_limit_a_month_counts_local_months() -> None:
    rule = with_reward(Reward("tea", {"en": "Tea"}, 10, per_member=Limit(1, "month")))
    first = dt.datetime(2025, 1, 31, 15, 59, tzinfo=dt.UTC)  # 31 January 23:59 in Shanghai
    second = dt.datetime(2025, 1, 31, 16, 0, tzinfo=dt.UTC)  # 1 February 00:00
    who = member(lot("a", 100, begins=first - DAY))
    who = after(decide_redeem(who, redeem("tea", "h-1"), rule, first))
    who = after(decide_redeem(who, redeem("tea", "h-2"), rule, second))
    with pytest.raises(Refused) as refused:
        decide_redeem(who, redeem("tea", "h-3"), rule, second + DAY / 2)
    assert (refused.value.code, refused.value.data) == ("LIMIT_REACHED", {"times": 1})


def test_a_released_reward_does_not_count_for_its_limit() -> None:
    rule = with_reward(Reward("tea", {"en": "Tea"}, 10, per_member=Limit(1)))
    held = after(decide_redeem(rich(), redeem("tea"), rule, NOON))
    assert refusal(held, rule, hold="h-2") == "LIMIT_REACHED"
    back = after(decide_release(held, "hold-1", None, rule, NOON))
    assert (refusal(back, rule, hold="h-2"), back) == ("", rich())


@pytest.mark.parametrize(
    ("when", "now", "code"),
    [
        (Condition(from_=dt.datetime(2026, 5, 4, 12)), NOON, ""),  # noqa: DTZ001
        (Condition(from_=dt.datetime(2026, 5, 4, 12)), NOON - SECOND, "NOT_YET"),  # noqa: DTZ001
        (Condition(to=dt.datetime(2026, 5, 4, 12)), NOON - SECOND, ""),  # noqa: DTZ001
        (Condition(to=dt.datetime(2026, 5, 4, 12)), NOON, "NO_LONGER"),  # noqa: DTZ001
        (Condition(segments=["sleeping"]), NOON, "OTHER_SEGMENT"),
        (Condition(tiers=["gold"]), NOON, "OTHER_TIER"),
    ],
)
def test_a_limited_time_is_half_open(when: Condition, now: dt.datetime, code: str) -> None:
    assert refusal(rich(), with_reward(Reward("tea", {"en": "Tea"}, 10, when=when)), now) == code


@pytest.mark.parametrize("status", ["frozen", "cancelled", "merged", "erased"])
def test_who_may_not_spend_may_not_redeem(status: str) -> None:
    who = msgspec.structs.replace(rich(), status=status)
    assert refusal(who, with_reward(Reward("tea", {"en": "Tea"}, 10))) == f"MEMBER_{status.upper()}"


# ---- given at once ---------------------------------------------------------------------------------------
COUPON = Template("ten", Amount(1000), valid_days=7)


def test_a_coupon_is_bought_by_the_event_that_takes_the_points() -> None:
    rule = with_reward(Reward("buy", {"en": "Coupon"}, 300, kind="coupon", grants="ten"), coupons=[COUPON])
    done = decide_redeem(rich(), redeem("buy", "h-1"), rule, NOON)
    assert done.body.kind == "fulfil"
    assert of_kind(done, Held) == []
    assert available(after(done)) == 9_700
    assert posted(done, f"member/{MEMBER}/points") == -300
    (issued,) = of_kind(done, CouponIssued)
    assert (issued.coupon.template, issued.coupon.source) == ("ten", "reward/buy")
    assert Tallied("reward/buy", TODAY, 1) in done.body.effects
    assert tallies.total(after(done).tallies, tallies.TRUST, TODAY, TODAY) == 300
    assert [one.code for one in done.body.reasons] == ["REDEEM", "COUPON_ISSUED"]


def test_no_points_are_taken_for_a_coupon_that_is_gone() -> None:
    rule = with_reward(Reward("buy", {"en": "Coupon"}, 300, kind="coupon", grants="ten"), coupons=[COUPON])
    assert refusal(rich(), rule, exhausted={"coupon/ten"}) == "OUT_OF_STOCK"


def test_an_entitlement_is_bought_with_points() -> None:
    rule = with_reward(Reward("lounge", {"en": "Lounge"}, 50, kind="entitlement", grants="lounge"))
    done = decide_redeem(rich(), redeem("lounge", "h-1"), rule, NOON)
    (granted,) = of_kind(done, Granted)
    assert (granted.grant.entitlement, granted.grant.source) == ("lounge", "reward/lounge")
    assert after(done).grants == (granted.grant,)
    assert of_kind(done, Debited)[0].takes[0].amount == 50


def test_defect_validated_and_consumed_lots() -> None:
    """ERPNext #59050: what is checked and what is taken are the same lots; none that lapsed or waits."""
    rule = with_reward(Reward("lounge", {"en": "Lounge"}, 50, kind="entitlement", grants="lounge"))
    who = member(lot("lapsed", 9, NOON), lot("pending", 50, begins=NOON + DAY), lot("a", 20), lot("b", 39))
    done = decide_redeem(who, redeem("lounge"), rule, NOON)
    assert sum(take.amount for take in of_kind(done, Debited)[0].takes) == 50
    assert {take.lot for take in of_kind(done, Debited)[0].takes} == {"a", "b"}
    assert (available(who), available(after(done)), after(done).deficit) == (59, 9, 0)


def test_a_draw_is_not_a_thing_to_hold() -> None:
    rule = with_reward(Reward("spin", {"en": "Spin"}, 50, kind="draw", grants="wheel"))
    with pytest.raises(Refused, match="REWARD_UNKNOWN"):
        decide_redeem(rich(), redeem("spin"), rule, NOON)


# ---- events and money ------------------------------------------------------------------------------------
EVENT = Reward(
    "dinner", {"en": "Dinner"}, 500, kind="event", stock=20, attend_points=80,
    ends=dt.datetime(2026, 12, 1, 22),  # noqa: DTZ001
)  # fmt: skip


def test_a_ticket_is_good_until_its_event_ends_and_coming_gives_points() -> None:
    rule = with_reward(EVENT, voucher_days=1)
    held = decide_redeem(rich(), redeem("dinner"), rule, NOON)
    assert hold_of(held).until == dt.datetime(2026, 12, 1, 14, tzinfo=dt.UTC)
    came = decide_fulfil(after(held), "hold-1", None, rule, hold_of(held).until - SECOND)
    assert posted(came, f"member/{MEMBER}/points") == 80
    assert available(after(came), NOON + 300 * DAY) == 9_580
    with pytest.raises(Refused, match="VOUCHER_EXPIRED"):
        decide_fulfil(after(held), "hold-1", None, rule, hold_of(held).until)


def test_money_beside_the_points_is_booked_at_hand_over() -> None:
    rule = with_reward(Reward("watch", {"en": "Watch"}, 100, cost_minor=9900))
    held = decide_redeem(rich(), redeem("watch"), rule, NOON)
    assert hold_of(held).money_minor == 9900
    done = decide_fulfil(after(held), "hold-1", "s-1", rule, NOON, "card")
    assert (posted(done, "tender/card", "CNY"), posted(done, "sales", "CNY")) == (9900, -9900)
    with pytest.raises(Invalid, match="TENDER_UNKNOWN"):
        decide_fulfil(after(held), "hold-1", "s-1", rule, NOON, "shells")


# ---- undone ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("seconds", "delivered", "code"),
    [(0, False, ""), (9, False, ""), (10, False, "UNDO_TOO_LATE"), (-1, False, "UNDO_TOO_LATE"),
     (1, True, "VOUCHER_DELIVERED")],
)  # fmt: skip
def test_members_undo_within_ten_seconds_and_before_delivery(
    seconds: int, delivered: bool, code: str
) -> None:
    rule = with_reward(Reward("tea", {"en": "Tea"}, 10))
    held = after(decide_redeem(rich(), redeem("tea"), rule, NOON))
    now = NOON + seconds * SECOND
    if code:
        with pytest.raises(Refused, match=code):
            decide_undo(held, "hold-1", delivered, rule, now)
    else:
        assert after(decide_undo(held, "hold-1", delivered, rule, now)) == rich()


# ---- what events use up ----------------------------------------------------------------------------------
LIMITED = program(
    rewards=[Reward("mug", {"en": "Mug"}, 10, stock=2), Reward("tea", {"en": "Tea"}, 10)],
    coupons=[Template("ten", Amount(1), total=5)],
    lotteries=[Lottery("wheel", {"en": "W"}, 1, [Prize("car", {"en": "Car"}, 1, stock=1)], "car")],
)


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (Tallied("reward/mug", TODAY, 1), (Claim("reward/mug", 2),)),
        (Tallied("reward/mug", TODAY, -1), ()),
        (Tallied("reward/mug", TODAY, 0), ()),
        (Tallied("reward/tea", TODAY, 1), (Claim("reward/tea", None),)),
        (Tallied("coupon/ten", TODAY, 3), (Claim("coupon/ten", 5, 3),)),
        (Tallied("prize/wheel/car", TODAY, 1), (Claim("prize/wheel/car", 1),)),
        (Tallied("spend", TODAY, 500), ()),
        (CouponMoved("c-1", "held", "s-1"), ()),
        (CouponMoved("c-1", "redeemed", "s-1"), (Claim("redeemed/c-1", 1),)),
        (CouponMoved("c-1", "issued"), (Claim("redeemed/c-1", None, -1),)),
        (CouponMoved("c-1", "void"), ()),
        (CouponMoved("code/ten", "held", "s-1"), (Claim("coupon/ten", 5, 1, "code/ten/s-1"),)),
        (CouponMoved("code/ten", "redeemed", "s-1"), (Claim("coupon/ten", 5, 1, "code/ten/s-1"),)),
        (CouponMoved("code/ten", "issued", "s-1"), (Claim("coupon/ten", None, -1, "code/ten/s-1"),)),
        (CouponMoved("bearer/b", "redeemed", "s-1"), ()),
    ],
)
def test_claims_are_read_from_effects(effect: Any, expected: tuple[Claim, ...]) -> None:
    body = EventBody(kind="sale", at=NOON, program="1", effects=(effect,))
    assert claiming.claims(body, LIMITED) == expected
    moved = msgspec.structs.replace(body, kind="merge_in")
    assert claiming.claims(moved, LIMITED) == ()


def test_every_limit_of_a_programme_is_known() -> None:
    assert claiming.limits(LIMITED) == {"reward/mug": 2, "coupon/ten": 5, "prize/wheel/car": 1}
