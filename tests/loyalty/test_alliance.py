"""Points between programmes: full multiples only, settled to the last unit (loyalty.md 3.21)."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Refused
from tapledger.loyalty.value.alliance import Exchange, balance_after, exchange, settle


@pytest.mark.parametrize(
    ("points", "out_from", "out_to", "result"),
    [
        pytest.param(1000, 3, 2, Exchange(999, 666, 1), id="G92 1000"),
        pytest.param(999, 3, 2, Exchange(999, 666, 0), id="G92 999"),
        (2, 3, 2, Exchange(0, 0, 2)),
        (0, 3, 2, Exchange(0, 0, 0)),
        (7, 1, 10, Exchange(7, 70, 0)),
    ],
)
def test_only_full_multiples_are_exchanged(points: int, out_from: int, out_to: int, result: Exchange) -> None:
    assert exchange(points, out_from, out_to) == result


@given(st.integers(0, 10**9), st.integers(1, 1000), st.integers(1, 1000))
def test_nothing_is_lost_in_an_exchange(points: int, out_from: int, out_to: int) -> None:
    result = exchange(points, out_from, out_to)
    assert result.taken + result.stays == points
    assert 0 <= result.stays < out_from
    assert result.given * out_from == result.taken * out_to


def test_exchanging_there_and_back_never_gains() -> None:
    for points in range(200):
        there = exchange(points, 3, 2)
        back = exchange(there.given, 2, 3)
        assert there.stays + back.given + back.stays <= points


@pytest.mark.parametrize(
    ("balance", "redeemed", "earned", "overdraft", "after"),
    [
        (100, 0, 100, "deny", 0),
        (100, 0, 101, "allow", -1),
        (0, 50, 50, "deny", 0),
        (-20, 10, 0, "deny", -10),  # a redemption is always taken
    ],
)
def test_a_shops_account(
    balance: int, redeemed: int, earned: int, overdraft: Literal["allow", "deny"], after: int
) -> None:
    assert balance_after(balance, redeemed, earned, overdraft) == after


def test_a_shop_without_overdraft_cannot_give_out_more_than_it_has() -> None:
    with pytest.raises(Refused) as error:
        balance_after(100, 0, 101, "deny")
    assert (error.value.code, error.value.data) == ("ALLIANCE_OVERDRAFT", {"points": 1})


@pytest.mark.parametrize(
    ("accounts", "due"),
    [
        ({"a": 300, "b": -300}, {"a": 300, "b": -300}),
        ({"a": 0}, {"a": 0}),
        ({}, {}),
    ],
)
def test_points_are_settled_at_the_price_of_the_alliance(
    accounts: dict[str, int], due: dict[str, int]
) -> None:
    assert settle(accounts, 1, 1) == due


def test_the_last_unit_goes_to_the_largest_remainder() -> None:
    assert settle({"a": 1, "b": 1, "c": -2}, 1, 3) == {"a": 1, "b": 0, "c": -1}
    assert settle({"a": 10, "b": 10, "c": -20}, 1, 3) == {"a": 4, "b": 3, "c": -7}


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(-(10**9), 10**9)),
    st.integers(1, 1000),
    st.integers(1, 1000),
)
def test_settling_is_exact_as_a_whole_and_fair_to_each(
    accounts: dict[str, int], price_minor: int, price_points: int
) -> None:
    due = settle(accounts, price_minor, price_points)
    for shop, points in accounts.items():
        assert abs(due[shop] * price_points - points * price_minor) < price_points
    off = sum(due.values()) * price_points - sum(accounts.values()) * price_minor
    assert abs(2 * off) <= price_points
    closed = {**accounts, "z": -sum(accounts.values())}
    assert sum(settle(closed, price_minor, price_points).values()) == 0
