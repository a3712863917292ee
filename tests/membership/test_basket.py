"""The basket's arithmetic: lines, quantities and their limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid
from tapledger.loyalty.sales.selling import MAX_SALE_LINES
from tapledger.membership.basket import Basket, Entry, add, set_quantity, step
from tapledger.membership.scanning import MAX_QUANTITY

EMPTY = Basket(sale="sale-1")


def refused(basket: Basket, sku: str, quantity: int) -> str:
    with pytest.raises(Invalid) as error:
        set_quantity(basket, sku, quantity)
    return error.value.code


def test_the_same_article_again_goes_on_its_line() -> None:
    basket = add(add(add(EMPTY, "tea", 1), "mug", 2), "tea", 3)
    assert basket.entries == (Entry("tea", 4), Entry("mug", 2))
    assert basket.sale == "sale-1", "paying it twice stays one sale"


def test_a_line_is_changed_or_taken_out() -> None:
    basket = add(add(EMPTY, "tea", 1), "mug", 2)
    assert set_quantity(basket, "mug", 5).entries == (Entry("tea", 1), Entry("mug", 5))
    assert set_quantity(basket, "tea", 0).entries == (Entry("mug", 2),)
    assert step(basket, "mug", -1).entries == (Entry("tea", 1), Entry("mug", 1))
    assert step(basket, "tea", -1) == basket, "never down to nothing"


def test_a_line_that_is_not_there_is_refused() -> None:
    assert refused(add(EMPTY, "tea", 1), "mug", 1) == "NOT_IN_BASKET"
    with pytest.raises(Invalid, match="NOT_IN_BASKET"):
        step(EMPTY, "tea", 1)


@pytest.mark.parametrize("quantity", [-1, MAX_QUANTITY + 1, 10**18])
def test_impossible_quantities_are_refused(quantity: int) -> None:
    assert refused(add(EMPTY, "tea", 1), "tea", quantity) == "QUANTITY_IMPOSSIBLE"
    with pytest.raises(Invalid, match="QUANTITY_IMPOSSIBLE"):
        add(EMPTY, "tea", quantity)


def test_a_quantity_does_not_grow_beyond_its_limit_by_scanning_on() -> None:
    full = add(EMPTY, "tea", MAX_QUANTITY)
    with pytest.raises(Invalid, match="QUANTITY_IMPOSSIBLE"):
        add(full, "tea", 1)


def test_a_basket_has_a_longest_length() -> None:
    basket = EMPTY
    for number in range(MAX_SALE_LINES):
        basket = add(basket, f"sku-{number}", 1)
    assert len(add(basket, "sku-0", 1).entries) == MAX_SALE_LINES
    with pytest.raises(Invalid) as error:
        add(basket, "one-more", 1)
    assert (error.value.code, error.value.data) == ("BASKET_TOO_LONG", {"limit": MAX_SALE_LINES})


@given(st.lists(st.tuples(st.sampled_from(["tea", "mug", "cup"]), st.integers(1, 9)), max_size=30))
def test_nothing_that_was_scanned_is_lost(scans: list[tuple[str, int]]) -> None:
    basket = EMPTY
    for sku, quantity in scans:
        basket = add(basket, sku, quantity)
    expected = {sku: sum(q for s, q in scans if s == sku) for sku in dict.fromkeys(s for s, _ in scans)}
    assert {entry.sku: entry.quantity for entry in basket.entries} == expected
    assert [entry.sku for entry in basket.entries] == list(expected), "in the order of the first scan"
