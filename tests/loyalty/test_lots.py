"""Lots: in which order they are spent, and how they repay (loyalty.md 3.6)."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from tapledger.loyalty.effects import Lot, LotTake
from tapledger.loyalty.lots import (
    give_back,
    is_available,
    repay,
    spending_order,
    subtract,
    take,
)
from tapledger.loyalty.members import Points, points
from tests.loyalty.givens import DAY, NOON, lot, member


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def lots_of(draw_points: list[tuple[int, int | None]]) -> tuple[Lot, ...]:
    return tuple(
        lot(f"lot-{place}", points, None if days is None else NOON + days * DAY)
        for place, (points, days) in enumerate(draw_points)
    )


many_lots = st.lists(st.tuples(st.integers(1, 500), st.none() | st.integers(-3, 5)), max_size=8).map(lots_of)


# ---- order of spending -----------------------------------------------------------------------------------
def test_what_lapses_first_is_spent_first() -> None:
    """G29: 100 until June, 100 until January, spend 100: the second is used up."""
    june, january = lot("a", 100, utc("2027-06-01T00:00+08:00")), lot("b", 100, utc("2027-01-01T00:00+08:00"))
    assert take((june, january), 100, NOON) == (LotTake("b", 100, january.expires_at),)


def test_what_never_lapses_is_spent_last() -> None:
    never, soon = lot("never", 100), lot("soon", 100, NOON + DAY)
    assert [one.lot for one in take((never, soon), 150, NOON)] == ["soon", "never"]


def test_a_debit_runs_over_several_lots() -> None:
    """G29: 50 and 50, spend 70: 0 and 30."""
    both = (lot("a", 50, NOON + DAY), lot("b", 50, NOON + 2 * DAY))
    left, short = subtract(both, take(both, 70, NOON))
    assert ([one.remaining for one in left], short) == ([0, 30], 0)


def test_equal_expiry_goes_by_age_then_by_id() -> None:
    ends = NOON + DAY
    old, b, a = lot("z", 1, ends, NOON - 2 * DAY), lot("b", 1, ends), lot("a", 1, ends)
    assert [one.id for one in spending_order([b, a, old])] == ["z", "a", "b"]


def test_pending_and_lapsed_lots_are_never_spent() -> None:
    pending, lapsed, empty = (
        lot("p", 9, begins=NOON + DAY),
        lot("l", 9, NOON),
        Lot("e", 9, 0, NOON - DAY, None),
    )
    assert take((pending, lapsed, empty), 5, NOON) == ()
    assert points(member(pending, lapsed, empty), NOON) == Points(0, 9, 0, 0, None)


def test_a_lot_is_worth_something_until_just_before_its_end() -> None:
    ends = NOON + DAY
    assert is_available(lot("a", 1, ends), ends - dt.timedelta(microseconds=1))
    assert not is_available(lot("a", 1, ends), ends)
    assert is_available(lot("a", 1, begins=NOON), NOON)
    assert not is_available(lot("a", 1, begins=NOON), NOON - dt.timedelta(microseconds=1))


@given(many_lots, st.integers(0, 3000))
def test_taking_names_what_is_there_and_not_more(held: tuple[Lot, ...], points: int) -> None:
    taken = take(held, points, NOON)
    live = sum(one.remaining for one in held if is_available(one, NOON))
    assert sum(one.amount for one in taken) == min(points, live)
    assert all(one.amount > 0 for one in taken)
    left, short = subtract(held, taken)
    assert short == 0
    assert all(one.remaining >= 0 for one in left)
    assert give_back(left, taken, NOON) == held


# ---- two shops at once -----------------------------------------------------------------------------------
def test_what_a_lot_cannot_pay_is_told() -> None:
    left, short = subtract((lot("a", 30),), [LotTake("a", 50), LotTake("gone", 7)])
    assert ([one.remaining for one in left], short) == ([0], 27)


def test_points_of_a_lot_that_is_gone_come_back_as_points_that_never_lapse() -> None:
    """Its expiry is not known any more; the shop bears that, not the member."""
    kept = lot("kept", 5, NOON + DAY)
    restored = give_back((kept,), [LotTake("gone", 40), LotTake("kept", 2)], NOON)
    assert [(one.id, one.remaining, one.expires_at) for one in restored] == [
        ("kept", 7, NOON + DAY),
        ("gone", 40, None),
    ]


def test_credits_repay_a_deficit() -> None:
    """G29: credit 50, debit 80, credit 100: lots 0 and 70."""
    left, open_ = repay((Lot("a", 50, 0, NOON, None), lot("b", 100)), 30, NOON)
    assert ([one.remaining for one in left], open_) == ([0, 70], 0)


def test_lapsed_points_repay_nothing() -> None:
    lapsed, live = lot("lapsed", 100, NOON - DAY), lot("live", 30, NOON + DAY)
    left, open_ = repay((lapsed, live), 50, NOON)
    assert ([one.remaining for one in left], open_) == ([100, 0], 20)


@given(many_lots, st.integers(0, 3000))
def test_repaying_neither_loses_nor_makes_points(held: tuple[Lot, ...], deficit: int) -> None:
    left, open_ = repay(held, deficit, NOON)
    assert sum(one.remaining for one in left) - open_ == sum(one.remaining for one in held) - deficit
    assert open_ == 0 or not any(is_available(one, NOON) for one in left)
