"""Lots: in which order they are spent, when they lapse, and how they repay (loyalty.md 3.6, 3.7)."""

from __future__ import annotations

import datetime as dt
import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.loyalty.ledger import Lot, LotTake
from tapledger.loyalty.lots import (
    expires_at,
    first_instant,
    give_back,
    is_available,
    is_pending,
    last_day,
    repay,
    spending_order,
    subtract,
    take,
)
from tests.loyalty.givens import DAY, NOON, lot

SHANGHAI = "Asia/Shanghai"
ZONES = [
    SHANGHAI,
    "Africa/Cairo",
    "America/Sao_Paulo",
    "Europe/Warsaw",
    "America/Havana",
    "Pacific/Apia",
    "UTC",
]


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
    assert take((june, january), 100, NOON) == (LotTake("b", 100),)


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
    assert is_pending(pending, NOON) and not is_pending(lapsed, NOON)


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
    assert sum(one.points for one in taken) == min(points, live)
    assert all(one.points > 0 for one in taken)
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


# ---- expiry ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("mode", "count", "earned", "zone", "expires"),
    [
        ("end_of_month", 12, "2020-07-06T12:00+08:00", SHANGHAI, "2021-08-01T00:00+08:00"),  # G32
        ("end_of_month", 6, "2020-12-15T12:00-08:00", "America/Los_Angeles", "2021-07-01T00:00-07:00"),  # G33
        ("end_of_month", 0, "2018-01-22T12:00+01:00", "Europe/Warsaw", "2018-02-01T00:00+01:00"),  # G34
        ("end_of_year", 0, "2018-05-04T12:00+02:00", "Europe/Warsaw", "2019-01-01T00:00+01:00"),  # G34
        ("end_of_month", 0, "2025-01-31T16:30+00:00", SHANGHAI, "2025-02-28T16:00+00:00"),  # G37
        ("months", 1, "2025-01-31T12:00+08:00", SHANGHAI, "2025-03-01T00:00+08:00"),  # G39
        ("months", 6, "2023-08-31T12:00+08:00", SHANGHAI, "2024-03-01T00:00+08:00"),  # G39
        ("months", 12, "2024-02-29T12:00+08:00", SHANGHAI, "2025-03-01T00:00+08:00"),  # G39
        ("days", 0, "2023-04-27T12:00+02:00", "Africa/Cairo", "2023-04-28T01:00+03:00"),  # G40
        ("days", 0, "2018-11-03T12:00-03:00", "America/Sao_Paulo", "2018-11-04T01:00-02:00"),  # G40
        ("days", 0, "2025-10-26T12:00+01:00", "Europe/Warsaw", "2025-10-27T00:00+01:00"),  # G40
        (
            "days",
            1,
            "2011-12-29T12:00-10:00",
            "Pacific/Apia",
            "2011-12-31T00:00+14:00",
        ),  # 30 December was skipped
        (
            "days",
            0,
            "2025-11-01T12:00-04:00",
            "America/Havana",
            "2025-11-02T00:00-04:00",
        ),  # midnight comes twice
        ("days", 30, "2026-12-31T23:59:59+08:00", SHANGHAI, "2027-01-31T00:00+08:00"),
        ("end_of_month", 1, "2026-12-31T23:59:59+08:00", SHANGHAI, "2027-02-01T00:00+08:00"),
    ],
)
def test_expiry_is_the_first_instant_after_the_last_valid_day(
    mode: str, count: int, earned: str, zone: str, expires: str
) -> None:
    assert expires_at(mode, count, utc(earned), ZoneInfo(zone)) == utc(expires)


def test_never_is_never() -> None:
    assert expires_at("never", 0, NOON, ZoneInfo(SHANGHAI)) is None


def test_an_unknown_mode_is_an_error() -> None:
    with pytest.raises(ValueError, match="soon"):
        last_day("soon", 1, NOON.date())


@pytest.mark.parametrize("zone", ZONES)
@given(day=st.dates(dt.date(2000, 1, 2), dt.date(2035, 12, 30)))
def test_first_instant_parts_the_days(zone: str, day: dt.date) -> None:
    """At that instant it is ``day`` there (or later, where that day was skipped); just before it is not."""
    instant, tz = first_instant(day, ZoneInfo(zone)), ZoneInfo(zone)
    assert instant.astimezone(tz).date() >= day
    assert (instant - dt.timedelta(microseconds=1)).astimezone(tz).date() < day


@given(
    st.sampled_from(["days", "months", "end_of_month", "end_of_year"]),
    st.integers(1, 60),
    st.integers(0, 10 * 365 * 24 * 60).map(lambda minutes: NOON + dt.timedelta(minutes=minutes)),
    st.sampled_from(ZONES),
)
def test_points_outlive_the_day_they_were_earned_on(
    mode: str, count: int, earned: dt.datetime, zone: str
) -> None:
    ends = expires_at(mode, count, earned, ZoneInfo(zone))
    assert ends is not None
    assert ends > earned
    day = last_day(mode, count, earned.astimezone(ZoneInfo(zone)).date())
    assert day is not None
    assert (ends - dt.timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date() <= day


@pytest.mark.parametrize("machine", ["Asia/Shanghai", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_the_machines_time_zone_changes_nothing(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """P11."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", machine)
        time.tzset()
        ends = expires_at("end_of_month", 12, utc("2020-07-31T16:30+00:00"), ZoneInfo(SHANGHAI))
    time.tzset()
    assert ends == utc("2021-09-01T00:00+08:00")
