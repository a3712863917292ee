"""Everything around the kinds: lane 1, staff, codes, conditions, exclusion, bad input."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import money
from tapledger.loyalty.conditions import Condition, Scope
from tapledger.loyalty.pricing import (
    MAX_LINES,
    MAX_QUANTITY_MILLI,
    Basket,
    ManualDiscount,
    Moment,
    Shopper,
    price,
)
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.earning import Earning, EarnRule
from tapledger.loyalty.program.prices import Money, PointsAsCash
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.fixed_price import FixedPrice
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold
from tests.loyalty.pricing.givens import (
    MEMBER,
    NOON,
    NORMAL,
    NOW,
    codes,
    coupon,
    line,
    nets,
    of,
    off,
    priced,
    promotion,
    rules,
)

GOLD = Tier("gold", {"en": "G"}, multiplier_milli=1500, discount_bp=1000)
TIERS = [NORMAL, GOLD]
GOLD_MEMBER = Shopper("g", "gold")


# ---- lane 1 ----------------------------------------------------------------------------------------------
def test_lane_1_takes_the_better_one_of_each_line_and_rounds_once() -> None:
    lines = (
        line(1005, member_minor=900),  # 105 beats 100.5
        line(1005, member_minor=905, sku="x"),  # 100.5 beats 100
        line(1005, sku="y"),  # 100.5
    )
    sale = priced(lines, rules(tiers=TIERS), GOLD_MEMBER)
    assert {one.id: one.amount_minor for one in sale.discounts} == {"member_price": 105, "tier": 201}
    assert nets(sale) == [900, 904, 905]
    assert codes(sale)[:2] == ["DISCOUNT_MEMBER_PRICE", "DISCOUNT_TIER"]


def test_a_tie_goes_to_the_member_price() -> None:
    sale = priced((line(1000, member_minor=900),), rules(tiers=TIERS), GOLD_MEMBER)
    assert [one.id for one in sale.discounts] == ["member_price"]


def test_member_prices_and_tiers_are_for_members() -> None:
    lines = (line(1000, member_minor=500), line(1000, sku="x"))
    assert nets(priced(lines, rules(tiers=TIERS), None)) == [1000, 1000]
    assert nets(priced(lines, rules(tiers=TIERS), MEMBER)) == [500, 1000]


def test_a_member_price_above_the_list_price_is_none() -> None:
    assert nets(priced((line(1000, member_minor=1100),), rules())) == [1000]


def test_a_lane_1_discount_below_half_a_unit_is_none() -> None:
    assert priced(of(4), rules(tiers=TIERS), GOLD_MEMBER).discounts == ()


def test_a_line_never_gives_more_than_it_has() -> None:
    """Two quarters round up to a whole unit that the free line cannot take."""
    lines = (
        line(10, member_minor=0),
        line(1000, 250, member_minor=999, sku="x", weighed=True),
        line(1000, 250, member_minor=999, sku="y", weighed=True),
    )
    sale = priced(lines, rules())
    assert nets(sale) == [0, 249, 250]


# ---- staff -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("manual", "amount"),
    [
        (ManualDiscount("dent", off_minor=1000), 1000),
        (ManualDiscount("dent", rate_bp=1000), 1001),
        (ManualDiscount("round", down_to_minor=100), 5),
        (ManualDiscount("dent", off_minor=99_999, approved=True), 10_005),
    ],
)
def test_what_staff_take_off(manual: ManualDiscount, amount: int) -> None:
    sale = priced(of(10_005), rules(), manual=manual)
    assert (off(sale), sale.discounts[0].id, sale.discounts[0].lane) == ([amount], "manual", 3)
    assert sale.discounts[0].reason.data["why"] == manual.reason


def test_staff_come_first_in_lane_3_and_after_lane_2() -> None:
    compiled = rules(
        promotion("line", FixedPrice(9000)),
        promotion("order", Threshold(9000, 500), priority=-9),
    )
    sale = priced(of(10_000), compiled, manual=ManualDiscount("dent", off_minor=100))
    assert [one.id for one in sale.discounts] == ["line", "manual"]
    alone = priced(of(10_000), rules(), manual=ManualDiscount("dent", off_minor=100))
    assert [one.id for one in alone.discounts] == ["manual"]


def test_staff_have_a_limit_and_a_manager_has_none() -> None:
    with pytest.raises(Refused, match="MANUAL_DISCOUNT_LIMIT") as refused:
        priced(of(10_000), rules(), manual=ManualDiscount("dent", off_minor=1001))
    assert refused.value.data["limit_minor"] == 1000
    sale = priced(of(10_000), rules(), manual=ManualDiscount("dent", off_minor=1001, approved=True))
    assert sale.total_minor == 8999


@pytest.mark.parametrize(
    ("manual", "code"),
    [
        (ManualDiscount("", off_minor=1), "MANUAL_REASON_MISSING"),
        (ManualDiscount("r"), "MANUAL_DISCOUNT_IMPOSSIBLE"),
        (ManualDiscount("r", off_minor=1, rate_bp=1), "MANUAL_DISCOUNT_IMPOSSIBLE"),
        (ManualDiscount("r", off_minor=-1), "MANUAL_DISCOUNT_IMPOSSIBLE"),
        (ManualDiscount("r", rate_bp=10_001), "MANUAL_DISCOUNT_IMPOSSIBLE"),
    ],
)
def test_what_staff_cannot_mean(manual: ManualDiscount, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        priced(of(10_000), rules(), manual=manual)


def test_nothing_to_round_down_is_no_discount() -> None:
    assert priced(of(10_000), rules(), manual=ManualDiscount("r", down_to_minor=100)).discounts == ()


# ---- codes and conditions --------------------------------------------------------------------------------
def test_a_code_must_be_given_and_known() -> None:
    compiled = rules(promotion("p", Amount(100), code="MAY"))
    assert off(priced(of(1000), compiled)) == []
    sale = priced(of(1000), compiled, codes=frozenset({"MAY", "JUNE"}))
    assert (off(sale), [(one.id, one.reason.code) for one in sale.left_out]) == (
        [100],
        [("JUNE", "PROMOTION_CODE_UNKNOWN")],
    )


def test_a_code_that_does_nothing_says_why() -> None:
    compiled = rules(
        promotion("min", Amount(100), code="MIN", min_minor=1500),
        promotion("tea", Amount(100), code="TEA", scope=Scope(categories=["tea"])),
    )
    sale = priced(of(1000), compiled, codes=frozenset({"MIN", "TEA"}))
    assert [(one.id, one.reason.code) for one in sale.left_out] == [
        ("MIN", "COUPON_MIN_NOT_REACHED"),
        ("TEA", "COUPON_OUT_OF_SCOPE"),
    ]
    assert sale.left_out[0].reason.data["missing_minor"] == 500


VIP = Shopper("v", "gold", frozenset({"vip"}), frozenset({"spring"}), birthday=True)
BIRTHDAY_LATER = msgspec.structs.replace(VIP, birthday=False)
LOCAL_NOON = dt.datetime(2026, 5, 4, 12)  # noqa: DTZ001 the programme's local time
INSTANT = dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("when", "shopper", "windows", "holds"),
    [
        (Condition(tiers=["gold"]), VIP, set(), True),
        (Condition(tiers=["gold"]), MEMBER, set(), False),
        (Condition(tiers=["gold"]), None, set(), False),
        (Condition(segments=["vip", "new"]), VIP, set(), True),
        (Condition(segments=["new"]), VIP, set(), False),
        (Condition(segments=["vip"]), None, set(), False),
        (Condition(campaign="spring"), VIP, set(), True),
        (Condition(campaign="spring"), MEMBER, set(), False),
        (Condition(members_only=True), MEMBER, set(), True),
        (Condition(members_only=True), None, set(), False),
        (Condition(window="happy"), None, {"happy"}, True),
        (Condition(window="happy"), None, {"sad"}, False),
        (Condition(birthday=True), VIP, set(), True),
        (Condition(birthday=True), BIRTHDAY_LATER, set(), False),
        (Condition(birthday=True), None, set(), False),
        (Condition(from_=LOCAL_NOON), None, set(), True),
        (Condition(from_=LOCAL_NOON + INSTANT), None, set(), False),
        (Condition(to=LOCAL_NOON), None, set(), False),
        (Condition(to=LOCAL_NOON + INSTANT), None, set(), True),
        (Condition(to=NOON), None, set(), False),
    ],
)
def test_when_and_for_whom(when: Condition, shopper: Shopper | None, windows: set[str], holds: bool) -> None:
    moment = Moment(NOON, frozenset(windows))
    terms = promotion("p", Amount(100), when=when)
    compiled = rules(terms, tiers=TIERS)
    for _ in range(2):  # the second time from what is kept
        sale = price(Basket(of(1000)), shopper, compiled, moment)
        assert any(one.id == "p" for one in sale.discounts) is holds
    by_coupon = price(Basket(of(1000), coupons=(coupon(terms),)), shopper, rules(tiers=TIERS), moment)
    assert (by_coupon.coupons == ("coupon-p",)) is holds


def test_what_is_kept_for_a_tier_is_not_used_for_another() -> None:
    compiled = rules(
        promotion("p", Amount(100), when=Condition(tiers=["gold"])), tiers=[NORMAL, Tier("gold", {})]
    )
    totals = [
        price(Basket(of(1000)), who, compiled, NOW).total_minor for who in (VIP, MEMBER, None, VIP, MEMBER)
    ]
    assert totals == [900, 1000, 1000, 900, 1000]


def test_more_states_than_are_kept_are_no_trouble() -> None:
    compiled = rules(promotion("p", Amount(100), when=Condition(tiers=["t7"])), tiers=[NORMAL])
    for _ in range(2):
        for number in range(300):
            sale = price(Basket(of(1000)), Shopper("m", f"t{number}"), compiled, NOW)
            assert sale.total_minor == (900 if number == 7 else 1000)


# ---- order and exclusion ---------------------------------------------------------------------------------
def test_lane_then_priority_then_id() -> None:
    compiled = rules(
        promotion("a3", Amount(1)),
        promotion("b3", Amount(1), priority=-1),
        promotion("c2", Amount(1), lane=2, priority=5),
        promotion("b2", Amount(1), lane=2, priority=5),
    )
    assert [one.id for one in priced(of(1000), compiled).discounts] == ["b2", "c2", "b3", "a3"]


def test_the_first_of_a_group_applies() -> None:
    compiled = rules(
        promotion("t", Threshold(5000, 500), group="g", priority=-1),
        promotion("a", Amount(100), group="g"),
        promotion("b", Amount(1)),
    )
    assert [one.id for one in priced(of(1000), compiled).discounts] == ["a", "b"]
    assert [one.id for one in priced(of(5000), compiled).discounts] == ["t", "b"]


def test_a_solo_promotion_applies_alone() -> None:
    first = rules(promotion("s", Amount(100), solo=True, priority=-1), promotion("a", Amount(1)))
    assert [one.id for one in priced(of(1000), first).discounts] == ["s"]
    last = rules(promotion("s", Amount(100), solo=True, priority=1), promotion("a", Amount(1)))
    assert [one.id for one in priced(of(1000), last).discounts] == ["a"]


def test_solo_leaves_tier_staff_and_points_alone() -> None:
    compiled = rules(promotion("s", Amount(100), solo=True), tiers=TIERS, points_as_cash=PointsAsCash(1, 1))
    rich = msgspec.structs.replace(GOLD_MEMBER, points_available=50)
    sale = priced(of(1000), compiled, rich, manual=ManualDiscount("r", off_minor=10), points=50)
    assert [one.id for one in sale.discounts] == ["tier", "manual", "s", "points"]


def test_chosen_coupons_that_clash_are_left_out_with_the_reason() -> None:
    a, b = promotion("a", Amount(100), group="g"), promotion("b", Amount(200), group="g")
    sale = priced(of(1000), rules(money=Money(max_coupons=1)), coupons=(coupon(b), coupon(a)))
    assert sale.coupons == ("coupon-a",)
    two = priced(of(1000), rules(), coupons=(coupon(b), coupon(a)))
    assert [(one.id, one.reason.data) for one in two.left_out] == [
        ("coupon-b", {"coupon": "b", "other": "a", "rule": "group:g"})
    ]


def test_a_coupon_that_does_nothing_is_not_used_up_and_displaces_nothing() -> None:
    compiled = rules(promotion("auto", Amount(100), group="g", priority=-1))
    sale = priced(
        of(1000), compiled, coupons=(coupon(promotion("c", Amount(300), group="g", min_minor=2000)),)
    )
    assert ([one.id for one in sale.discounts], sale.coupons) == (["auto"], ())
    assert [one.reason.code for one in sale.left_out] == ["COUPON_MIN_NOT_REACHED"]


# ---- bad input -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"quantity_milli": 0}, "QUANTITY_IMPOSSIBLE"),
        ({"quantity_milli": -1}, "QUANTITY_IMPOSSIBLE"),
        ({"quantity_milli": MAX_QUANTITY_MILLI + 1}, "QUANTITY_IMPOSSIBLE"),
        ({"quantity_milli": 2**63}, "QUANTITY_IMPOSSIBLE"),
        ({"unit_minor": -1}, "AMOUNT_IMPOSSIBLE"),
        ({"unit_minor": money.MAX_AMOUNT_MINOR + 1}, "AMOUNT_IMPOSSIBLE"),
        ({"unit_minor": 2**63}, "AMOUNT_IMPOSSIBLE"),
        ({"manual_unit_minor": -1}, "AMOUNT_IMPOSSIBLE"),
        ({"tax_bp": -1}, "AMOUNT_IMPOSSIBLE"),
        ({"tax_bp": 10_001}, "AMOUNT_IMPOSSIBLE"),
        ({"unit_minor": money.MAX_AMOUNT_MINOR, "quantity_milli": 1001}, "AMOUNT_TOO_LARGE"),
    ],
)
def test_lines_that_cannot_be_meant(bad: dict[str, int], code: str) -> None:
    with pytest.raises(Invalid, match=code):
        price(Basket((msgspec.structs.replace(line(1000), **bad),)), MEMBER, rules(), NOW)


def test_the_largest_basket_is_priced() -> None:
    sale = price(
        Basket((line(money.MAX_AMOUNT_MINOR, tax_bp=10_000),)), MEMBER, rules(promotion("p", Percent(1))), NOW
    )
    assert sale.total_minor == money.MAX_AMOUNT_MINOR - 10**8
    assert len(price(Basket((line(1),) * MAX_LINES), MEMBER, rules(), NOW).lines) == MAX_LINES


def test_other_things_that_cannot_be_meant() -> None:
    with pytest.raises(Invalid, match="BASKET_TOO_LONG"):
        price(Basket((line(1),) * (MAX_LINES + 1)), MEMBER, rules(), NOW)
    with pytest.raises(Invalid, match="POINTS_IMPOSSIBLE"):
        priced(of(1), rules(), points=-1)
    with pytest.raises(Invalid, match="TOO_MANY_COUPONS"):
        priced(of(1), rules(), codes=frozenset(str(n) for n in range(21)))
    with pytest.raises(Invalid, match="AMOUNT_TOO_LARGE"):
        priced(of(10**9), rules(earning=Earning(rules=[EarnRule("r", 10_000, 1)])))


def test_an_empty_basket_costs_nothing() -> None:
    sale = price(Basket(()), MEMBER, rules(promotion("p", Amount(1))), NOW)
    assert (sale.total_minor, sale.earned, sale.discounts) == (0, 0, ())


@pytest.mark.parametrize(
    ("unit", "milli", "net"), [(1, 499, 0), (1, 500, 1), (1, 1499, 1), (1, 1500, 2), (3, 833, 2), (3, 834, 3)]
)
def test_the_price_of_a_weight_is_rounded_half_up_to_the_last_thousandth(
    unit: int, milli: int, net: int
) -> None:
    assert nets(priced([line(unit, milli, weighed=True)], rules())) == [net]
