"""Selling: what a basket costs and earns, what paying it posts, and what is refused (loyalty.md 3.5)."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapledger.errors import Invalid, Refused, TapledgerError
from tapledger.loyalty.facts import TENDER_KINDS, Tender
from tapledger.loyalty.members import fold
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.loyalty.program import Program
from tapledger.loyalty.rewards.redeeming import Redeem, decide_fulfil, decide_hold
from tapledger.loyalty.sales.selling import (
    MAX_QUANTITY_MILLI,
    MAX_SALE_LINES,
    BasketLine,
    Sale,
    decide_sale,
    quote,
)
from tapledger.loyalty.summary import summarize
from tests.loyalty.givens import (
    DAY,
    MEMBER,
    NOON,
    PROGRAM,
    after,
    available,
    buy,
    code_of,
    earning,
    line,
    lot,
    lots_added,
    member,
    posted,
    redeem,
    spend_of,
    tier_of,
)

basket_lines = st.lists(
    st.builds(
        line,
        st.integers(0, 100_000),
        st.integers(1, 20).map(lambda pieces: pieces * 1000),
        st.sampled_from([0, 600, 900, 1300]),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


def earned(lines: Sequence[BasketLine], rules: Program = PROGRAM, tier: str = "normal") -> int:
    return quote(member(tier=tier), tuple(lines), rules, NOON).earned


# ---- earning ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("spent_minor", "rules", "points"),
    [
        (10_500, earning(1, 1000), 10),  # G19: 1 point for each 10.00 of 105.00
        (12_345, earning(1, 100), 123),  # G22
        (2_000_000, earning(1, 100_000), 20),  # G24
        (19_600_000, earning(1, 100_000), 196),  # G24
        (9990, earning(1, 100, 2400), 237),  # G25: 99 x 1.2 x 2
        (400, earning(1, 100, 1500), 6),  # G20: base 4 x 1.5
        (500, earning(1, 100, 3000), 15),  # G20: base 5 x 3
        (99, earning(1, 100), 0),
        (100, earning(5, 100), 5),
        (10_000, earning(0, 100), 0),
        (10_000, earning(1, 100, 0), 0),
    ],
)
def test_earning_follows_the_golden_examples(spent_minor: int, rules: Program, points: int) -> None:
    assert earned([line(spent_minor)], rules) == points


def test_points_are_floored_once_for_the_basket_and_not_per_line() -> None:
    """G27: two lines of 5.50, 1 point per 10.00."""
    assert earned([line(550), line(550)], earning(1, 1000)) == 1


@pytest.mark.parametrize(
    ("tier", "points"), [("normal", 99), ("silver", 118), ("gold", 148), ("unknown", 99)]
)
def test_each_tier_earns_at_its_own_rate(tier: str, points: int) -> None:
    assert earned([line(9990)], tier=tier) == points


def test_what_is_flagged_earns_nothing_and_says_so() -> None:
    priced = quote(member(), (line(5000, earns=False),), PROGRAM, NOON)
    assert (priced.earned, priced.reasons[0].code) == (0, "EARN_NOTHING_ELIGIBLE")
    assert earned([line(5000, earns=False), line(250)]) == 2


def test_the_reason_names_every_figure() -> None:
    (why,) = quote(member(tier="silver"), (line(3680),), PROGRAM, NOON).reasons
    assert (why.code, why.data) == (
        "EARN_TIER",
        {
            "basis_minor": 3680,
            "points": 43,
            "rate_points": 1,
            "rate_minor": 100,
            "multiplier_milli": 1200,
            "tier": "silver",
            "rule": "tier.silver",
            "remainder_milli": 200,
            "currency": "CNY",
        },
    )


def test_nobody_earns_nothing_and_is_told_what_it_would_have_been() -> None:
    priced = quote(None, (line(3680), line(999, earns=False)), PROGRAM, NOON)
    assert (priced.earned, priced.reasons[0].code, priced.reasons[0].data) == (
        0,
        "EARN_NO_MEMBER",
        {"points": 36},
    )
    sold = buy(None, [line(3680)])
    assert (sold.after, sold.body.member, lots_added(sold)) == (None, None, ())


@given(basket_lines, st.randoms())
def test_order_and_splitting_of_lines_change_nothing(lines: list[BasketLine], random: Random) -> None:
    """P3: pieces on lines of their own, in any order, cost and earn the same."""
    split = [
        line(one.unit_minor, 1000, one.tax_bp, one.earns)
        for one in lines
        for _ in range(one.quantity_milli // 1000)
    ]
    random.shuffle(split)
    whole, parts = quote(member(), tuple(lines), PROGRAM, NOON), quote(member(), tuple(split), PROGRAM, NOON)
    assert (whole.total_minor, whole.tax_minor, whole.earned) == (
        parts.total_minor,
        parts.tax_minor,
        parts.earned,
    )


# ---- what is posted --------------------------------------------------------------------------------------
@given(basket_lines, st.integers(0, 100_000), st.sampled_from(["normal", "silver", "gold"]), st.booleans())
@settings(deadline=None)
def test_every_sale_balances(lines: list[BasketLine], extra: int, tier: str, has_card: bool) -> None:
    total = sum(one.unit_minor * one.quantity_milli // 1000 for one in lines)
    who = member(tier=tier) if has_card else None
    sold = buy(who, lines, tenders=[Tender("cash", total + extra)])
    facts = sold.body.sale
    assert facts is not None
    assert (facts.total_minor, facts.change_minor) == (total, extra)
    assert posted(sold, "tender/cash", "CNY") == total
    assert posted(sold, "sales", "CNY") + posted(sold, "tax", "CNY") == -total
    assert posted(sold, f"member/{MEMBER}/points") == facts.earned == -posted(sold, "program/points")
    if who is not None:
        assert available(after(sold)) == facts.earned
        assert spend_of(after(sold)) == total


def test_points_of_a_sale_are_a_lot_that_lapses_by_the_programme() -> None:
    (got,) = lots_added(buy(member(), [line(3680)]))
    assert (got.id, got.amount, got.remaining, got.available_at) == ("lot-of-sale", 36, 36, NOON)
    assert got.expires_at == dt.datetime(2027, 5, 31, 16, 0, tzinfo=dt.UTC)


def test_a_sale_without_points_leaves_no_empty_lot() -> None:
    assert lots_added(buy(member(), [line(99)])) == ()


def test_weighed_goods_are_rounded_once_per_line() -> None:
    priced = quote(None, (line(999, 1235),), PROGRAM, NOON)
    assert (priced.lines[0].net_minor, priced.total_minor) == (1234, 1234)


def test_tax_is_reckoned_once_per_rate() -> None:
    priced = quote(None, (line(5, tax_bp=1300), line(5, tax_bp=1300), line(5, tax_bp=0)), PROGRAM, NOON)
    assert priced.tax_minor == 1, "each line alone would give 1 + 1"


def test_a_gift_costs_and_earns_nothing() -> None:
    sold = buy(member(), [line(0)], tenders=[])
    assert (sold.body.lines, lots_added(sold)) == ((), ())


# ---- tenders ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", TENDER_KINDS)
def test_each_means_of_payment_is_booked_on_its_own_account(kind: str) -> None:
    assert posted(buy(None, [line(1000)], tenders=[Tender(kind, 1000)]), f"tender/{kind}", "CNY") == 1000


def test_change_comes_from_cash_only() -> None:
    sold = buy(None, [line(1000)], tenders=[Tender("card", 600), Tender("cash", 500)])
    assert (posted(sold, "tender/card", "CNY"), posted(sold, "tender/cash", "CNY")) == (600, 400)
    with pytest.raises(Refused, match="CHANGE_ONLY_FROM_CASH"):
        buy(None, [line(1000)], tenders=[Tender("card", 1100), Tender("cash", 50)])
    with pytest.raises(Refused, match="CHANGE_ONLY_FROM_CASH"):
        buy(None, [line(1000)], tenders=[Tender("mobile", 1001)])


@pytest.mark.parametrize("tenders", [[], [Tender("cash", 999)], [Tender("card", 1), Tender("cash", 998)]])
def test_a_tender_that_does_not_cover_the_basket_is_refused(tenders: list[Tender]) -> None:
    with pytest.raises(Refused) as refused:
        buy(None, [line(1000)], tenders=tenders)
    missing = 1000 - sum(tender.amount_minor for tender in tenders)
    assert code_of(refused.value) == ("TENDER_TOO_SMALL", {"missing_minor": missing, "currency": "CNY"})


# ---- input that cannot be meant --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("lines", "tenders", "code"),
    [
        ([], [], "BASKET_EMPTY"),
        ([line(-1)], [], "AMOUNT_IMPOSSIBLE"),
        ([line(MAX_AMOUNT_MINOR + 1)], [], "AMOUNT_IMPOSSIBLE"),
        ([line(1, tax_bp=-1)], [], "AMOUNT_IMPOSSIBLE"),
        ([line(1, tax_bp=10_001)], [], "AMOUNT_IMPOSSIBLE"),
        ([line(1, 0)], [], "QUANTITY_IMPOSSIBLE"),
        ([line(1, -1000)], [], "QUANTITY_IMPOSSIBLE"),
        ([line(1, MAX_QUANTITY_MILLI + 1)], [], "QUANTITY_IMPOSSIBLE"),
        ([line(MAX_AMOUNT_MINOR, 2000)], [], "AMOUNT_TOO_LARGE"),
        ([line(MAX_AMOUNT_MINOR), line(1)], [], "AMOUNT_TOO_LARGE"),
        ([line(10**18, MAX_QUANTITY_MILLI)], [], "AMOUNT_IMPOSSIBLE"),
        ([line(1)], [Tender("shells", 1)], "TENDER_UNKNOWN"),
        ([line(1)], [Tender("cash", -1), Tender("card", 2)], "AMOUNT_IMPOSSIBLE"),
        ([line(1)], [Tender("cash", MAX_AMOUNT_MINOR + 1)], "AMOUNT_IMPOSSIBLE"),
        ([line(1)], [Tender("cash", MAX_AMOUNT_MINOR), Tender("cash", 1)], "AMOUNT_TOO_LARGE"),
    ],
)
def test_impossible_sales_are_refused_with_a_code(
    lines: list[BasketLine], tenders: list[Tender], code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        decide_sale(None, Sale("sale", tuple(lines), tuple(tenders), "lot", None), PROGRAM, NOON)
    assert refused.value.code == code


def test_a_basket_has_a_longest_length() -> None:
    assert quote(None, (line(1),) * MAX_SALE_LINES, PROGRAM, NOON).total_minor == MAX_SALE_LINES
    with pytest.raises(Invalid) as refused:
        quote(None, (line(1),) * (MAX_SALE_LINES + 1), PROGRAM, NOON)
    assert code_of(refused.value) == ("BASKET_TOO_LONG", {"limit": MAX_SALE_LINES})


def test_the_largest_amounts_stay_in_range() -> None:
    sold = buy(member(), [line(MAX_AMOUNT_MINOR)])
    assert all(abs(one.amount) <= MAX_AMOUNT_MINOR for one in sold.body.lines)
    with pytest.raises(Invalid, match="AMOUNT_TOO_LARGE"):
        quote(member(), (line(MAX_AMOUNT_MINOR),), earning(1000, 1), NOON)


@given(
    st.integers(-(10**20), 10**20),
    st.integers(-(10**12), 10**12),
    st.integers(-(10**6), 10**6),
    st.integers(-(10**20), 10**20),
)
def test_any_numbers_are_a_balanced_sale_or_refused(
    price: int, quantity: int, tax_bp: int, paid: int
) -> None:
    try:
        sold = buy(member(), [line(price, quantity, tax_bp)], tenders=[Tender("cash", paid)])
    except TapledgerError:
        return
    assert posted(sold, "tender/cash", "CNY") >= 0
    assert all(abs(one.amount) <= MAX_AMOUNT_MINOR for one in sold.body.lines)


# ---- tiers -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("before", "spent", "reached"),
    [
        (0, 99_999, None),
        (0, 100_000, "silver"),
        (99_999, 1, "silver"),
        (0, 500_000, "gold"),
        (100_000, 399_999, "silver"),
        (499_999, 1, "gold"),
    ],
)
def test_thresholds_are_inclusive_and_tiers_may_be_skipped(
    before: int, spent: int, reached: str | None
) -> None:
    assert tier_of(buy(member(spend_minor=before), [line(spent)])) == reached


def test_a_tier_that_is_reached_counts_from_the_next_sale() -> None:
    first = buy(member(), [line(100_000)])
    assert (tier_of(first), available(after(first))) == ("silver", 1000)
    second = buy(after(first), [line(10_000)], lot_id="second")
    assert (tier_of(second), available(after(second))) == (None, 1120)


def test_a_tier_once_held_is_not_lost_by_spending_little() -> None:
    assert tier_of(buy(member(tier="gold"), [line(100)])) is None


def test_redeeming_never_changes_the_spend_that_counts() -> None:
    who = member(lot("a", 500), spend_minor=99_000)
    held = after(decide_hold(who, redeem("mug"), PROGRAM, NOON))
    assert spend_of(after(decide_fulfil(held, "hold-1", None, PROGRAM, NOON))) == 99_000


def test_what_two_shops_recorded_apart_counts_together() -> None:
    """Each saw only 600.00 of spend; both together are silver, from the next sale on."""
    here, there = (buy(member(), [line(60_000)], lot_id=shop) for shop in ("here", "there"))
    who = fold(after(here), there.body)
    assert (who.tier, summarize(who, _context(), PROGRAM, NOON).tier.id) == ("normal", "silver")
    again = buy(who, [line(10_000)], lot_id="again")
    assert (posted(again, f"member/{MEMBER}/points"), tier_of(again)) == (120, "silver")


def test_a_shop_that_knew_less_does_not_take_a_tier_away() -> None:
    gold = after(buy(member(), [line(600_000)], lot_id="here"))
    who = fold(gold, buy(member(), [line(100_000)], lot_id="there").body)
    assert summarize(who, _context(), PROGRAM, NOON).tier.id == "gold"
    assert posted(buy(who, [line(10_000)], lot_id="next"), f"member/{MEMBER}/points") == 150


def _context() -> dict[str, Redeem]:
    return {reward.id: redeem(reward.id) for reward in PROGRAM.rewards}


@pytest.mark.parametrize(
    ("spent", "tier", "above", "missing"),
    [
        (0, "normal", "silver", 100_000),
        (36_000, "normal", "silver", 64_000),
        (100_000, "silver", "gold", 400_000),
    ],
)
def test_the_way_to_the_next_tier_is_told(spent: int, tier: str, above: str, missing: int) -> None:
    told = summarize(member(spend_minor=spent), _context(), PROGRAM, NOON)
    assert told.next_tier is not None
    assert (told.tier.id, told.next_tier[0].id, told.next_tier[1]) == (tier, above, missing)


def test_above_the_highest_tier_there_is_none() -> None:
    assert summarize(member(spend_minor=10**6), _context(), PROGRAM, NOON).next_tier is None


# ---- the machine -----------------------------------------------------------------------------------------
def test_the_machines_time_zone_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """P11."""
    sold = []
    with monkeypatch.context() as patch:
        for zone in ("UTC", "Pacific/Kiritimati", "America/Los_Angeles"):
            patch.setenv("TZ", zone)
            time.tzset()
            sold.append(buy(member(), [line(3680)], now=NOON + 11 * DAY / 24))
    time.tzset()
    assert sold[0] == sold[1] == sold[2]
