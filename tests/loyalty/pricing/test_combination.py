"""The best combination of coupons, against trying every set; what rules cost; what is missing for more."""

from __future__ import annotations

import datetime as dt
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapledger.loyalty.conditions import Condition, Scope
from tapledger.loyalty.pricing import (
    Basket,
    BasketLine,
    Best,
    ChosenCoupon,
    Compiled,
    ManualDiscount,
    best,
    price,
)
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.prices import Money
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.every_threshold import EveryThreshold
from tapledger.loyalty.promotions.fixed_price import FixedPrice
from tapledger.loyalty.promotions.free_item import FreeItem
from tapledger.loyalty.promotions.gift_item import GiftItem
from tapledger.loyalty.promotions.n_for_m import NForM
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold
from tests.loyalty.pricing.givens import MEMBER, NOON, NOW, coupon, line, of, promotion, rules

A = promotion("a", Threshold(20_000, 3000), group="full", priority=1)
B = promotion("b", Percent(1000))
C = promotion("c", Amount(4500), solo=True)
D = promotion("d", Threshold(19_000, 2500), group="full", priority=1)


def chosen(compiled: Compiled, lines: tuple[BasketLine, ...], *coupons: ChosenCoupon) -> Best:
    return best(Basket(lines, coupons=coupons), MEMBER, compiled, NOW)


def why(found: Best) -> dict[str, str]:
    return {one.id: one.reason.code for one in found.left_out}


# ---- G60 -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("basket", "used", "saving"),
    [
        (20_000, {"coupon-c"}, 4500),
        (22_500, {"coupon-a", "coupon-b"}, 5250),
        (30_000, {"coupon-a", "coupon-b"}, 6000),
    ],
)
def test_G60_the_best_of_what_goes_together(basket: int, used: set[str], saving: int) -> None:
    found = chosen(rules(), of(basket), *map(coupon, (A, B, C, D)))
    assert (set(found.coupons), found.saving_minor) == (used, saving)
    assert found.priced.total_minor == basket - saving
    assert not found.approximate


def test_G60_says_what_each_rule_costs() -> None:
    found = chosen(rules(), of(30_000), *map(coupon, (A, B, C, D)))
    costs = {cost.rule: cost.saving_minor for cost in found.costs}
    assert costs == {"solo:c": 4500, "group:full": 2500}


def test_G60_says_why_not_of_each_coupon_left_out() -> None:
    assert why(chosen(rules(), of(30_000), *map(coupon, (A, B, C, D)))) == {
        "coupon-c": "COUPON_EXCLUDED",
        "coupon-d": "COUPON_EXCLUDED",
    }
    at_200 = chosen(rules(), of(20_000), *map(coupon, (A, B)))
    assert why(at_200) == {"coupon-b": "COUPON_LESS_TOGETHER"}


# ---- ties ------------------------------------------------------------------------------------------------
def test_a_tie_goes_to_fewer_coupons() -> None:
    found = chosen(
        rules(), of(5000), *map(coupon, (promotion("x", Amount(5000)), promotion("w", Amount(2500))))
    )
    assert found.coupons == ("coupon-x",)


def test_then_to_the_one_that_ends_first_then_to_the_smallest_id() -> None:
    terms = promotion("x", Amount(500), group="one")
    late, soon = coupon(terms, "1", NOON + dt.timedelta(9)), coupon(terms, "2", NOON + dt.timedelta(1))
    assert chosen(rules(), of(5000), late, soon).coupons == ("2",)
    assert chosen(rules(), of(5000), coupon(terms, "5"), coupon(terms, "4")).coupons == ("4",)


# ---- limits and reasons ----------------------------------------------------------------------------------
def test_max_coupons_is_a_rule_with_a_cost() -> None:
    terms = [coupon(promotion(f"c{n}", Amount(100 + n))) for n in range(4)]
    found = chosen(rules(money=Money(max_coupons=2)), of(5000), *terms)
    assert (found.coupons, found.saving_minor) == (("coupon-c2", "coupon-c3"), 205)
    assert [(cost.rule, cost.saving_minor) for cost in found.costs] == [("max_coupons", 201)]
    assert why(found) == {"coupon-c0": "COUPON_TOO_MANY", "coupon-c1": "COUPON_TOO_MANY"}


def test_classes_must_agree_both_ways() -> None:
    order = promotion("o", Amount(500), combines=["line"])
    lines = promotion("l", FixedPrice(4000), combines=[])
    found = chosen(rules(), of(5000), coupon(order), coupon(lines))
    assert found.coupons == ("coupon-l",)
    assert [(cost.rule, cost.saving_minor) for cost in found.costs] == [("class", 500)]


def test_without_a_class_the_lane_says_whether_it_is_of_lines_or_of_the_order() -> None:
    order, other = (promotion(id_, Amount(500), combines=["line"]) for id_ in "op")
    lines = promotion("l", FixedPrice(4000), combines=["order"])
    assert set(chosen(rules(), of(5000), coupon(order), coupon(lines)).coupons) == {"coupon-o", "coupon-l"}
    assert chosen(rules(), of(5000), coupon(order), coupon(other)).coupons == ("coupon-o",)


def test_what_cannot_be_used_is_told_why() -> None:
    found = chosen(
        rules(),
        of(5000),
        coupon(promotion("old", Amount(1)), expires_at=NOON),
        coupon(promotion("gold", Amount(1), when=Condition(tiers=["gold"]))),
        coupon(promotion("tea", Amount(1), scope=Scope(categories=["tea"]))),
        coupon(promotion("min", Amount(1), min_minor=6000)),
        coupon(promotion("less", FixedPrice(9000))),
    )
    assert why(found) == {
        "coupon-old": "COUPON_EXPIRED",
        "coupon-gold": "COUPON_NOT_NOW",
        "coupon-tea": "COUPON_OUT_OF_SCOPE",
        "coupon-min": "COUPON_MIN_NOT_REACHED",
        "coupon-less": "COUPON_NO_EFFECT",
    }
    missing = next(one.reason.data["missing_minor"] for one in found.left_out if one.id == "coupon-min")
    assert missing == 1000


def test_a_coupon_is_good_until_the_instant_of_its_end() -> None:
    ends = coupon(promotion("x", Amount(1)), expires_at=NOON + dt.timedelta(microseconds=1))
    assert chosen(rules(), of(5000), ends).coupons == ("coupon-x",)


def test_more_than_twelve_are_cut_to_the_dearest() -> None:
    terms = [coupon(promotion(f"c{n:02d}", Amount(100 + n))) for n in range(14)]
    found = chosen(rules(), of(50_000), *terms)
    assert found.approximate
    assert found.coupons == tuple(f"coupon-c{n:02d}" for n in range(9, 14))
    assert [id_ for id_, code in why(found).items() if code == "COUPON_NOT_COMPARED"] == [
        "coupon-c00",
        "coupon-c01",
    ]


def test_exactly_twelve_are_not_cut() -> None:
    terms = [coupon(promotion(f"c{n:02d}", Amount(100 + n))) for n in range(12)]
    assert not chosen(rules(), of(50_000), *terms).approximate


def test_a_gift_counts_as_what_it_would_have_cost() -> None:
    gift = promotion("g", GiftItem("mug", "Mug", 3000), group="one")
    found = chosen(rules(), of(5000), coupon(gift), coupon(promotion("x", Amount(2999), group="one")))
    assert (found.coupons, found.saving_minor) == (("coupon-g",), 3000)
    assert found.priced.lines[-1].gift_of == "g"


def test_an_automatic_promotion_yields_to_a_better_coupon_only() -> None:
    compiled = rules(promotion("auto", Amount(1000), group="one"))
    better, worse = promotion("x", Amount(1500), group="one"), promotion("y", Amount(500), group="one")
    assert chosen(compiled, of(5000), coupon(better)).saving_minor == 1500
    kept = chosen(compiled, of(5000), coupon(worse))
    assert (kept.coupons, kept.saving_minor) == ((), 1000)


def test_of_two_automatic_promotions_that_exclude_each_other_only_one_is_counted_against_a_coupon() -> None:
    compiled = rules(*[promotion(id_, Amount(1000), group="one") for id_ in ("first", "second")])
    found = chosen(compiled, of(5000), coupon(promotion("x", Amount(1500), group="one")))
    assert (found.coupons, found.saving_minor) == (("coupon-x",), 1500)


def test_what_staff_take_off_is_gone_before_lane_3_looks() -> None:
    basket = Basket(of(20_000), ManualDiscount("dent", off_minor=1000), (coupon(A), coupon(D)))
    found = best(basket, MEMBER, rules(), NOW)
    assert (found.coupons, found.saving_minor, found.priced.total_minor) == (("coupon-d",), 2500, 16_500)


# ---- hints -----------------------------------------------------------------------------------------------
def test_add_so_much_to_get_the_threshold() -> None:
    found = chosen(rules(promotion("t", Threshold(20_000, 3000))), of(18_800))
    (hint,) = found.hints
    assert (hint.id, hint.add_minor, hint.reason.code) == ("t", 1200, "HINT_THRESHOLD")
    assert hint.reason.data["off_minor"] == 3000


def test_a_discount_before_it_eats_what_is_added() -> None:
    compiled = rules(promotion("t", Threshold(20_000, 3000), priority=1), promotion("p", Percent(1000)))
    (hint,) = chosen(compiled, of(20_000)).hints
    reached = [
        any(d.id == "t" for d in price(Basket(of(20_000, more)), MEMBER, compiled, NOW).discounts)
        for more in range(1, hint.add_minor + 1)
    ]
    assert (hint.add_minor, reached.index(True) + 1) == (2222, 2222)


def test_the_next_step_of_every_threshold_until_its_cap() -> None:
    compiled = rules(promotion("e", EveryThreshold(10_000, 1000, cap_minor=2000)))
    assert [hint.add_minor for hint in chosen(compiled, of(15_000)).hints] == [5000]
    assert chosen(compiled, of(20_000)).hints == ()


def test_hints_name_the_nearest_and_coupons_too() -> None:
    compiled = rules(*[promotion(f"t{n}", Threshold(10_000 * n, 100)) for n in range(1, 6)])
    found = chosen(
        compiled, of(9000), coupon(promotion("m", Amount(1), min_minor=9500))
    )  # t1 takes 1.00 before t2 looks
    assert [(hint.id, hint.add_minor) for hint in found.hints] == [("m", 500), ("t1", 1000), ("t2", 11_100)]
    assert found.hints[0].coupon == "coupon-m"
    assert found.hints[0].reason.code == "HINT_MIN"


def test_no_hint_for_what_cannot_be_reached() -> None:
    tiers = [Tier("normal", {"en": "N"}, discount_bp=10_000)]
    assert chosen(rules(promotion("t", Threshold(20_000, 3000)), tiers=tiers), of(5000)).hints == ()


# ---- against every set -----------------------------------------------------------------------------------
BENEFITS = st.one_of(
    st.builds(Amount, st.integers(1, 3000)),
    st.builds(Percent, st.integers(1, 10_000), st.none() | st.integers(1, 2000)),
    st.builds(Threshold, st.integers(1, 8000), st.integers(1, 3000), st.none()),
    st.builds(Threshold, st.integers(1, 3000), st.integers(1, 3000), st.integers(3001, 8000)),
    st.builds(EveryThreshold, st.integers(500, 5000), st.integers(1, 900)),
    st.builds(NForM, st.integers(1, 2), st.just(1), st.integers(1, 10_000)),
    st.builds(FreeItem),
    st.builds(FixedPrice, st.integers(0, 900)),
    st.builds(GiftItem, st.just("g"), st.just("Gift"), st.integers(1, 900)),
)


@st.composite
def terms(draw: st.DrawFn, id_: str) -> Promotion:
    return Promotion(
        id_,
        draw(BENEFITS),
        scope=draw(st.sampled_from([Scope(), Scope(categories=["a"]), Scope(except_categories=["a"])])),
        priority=draw(st.integers(0, 3)),
        min_minor=draw(st.sampled_from([0, 0, 0, 2000])),
        group=draw(st.sampled_from(["", "", "", "g"])),
        combines=draw(st.sampled_from([None, None, None, ["line"], ["line", "order"]])),
        solo=draw(st.sampled_from([False] * 7 + [True])),
    )


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(["at_lane", "before_discounts"]))
def test_no_set_of_coupons_saves_more(data: st.DataObject, threshold: str) -> None:
    lines = tuple(
        line(unit, quantity, category, sku=f"s{n}")
        for n, (unit, quantity, category) in enumerate(
            data.draw(
                st.lists(
                    st.tuples(
                        st.integers(0, 2000), st.sampled_from([1000, 2000, 3000]), st.sampled_from("ab")
                    ),
                    min_size=1,
                    max_size=4,
                )
            )
        )
    )
    automatic = [data.draw(terms(f"auto{n}")) for n in range(data.draw(st.integers(0, 2)))]
    coupons = tuple(coupon(data.draw(terms(f"c{n}"))) for n in range(data.draw(st.integers(0, 5))))
    compiled = rules(*automatic, money=Money(threshold=threshold, max_coupons=3))  # type: ignore[arg-type]
    found = best(Basket(lines, coupons=coupons), MEMBER, compiled, NOW)
    every = []
    for size in range(min(3, len(coupons)) + 1):
        for some in combinations(coupons, size):
            sale = price(Basket(lines, coupons=some), MEMBER, compiled, NOW)
            if len(sale.coupons) == size:
                every.append((-sale.saved_minor(), size, sorted(sale.coupons)))
    saving, size, ids = min(every)
    assert (found.saving_minor, len(found.coupons), sorted(found.coupons)) == (-saving, size, ids)
    assert set(found.coupons) | {one.id for one in found.left_out} == {one.id for one in coupons}
    assert found.priced.left_out == ()
