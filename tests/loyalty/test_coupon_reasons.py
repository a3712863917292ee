"""Why a coupon cannot be used, the wallet as it is shown, and the best of it (G60)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from tapledger.errors import Refused
from tapledger.loyalty import pricing
from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.coupons import couponing, issuing
from tapledger.loyalty.coupons.issuing import Issue
from tapledger.loyalty.effects import BirthdaySet, Coupon, CouponIssued
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Template
from tapledger.loyalty.program.people import Campaign
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold
from tapledger.loyalty.windows import Window
from tests.loyalty.coupon_givens import (
    SECOND,
    SHANGHAI_MIDNIGHT,
    applied,
    code_reason,
    issue,
    reason,
    rules,
    template,
)
from tests.loyalty.givens import DAY, MEMBER, NOON, TODAY, member, of_kind

# ---- why not ---------------------------------------------------------------------------------------------
BIRTHDAY = BirthdaySet(5, 4, 1990, TODAY, 0)
CHANGED = BirthdaySet(5, 4, 1990, TODAY + 1, 0)
"""Changed lately: it gives nothing until tomorrow (X9)."""
HAPPY = Window("happy", weekdays=["tue"])


@pytest.mark.parametrize(
    ("when", "who", "code"),
    [
        (Condition(), member(), ""),
        (Condition(members_only=True), member(), ""),
        (Condition(tiers=["silver"]), member(), "OTHER_TIER"),
        (Condition(tiers=["silver"]), member(tier="silver"), ""),
        (Condition(segments=["vip"]), member(), "OTHER_SEGMENT"),
        (Condition(segments=["vip"]), msgspec.structs.replace(member(), tags={"segments": ("vip",)}), ""),
        (Condition(campaign="back"), member(), "OTHER_SEGMENT"),
        (Condition(birthday=True), member(), "BIRTHDAY_ONLY"),
        (Condition(birthday=True), msgspec.structs.replace(member(), birthday=BIRTHDAY), ""),
        (Condition(birthday=True), msgspec.structs.replace(member(), birthday=CHANGED), "BIRTHDAY_ONLY"),
        (Condition(window="happy"), member(), "NOT_NOW"),
        (Condition(window="gone"), member(), "NOT_NOW"),
        (Condition(from_=dt.datetime(2026, 5, 4, 12)), member(), ""),  # noqa: DTZ001
        (Condition(from_=dt.datetime(2026, 5, 4, 12, 0, 1)), member(), "NOT_YET"),  # noqa: DTZ001
        (Condition(to=dt.datetime(2026, 5, 4, 12)), member(), "NO_LONGER"),  # noqa: DTZ001
        (Condition(to=dt.datetime(2026, 5, 4, 12, 0, 1)), member(), ""),  # noqa: DTZ001
    ],
)
def test_each_part_of_a_condition_has_its_reason(when: Condition, who: Member, code: str) -> None:
    """From and to are half-open local instants: at ``from`` it holds, at ``to`` it holds no more."""
    held_out = Campaign("back", {"en": "Back"}, holdout_pct=100)
    rule = rules(template(when=when), windows=[HAPPY], campaigns=[held_out])
    assert reason(issue(who, rule), rule) == code


@pytest.mark.parametrize(
    "when", [Condition(tiers=["normal"]), Condition(segments=["a"]), Condition(birthday=True),
             Condition(campaign="back"), Condition(members_only=True)]
)  # fmt: skip
def test_a_stranger_meets_no_condition_about_members(when: Condition) -> None:
    assert code_reason(None, rules(template(code="MAY", when=when))) == "MEMBERS_ONLY"


def test_a_coupon_of_later_says_when() -> None:
    rule = rules(template(valid_from=dt.datetime(2026, 5, 5)))  # noqa: DTZ001
    who = issue(member(), rule)
    (left,) = couponing.usable(who, rule, NOON).left_out
    assert (left.reason.code, left.reason.data) == ("NOT_YET", {"from": "2026-05-05 00:00"})
    assert reason(who, rule, SHANGHAI_MIDNIGHT) == ""


def test_who_may_not_spend_may_not_use_coupons() -> None:
    rule = rules()
    who = issue(member(), rule)
    for status, code in (("frozen", "MEMBER_FROZEN"), ("cancelled", "MEMBER_CANCELLED")):
        assert reason(msgspec.structs.replace(who, status=status), rule) == code
    with pytest.raises(Refused, match="MEMBER_CANCELLED"):
        issue(msgspec.structs.replace(member(), status="cancelled"), rule)


def test_a_template_that_is_gone_makes_its_coupons_useless_not_lost() -> None:
    who = issue(member(), rules())
    assert reason(who, rules(template("other"))) == "COUPON_UNKNOWN"
    assert reason(who, rules()) == ""


# ---- shown -----------------------------------------------------------------------------------------------
def test_a_wallet_is_shown_in_four_piles_first_to_end_first() -> None:
    rule = rules(template(valid_days=3), template("later", valid_from=dt.datetime(2026, 6, 1)))  # noqa: DTZ001
    ends = NOON + DAY

    def coupon(id_: str, expires_at: dt.datetime | None, **changes: Any) -> Coupon:
        return Coupon(id_, changes.pop("template", "ten"), NOON, expires_at, **changes)

    who = msgspec.structs.replace(
        member(),
        coupons=(
            coupon("never", None),
            coupon("late", ends + DAY),
            coupon("soon", ends),
            coupon("past", NOON),
            coupon("used", ends, state="redeemed", sale="s-1"),
            coupon("void", ends, state="void"),
            coupon("busy", ends, state="held", sale="s-2", until=NOON + SECOND),
            coupon("june", None, template="later", valid_from=NOON + 20 * DAY),
        ),
    )
    shown = couponing.view(who, rule, NOON)
    piles = {
        name: [
            (one.coupon.id, "" if one.why_not is None else one.why_not.code) for one in getattr(shown, name)
        ]
        for name in ("usable", "not_yet", "used", "expired")
    }
    assert piles == {
        "usable": [("soon", ""), ("late", ""), ("never", "")],
        "not_yet": [("busy", "COUPON_HELD"), ("june", "NOT_YET")],
        "used": [("used", "COUPON_USED"), ("void", "COUPON_USED")],
        "expired": [("past", "COUPON_EXPIRED")],
    }
    assert {one.id for one in couponing.usable(who, rule, NOON).chosen} == {"soon", "late", "never"}


# ---- what pricing makes of a wallet ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("basket_minor", "used", "saved"),
    [(20_000, {"solo45"}, 4500), (22_500, {"A", "B"}, 5250), (30_000, {"A", "B"}, 6000)],
)
def test_G60_the_best_of_a_wallet_is_chosen(basket_minor: int, used: set[str], saved: int) -> None:
    """200.00: C alone; 225.00 and 300.00: A and B; D is of A's group (corrected by R15)."""
    rule = rules(
        Template("A", Threshold(20_000, 3000), priority=2, group="g", lane=3),
        Template("B", Percent(1000), priority=1, lane=3),
        Template("solo45", Amount(4500), priority=3, solo=True),
        Template("D", Threshold(19_000, 2500), priority=2, group="g", lane=3),
    )
    coupons = tuple(Coupon(one.id, one.id, NOON, None) for one in rule.coupons)
    wallet_of = couponing.usable(msgspec.structs.replace(member(), coupons=coupons), rule, NOON)
    assert wallet_of.left_out == ()
    line = pricing.BasketLine("sku", "Article", 1000, basket_minor, 1300, "all")
    best = pricing.best(
        pricing.Basket((line,), coupons=wallet_of.chosen),
        pricing.Shopper(MEMBER, "normal"),
        pricing.compile_program(rule),
        pricing.Moment(NOON),
    )
    assert (set(best.coupons), best.saving_minor) == (used, saved)
    who = applied(
        msgspec.structs.replace(member(), coupons=coupons),
        couponing.redeem_effects(
            msgspec.structs.replace(member(), coupons=coupons), best.coupons, "s-1", rule, NOON
        ),
    )
    assert {one.id for one in who.coupons if one.state == "redeemed"} == used


# ---- what a programme can say ----------------------------------------------------------------------------
def test_a_template_reads_like_a_promotion_with_a_life() -> None:
    table = {
        "id": "hi", "benefit": {"type": "percent", "rate_bp": 1000, "cap_minor": 5000}, "class": "welcome",
        "group": "g", "solo": True, "valid_days": 30, "per_member": 1, "total": 100, "code": "HELLO",
    }  # fmt: skip
    read = msgspec.convert(table, Template)
    assert (read.class_, read.total, read.lane_number()) == ("welcome", 100, 3)
    assert of_kind(issuing.decide_issue(member(), Issue("hi", "c", "join"), rules(read), NOON), CouponIssued)
