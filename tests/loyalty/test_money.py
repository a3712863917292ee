"""Integer money: exponents, half-up, and allocation without loss (loyalty.md 3.1 to 3.3)."""

from __future__ import annotations

import datetime as dt
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid
from tapledger.loyalty import currencies
from tapledger.loyalty.money import (
    Money,
    Rounding,
    allocate,
    divide,
    divide_half_up,
    exponent,
    is_currency,
    to_cash,
)

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("CNY", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("IQD", 3), ("CLF", 4), ("ISK", 0)],
)
def test_exponents_are_those_of_iso_4217(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


def test_what_babel_knows_as_tender_is_a_currency() -> None:
    """Babel's list is made from CLDR, ours from ISO 4217: where people pay with it, both must know it."""
    from babel import Locale
    from babel.numbers import get_territory_currencies

    used = {
        code
        for territory in map(str, Locale("en").territories)
        if len(territory) == 2
        for code in get_territory_currencies(territory, dt.date(2024, 1, 1))
    }
    gone = {"ANG", "BGN", "SLL", "ZWL"}  # replaced by XCG, EUR, SLE and ZWG in 2024 to 2026
    unofficial = {"CNH", "BYR"}
    assert len(used) > 140
    assert used - currencies.CODES <= gone | unofficial
    assert set(currencies.EXPONENTS) <= currencies.CODES


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "ABC", "RMB", "cny", "CN", "CNYY", "", "HRK", "BGN"])
def test_three_letters_alone_make_no_currency(code: str) -> None:
    assert not is_currency(code)


@pytest.mark.parametrize("code", ["CNY", "HKD", "TWD", "JPY", "MOP", "USD", "XCG", "ZWG"])
def test_currencies_of_today_are_known(code: str) -> None:
    assert is_currency(code)


def test_G03_two_currencies_are_never_added() -> None:
    fen, yen = Money(100, "CNY"), Money(100, "JPY")
    with pytest.raises(Invalid) as error:
        fen + yen
    assert (error.value.code, error.value.data) == (
        "CURRENCY_MISMATCH",
        {"currency": "JPY", "expected": "CNY"},
    )
    with pytest.raises(Invalid, match="CURRENCY_MISMATCH"):
        yen - fen


def test_money_of_one_currency_is_added() -> None:
    assert Money(5, "CNY") + Money(7, "CNY") == Money(12, "CNY")
    assert Money(5, "CNY") - Money(7, "CNY") == Money(-2, "CNY") == -Money(2, "CNY")


HALVES = (-25, -24, -15, -5, -1, 0, 1, 5, 6, 15, 24, 25, 26)


@pytest.mark.parametrize(
    ("mode", "tenths"),
    [
        ("half_up", (-3, -2, -2, -1, 0, 0, 0, 1, 1, 2, 2, 3, 3)),
        ("half_even", (-2, -2, -2, 0, 0, 0, 0, 0, 1, 2, 2, 2, 3)),
        ("down", (-2, -2, -1, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2)),
        ("up", (-3, -3, -2, -1, -1, 0, 1, 1, 1, 2, 3, 3, 3)),
    ],
)
def test_each_way_of_rounding(mode: Rounding, tenths: tuple[int, ...]) -> None:
    assert tuple(divide(value, 10, mode) for value in HALVES) == tenths


@given(
    st.integers(-(2**80), 2**80),
    st.integers(1, 2**40),
    st.sampled_from(["half_up", "half_even", "down", "up"]),
)
def test_rounding_is_one_of_the_two_neighbours_and_symmetric(
    numerator: int, denominator: int, mode: Rounding
) -> None:
    exact, rounded = Fraction(numerator, denominator), divide(numerator, denominator, mode)
    assert rounded in (math.floor(exact), math.ceil(exact))
    assert divide(-numerator, denominator, mode) == -rounded
    assert divide(numerator, denominator, "half_even") == round(exact)
    assert divide(numerator, denominator, "half_up") == divide_half_up(numerator, denominator)


@pytest.mark.parametrize("denominator", [0, -1])
def test_there_is_no_rounding_by_nothing(denominator: int) -> None:
    with pytest.raises(ValueError, match="denominator"):
        divide(1, denominator, "half_up")


@pytest.mark.parametrize(
    ("amount", "step", "difference"),
    [
        (1234, 10, -4),  # 12.34 to 10 fen
        (1235, 10, 5),  # exactly half: up
        (-1235, 10, -5),  # a refund mirrors the sale
        (1230, 10, 0),
        (12_350, 100, 50),  # TWD in minor units to whole dollars
        (4, 10, -4),
        (5, 10, 5),
        (1234, 1, 0),
        (1002, 5, -2),
        (1003, 5, 2),
    ],
)
def test_cash_is_rounded_to_what_coins_can_pay(amount: int, step: int, difference: int) -> None:
    assert to_cash(amount, step) == difference


@pytest.mark.parametrize(
    ("amount", "rate_bp", "off"),
    [
        pytest.param(1234, 1000, 123, id="G01 JPY"),
        pytest.param(1234, 1000, 123, id="G02 KWD 1.234"),
        pytest.param(999, 1500, 150, id="G04"),
        pytest.param(1005, 1000, 101, id="G05"),
        pytest.param(333, 1000, 33, id="G06"),
        pytest.param(4500, 1500, 675, id="G07"),
        pytest.param(19_900, 2000, 3980, id="G09 gold"),
        pytest.param(19_900, 1000, 1990, id="G09 normal"),
    ],
)
def test_percentages_of_the_golden_examples(amount: int, rate_bp: int, off: int) -> None:
    assert divide(amount * rate_bp, 10_000, "half_up") == off


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (1234 * 1000, 10_000, 123),  # G01: 10 % of JPY 1,234
        (999 * 1500, 10_000, 150),  # G04: 15 % of 9.99
        (1005 * 1000, 10_000, 101),  # G05: 10 % of 10.05
        (333 * 1000, 10_000, 33),  # G06: 10 % of 3.33
        (1, 2, 1),
        (-1, 2, -1),
        (-3, 2, -2),
        (-149, 100, -1),
        (0, 7, 0),
    ],
)
def test_money_is_rounded_half_up_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert divide_half_up(numerator, denominator) == rounded


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**6))
def test_rounding_is_never_off_by_more_than_half(numerator: int, denominator: int) -> None:
    error = divide_half_up(numerator, denominator) - Fraction(numerator, denominator)
    assert abs(error) <= Fraction(1, 2)
    assert divide_half_up(-numerator, denominator) == -divide_half_up(numerator, denominator)


@pytest.mark.parametrize(
    ("shares_of", "total", "shares"),
    [
        ([4300, 1400, 2300], 299, [161, 52, 86]),  # G10
        ([1000, 1000, 1000], 299, [100, 100, 99]),  # G11
        ([10, 20, 10, 30, 50, 20, 10, 40], 93, [5, 10, 5, 15, 24, 10, 5, 19]),  # G12
        ([10, 20, 10, 30, 50, 20, 10, 40], 95, [5, 10, 5, 15, 25, 10, 5, 20]),  # G12
        ([10, 0], 40, [40, 0]),  # G13
        ([0, 0], 10, [5, 5]),  # G13
        ([100, 100], -20, [-10, -10]),  # G13
        ([4000, 2000, 2000], -300, [-150, -75, -75]),  # G13
        ([1200, 2300, 1000], 675, [180, 345, 150]),  # G07
        ([20_000, 60_000], 40_000, [10_000, 30_000]),  # G15
        ([10_000, 10_000, 10_000], 1000, [334, 333, 333]),  # G16
        ([1323, 1323], 2646, [1323, 1323]),  # G66
        ([9900, 4990, 2500], 3000, [1708, 861, 431]),  # G18, the coupon
        ([8192, 4129, 2069], 2000, [1139, 574, 287]),  # G18, the points
        ([0, 0, 0], 2, [1, 1, 0]),
        ([7], 0, [0]),
    ],
)
def test_allocation_follows_the_golden_examples(shares_of: list[int], total: int, shares: list[int]) -> None:
    assert allocate(shares_of, total) == shares


def test_nothing_can_be_allocated_to_nobody() -> None:
    with pytest.raises(ValueError, match="nothing"):
        allocate([], 1)


@given(weights, st.integers(-(10**9), 10**9))
def test_shares_sum_to_the_total(shares_of: list[int], total: int) -> None:
    assert sum(allocate(shares_of, total)) == total


@given(weights, st.data())
def test_no_share_exceeds_its_weight(shares_of: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(shares_of)))
    if sum(shares_of):
        assert all(
            0 <= share <= weight for share, weight in zip(allocate(shares_of, total), shares_of, strict=True)
        )


@given(weights, st.integers(0, 10**9))
def test_shares_are_within_one_of_their_exact_part(shares_of: list[int], total: int) -> None:
    whole = sum(shares_of)
    if whole:
        for share, weight in zip(allocate(shares_of, total), shares_of, strict=True):
            assert abs(share - Fraction(total * weight, whole)) < 1
