"""Paying: points as cash, stored value, coins, coupons, what waits, who may not (loyalty.md 3.5, 3.9, X5)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapledger.errors import Invalid, Refused, TapledgerError
from tapledger.loyalty import members, tallies
from tapledger.loyalty.effects import BONUS, PRINCIPAL, Coupon, Credential
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.life.standing import WHEN_UNFROZEN
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.coupons import Template
from tapledger.loyalty.program.earning import Earning, Flat, Multiplier
from tapledger.loyalty.program.prices import Money, PointsAsCash
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.sales.selling import Wants
from tapledger.loyalty.sales.tenders import cash_due
from tests.loyalty.counter import Counter, by_kind, earns, goods, refused, rules, value, who
from tests.loyalty.givens import DAY, NOON, lot, member, program


# ---- points as cash ---------------------------------------------------------------------------------------
def test_defect_points_of_this_order_are_not_spent_in_it() -> None:
    counter = Counter(member(lot("savings", 100)), rules())
    facts = counter.sell([goods(10_000)], wants=Wants(points=10_000))
    assert (facts.points_used, facts.total_minor, facts.earned) == (100, 9900, 99)


def test_defect_a_reward_costs_only_what_was_used() -> None:
    """G44: 30 points at 10.00 a point, order 20.00."""
    counter = Counter(member(lot("savings", 30)), rules(points_as_cash=PointsAsCash(1, 1000)))
    assert counter.sell([goods(2000)], wants=Wants(points=30)).points_used == 2
    assert counter.points().available == 28


def test_defect_what_is_validated_is_what_is_consumed() -> None:
    """Points that wait, are held or have lapsed pay nothing, and the lots named pay all of it."""
    waiting = lot("waiting", 500, begins=NOON + DAY)
    lapsed = lot("lapsed", 500, ends=NOON - DAY)
    counter = Counter(member(lot("good", 70), waiting, lapsed), rules())
    assert counter.sell([goods(10_000)], wants=Wants(points=1000)).points_used == 70
    assert [(one.lot, one.amount) for one in counter.sold().points] == [("good", 70)]
    assert counter.points().deficit == 0


def test_points_are_counted_for_the_trust_of_the_card() -> None:
    counter = Counter(member(lot("savings", 5000)), rules())
    with pytest.raises(Refused, match="TENDER_TOO_SMALL"):  # at level 1: 2000 points a day
        counter.sell([goods(5000)], [Tender("card", 0)], Wants(points=5000), trust=1)
    counter.sell([goods(5000)], [Tender("card", 3000)], Wants(points=5000), trust=1)
    assert refused(counter, goods(100), wants=Wants(points=100), trust=1).code == "DAILY_LIMIT"
    assert refused(counter, goods(100), wants=Wants(points=100), trust=0).code == "CARD_ONLY_IDENTIFIES"


def test_points_never_change_a_metric_but_what_they_pay_is_no_spend() -> None:
    counter = Counter(member(lot("savings", 1000)), rules())
    counter.sell([goods(5000)], wants=Wants(points=1000))
    assert counter.member is not None
    assert tallies.total(counter.member.tallies, tallies.SPEND) == 4000
    assert set(counter.member.tallies) == {tallies.SPEND, tallies.SALES, tallies.TRUST}


# ---- coins ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("due", "given", "recorded", "change"),
    [
        (1002, 1000, {"cash": 1000, "rounding": 2}, 0),
        (1003, 1005, {"cash": 1005, "rounding": -2}, 0),
        (1002, 2000, {"cash": 2000, "rounding": 2}, 1000),
        (1005, 1005, {"cash": 1005}, 0),
        (2, 0, {"cash": 0, "rounding": 2}, 0),
    ],
)
def test_X7_cash_is_paid_in_coins(due: int, given: int, recorded: dict[str, int], change: int) -> None:
    counter = Counter(None, program(money=Money(cash_rounding_minor=5)))
    facts = counter.sell([goods(due)], [Tender("cash", given)])
    assert (by_kind(facts), facts.change_minor, facts.total_minor) == (recorded, change, due)
    assert cash_due(due, counter.program) == given - change


def test_X7_what_a_card_pays_is_not_rounded() -> None:
    counter = Counter(None, program(money=Money(cash_rounding_minor=5)))
    facts = counter.sell([goods(1002)], [Tender("card", 500), Tender("cash", 500)])
    assert by_kind(facts) == {"card": 500, "cash": 500, "rounding": 2}
    assert by_kind(counter.sell([goods(1002)], [Tender("card", 1002)])) == {"card": 1002}
    with pytest.raises(Refused, match="TENDER_TOO_SMALL"):
        counter.sell([goods(1003)], [Tender("cash", 1003)])


def test_defect_payable_below_zero() -> None:
    """G30: a coupon of 1000.00 on 176.00."""
    template = Template(id="big", benefit=Amount(off_minor=100_000))
    counter = Counter(who(coupons=(Coupon("c", "big", NOON, None),)), rules(coupons=[template]))
    facts = counter.sell([goods(17_600)], wants=Wants(coupons=("c",)))
    assert (facts.total_minor, facts.discounts[0].amount_minor) == (0, 17_600)


@pytest.mark.parametrize(
    ("tenders", "kind", "code"),
    [
        ([Tender("value", 10_000)], Refused, "NO_STORED_VALUE"),
        ([Tender("rounding", 10_000)], Invalid, "TENDER_UNKNOWN"),
        ([Tender("principal", 10_000)], Invalid, "TENDER_UNKNOWN"),
        ([Tender("card", 1)] * 21, Invalid, "TENDERS_TOO_MANY"),
        ([Tender("card", 2**63)], Invalid, "AMOUNT_IMPOSSIBLE"),
        ([Tender("value", -1), Tender("cash", 10_001)], Invalid, "AMOUNT_IMPOSSIBLE"),
    ],
)
def test_tenders_that_cannot_be_are_refused(
    tenders: list[Tender], kind: type[TapledgerError], code: str
) -> None:
    counter = Counter(member(), program())
    error = refused(counter, tenders=tenders)
    assert (type(error), error.code) == (kind, code)


# ---- stored value -----------------------------------------------------------------------------------------
def rich(**changes: Any) -> Counter:
    return Counter(who(value(PRINCIPAL, 5000), value(BONUS, 1000), **changes), rules())


def test_no_change_is_given_of_stored_value() -> None:
    counter = rich()
    assert refused(counter, goods(1000), tenders=[Tender("value", 1001)]).code == "CHANGE_ONLY_FROM_CASH"


def test_away_from_central_only_what_is_here_pays() -> None:
    counter = rich()
    away = Rights(online=False, last_feed_at=NOON, leased_principal_minor=700)
    error = refused(counter, goods(1000), tenders=[Tender("value", 1000)], rights=away)
    assert (error.code, error.data["available_minor"]) == ("VALUE_NOT_HERE", 700)
    facts = counter.sell([goods(700)], [Tender("value", 700)], rights=away)
    assert by_kind(facts) == {"principal": 700}


def test_a_family_card_spends_its_limit_a_day_and_no_more() -> None:
    counter = rich(credentials=(Credential("card", "kid", 1, day_limit_minor=1500),))
    counter.sell([goods(1000)], [Tender("value", 1000)], card="kid")
    error = refused(counter, goods(501), tenders=[Tender("value", 501)], card="kid")
    assert (error.code, error.data["left_minor"]) == ("CARD_DAY_LIMIT", 500)
    counter.sell([goods(900)], [Tender("value", 500), Tender("cash", 400)], card="kid", id_="2")
    counter.now += DAY
    counter.sell([goods(1500)], [Tender("value", 1500)], card="kid", id_="3")


# ---- what waits -------------------------------------------------------------------------------------------
def test_points_wait_for_the_start_of_a_later_day() -> None:
    counter = Counter(member(), earns(delay_days=2))
    counter.sell([goods(10_000)])
    assert (counter.points().available, counter.points().pending) == (0, 100)
    counter.now = dt.datetime(2026, 5, 5, 15, 59, 59, tzinfo=dt.UTC)
    assert counter.points().available == 0
    counter.now += dt.timedelta(seconds=1)  # 00:00 of 6 May in Shanghai
    assert counter.points().available == 100


def test_a_frozen_member_earns_what_waits_and_spends_nothing() -> None:
    template = Template(id="ten", benefit=Amount(off_minor=1000))
    have = (lot("savings", 500), value(PRINCIPAL, 5000))
    frozen = who(*have, status="frozen", coupons=(Coupon("c", "ten", NOON, None),))
    counter = Counter(frozen, rules(coupons=[template]))
    assert refused(counter, wants=Wants(points=100)).code == "MEMBER_FROZEN"
    assert refused(counter, wants=Wants(coupons=("c",))).code == "MEMBER_FROZEN"
    assert refused(counter, tenders=[Tender("value", 5000)]).code == "MEMBER_FROZEN"
    counter.sell([goods(10_000)])
    assert counter.member is not None
    assert counter.sold().lot is not None
    assert counter.sold().lot.available_at == WHEN_UNFROZEN  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("status", "code"),
    [("cancelled", "MEMBER_CANCELLED"), ("merged", "MEMBER_MERGED"), ("erased", "MEMBER_ERASED")],
)
def test_who_is_no_member_any_more_does_not_buy_as_one(status: str, code: str) -> None:
    assert refused(Counter(who(status=status), program())).code == code


# ---- earning ----------------------------------------------------------------------------------------------
def test_caps_of_an_order_and_of_a_day_clip() -> None:
    counter = Counter(member(), earns(per_order=60, per_member_day=100))
    assert counter.sell([goods(9000)], id_="1").earned == 60
    assert counter.sell([goods(9000)], id_="2").earned == 40
    assert counter.sell([goods(9000)], id_="3").earned == 0
    counter.now += DAY
    assert counter.sell([goods(9000)], id_="4").earned == 60


def test_a_flat_is_given_once_in_its_period() -> None:
    counter = Counter(member(), earns(flats=[Flat("hello", 50, once="day", min_minor=1000)]))
    assert counter.sell([goods(1000)], id_="1").earned == 60
    assert counter.sell([goods(1000)], id_="2").earned == 10
    counter.now += DAY
    assert counter.sell([goods(1000)], id_="3").earned == 60
    counter.back((0, 1000))
    assert counter.sell([goods(1000)], id_="4").earned == 60


def test_the_budget_of_a_campaign_bounds_what_multipliers_give() -> None:
    double = earns(multipliers=[Multiplier("double", 2000)], campaign_budget=30)
    counter = Counter(member(), double)
    assert counter.sell([goods(10_000)], budget_left=30).earned == 130
    assert counter.sale is not None and counter.sale.facts == {"bonus_points": 30}


TIERS = [
    Tier("bronze", {"en": "Bronze"}),
    Tier("silver", {"en": "Silver"}, 10_000, multiplier_milli=2000),
    Tier("gold", {"en": "Gold"}, 20_000, multiplier_milli=3000),
]


@pytest.mark.parametrize(
    ("before", "spent", "tier", "earned"),
    [
        (0, 6000, "bronze", 60),
        (0, 15_000, "silver", 300),
        (0, 25_000, "gold", 750),
        (4000, 500, "bronze", 5),
        (8000, 3000, "silver", 60),
        (18_000, 3000, "gold", 90),
        (22_000, 5000, "gold", 150),
    ],
)
def test_G48_with_tier_at_after_the_sale_itself_counts(
    before: int, spent: int, tier: str, earned: int
) -> None:
    rules_ = program(tiers=TIERS, earning=Earning(tier_at="after"))
    counter = Counter(member(spend_minor=before, tier="bronze"), rules_)
    assert counter.sell([goods(spent)]).earned == earned
    assert counter.member is not None
    assert counter.member.tier == tier or before >= 20_000


def test_the_tier_held_before_is_the_one_that_earns_by_default() -> None:
    counter = Counter(member(tier="bronze"), program(tiers=TIERS))
    assert counter.sell([goods(15_000)]).earned == 150
    assert counter.member is not None and counter.member.tier == "silver"


def test_defect_settling_a_sale_again_earns_nothing_more() -> None:
    """Earning is bound to the sale's id: the same lot is credited once, whoever posts it again."""
    counter = Counter(member(), program())
    counter.sell([goods(10_000)])
    first = counter.member
    assert first is not None and counter.sale is not None
    again = members.fold(first, counter.sale)
    assert members.points(again, NOON) == members.points(first, NOON)


@given(
    st.integers(0, 20_000),
    st.integers(0, 6000),
    st.integers(0, 6000),
    st.sampled_from([1, 5, 10]),
    st.integers(0, 3000),
)
@settings(deadline=None)
def test_tenders_and_change_make_up_the_total(
    due: int, stored: int, card: int, step: int, points: int
) -> None:
    who_ = who(lot("savings", 3000), value(PRINCIPAL, 5000), value(BONUS, 1000))
    counter = Counter(who_, rules(money=Money(cash_rounding_minor=step)))
    quoted = counter.quote([goods(due)], Wants(points=points)).total_minor
    stored = min(stored, quoted)
    card = min(card, quoted - stored)
    tenders = [Tender("value", stored), Tender("card", card), Tender("cash", 30_000)]
    facts = counter.sell([goods(due)], tenders, Wants(points=points))
    assert sum(by_kind(facts).values()) - facts.change_minor == facts.total_minor == quoted
    assert (30_000 - facts.change_minor) % step == 0
    assert counter.worth()[0] + counter.worth()[1] == 6000 - stored
