"""Local days, windows of limits and birthdays, in zones that skip or repeat midnight (3.7, 3.16)."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.loyalty.days import (
    MAX_BIRTHDAY_DAYS,
    BirthdayWindow,
    LeapDay,
    LimitWindow,
    add_months,
    age,
    birthday_in,
    birthday_occurrence,
    end_of_day,
    first_instant,
    local_day,
    window_start,
)

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
Y2K = dt.datetime(2000, 1, 2, tzinfo=dt.UTC)
some_days = st.dates(dt.date(2000, 1, 2), dt.date(2035, 12, 30))
instants = st.integers(0, 35 * 365 * 24 * 60).map(lambda minutes: Y2K + dt.timedelta(minutes=minutes))


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


# ---- days and instants -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("now", "zone", "start", "end"),
    [
        ("2026-05-04T15:59:59Z", SHANGHAI, "2026-05-03T16:00Z", "2026-05-04T16:00Z"),
        ("2026-05-04T16:00:00Z", SHANGHAI, "2026-05-04T16:00Z", "2026-05-05T16:00Z"),
        ("2023-04-28T12:00+03:00", "Africa/Cairo", "2023-04-28T01:00+03:00", "2023-04-29T00:00+03:00"),
        (
            "2018-11-04T12:00-02:00",
            "America/Sao_Paulo",
            "2018-11-04T01:00-02:00",
            "2018-11-05T00:00-02:00",
        ),
        ("2025-10-26T12:00+01:00", "Europe/Warsaw", "2025-10-26T00:00+02:00", "2025-10-27T00:00+01:00"),
    ],
)
def test_G40_a_day_runs_from_its_first_instant_to_that_of_the_next(
    now: str, zone: str, start: str, end: str
) -> None:
    there = ZoneInfo(zone)
    assert first_instant(local_day(utc(now), there), there) == utc(start)
    assert end_of_day(local_day(utc(now), there), there) == utc(end)


@pytest.mark.parametrize("zone", ZONES)
@given(value=some_days)
def test_first_instant_parts_the_days(zone: str, value: dt.date) -> None:
    """At that instant it is that day there (or later, where it was skipped); just before it is not."""
    instant, there = first_instant(value, ZoneInfo(zone)), ZoneInfo(zone)
    assert local_day(instant, there) >= value
    assert local_day(instant - dt.timedelta(microseconds=1), there) < value


@pytest.mark.parametrize("zone", ZONES)
@given(now=instants)
def test_every_instant_is_inside_its_day(zone: str, now: dt.datetime) -> None:
    there = ZoneInfo(zone)
    day = local_day(now, there)
    assert first_instant(day, there) <= now < end_of_day(day, there)


@pytest.mark.parametrize(
    ("start", "months", "then"),
    [
        ("2025-01-31", 1, "2025-02-28"),
        ("2023-08-31", 6, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2025-12-31", 2, "2026-02-28"),
        ("2025-05-31", -3, "2025-02-28"),
        ("2025-01-15", -1, "2024-12-15"),
        ("2025-01-15", 0, "2025-01-15"),
        ("2025-11-30", 1, "2025-12-30"),
    ],
)
def test_G39_months_end_where_the_month_ends(start: str, months: int, then: str) -> None:
    assert add_months(day(start), months) == day(then)


# ---- windows of limits -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("window", "days", "today", "joined", "start"),
    [
        ("day", 0, "2025-03-31", "2024-01-01", "2025-03-31"),
        ("week", 0, "2025-03-30", "2024-01-01", "2025-03-24"),  # a Sunday: its Monday
        ("week", 0, "2025-03-31", "2024-01-01", "2025-03-31"),
        ("week", 0, "2027-01-01", "2024-01-01", "2026-12-28"),
        ("month", 0, "2025-03-31", "2024-01-01", "2025-03-01"),
        ("rolling", 1, "2025-03-31", "2024-01-01", "2025-03-31"),
        ("rolling", 30, "2025-03-31", "2024-01-01", "2025-03-02"),  # G53: 30 dates
        ("rolling", 365, "2025-01-01", "2024-01-01", "2024-01-03"),
        ("calendar_year", 0, "2025-03-31", "2024-01-01", "2025-01-01"),
        ("member_year", 0, "2025-03-31", "2020-04-01", "2024-04-01"),
        ("member_year", 0, "2025-04-01", "2020-04-01", "2025-04-01"),
        ("member_year", 0, "2025-02-28", "2024-02-29", "2025-02-28"),
        ("member_year", 0, "2025-02-27", "2024-02-29", "2024-02-29"),
        ("member_year", 0, "2028-02-28", "2024-02-29", "2027-02-28"),
        ("member_year", 0, "2025-04-01", "2025-04-01", "2025-04-01"),
    ],
)
def test_the_first_day_that_a_limit_counts(
    window: LimitWindow, days: int, today: str, joined: str, start: str
) -> None:
    assert window_start(window, day(today), day(joined), days) == day(start)


def test_a_lifetime_has_no_first_day() -> None:
    assert window_start("lifetime", day("2025-03-31"), day("2024-01-01")) is None


def test_G42_a_calendar_month_ends_at_local_midnight() -> None:
    before, after = utc("2025-01-31T23:59:59+08:00"), utc("2025-02-01T00:00+08:00")
    shanghai = ZoneInfo(SHANGHAI)
    joined = day("2024-01-01")
    assert window_start("month", local_day(before, shanghai), joined) == day("2025-01-01")
    assert window_start("month", local_day(after, shanghai), joined) == day("2025-02-01")


# ---- birthdays -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("leap_day", "year", "falls_on"),
    [
        ("feb28", 2025, "2025-02-28"),
        ("mar1", 2025, "2025-03-01"),
        ("feb28", 2028, "2028-02-29"),
        ("mar1", 2028, "2028-02-29"),
        ("feb28", 2100, "2100-02-28"),
    ],
)
def test_G81_birthdays_of_29_february(leap_day: LeapDay, year: int, falls_on: str) -> None:
    assert birthday_in(year, 2, 29, leap_day) == day(falls_on)

    def on(value: dt.date) -> int | None:
        return birthday_occurrence(2, 29, value, "day", 0, leap_day)

    assert on(day(falls_on)) == year
    assert on(day(falls_on) + dt.timedelta(days=1)) is None
    assert on(day(falls_on) - dt.timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("born", "today", "leap_day", "years"),
    [
        ("2000-02-29", "2025-02-27", "feb28", 24),
        ("2000-02-29", "2025-02-28", "feb28", 25),
        ("2000-02-29", "2025-02-28", "mar1", 24),
        ("2000-02-29", "2025-03-01", "mar1", 25),
        ("2000-02-29", "2024-02-28", "feb28", 23),
        ("2000-05-04", "2026-05-03", "feb28", 25),
        ("2000-05-04", "2026-05-04", "feb28", 26),
        ("2026-05-04", "2026-05-04", "feb28", 0),
    ],
)
def test_age_counts_birthdays(born: str, today: str, leap_day: LeapDay, years: int) -> None:
    assert age(day(born), day(today), leap_day) == years


@pytest.mark.parametrize(
    ("window", "days", "leap_day", "month", "of_month", "today", "year"),
    [
        ("days", 3, "feb28", 1, 2, "2025-12-30", 2026),  # over New Year: the birthday's year, not today's
        ("days", 3, "feb28", 1, 2, "2025-12-29", None),
        ("days", 3, "feb28", 1, 2, "2026-01-05", 2026),
        ("days", 3, "feb28", 1, 2, "2026-01-06", None),
        ("days", 3, "feb28", 12, 30, "2026-01-02", 2025),
        ("days", 3, "feb28", 12, 30, "2026-01-03", None),
        ("days", 0, "feb28", 5, 4, "2026-05-04", 2026),
        ("days", 0, "feb28", 5, 4, "2026-05-05", None),
        ("week", 0, "feb28", 1, 1, "2026-12-28", 2027),  # Friday 1 January 2027: its week began in December
        ("week", 0, "feb28", 1, 1, "2027-01-03", 2027),
        ("week", 0, "feb28", 1, 1, "2027-01-04", None),
        ("week", 0, "feb28", 1, 1, "2026-12-27", None),
        ("week", 0, "feb28", 12, 31, "2027-01-03", 2026),
        ("month", 0, "feb28", 5, 31, "2026-05-01", 2026),
        ("month", 0, "feb28", 5, 31, "2026-06-01", None),
        ("month", 0, "feb28", 5, 1, "2026-04-30", None),
        ("month", 0, "mar1", 2, 29, "2025-02-28", 2025),  # the month of birth
        ("month", 0, "mar1", 2, 29, "2025-03-01", None),
        ("days", 1, "mar1", 2, 29, "2025-03-02", 2025),
        ("days", 1, "feb28", 2, 29, "2025-03-02", None),
    ],
)
def test_days_that_count_as_a_birthday(
    window: BirthdayWindow,
    days: int,
    leap_day: LeapDay,
    month: int,
    of_month: int,
    today: str,
    year: int | None,
) -> None:
    assert birthday_occurrence(month, of_month, day(today), window, days, leap_day) == year


@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2000, 12, 31)),
    some_days,
    st.sampled_from(["day", "days", "week", "month"]),
    st.sampled_from(["feb28", "mar1"]),
)
def test_each_year_has_one_stretch_of_birthday(
    born: dt.date, today: dt.date, window: BirthdayWindow, leap_day: LeapDay
) -> None:
    def year_on(value: dt.date) -> int | None:
        return birthday_occurrence(born.month, born.day, value, window, MAX_BIRTHDAY_DAYS, leap_day)

    year = year_on(today)
    if year is not None:
        away = today - birthday_in(year, born.month, born.day, leap_day)
        assert abs(away.days) <= MAX_BIRTHDAY_DAYS
    if window != "month" or (born.month, born.day) != (2, 29):
        assert year_on(birthday_in(today.year, born.month, born.day, leap_day)) == today.year


# ---- the machine's own zone (P11) ------------------------------------------------------------------------
ASK = """
import datetime as dt, json, time
from zoneinfo import ZoneInfo
from tapledger.loyalty import days, windows
time.tzset()
happy = windows.Window("happy", start="22:00", end="02:00", weekdays=["fri"])
answers = []
for zone in ("Africa/Cairo", "America/Sao_Paulo", "Europe/Warsaw", "Asia/Shanghai"):
    there = ZoneInfo(zone)
    for now in ("2023-04-27T21:59:59", "2018-11-04T02:59:59", "2025-10-25T23:30:00", "2025-01-31T16:30:00"):
        instant = dt.datetime.fromisoformat(now + "Z")
        today = days.local_day(instant, there)
        answers.append(
            [
                str(today),
                str(days.first_instant(today, there)),
                str(days.expires_at(days.Expiry("end_of_month"), instant, there)),
                str(days.expires_at(days.Expiry("days"), instant, there)),
                str(days.window_start("week", today, today)),
                windows.is_open(happy, instant, there, {}),
            ]
        )
print(json.dumps([time.localtime(0).tm_hour, answers]))
"""


def test_the_machines_time_zone_changes_nothing() -> None:
    """P11, with the machine in Cairo, Sao Paulo, Warsaw and on the day line."""
    answers = {}
    for machine in ("Africa/Cairo", "America/Sao_Paulo", "Europe/Warsaw", "Pacific/Kiritimati"):
        done = subprocess.run(
            [sys.executable, "-c", ASK],
            env={**os.environ, "TZ": machine, "PYTHONPATH": "daemon"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        hour, answers[machine] = json.loads(done.stdout)
        assert hour == dt.datetime.fromtimestamp(0, ZoneInfo(machine)).hour, "the machine is there"
    first = answers.pop("Africa/Cairo")
    assert len(first) == 16
    assert all(other == first for other in answers.values())
