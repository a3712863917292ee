"""What prices and points tell of themselves: every figure of every reason, and what is missing for more."""

from __future__ import annotations

from typing import Any

import pytest

from tapledger.loyalty.conditions import Condition, Scope
from tapledger.loyalty.facts import Reason, SaleLine
from tapledger.loyalty.pricing import Basket, ManualDiscount, Moment, Shopper, best, price
from tapledger.loyalty.pricing.hints import Hint
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.earning import Earning, EarnRule, Flat, Multiplier
from tapledger.loyalty.program.prices import Money, PointsAsCash
from tapledger.loyalty.promotions import Benefit
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.bundle import Bundle, Part
from tapledger.loyalty.promotions.every_threshold import EveryThreshold
from tapledger.loyalty.promotions.fixed_price import FixedPrice
from tapledger.loyalty.promotions.free_item import FreeItem
from tapledger.loyalty.promotions.gift_item import GiftItem
from tapledger.loyalty.promotions.n_for_m import NForM
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold
from tests.loyalty.pricing.givens import (
    MEMBER,
    NOON,
    NOW,
    coupon,
    line,
    of,
    off,
    priced,
    promotion,
    rules,
    shares,
)

CNY = {"currency": "CNY"}


# ---- discounts --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("benefit", "code", "figures"),
    [
        (Amount(300), "DISCOUNT_AMOUNT", {"basis_minor": 1999, "off_minor": 300, "amount_minor": 300}),
        (Amount(9000), "DISCOUNT_AMOUNT", {"basis_minor": 1999, "off_minor": 9000, "amount_minor": 1999}),
        (
            Percent(1750),  # 3.49825
            "DISCOUNT_PERCENT",
            {"basis_minor": 1999, "rate_bp": 1750, "rounding_bp": 1750, "amount_minor": 350},
        ),
        (
            Percent(5000, cap_minor=100),
            "DISCOUNT_PERCENT_CAPPED",
            {"basis_minor": 1999, "rate_bp": 5000, "cap_minor": 100, "amount_minor": 100},
        ),
        (
            Threshold(1999, 50),
            "DISCOUNT_THRESHOLD",
            {"basis_minor": 1999, "at_minor": 1999, "off_minor": 50, "amount_minor": 50},
        ),
        (
            EveryThreshold(600, 50),
            "DISCOUNT_EVERY_THRESHOLD",
            {"basis_minor": 1999, "times": 3, "at_minor": 600, "off_minor": 50, "amount_minor": 150},
        ),
        (
            FixedPrice(900),
            "DISCOUNT_FIXED_PRICE",
            {"basis_minor": 1999, "price_minor": 900, "rounding_bp": 0, "amount_minor": 199},
        ),
        (FreeItem(), "DISCOUNT_FREE_ITEM", {"rounding_bp": 0, "amount_minor": 900}),
        (
            NForM(1, 1, 5050),
            "DISCOUNT_N_FOR_M",
            {
                "basis_minor": 1999,
                "buy": 1,
                "get": 1,
                "rate_bp": 5050,
                "rounding_bp": 5000,
                "amount_minor": 455,
            },
        ),
        (
            Bundle([Part(["s0"]), Part(["s1"])], 1500),
            "DISCOUNT_BUNDLE",
            {"basis_minor": 1999, "price_minor": 1500, "rounding_bp": 0, "amount_minor": 499},
        ),
        (
            GiftItem("mug", "Mug", 3000),
            "DISCOUNT_GIFT",
            {"gift": "Mug", "basis_minor": 1999, "shadow_minor": 3000},
        ),
    ],
)
def test_each_kind_tells_all_its_figures(benefit: Benefit, code: str, figures: dict[str, Any]) -> None:
    (one,) = priced(of(1099, 900), rules(promotion("p", benefit))).discounts
    assert one.reason == Reason(code, {"promotion": "p", **figures, **CNY})
    assert (one.id, one.coupon, one.lane) == ("p", "", benefit.lane)
    assert one.amount_minor == figures.get("amount_minor", 0)


def test_lane_one_staff_and_points_tell_all_their_figures() -> None:
    member = Shopper("m", "gold", points_available=1000)
    compiled = rules(
        tiers=(Tier("gold", {"en": "G"}, discount_bp=755),),
        points_as_cash=PointsAsCash(10, 100, min_points=10),
    )
    sale = priced(
        (line(1001, sku="t"), line(1000, sku="m", member_minor=700)),
        compiled,
        member,
        manual=ManualDiscount("dent", off_minor=25),
        points=57,
    )
    assert [one.reason for one in sale.discounts] == [
        Reason("DISCOUNT_MEMBER_PRICE", {"basis_minor": 1000, "amount_minor": 300, **CNY}),
        Reason(
            "DISCOUNT_TIER",
            {
                "tier": "gold",
                "basis_minor": 1001,
                "rate_bp": 755,
                "rounding_bp": 4245,  # 75.5755 is 76
                "amount_minor": 76,
                **CNY,
            },
        ),
        Reason("DISCOUNT_MANUAL", {"why": "dent", "basis_minor": 1625, "amount_minor": 25, **CNY}),
        Reason(
            "DISCOUNT_POINTS",
            {
                "points": 50,
                "requested": 57,
                "basis_minor": 1600,
                "unit_points": 10,
                "unit_minor": 100,
                "amount_minor": 500,
                **CNY,
            },
        ),
    ]
    assert [(one.id, one.kind, one.lane) for one in sale.discounts] == [
        ("member_price", "member_price", 1),
        ("tier", "tier", 1),
        ("manual", "manual", 3),
        ("points", "points", 4),
    ]
    assert (sale.points_used, shares(sale, 0), shares(sale, 1)) == (50, [0, 300], [76, 0])


# ---- left out ---------------------------------------------------------------------------------------------
def test_coupons_that_are_left_out_tell_all_their_figures() -> None:
    sale = priced(
        of(5000),
        rules(promotion("auto", Amount(1), group="g")),
        coupons=(
            coupon(promotion("a", Amount(1)), expires_at=NOON),
            coupon(promotion("b", Amount(1), when=Condition(tiers=["gold"]))),
            coupon(promotion("c", Amount(1), scope=Scope(categories=["tea"]))),
            coupon(promotion("d", Amount(1), min_minor=6000)),
            coupon(promotion("e", FixedPrice(9000))),
            coupon(promotion("f", Amount(100), group="h")),
            coupon(promotion("g", Amount(100), group="h")),
        ),
    )
    assert {one.id: one.reason for one in sale.left_out} == {
        "coupon-a": Reason("COUPON_EXPIRED", {"coupon": "a"}),
        "coupon-b": Reason("COUPON_NOT_NOW", {"coupon": "b"}),
        "coupon-c": Reason("COUPON_OUT_OF_SCOPE", {"coupon": "c"}),
        "coupon-d": Reason(
            "COUPON_MIN_NOT_REACHED",
            {"coupon": "d", "at_minor": 6000, "basis_minor": 4999, "missing_minor": 1001, **CNY},
        ),
        "coupon-e": Reason("COUPON_NO_EFFECT", {"coupon": "e", "basis_minor": 5000, **CNY}),
        "coupon-g": Reason("COUPON_EXCLUDED", {"coupon": "g", "other": "f", "rule": "group:h"}),
    }


def test_too_many_coupons_and_what_the_rule_costs() -> None:
    compiled = rules(money=Money(max_coupons=2))
    offered = tuple(
        coupon(promotion(id_, Amount(minor))) for id_, minor in zip("abc", (30, 20, 10), strict=True)
    )
    found = best(Basket(of(5000), coupons=offered), MEMBER, compiled, NOW)
    assert [one.reason for one in found.left_out] == [Reason("COUPON_TOO_MANY", {"limit": 2})]
    (cost,) = found.costs
    assert (cost.rule, cost.saving_minor, cost.coupons) == (
        "max_coupons",
        10,
        ("coupon-a", "coupon-b", "coupon-c"),
    )
    assert cost.reason == Reason("RULE_COSTS", {"rule": "max_coupons", "saving_minor": 10, **CNY})
    # Chosen by hand, the third in the order of application is left out.
    by_hand = priced(of(5000), compiled, coupons=offered)
    assert [one.reason for one in by_hand.left_out] == [Reason("COUPON_TOO_MANY", {"limit": 2})]
    # As many as may be used cost nothing.
    assert best(Basket(of(5000), coupons=offered[:2]), MEMBER, compiled, NOW).costs == ()


def test_a_coupon_that_only_loses_by_company_is_told_so() -> None:
    offered = (coupon(promotion("a", Amount(5000))), coupon(promotion("b", Amount(5000))))
    found = best(Basket(of(5000), coupons=offered), MEMBER, rules(), NOW)
    assert [(one.id, one.reason) for one in found.left_out] == [
        ("coupon-b", Reason("COUPON_LESS_TOGETHER", {"coupon": "b"}))
    ]


def test_codes_that_do_nothing_are_told_each() -> None:
    compiled = rules(
        promotion("far", Amount(1), code="FAR", min_minor=6000),
        promotion("tea", Amount(1), code="TEA", scope=Scope(categories=["tea"])),
        promotion("good", Amount(7), code="GOOD"),
    )
    sale = priced(of(5000), compiled, codes=frozenset({"FAR", "TEA", "GOOD", "NONE"}))
    assert off(sale) == [7]
    far: dict[str, int | str] = {
        "coupon": "far",
        "at_minor": 6000,
        "basis_minor": 5000,
        "missing_minor": 1000,
        **CNY,
    }
    assert {one.id: one.reason for one in sale.left_out} == {
        "FAR": Reason("COUPON_MIN_NOT_REACHED", far),
        "NONE": Reason("PROMOTION_CODE_UNKNOWN", {"promotion_code": "NONE"}),
        "TEA": Reason("COUPON_OUT_OF_SCOPE", {"coupon": "TEA"}),
    }


# ---- what is missing --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "scope", [Scope(), Scope(categories=["tea", "milk"]), Scope(skus=["t1"]), Scope(skus=["t1", "t2"])]
)
def test_a_hint_adds_an_article_of_the_scope(scope: Scope) -> None:
    compiled = rules(promotion("t", Threshold(2000, 300), scope=scope))
    basket = Basket((line(1500, category="tea", sku="t1"),))
    assert best(basket, MEMBER, compiled, NOW).hints == (
        Hint(
            "t",
            500,
            "",
            Reason(
                "HINT_THRESHOLD",
                {"promotion": "t", "add_minor": 500, "at_minor": 2000, "off_minor": 300, **CNY},
            ),
        ),
    )


def test_a_hint_for_a_minimum_tells_all_its_figures() -> None:
    found = best(Basket(of(1500)), MEMBER, rules(promotion("t", Percent(100), min_minor=2000)), NOW).hints
    told = Reason("HINT_MIN", {"promotion": "t", "add_minor": 500, "at_minor": 2000, **CNY})
    assert found == (Hint("t", 500, "", told),)


def test_hints_are_for_whom_the_promotion_is() -> None:
    compiled = rules(promotion("t", Threshold(2000, 300), when=Condition(segments=["vip"])))
    vip = Shopper("m", "normal", segments=frozenset({"vip"}))
    assert [one.id for one in best(Basket(of(1500)), vip, compiled, NOW).hints] == ["t"]
    assert best(Basket(of(1500)), MEMBER, compiled, NOW).hints == ()
    by_code = rules(promotion("t", Threshold(2000, 300), code="MORE"))
    assert best(Basket(of(1500)), MEMBER, by_code, NOW).hints == ()
    given = Basket(of(1500), codes=frozenset({"MORE"}))
    assert [one.id for one in best(given, MEMBER, by_code, NOW).hints] == ["t"]


# ---- points -----------------------------------------------------------------------------------------------
def test_points_by_one_rule_tell_all_their_figures() -> None:
    compiled = rules(
        tiers=(Tier("gold", {"en": "G"}, multiplier_milli=1500),),
        earning=Earning(rules=[EarnRule("r", 3, 200)], flats=[Flat("f", 7)]),
    )
    sale = price(Basket(of(1099)), Shopper("m", "gold"), compiled, NOW)
    assert sale.earned == 29  # 5 x 3 x 1.5 is 22.5
    assert sale.reasons == (
        Reason(
            "EARN_TIER",
            {
                "points": 29,
                "basis_minor": 1099,
                "rate_points": 3,
                "rate_minor": 200,
                "multiplier_milli": 1500,
                "tier": "gold",
                "rule": "r",
                "remainder_milli": 500,
                **CNY,
            },
        ),
        Reason("EARN_FLAT", {"flat": "f", "points": 7}),
    )


def test_points_by_several_rules_tell_each() -> None:
    earning = Earning(
        rules=[
            EarnRule("tea", 3, 200, "continuous", Scope(categories=["tea"]), priority=1),
            EarnRule("rest", 1, 100),
        ],
        multipliers=[Multiplier("twice", 2000, Scope(categories=["tea"])), Multiplier("more", 1500)],
        stack="multiply",
    )
    sale = priced((line(1099, category="tea"), line(550, category="milk")), rules(earning=earning))
    assert sale.reasons == (
        # 16.485 x 3 and 5 x 1.5
        Reason(
            "EARN_SUM", {"points": 56, "multiplier_milli": 1000, "tier": "normal", "remainder_milli": 955}
        ),
        Reason(
            "EARN_RULE",
            {"rule": "tea", "basis_minor": 1099, "rate_points": 3, "rate_minor": 200, "base": 16, **CNY},
        ),
        Reason(
            "EARN_RULE",
            {"rule": "rest", "basis_minor": 550, "rate_points": 1, "rate_minor": 100, "base": 5, **CNY},
        ),
        Reason("EARN_BOOST", {"multiplier_milli": 3000, "by": "twice, more", "basis_minor": 1099, **CNY}),
        Reason("EARN_BOOST", {"multiplier_milli": 1500, "by": "more", "basis_minor": 550, **CNY}),
    )


def test_caps_tell_all_their_figures() -> None:
    earning = Earning(
        rules=[EarnRule("r", 1, 100)], multipliers=[Multiplier("x", 3000)], per_order=150, per_member_day=200
    )
    member = Shopper("m", "normal", earned_today=80)
    sale = price(Basket(of(10_000)), member, rules(earning=earning), Moment(NOON, budget_left=60))
    assert sale.reasons[2:] == (
        Reason("EARN_CAP_BUDGET", {"cap": 60, "clipped": 140}),
        Reason("EARN_CAP_ORDER", {"cap": 150, "clipped": 10}),
        Reason("EARN_CAP_DAY", {"cap": 120, "clipped": 30}),
    )


# ---- the search -------------------------------------------------------------------------------------------
def test_a_rule_that_keeps_nobody_from_anything_costs_nothing() -> None:
    offered = tuple(coupon(promotion(id_, Amount(9000), group="g")) for id_ in ("a", "b"))
    assert best(Basket(of(5000), coupons=offered), MEMBER, rules(), NOW).costs == ()


def test_what_comes_later_and_saves_more_is_found() -> None:
    for later in (FreeItem(), NForM(1, 1), Bundle([Part(["s0"]), Part(["s1"])], 100), FixedPrice(1)):
        early = coupon(promotion("a", Amount(100), lane=2, group="g"))
        late = coupon(promotion("b", later, priority=1, group="g"))
        found = best(Basket(of(500, 700), coupons=(early, late)), MEMBER, rules(), NOW)
        assert found.coupons == ("coupon-b",)


def test_a_hint_knows_what_the_members_own_promotion_takes_of_what_is_added() -> None:
    own = promotion("own", Percent(1000), when=Condition(segments=["vip"]))
    compiled = rules(own, promotion("t", Threshold(20_000, 3000), priority=1))
    vip = Shopper("m", "normal", segments=frozenset({"vip"}))
    assert [one.add_minor for one in best(Basket(of(20_000)), vip, compiled, NOW).hints] == [2222]


# ---- lines ------------------------------------------------------------------------------------------------
def test_a_gift_is_a_line_of_its_own() -> None:
    gift = GiftItem("mug", "Mug", 3000, quantity_milli=2000, category="china", tax_bp=1300)
    sale = priced(of(5000), rules(promotion("g", gift)))
    assert sale.lines[1] == SaleLine(
        "mug", "Mug", 2000, 0, 0, 1300, "china", False, kind="gift", shadow_minor=3000, gift_of="g"
    )
    assert (len(sale.lines), sale.total_minor, sale.tax_minor) == (2, 5000, 0)


def test_what_is_outside_the_scope_moves_no_band_of_amounts() -> None:
    band = Threshold(1000, 100, below_minor=2000)
    lines = (line(1500, category="milk"), line(5000, category="tea"))
    for money in (Money(threshold="at_lane"), Money(threshold="before_discounts")):
        for scope in (
            Scope(except_categories=["tea"]),
            Scope(categories=["milk"]),
            Scope(skus=["milk-1500"]),
        ):
            assert off(priced(lines, rules(promotion("t", band, scope=scope), money=money))) == [100]
        assert off(priced(lines, rules(promotion("t", band), money=money))) == []
