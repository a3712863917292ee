"""The numbered examples of pricing: rounding, shares, lanes, points as cash, coupons."""

from __future__ import annotations

import pytest

from tapledger.loyalty.pricing import Basket, Shopper, points_applied, price
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.earning import Earning, EarnRule, Multiplier
from tapledger.loyalty.program.prices import Money, PointsAsCash
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold
from tests.loyalty.pricing.givens import (
    MEMBER,
    NOW,
    coupon,
    line,
    nets,
    of,
    off,
    priced,
    promotion,
    rules,
    shares,
)

BASKET_G18 = of(9900, 4990, 2500)
CASH_G18 = PointsAsCash(unit_points=1, unit_minor=1)


# ---- money and rounding ----------------------------------------------------------------------------------
def test_G01_yen_have_no_decimals() -> None:
    sale = priced(of(1234), rules(promotion("p", Percent(1000)), currency="JPY"))
    assert (off(sale), sale.total_minor) == ([123], 1111)


def test_G02_dinars_have_three() -> None:
    assert off(priced(of(1234), rules(promotion("p", Percent(1000)), currency="KWD"))) == [123]


@pytest.mark.parametrize(
    ("rate_bp", "unit", "discount", "pays"),
    [(1500, 999, 150, 849), (1000, 1005, 101, 904), (1000, 333, 33, 300)],
)
def test_G04_G05_G06_half_a_unit_is_rounded_up(rate_bp: int, unit: int, discount: int, pays: int) -> None:
    sale = priced(of(unit), rules(promotion("p", Percent(rate_bp))))
    assert (off(sale), sale.total_minor) == ([discount], pays)


def test_G04_the_reason_names_what_rounding_added() -> None:
    why = priced(of(999), rules(promotion("p", Percent(1500)))).discounts[0].reason
    assert why.data == {
        "promotion": "p",
        "basis_minor": 999,
        "rate_bp": 1500,
        "rounding_bp": 1500,
        "amount_minor": 150,
        "currency": "CNY",
    }


@pytest.mark.parametrize(("mode", "discount"), [("half_up", 101), ("half_even", 100), ("down", 100)])
def test_G05_other_roundings_are_settings(mode: object, discount: int) -> None:
    compiled = rules(promotion("p", Percent(1000)), money=Money(rounding=mode))  # type: ignore[arg-type]
    assert off(priced(of(1005), compiled)) == [discount]


def test_G07_one_rounding_for_the_order_then_shares() -> None:
    sale = priced(of(1200, 2300, 1000), rules(promotion("p", Percent(1500, cap_minor=5000))))
    assert (off(sale), shares(sale)) == ([675], [180, 345, 150])


@pytest.mark.parametrize(("tier", "pays"), [("gold", 15920), ("normal", 17910)])
def test_G09_tier_discount(tier: str, pays: int) -> None:
    tiers = [Tier("normal", {"en": "N"}, discount_bp=1000), Tier("gold", {"en": "G"}, discount_bp=2000)]
    sale = priced(of(19900), rules(tiers=tiers), Shopper("m", tier))
    assert (sale.total_minor, sale.discounts[0].id, sale.discounts[0].lane) == (pays, "tier", 1)


# ---- shares ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("units", "amount", "expected"),
    [
        ([4300, 1400, 2300], 299, [161, 52, 86]),
        ([1000, 1000, 1000], 299, [100, 100, 99]),
        ([10, 20, 10, 30, 50, 20, 10, 40], 93, [5, 10, 5, 15, 24, 10, 5, 19]),
        ([10, 20, 10, 30, 50, 20, 10, 40], 95, [5, 10, 5, 15, 25, 10, 5, 20]),
        ([200, 600], 400, [100, 300]),
        ([10_000, 10_000, 10_000], 1000, [334, 333, 333]),
    ],
)
def test_G10_G11_G12_G15_G16_discounts_are_shared_by_largest_remainder(
    units: list[int], amount: int, expected: list[int]
) -> None:
    assert shares(priced(of(*units), rules(promotion("p", Amount(amount))))) == expected


# ---- lanes -----------------------------------------------------------------------------------------------
def test_G18_coupon_then_points_then_what_earns() -> None:
    terms = promotion("c", Amount(3000))
    member = Shopper("m", "normal", points_available=2000)
    sale = priced(BASKET_G18, rules(points_as_cash=CASH_G18), member, coupons=(coupon(terms),), points=2000)
    assert shares(sale, 0) == [1708, 861, 431]
    assert shares(sale, 1) == [1139, 574, 287]
    assert (nets(sale), sale.total_minor) == ([7053, 3555, 1782], 12390)
    assert (sale.earned, sale.points_used, sale.coupons) == (123, 2000, ("coupon-c",))
    assert [one.points_minor for one in sale.lines] == [1139, 574, 287]


# ---- points ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("points", "per_minor", "spent", "earned"),
    [(1, 1000, 10_500, 10), (1, 100, 12_345, 123), (1, 1000, 20_000, 20), (1, 1000, 196_000, 196)],
)
def test_G19_G22_G24_steps(points: int, per_minor: int, spent: int, earned: int) -> None:
    compiled = rules(earning=Earning(rules=[EarnRule("r", points, per_minor)]))
    assert priced(of(spent), compiled).earned == earned


@pytest.mark.parametrize(("base", "milli", "earned"), [(4, 1500, 6), (5, 3000, 15)])
def test_G20_multipliers_have_three_decimals(base: int, milli: int, earned: int) -> None:
    compiled = rules(earning=Earning(multipliers=[Multiplier("x", milli)]))
    assert priced(of(base * 100), compiled).earned == earned


@pytest.mark.parametrize(("stack", "earned"), [("max", 237), ("multiply", 356), ("add", 297)])
def test_G25_stacks(stack: str, earned: int) -> None:
    earning = Earning(
        rules=[EarnRule("r", 1, 100)],
        multipliers=[Multiplier("birthday", 2000), Multiplier("window", 1500)],
        stack=stack,  # type: ignore[arg-type]
    )
    tiers = [Tier("silver", {"en": "S"}, multiplier_milli=1200)]
    assert priced(of(9990), rules(earning=earning, tiers=tiers)).earned == earned


def test_G27_lines_are_summed_before_the_step() -> None:
    compiled = rules(earning=Earning(rules=[EarnRule("r", 1, 1000)]))
    assert priced(of(550, 550), compiled).earned == 1


# ---- never below zero ------------------------------------------------------------------------------------
def test_G30_a_coupon_never_takes_more_than_there_is() -> None:
    sale = priced(of(17600), rules(), coupons=(coupon(promotion("c", Amount(100_000))),))
    assert (off(sale), sale.total_minor) == ([17600], 0)


def test_defect_payable_below_zero() -> None:
    """macrozheng/mall #1003 charged -824.00."""
    terms = [coupon(promotion(f"c{n}", Amount(100_000))) for n in range(5)]
    sale = priced(of(17600), rules(), coupons=tuple(terms))
    assert (sale.total_minor, sale.coupons) == (0, ("coupon-c0",))


# ---- points as cash --------------------------------------------------------------------------------------
SYLIUS = PointsAsCash(1, 1, min_points=500, max_pct=50)
BIG_UNIT = PointsAsCash(100, 500, min_points=500, max_pct=50)


@pytest.mark.parametrize(
    ("rule", "requested", "available", "order", "points"),
    [
        (SYLIUS, 1000, 5000, 10_000, 1000),
        (SYLIUS, 1000, 700, 10_000, 700),
        (SYLIUS, 10_000, 10_000, 10_000, 5000),
        (BIG_UNIT, 1050, 5000, 20_000, 1000),
        (SYLIUS, 400, 5000, 10_000, 0),
        (PointsAsCash(1, 1000), 30, 30, 2000, 2),
        (PointsAsCash(100, 100, max_pct=30), 10_000, 2350, 8888, 2300),
        (PointsAsCash(100, 100, max_pct=30), 10_000, 9999, 8888, 2600),
        (PointsAsCash(1, 1, max_points=300), 1000, 1000, 10_000, 300),
        (PointsAsCash(1, 1, min_basket_minor=10_001), 1000, 1000, 10_000, 0),
        (PointsAsCash(1, 1, min_basket_minor=10_000), 1000, 1000, 10_000, 1000),
        (PointsAsCash(1, 1, min_points=500), 500, 500, 10_000, 500),
        (PointsAsCash(300, 100, min_points=500), 599, 5000, 10_000, 0),
        (PointsAsCash(300, 100, min_points=500), 600, 5000, 10_000, 600),
    ],
)
def test_G43_G44_G47_points_pay_in_whole_units(
    rule: PointsAsCash, requested: int, available: int, order: int, points: int
) -> None:
    assert points_applied(rule, requested, available, order) == points


def test_G44_defect_reward_cost_not_reduced_to_what_was_used() -> None:
    member = Shopper("m", "normal", points_available=30)
    sale = priced(of(2000), rules(points_as_cash=PointsAsCash(1, 1000)), member, points=30)
    assert (sale.points_used, sale.total_minor, sale.earned) == (2, 0, 0)


def test_G47_points_and_money_agree() -> None:
    member = Shopper("m", "normal", points_available=2350)
    sale = priced(of(8888), rules(points_as_cash=PointsAsCash(100, 100, max_pct=30)), member, points=9999)
    assert (sale.points_used, off(sale), sale.total_minor) == (2300, [2300], 6588)


# ---- coupons ---------------------------------------------------------------------------------------------
def test_G62_percent_with_cap() -> None:
    assert off(priced(of(65_000), rules(promotion("p", Percent(1500, 5000))))) == [5000]
    assert off(priced(of(65_000), rules(promotion("p", Percent(1500))))) == [9750]


def test_G63_the_cap_is_of_the_order() -> None:
    sale = priced(of(12_000, 23_000, 30_000), rules(promotion("p", Percent(1500, 5000))))
    assert (off(sale), sum(shares(sale))) == ([5000], 5000)


def test_G66_a_hundred_percent_leaves_nothing() -> None:
    sale = priced(of(1323, 1323), rules(promotion("p", Percent(10_000))))
    assert (nets(sale), sale.total_minor) == ([0, 0], 0)


A = promotion("a", Threshold(20_000, 3000), group="full", priority=1)
B = promotion("b", Percent(1000))


@pytest.mark.parametrize(("basket", "saved"), [(20_000, 2000), (22_500, 5250), (30_000, 6000)])
def test_G60_a_threshold_sees_what_is_left(basket: int, saved: int) -> None:
    """The choice among coupons is in test_combination; here what each set is worth."""
    both = priced(of(basket), rules(), coupons=(coupon(A), coupon(B)))
    assert sum(off(both)) == saved
    assert both.coupons == (("coupon-b",) if basket == 20_000 else ("coupon-b", "coupon-a"))


# ---- X6 and X7 -------------------------------------------------------------------------------------------
def test_X6_weighed_zero_gift_and_deposit_lines() -> None:
    lines = (
        line(2990, 1234, weighed=True),
        line(0),
        line(100, kind="deposit"),
        line(1000),
    )
    sale = priced(lines, rules(promotion("p", Percent(1000)), points_as_cash=CASH_G18), MEMBER)
    assert [one.gross_minor for one in sale.lines] == [3690, 0, 100, 1000]
    assert sale.discounts[0].shares == {0: 369, 3: 100}
    assert nets(sale) == [3321, 0, 100, 900]
    assert [one.basis_minor for one in sale.lines] == [3321, 0, 0, 900]
    assert sale.earned == 42
    assert sale.lines[0].weighed


def test_X6_points_never_pay_a_deposit() -> None:
    member = Shopper("m", "normal", points_available=5000)
    sale = priced(
        (line(1000), line(100, kind="deposit")), rules(points_as_cash=CASH_G18), member, points=5000
    )
    assert (nets(sale), sale.points_used) == ([0, 100], 1000)


def test_X7_tax_once_for_each_rate_then_shared() -> None:
    lines = tuple(
        line(unit, tax_bp=rate) for unit, rate in ((333, 1300), (333, 1300), (334, 1300), (100, 900))
    )
    inclusive = priced(lines, rules())
    assert (inclusive.total_minor, inclusive.tax_minor) == (1100, 115 + 8)
    assert [one.tax_minor for one in inclusive.lines] == [38, 38, 39, 8]
    exclusive = priced(lines, rules(money=Money(tax="exclusive")))
    assert (exclusive.total_minor, exclusive.tax_minor) == (1100 + 139, 130 + 9)


@pytest.mark.parametrize(
    ("mode", "on_tax", "earned"),
    [("inclusive", True, 113), ("inclusive", False, 100), ("exclusive", True, 113)],
)
def test_X7_what_of_the_tax_earns(mode: object, on_tax: bool, earned: int) -> None:
    compiled = rules(money=Money(tax=mode), earning=Earning(on_tax=on_tax))  # type: ignore[arg-type]
    assert priced((line(11_300, tax_bp=1300),), compiled).earned == earned


def test_X7_a_price_set_by_hand_skips_member_price_and_tier() -> None:
    tiers = [Tier("normal", {"en": "N"}, discount_bp=2000)]
    by_hand = line(1000, manual_unit_minor=900, member_minor=500)
    sale = price(Basket((by_hand, line(1000))), MEMBER, rules(tiers=tiers), NOW)
    assert nets(sale) == [900, 800]
    assert (sale.lines[0].unit_minor, sale.lines[0].list_minor) == (900, 1000)
