"""Which lots of stored value pay: exact, in order, and never more than there is (section 3.12b)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid, Refused
from tapledger.loyalty.effects import BONUS, Lot
from tapledger.loyalty.members import Member
from tapledger.loyalty.value import storing
from tapledger.loyalty.value.storing import SpendOrder, split
from tests.loyalty.givens import DAY, MEMBER, NOON
from tests.loyalty.test_storing import refused, stored


@pytest.mark.parametrize(
    ("order", "parts"),
    [("proportional", (5833, 1167)), ("principal_first", (7000, 0)), ("bonus_first", (0, 7000))],
)
def test_G77_seventy_of_500_and_100(order: SpendOrder, parts: tuple[int, int]) -> None:
    paid = split(stored(50_000, 10_000), 7000, order, NOON, "CNY")
    assert (paid.principal_minor, paid.bonus_minor) == parts


@pytest.mark.parametrize("order", ["proportional", "principal_first", "bonus_first"])
def test_G79_six_hundred_of_500_and_100(order: SpendOrder) -> None:
    paid = split(stored(50_000, 10_000), 60_000, order, NOON, "CNY")
    assert (paid.principal_minor, paid.bonus_minor) == (50_000, 10_000)
    assert refused(split, stored(50_000, 10_000), 60_001, order, NOON, "CNY") == (
        "INSUFFICIENT",
        {"available_minor": 60_000, "currency": "CNY"},
    )


def test_inside_a_pool_the_earliest_expiry_pays_first() -> None:
    lots = tuple(
        Lot(name, 100, 100, NOON - DAY, ends, BONUS)
        for name, ends in (("never", None), ("late", NOON + 9 * DAY), ("soon", NOON + DAY))
    )
    paid = split(Member(MEMBER, NOON, lots=lots), 250, "bonus_first", NOON, "CNY")
    assert [(take.lot, take.amount) for take in paid.bonus] == [("soon", 100), ("late", 100), ("never", 50)]


def test_away_from_central_only_the_principal_that_is_here_pays() -> None:
    paid = split(stored(500, 100), 300, "proportional", NOON, "CNY", principal_limit_minor=300)
    assert (paid.principal_minor, paid.bonus_minor) == (300, 0)
    with pytest.raises(Refused, match="INSUFFICIENT") as error:
        split(stored(500, 100), 301, "proportional", NOON, "CNY", principal_limit_minor=300)
    assert error.value.data["available_minor"] == 300
    assert (
        split(stored(100), 100, "bonus_first", NOON, "CNY", principal_limit_minor=300).principal_minor == 100
    )


def test_nothing_and_less_than_nothing() -> None:
    assert split(stored(5, 5), 0, "proportional", NOON, "CNY") == storing.Split((), ())
    for amount in (-1, 2**63):
        with pytest.raises(Invalid):
            split(stored(5, 5), amount, "proportional", NOON, "CNY")


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 2 * 10**6),
    st.sampled_from(["proportional", "principal_first", "bonus_first"]),
)
def test_a_split_is_exact_and_takes_no_more_than_there_is(
    p: int, b: int, amount: int, order: SpendOrder
) -> None:
    if amount > p + b:
        with pytest.raises(Refused):
            split(stored(p, b), amount, order, NOON, "CNY")
        return
    paid = split(stored(p, b), amount, order, NOON, "CNY")
    assert paid.principal_minor + paid.bonus_minor == amount
    assert 0 <= paid.principal_minor <= p
    assert 0 <= paid.bonus_minor <= b
    if order == "proportional":
        assert abs(paid.principal_minor * (p + b) - amount * p) < max(1, p + b)
