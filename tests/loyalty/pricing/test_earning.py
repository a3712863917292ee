"""What sales earn: rules, multipliers, flats, caps, tenders, and the numbered properties."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapledger.loyalty.conditions import Scope
from tapledger.loyalty.facts import EarnFacts
from tapledger.loyalty.pricing import (
    Basket,
    BasketLine,
    Moment,
    Shopper,
    compile_program,
    earn,
    earn_again,
    paid_shares,
    price,
    reckon,
    with_tenders,
)
from tapledger.loyalty.program import Program, Tier
from tapledger.loyalty.program.earning import Earning, EarnRule, Flat, Multiplier
from tapledger.loyalty.program.prices import Money, PointsAsCash
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold
from tests.loyalty.pricing.givens import (
    MEMBER,
    NOON,
    NORMAL,
    NOW,
    codes,
    line,
    nets,
    of,
    off,
    priced,
    promotion,
    rules,
    shares,
)

GOLD = Tier("gold", {"en": "G"}, multiplier_milli=1500, discount_bp=1000)
TIERS = [NORMAL, GOLD]
GOLD_MEMBER = Shopper("g", "gold")


# ---- what earns ------------------------------------------------------------------------------------------
def test_an_unknown_customer_is_told_what_a_member_would_have() -> None:
    sale = priced(of(12_345), rules(), None)
    assert (sale.earned, sale.earn) == (0, EarnFacts())
    assert [(one.code, one.data) for one in sale.reasons] == [("EARN_NO_MEMBER", {"points": 123})]


def test_lines_of_each_rule_and_lines_of_none() -> None:
    earning = Earning(
        rules=[
            EarnRule("all", 1, 100, scope=Scope(except_categories=["gift-cards"])),
            EarnRule("tea", 2, 100, scope=Scope(categories=["tea"]), priority=1),
        ]
    )
    lines = (line(1000), line(990, category="tea"), line(5000, category="gift-cards"), line(700, earns=False))
    sale = priced(lines, rules(earning=earning))
    assert sale.earned == 10 + 18
    assert [one.basis_minor for one in sale.lines] == [1000, 990, 5000, 0]
    assert codes(sale) == ["EARN_SUM", "EARN_RULE", "EARN_RULE"]


def test_the_highest_priority_has_the_line_and_equal_ones_go_by_id() -> None:
    earning = Earning(
        rules=[EarnRule("b", 5, 100), EarnRule("a", 3, 100), EarnRule("c", 9, 100, priority=-1)]
    )
    assert priced(of(100), rules(earning=earning)).earned == 3


def test_a_multiplier_touches_only_its_scope_and_costs_nobody_a_step() -> None:
    earning = Earning(
        rules=[EarnRule("r", 1, 100)], multipliers=[Multiplier("x", 2000, Scope(categories=["tea"]))]
    )
    lines = (line(550), line(550, category="tea"))
    # 11 for both, and 5 once more for the tea.
    assert priced(lines, rules(earning=earning)).earned == 16
    assert codes(priced(lines, rules(earning=earning))) == ["EARN_TIER", "EARN_BOOST"]


def test_a_multiplier_of_one_rule() -> None:
    earning = Earning(
        rules=[EarnRule("tea", 1, 100, scope=Scope(categories=["tea"])), EarnRule("z", 1, 100)],
        multipliers=[Multiplier("x", 3000, rules=["tea"])],
    )
    assert priced((line(1000), line(1000, category="tea")), rules(earning=earning)).earned == 10 + 30


def test_continuous_points_are_dropped_once() -> None:
    earning = Earning(rules=[EarnRule("r", 1, 300, "continuous")], multipliers=[Multiplier("x", 1500)])
    sale = priced(of(1000), rules(earning=earning))
    assert sale.earned == 5  # 3.333 x 1.5
    assert sale.reasons[0].data["remainder_milli"] == 0
    assert priced(of(1100), rules(earning=earning)).reasons[0].data["remainder_milli"] == 500


@pytest.mark.parametrize(("rounding", "earned"), [("down", 5), ("half_up", 6), ("up", 6)])
def test_roundings_of_points(rounding: str, earned: int) -> None:
    earning = Earning(rules=[EarnRule("r", 1, 200, "continuous")], rounding=rounding)  # type: ignore[arg-type]
    assert priced(of(1100), rules(earning=earning)).earned == earned


@pytest.mark.parametrize(
    ("basis", "taken", "earned"),
    [(999, frozenset(), 9), (1000, frozenset(), 110), (1000, frozenset({"f"}), 10)],
)
def test_flats(basis: int, taken: frozenset[str], earned: int) -> None:
    earning = Earning(flats=[Flat("f", 100, min_minor=1000)])
    sale = priced(of(basis), rules(earning=earning), Shopper("m", "normal", flats_taken=taken))
    assert (sale.earned, sale.flats) == (earned, ("f",) if earned == 110 else ())


def test_a_flat_needs_something_that_earns() -> None:
    compiled = rules(earning=Earning(flats=[Flat("f", 100)]))
    assert priced((line(1000, earns=False),), compiled).earned == 0
    assert codes(priced((line(1000, earns=False),), compiled)) == ["EARN_NOTHING_ELIGIBLE"]


def test_caps_in_their_order_with_what_each_clips() -> None:
    earning = Earning(
        rules=[EarnRule("r", 1, 100)],
        multipliers=[Multiplier("x", 3000)],
        flats=[Flat("f", 40)],
        per_order=150,
        per_member_day=200,
    )
    member = Shopper("m", "normal", earned_today=80)
    sale = price(Basket(of(10_000)), member, rules(earning=earning), Moment(NOON, budget_left=60))
    # 300 + 40; plain 100 and 60 of the budget; 150 an order; 120 left today.
    assert sale.earned == 120
    assert [(one.code, one.data["clipped"]) for one in sale.reasons if "CAP" in one.code] == [
        ("EARN_CAP_BUDGET", 180),
        ("EARN_CAP_ORDER", 10),
        ("EARN_CAP_DAY", 30),
    ]
    assert sale.bonus_points == 20
    assert (sale.earn.cap, sale.earn.bonus_cap) == (120, 60)


@pytest.mark.parametrize(("kept", "points"), [(10_000, 120), (5000, 110), (1000, 70), (0, 0)])
def test_reckoning_again_uses_the_caps_of_then(kept: int, points: int) -> None:
    earning = Earning(
        rules=[EarnRule("r", 1, 100)],
        multipliers=[Multiplier("x", 3000)],
        flats=[Flat("f", 40)],
        per_member_day=120,
    )
    sale = price(Basket(of(10_000)), MEMBER, rules(earning=earning), Moment(NOON, budget_left=60))
    assert reckon(sale.earn, [kept]) == points


def test_points_part_earns_where_it_is_said() -> None:
    member = Shopper("m", "normal", points_available=400)
    for on_points_part, earned in ((False, 6), (True, 10)):
        compiled = rules(earning=Earning(on_points_part=on_points_part), points_as_cash=PointsAsCash(1, 1))
        assert priced(of(1000), compiled, member, points=400).earned == earned


def test_defect_reward_line_earns_points() -> None:
    """odoo #150833: what a reward paid earned points again."""
    member = Shopper("m", "normal", points_available=500)
    sale = priced(of(1000), rules(points_as_cash=PointsAsCash(1, 1)), member, points=500)
    assert sale.earned == 5


def test_defect_wrong_tier_chosen() -> None:
    """erpnext #33550: 217 points where the tier gives 196."""
    tiers = [Tier("low", {"en": "L"}, earn_per_minor=1000), Tier("high", {"en": "H"}, earn_per_minor=900)]
    assert priced(of(196_000), rules(tiers=tiers), Shopper("m", "low")).earned == 196
    assert priced(of(196_000), rules(tiers=list(reversed(tiers))), Shopper("m", "low")).earned == 196
    assert priced(of(196_000), rules(tiers=tiers), Shopper("m", "no such tier")).earned == 196


# ---- tenders ---------------------------------------------------------------------------------------------
def test_what_bonus_money_pays_does_not_earn() -> None:
    compiled = rules()
    sale = priced(of(10_000, 5000), compiled)
    paid = with_tenders(sale, 3000, MEMBER, compiled, NOW)
    assert paid_shares(sale, 3000, tax_exclusive=False) == (2000, 1000)
    assert ([one.basis_minor for one in paid.lines], paid.earned) == ([8000, 4000], 120)
    assert paid.total_minor == sale.total_minor
    on_bonus = rules(earning=Earning(on_bonus_part=True))
    assert with_tenders(sale, 3000, MEMBER, on_bonus, NOW) is sale


def test_the_tier_that_the_sale_reaches() -> None:
    compiled = rules(tiers=TIERS)
    sale = priced(of(10_000), compiled)
    assert (sale.earned, earn_again(sale, GOLD_MEMBER, compiled, NOW).earned) == (100, 150)


def test_the_budget_pays_for_the_bonus_of_the_tier_that_the_sale_reaches() -> None:
    compiled = rules(tiers=TIERS, earning=Earning(multipliers=[Multiplier("double", 2000)]))
    sale = priced(of(10_000), compiled)
    lifted = earn_again(sale, GOLD_MEMBER, compiled, NOW)
    assert (sale.earned, sale.bonus_points) == (200, 100)
    assert (lifted.earned, lifted.bonus_points) == (300, 150)


def test_a_late_credit_is_reckoned_on_the_lines_as_sold() -> None:
    sale = priced(of(10_000), rules(), None)
    late = earn(sale.lines, [one.basis_minor for one in sale.lines], MEMBER, rules(), NOW)
    assert late.points == 100


def test_a_programme_is_compiled_from_its_own_sections() -> None:
    program = Program(
        "1",
        "JPY",
        "Asia/Tokyo",
        [GOLD],
        promotions=[promotion("p", Percent(1000))],
        money=Money(tax="exclusive"),
        earning=Earning(per_order=1),
        points_as_cash=PointsAsCash(1, 1),
    )
    rich = Shopper("m", "gold", points_available=10)
    sale = price(Basket((line(1000, tax_bp=1000),), points=10), rich, compile_program(program), NOW)
    assert [one.id for one in sale.discounts] == ["tier", "p", "points"]
    assert (sale.total_minor, sale.tax_minor, sale.earned) == (800 + 80, 80, 1)
    assert sale.discounts[0].reason.data["currency"] == "JPY"


# ---- properties ------------------------------------------------------------------------------------------
prices = st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 4)), min_size=1, max_size=8)


@given(prices, st.integers(1, 10_000), st.integers(0, 5000))
def test_P2_shares_sum_to_the_discount_and_no_line_gives_more_than_it_has(
    units: list[tuple[int, int]], rate_bp: int, amount: int
) -> None:
    lines = tuple(line(unit, count * 1000) for unit, count in units)
    sale = priced(lines, rules(promotion("a", Percent(rate_bp)), promotion("b", Amount(amount))))
    left = [one.gross_minor for one in sale.lines]
    for discount in sale.discounts:
        assert sum(discount.shares.values()) == discount.amount_minor
        for i, part in discount.shares.items():
            assert 0 < part <= left[i]
            left[i] -= part
    assert left == nets(sale)


@given(prices, st.data())
def test_P3_permuting_or_splitting_lines_changes_no_total(
    units: list[tuple[int, int]], data: st.DataObject
) -> None:
    earning = Earning(rules=[EarnRule("r", 1, 100)], multipliers=[Multiplier("x", 1500)])
    compiled = rules(
        promotion("p", Percent(1234, 9000)), promotion("t", Threshold(20_000, 3000)), earning=earning
    )  # fmt: skip
    whole = tuple(line(unit, count * 1000) for unit, count in units)
    single: list[BasketLine] = [line(unit) for unit, count in units for _ in range(count)]
    shuffled = data.draw(st.permutations(single))
    one, other = priced(whole, compiled), priced(shuffled, compiled)
    assert (one.total_minor, off(one), one.earned) == (other.total_minor, off(other), other.earned)


@settings(max_examples=100)
@given(prices, st.integers(1, 3000))
def test_P10_a_larger_basket_never_pays_less_unless_a_threshold_explains_it(
    units: list[tuple[int, int]], more: int
) -> None:
    compiled = rules(
        promotion("p", Percent(1000)),
        promotion("a", Amount(700)),
        promotion("t", Threshold(20_000, 3000), priority=1),
    )
    lines = tuple(line(unit, count * 1000) for unit, count in units)
    small, large = priced(lines, compiled), priced((*lines, line(more)), compiled)
    if large.total_minor < small.total_minor:
        new = {one.id for one in large.discounts} - {one.id for one in small.discounts}
        assert new == {"t"}
        assert codes(large).count("DISCOUNT_THRESHOLD") == 1
    assert shares(large)[-1] >= 0
