"""Integer money: exponents, half-up, and allocation without loss (loyalty.md 3.1 to 3.3)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.loyalty.money import allocate, divide_half_up, exponent, tax_within

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("CNY", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("IQD", 3), ("CLF", 4), ("ISK", 0)],
)
def test_exponents_are_those_of_iso_4217(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


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
        ([20_000, 60_000], 40_000, [10_000, 30_000]),  # G15
        ([10_000, 10_000, 10_000], 1000, [334, 333, 333]),  # G16
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


@pytest.mark.parametrize(
    ("gross", "rate_bp", "tax"),
    [(11_300, 1300, 1300), (100, 1300, 12), (10_000, 0, 0), (1, 1300, 0), (0, 1300, 0), (11_900, 1900, 1900)],
)
def test_tax_is_inside_the_price(gross: int, rate_bp: int, tax: int) -> None:
    assert tax_within(gross, rate_bp) == tax
