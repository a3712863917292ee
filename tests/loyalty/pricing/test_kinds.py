"""Each kind of benefit by hand-worked examples, with the reason it gives."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from tapledger.loyalty.conditions import Scope
from tapledger.loyalty.program.prices import Money
from tapledger.loyalty.promotions import Benefit, Promotion
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.bundle import Bundle, Part
from tapledger.loyalty.promotions.every_threshold import EveryThreshold
from tapledger.loyalty.promotions.fixed_price import FixedPrice
from tapledger.loyalty.promotions.free_item import FreeItem
from tapledger.loyalty.promotions.gift_item import GiftItem
from tapledger.loyalty.promotions.n_for_m import NForM
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold
from tests.loyalty.pricing.givens import line, nets, of, off, priced, promotion, rules, shares


def taken(benefit: Benefit, *lines: Any, **terms: Any) -> list[int]:
    """Return what one promotion takes off each line; nothing where it does not apply."""
    sale = priced(lines, rules(promotion("p", benefit, **terms)))
    return shares(sale) if sale.discounts else []


# ---- thresholds ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("basket", "expected"), [(19_999, []), (20_000, [3000]), (29_999, [3000]), (30_000, [])]
)
def test_threshold_with_an_upper_end(basket: int, expected: list[int]) -> None:
    both: list[Literal["at_lane", "before_discounts"]] = ["at_lane", "before_discounts"]
    for basis in both:
        compiled = rules(
            promotion("p", Threshold(20_000, 3000, 30_000)),
            money=Money(threshold=basis),
        )
        assert off(priced(of(basket), compiled)) == expected


def test_a_threshold_never_takes_more_than_there_is() -> None:
    assert taken(Threshold(100, 5000), line(3000)) == [3000]


@pytest.mark.parametrize(
    ("basket", "expected"), [(9999, []), (10_000, [500]), (25_000, [1000]), (90_000, [1200])]
)
def test_every_threshold(basket: int, expected: list[int]) -> None:
    assert taken(EveryThreshold(10_000, 500, cap_minor=1200), line(basket)) == expected


@pytest.mark.parametrize(("basis", "expected"), [("at_lane", [1000]), ("before_discounts", [1000, 3000])])
def test_what_a_threshold_looks_at(basis: str, expected: list[int]) -> None:
    """R15: after everything applied before it, also in its own lane; or the list price."""
    compiled = rules(
        promotion("p", Percent(500)),
        promotion("t", Threshold(20_000, 3000), priority=1),
        money=Money(threshold=basis),  # type: ignore[arg-type]
    )
    assert off(priced(of(20_000), compiled)) == expected


@pytest.mark.parametrize(("min_minor", "expected"), [(5000, [100]), (5001, [])])
def test_a_minimum_looks_at_the_articles_of_the_scope(min_minor: int, expected: list[int]) -> None:
    sale = priced(
        (line(5000), line(5000, category="tea")),
        rules(promotion("p", Amount(100), scope=Scope(categories=["tea"]), min_minor=min_minor)),
    )
    assert off(sale) == expected


# ---- scope -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), [100, 100, 100]),
        (Scope(categories=["a"]), [100, 100, 0]),
        (Scope(skus=["3"]), [0, 0, 100]),
        (Scope(categories=["a"], skus=["3"]), [100, 100, 100]),
        (Scope(categories=["a"], except_skus=["1"]), [0, 100, 0]),
        (Scope(except_categories=["a"]), [0, 0, 100]),
        (Scope(categories=["a", "b"], except_categories=["b"]), [100, 100, 0]),
    ],
)
def test_categories_and_articles_add_up_and_exceptions_take_away(scope: Scope, expected: list[int]) -> None:
    lines = [line(1000, category=category, sku=sku) for category, sku in (("a", "1"), ("a", "2"), ("b", "3"))]
    assert taken(Percent(1000), *lines, scope=scope) == expected


# ---- single articles -------------------------------------------------------------------------------------
def test_fixed_price_only_where_it_is_less() -> None:
    assert taken(FixedPrice(800), line(1000, 3000), line(799), line(900)) == [600, 0, 100]
    assert taken(FixedPrice(1990), line(2990, 1234, weighed=True)) == [3690 - 2456]


def test_fixed_price_rounds_once() -> None:
    # 0.5 and 0.5 off are 1 together, not 2.
    assert taken(FixedPrice(999), line(1000, 500, weighed=True), line(1000, 500, weighed=True)) == [1, 0]


def test_free_item_is_the_cheapest_piece() -> None:
    assert taken(FreeItem(), line(900, 2000), line(500, 3000), line(500, 1000, sku="other")) == [0, 500, 0]


def test_free_item_is_no_part_of_what_is_weighed() -> None:
    assert taken(FreeItem(), line(10, 5000, weighed=True), line(500)) == [0, 500]
    assert taken(FreeItem(), line(10, 5000, weighed=True)) == []
    assert taken(FreeItem(), line(10, 999)) == []


def test_free_item_passes_over_what_is_free_already() -> None:
    compiled = rules(promotion("a", FreeItem()), promotion("b", FreeItem()))
    assert nets(priced(of(100, 300), compiled)) == [0, 0]


@pytest.mark.parametrize(
    ("benefit", "expected"),
    [
        (NForM(2, 1), [0, 800, 500]),
        (NForM(2, 1, give="in_turn"), [1000, 0, 500]),
        (NForM(1, 1, max_units=1), [0, 0, 500]),
        (NForM(3, 2, max_units=1), []),
        (NForM(7, 1), []),
    ],
)
def test_n_for_m(benefit: NForM, expected: list[int]) -> None:
    assert taken(benefit, line(1000, 3000), line(800, 2000), line(500)) == expected


def test_second_at_half_price_gives_the_cheapest_pieces() -> None:
    # Six pieces: 10.00 x 3, 8.00 x 2, 5.00; three of them at half: 5.00, 8.00, 8.00.
    assert taken(NForM(1, 1, 5000), line(1000, 3000), line(800, 2000), line(500)) == [0, 800, 250]


def test_in_turn_goes_through_the_dearest_line_first() -> None:
    """The reading of the neutral workload: buy two, get the next, from the line with the highest total."""
    lines = (line(1000, 2000), line(900, 4000, sku="x"))
    # 9.00 x 4 comes first: pieces 1, 2 bought, 3 given; 4 and one of 10.00 bought, the last given.
    assert taken(NForM(2, 1, 10_000, 3, "in_turn"), *lines) == [1000, 900]


def test_bundle_takes_the_dearest_that_fit() -> None:
    set_of_two = Bundle([Part(categories=["burger"]), Part(categories=["drink"])], 3000)
    lines = (
        line(2500, category="burger"),
        line(2800, category="burger", sku="big"),
        line(900, category="drink"),
    )
    sale = priced(lines, rules(promotion("p", set_of_two)))
    assert (off(sale), sum(nets(sale))) == ([700], 2500 + 3000)
    assert shares(sale) == [0, 530, 170]


def test_bundle_stops_where_it_saves_nothing_more() -> None:
    pair = Bundle([Part(skus=["a"], count=2)], 1500)
    assert taken(pair, line(1000, 4000, sku="a")) == [1000]
    assert taken(pair, line(700, 4000, sku="a")) == []
    assert taken(Bundle([Part(skus=["a"], count=2)], 1500, max_bundles=1), line(1000, 4000, sku="a")) == [500]
    assert taken(pair, line(1000, 1000, sku="a")) == []


def test_bundle_parts_are_filled_in_their_order() -> None:
    two = Bundle([Part(skus=["a", "b"]), Part(skus=["a"])], 500)
    assert taken(two, line(1000, sku="a"), line(900, sku="b")) == []
    assert taken(two, line(1000, 2000, sku="a"), line(900, sku="b")) == [1500, 0]


def test_gift_adds_a_line_that_costs_and_earns_nothing() -> None:
    sale = priced(of(5000), rules(promotion("p", GiftItem("mug", "Mug", 1990), min_minor=5000)))
    gift = sale.lines[1]
    assert (gift.kind, gift.net_minor, gift.shadow_minor, gift.gift_of, gift.basis_minor) == (
        "gift",
        0,
        1990,
        "p",
        0,
    )
    assert (sale.total_minor, sale.earned, sale.saved_minor()) == (5000, 50, 1990)
    assert (off(sale), sale.discounts[0].shares) == ([0], {})
    assert (
        priced(of(4999), rules(promotion("p", GiftItem("mug", "Mug", 1990), min_minor=5000))).discounts == ()
    )


# ---- reasons and settings --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("benefit", "code"),
    [
        (Amount(10), "DISCOUNT_AMOUNT"),
        (Percent(1000), "DISCOUNT_PERCENT"),
        (Percent(1000, 50), "DISCOUNT_PERCENT_CAPPED"),
        (Threshold(100, 10), "DISCOUNT_THRESHOLD"),
        (EveryThreshold(100, 10), "DISCOUNT_EVERY_THRESHOLD"),
        (FixedPrice(500), "DISCOUNT_FIXED_PRICE"),
        (FreeItem(), "DISCOUNT_FREE_ITEM"),
        (NForM(1, 1), "DISCOUNT_N_FOR_M"),
        (Bundle([Part(categories=["goods"])], 500), "DISCOUNT_BUNDLE"),
        (GiftItem("g", "Gift", 100), "DISCOUNT_GIFT"),
    ],
)
def test_each_kind_says_what_it_did(benefit: Benefit, code: str) -> None:
    (discount,) = priced((line(1000, 2000),), rules(promotion("p", benefit))).discounts
    assert (discount.reason.code, discount.reason.data["promotion"]) == (code, "p")
    assert discount.reason.data.get("amount_minor", 0) == discount.amount_minor
    assert discount.kind == msgspec.to_builtins(benefit)["type"]
    assert discount.lane == benefit.lane


def test_a_promotion_is_read_from_the_programme() -> None:
    table = {
        "id": "p",
        "benefit": {"type": "percent", "rate_bp": 1750},
        "class": "x",
        "when": {"from": "2026-05-01T00:00:00"},
    }
    read = msgspec.convert(table, Promotion)
    assert (read.benefit, read.class_name(), read.lane_number()) == (Percent(1750), "x", 3)


@pytest.mark.parametrize(
    "benefit", [{"type": "percents"}, {"type": "percent", "rate_bp": 1, "cap": 2}, {"type": "amount"}]
)
def test_a_mistake_in_a_benefit_is_found(benefit: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError, match="benefit"):
        msgspec.convert({"id": "p", "benefit": benefit}, Promotion)
