"""The engine and the slow oracle agree on random programmes and baskets, in every figure."""

from __future__ import annotations

import datetime as dt
from typing import Literal
from zoneinfo import ZoneInfo

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tapledger.loyalty.conditions import Condition, Scope
from tapledger.loyalty.pricing import (
    Basket,
    BasketLine,
    ChosenCoupon,
    Compiled,
    ManualDiscount,
    Moment,
    Priced,
    Shopper,
    price,
    reckon,
)
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.earning import Earning, EarnRule, Flat, Multiplier
from tapledger.loyalty.program.prices import Money, PointsAsCash
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.bundle import Bundle, Part
from tapledger.loyalty.promotions.every_threshold import EveryThreshold
from tapledger.loyalty.promotions.fixed_price import FixedPrice
from tapledger.loyalty.promotions.free_item import FreeItem
from tapledger.loyalty.promotions.gift_item import GiftItem
from tapledger.loyalty.promotions.n_for_m import NForM
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold
from tests.loyalty import oracle
from tests.loyalty.pricing.givens import NOON

CATEGORIES, SKUS = ["a", "b", "c"], ["s0", "s1", "s2", "s3"]
rates = st.integers(1, 10_000)
amounts = st.integers(1, 4000)
benefits = st.one_of(
    st.builds(Amount, amounts),
    st.builds(Percent, rates, st.none() | amounts),
    st.builds(Threshold, st.integers(1, 3000), amounts, st.none() | st.integers(3001, 9000)),
    st.builds(EveryThreshold, st.integers(300, 4000), amounts, st.none() | amounts),
    st.builds(FixedPrice, st.integers(0, 900)),
    st.builds(FreeItem),
    st.builds(GiftItem, st.just("gift"), st.just("Gift"), amounts),
    st.builds(
        NForM,
        st.integers(1, 3),
        st.integers(1, 2),
        rates,
        st.none() | st.integers(2, 6),
        st.sampled_from(["cheapest", "in_turn"]),
    ),
    st.builds(
        Bundle,
        st.lists(
            st.builds(
                Part,
                st.lists(st.sampled_from(SKUS), max_size=2),
                st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=2),
                st.integers(1, 2),
            ),
            min_size=1,
            max_size=2,
        ),
        st.integers(0, 3000),
        st.integers(1, 4),
    ),
)
some_categories = st.lists(st.sampled_from(CATEGORIES), max_size=2)
scopes = st.one_of(
    st.just(Scope()),
    st.builds(
        Scope,
        some_categories,
        st.lists(st.sampled_from(SKUS), max_size=2),
        some_categories,
        st.lists(st.sampled_from(SKUS), max_size=1),
    ),
)
LOCAL_NOON = dt.datetime(2026, 5, 4, 12, 0)  # noqa: DTZ001 the programme's local time
instants = st.none() | st.sampled_from([LOCAL_NOON, LOCAL_NOON + dt.timedelta(microseconds=1)])
conditions = st.one_of(
    *[st.just(Condition())] * 3,
    st.builds(
        Condition,
        st.just([]) | st.just(["gold"]),
        st.just([]) | st.just(["vip"]),
        st.just("") | st.just("spring"),
        st.booleans(),
        st.just("") | st.just("happy"),
        st.booleans(),
        instants,
        instants,
    ),
)


@st.composite
def promotions(draw: st.DrawFn, id_: str, codes: bool) -> Promotion:
    return Promotion(
        id_,
        draw(benefits),
        scope=draw(scopes),
        when=draw(conditions),
        lane=draw(st.sampled_from([None, None, 2, 3])),
        priority=draw(st.integers(-1, 2)),
        min_minor=draw(st.sampled_from([0, 0, 1500])),
        group=draw(st.sampled_from(["", "", "", "g"])),
        class_=draw(st.sampled_from(["", "", "x"])),
        combines=draw(st.sampled_from([None, None, None, ["line", "x"], ["line", "order", "x"]])),
        solo=draw(st.sampled_from([False] * 9 + [True])),
        code=draw(st.sampled_from(["", "", "CODE"])) if codes else "",
    )


lines = st.builds(
    BasketLine,
    st.sampled_from(SKUS),
    st.just("Article"),
    st.sampled_from([1000, 1000, 2000, 3000, 5000, 1, 1234]),
    st.integers(0, 3000),
    st.sampled_from([0, 600, 1300]),
    st.sampled_from(CATEGORIES),
    st.sampled_from([True, True, True, False]),
    st.none() | st.integers(0, 3000),
    st.sampled_from([False, False, True]),
    st.sampled_from(["", "", "", "", "deposit"]),
    st.sampled_from([None, None, None, 0, 777]),
)
tier_rates = st.sampled_from([0, 1000, 1250, 10_000])
milli = st.sampled_from([0, 500, 1000, 1200, 1500, 2000, 3333])


@st.composite
def earnings(draw: st.DrawFn) -> Earning:
    modes: list[Literal["stepped", "continuous"]] = ["stepped", "stepped", "continuous"]
    return Earning(
        rules=[
            EarnRule(
                f"r{n}",
                draw(st.integers(1, 3)),
                draw(st.integers(1, 300)),
                draw(st.sampled_from(modes)),
                draw(scopes),
                draw(conditions),
                draw(st.integers(0, 1)),
            )
            for n in range(draw(st.integers(0, 2)))
        ],
        multipliers=[
            Multiplier(
                f"x{n}", draw(milli), draw(scopes), draw(st.sampled_from([[], [], ["r0"]])), draw(conditions)
            )
            for n in range(draw(st.integers(0, 3)))
        ],
        flats=[
            Flat(
                f"f{n}", draw(st.integers(1, 50)), draw(scopes), draw(st.integers(0, 2000)), draw(conditions)
            )
            for n in range(draw(st.integers(0, 2)))
        ],
        stack=draw(st.sampled_from(["max", "multiply", "add"])),
        rounding=draw(st.sampled_from(["down", "half_up", "up"])),
        on_points_part=draw(st.booleans()),
        on_tax=draw(st.booleans()),
        per_order=draw(st.none() | st.integers(0, 200)),
        per_member_day=draw(st.none() | st.integers(0, 200)),
    )


@st.composite
def programmes(draw: st.DrawFn) -> oracle.Rules:
    return oracle.Rules(
        promotions=[draw(promotions(f"p{n}", True)) for n in range(draw(st.integers(2, 5)))],
        tiers=[
            Tier("normal", {"en": "N"}, earn_points=2, earn_per_minor=150),
            Tier("gold", {"en": "G"}, discount_bp=draw(tier_rates), multiplier_milli=draw(milli)),
        ],
        earning=draw(earnings()),
        money=Money(
            rounding=draw(st.sampled_from(["half_up", "half_even", "down"])),
            tax=draw(st.sampled_from(["inclusive", "exclusive"])),
            threshold=draw(st.sampled_from(["at_lane", "before_discounts"])),
            max_coupons=2,
        ),
        points_as_cash=draw(
            st.none()
            | st.builds(
                PointsAsCash, st.integers(1, 100), st.integers(1, 300), st.integers(0, 300),
                st.none() | st.integers(100, 900), st.integers(1, 100), st.sampled_from([0, 1000]),
            )
        ),
    )  # fmt: skip


shoppers = st.none() | st.builds(
    Shopper,
    st.just("m"),
    st.sampled_from(["normal", "gold", "unknown"]),
    st.sampled_from([frozenset(), frozenset({"vip"})]),
    st.sampled_from([frozenset(), frozenset({"spring"})]),
    st.booleans(),
    st.integers(0, 2000),
    st.integers(0, 150),
    st.sampled_from([frozenset(), frozenset({"f0"})]),
)
moments = st.builds(
    Moment,
    st.just(NOON),
    st.sampled_from([frozenset(), frozenset({"happy"})]),
    st.none() | st.integers(0, 50),
)


yes = st.just(True)


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    ends = [None, None, NOON, NOON + dt.timedelta(seconds=1)]
    return Basket(
        tuple(draw(st.lists(lines, min_size=draw(st.sampled_from([0, 1, 3])), max_size=6))),
        draw(
            st.none()
            | st.one_of(
                st.builds(ManualDiscount, st.just("r"), st.integers(1, 999), approved=yes),
                st.builds(ManualDiscount, st.just("r"), rate_bp=st.integers(1, 999)),
                st.builds(ManualDiscount, st.just("r"), down_to_minor=st.integers(2, 99), approved=yes),
            )
        ),
        tuple(
            ChosenCoupon(f"k{n}", draw(promotions(f"c{n}", False)), draw(st.sampled_from(ends)))
            for n in range(draw(st.integers(0, 3)))
        ),
        draw(st.sampled_from([frozenset(), frozenset({"CODE"})])),
        draw(st.integers(0, 2000)),
    )  # fmt: skip


def compiled(rules: oracle.Rules) -> Compiled:
    return Compiled(
        currency="CNY",
        zone=ZoneInfo("Asia/Shanghai"),
        tiers=rules.tiers,
        promotions=rules.promotions,
        earning=rules.earning,
        money=rules.money,
        points_as_cash=rules.points_as_cash,
    )


def agree(sale: Priced, slow: oracle.Result) -> None:
    goods = [one for one in sale.lines if one.kind != "gift"]
    assert [(d.id, d.amount_minor, d.shares) for d in sale.discounts] == slow.discounts
    assert [one.net_minor for one in goods] == slow.left
    assert [one.tax_minor for one in goods] == slow.tax
    assert (sale.total_minor, sale.tax_minor) == (slow.total, sum(slow.tax))
    assert (sale.earned, sale.points_used) == (slow.earned, slow.points_used)
    assert list(sale.coupons) == slow.coupons
    assert [one.sku for one in sale.lines if one.kind == "gift"] == slow.gifts


@settings(max_examples=300, deadline=None)
@given(programmes(), baskets(), shoppers, moments)
def test_the_engine_is_the_oracle(
    rules: oracle.Rules, basket: Basket, shopper: Shopper | None, moment: Moment
) -> None:
    sale = price(basket, shopper, compiled(rules), moment)
    agree(sale, oracle.price(basket, shopper, rules, moment))
    event(f"{len(sale.discounts)} discounts")
    # What an event keeps of it is sound too.
    for one in sale.discounts:
        assert sum(one.shares.values()) == one.amount_minor
        assert all(part > 0 for part in one.shares.values())
    for number, kept in enumerate(sale.lines):
        taken = sum(one.shares.get(number, 0) for one in sale.discounts)
        assert kept.gross_minor - taken == kept.net_minor >= 0
    assert reckon(sale.earn, [kept.basis_minor for kept in sale.lines]) == sale.earned
    assert reckon(sale.earn, [0] * len(sale.lines)) == 0
    offered = {one.id for one in basket.coupons} | basket.codes
    used_codes = {one.code for one in rules.promotions if one.id in {d.id for d in sale.discounts}}
    assert {one.id for one in sale.left_out} == offered - set(sale.coupons) - used_codes
