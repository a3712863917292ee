"""Coupons are given, counted and taken away (loyalty.md 3.11)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tapledger.errors import Refused
from tapledger.loyalty import gains, tallies
from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.coupons import issuing
from tapledger.loyalty.coupons.issuing import Issue
from tapledger.loyalty.effects import CouponIssued, Tallied
from tapledger.loyalty.program.people import Gain
from tests.loyalty.coupon_givens import (
    SECOND,
    SHANGHAI_MIDNIGHT,
    issue,
    reason,
    rules,
    template,
)
from tests.loyalty.givens import DAY, NOON, TODAY, member


# ---- given -----------------------------------------------------------------------------------------------
def test_an_issued_coupon_is_counted_for_its_limits() -> None:
    who = issue(member(), rules())
    (coupon,) = who.coupons
    assert (coupon.id, coupon.template, coupon.source, coupon.state) == ("c-1", "ten", "staff", "issued")
    assert tallies.total(who.tallies, "coupon/ten", TODAY, TODAY) == 1


@pytest.mark.parametrize(
    ("terms", "ends"),
    [
        ({}, None),
        ({"valid_days": 0}, SHANGHAI_MIDNIGHT),
        ({"valid_days": 1}, SHANGHAI_MIDNIGHT + DAY),
        ({"valid_to": dt.datetime(2026, 6, 1)}, dt.datetime(2026, 5, 31, 16, tzinfo=dt.UTC)),  # noqa: DTZ001
        ({"valid_days": 30, "valid_to": dt.datetime(2026, 5, 5)}, SHANGHAI_MIDNIGHT),  # noqa: DTZ001
        ({"valid_days": 0, "valid_to": dt.datetime(2026, 6, 1)}, SHANGHAI_MIDNIGHT),  # noqa: DTZ001
    ],
)
def test_a_coupon_is_good_for_whole_local_days(terms: dict[str, Any], ends: dt.datetime | None) -> None:
    who = issue(member(), rules(template(**terms)))
    assert who.coupons[0].expires_at == ends
    if ends is not None:
        assert reason(who, rules(template(**terms)), ends - SECOND) == ""
        assert reason(who, rules(template(**terms)), ends) == "COUPON_EXPIRED"


def test_a_member_gets_no_more_than_their_limit() -> None:
    rule = rules(template(per_member=2))
    who = issue(issue(member(), rule), rule, "c-2")
    with pytest.raises(Refused) as refused:
        issue(who, rule, "c-3")
    assert (refused.value.code, refused.value.data) == ("LIMIT_REACHED", {"times": 2})


def test_none_is_issued_of_what_is_gone_or_over_or_unknown() -> None:
    with pytest.raises(Refused, match="COUPON_EXHAUSTED"):
        issue(member(), rules(), exhausted={"coupon/ten"})
    over = rules(template(valid_to=dt.datetime(2026, 5, 4, 12)))  # noqa: DTZ001
    assert issue(member(), over, now=NOON - SECOND).coupons
    with pytest.raises(Refused, match="COUPON_EXPIRED"):
        issue(member(), over)
    with pytest.raises(Refused, match="COUPON_UNKNOWN"):
        issuing.decide_issue(member(), Issue("none", "c", "staff"), rules(), NOON)


def test_a_claim_must_meet_the_condition_and_a_gift_need_not() -> None:
    rule = rules(template(claimable=True, code="MAY", when=Condition(tiers=["gold"])))
    with pytest.raises(Refused, match="OTHER_TIER"):
        issue(member(), rule, kind="claim")
    assert issue(member(tier="gold"), rule, kind="claim").coupons
    assert issue(member(), rule).coupons
    with pytest.raises(Refused, match="COUPON_UNKNOWN"):
        issue(member(tier="gold"), rules(template(code="MAY")), kind="claim")


def test_a_gain_gives_a_coupon_and_says_so() -> None:
    given_ = gains.give("m-1", Gain(coupon="ten"), "birthday", rules(), NOON, id_="e-1", node="n-1")
    (issued,) = [effect for effect in given_.effects if isinstance(effect, CouponIssued)]
    assert (issued.coupon.id, issued.coupon.source, issued.coupon.node) == ("e-1/c", "birthday", "n-1")
    assert Tallied("coupon/ten", TODAY, 1) in given_.effects
    assert [one.code for one in given_.reasons] == ["COUPON_ISSUED"]


@pytest.mark.parametrize(
    ("gain", "gone"),
    [
        (Gain(coupon="ten"), {"coupon/ten"}),
        (Gain(coupon="none"), set()),
        (Gain(gift="mug"), {"reward/mug"}),
        (Gain(gift="none"), set()),
    ],
)
def test_a_gain_leaves_out_what_is_gone(gain: Gain, gone: set[str]) -> None:
    given_ = gains.give("m-1", gain, "birthday", rules(), NOON, id_="e-1", exhausted=gone)
    assert given_.effects == ()
    assert [one.code for one in given_.reasons] == ["GAIN_EXHAUSTED"]


def test_a_gift_is_counted_against_its_stock() -> None:
    given_ = gains.give("m-1", Gain(gift="mug"), "check-in", rules(), NOON, id_="e-1")
    assert given_.effects == (Tallied("reward/mug", TODAY, 1),)
