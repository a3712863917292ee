"""Local days, windows of limits and birthdays, in zones that skip or repeat midnight (3.7, 3.16)."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.loyalty.days import (
    BirthdayRule,
    LeapDay,
    add_months,
    age,
    birthday_in,
    birthday_occurrence,
    end_of_day,
    first_instant,
    is_window,
    local_day,
    start_of_day,
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
    assert start_of_day(utc(now), there) == utc(start)
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
    assert start_of_day(now, there) <= now < end_of_day(local_day(now, there), there)


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
    ("window", "today", "joined", "start"),
    [
        ("day", "2025-03-31", "2024-01-01", "2025-03-31"),
        ("week", "2025-03-30", "2024-01-01", "2025-03-24"),  # a Sunday: its Monday
        ("week", "2025-03-31", "2024-01-01", "2025-03-31"),
        ("week", "2027-01-01", "2024-01-01", "2026-12-28"),
        ("month", "2025-03-31", "2024-01-01", "2025-03-01"),
        ("rolling 1", "2025-03-31", "2024-01-01", "2025-03-31"),
        ("rolling 30", "2025-03-31", "2024-01-01", "2025-03-02"),  # G53: 30 dates
        ("rolling 365", "2025-01-01", "2024-01-01", "2024-01-03"),
        ("calendar_year", "2025-03-31", "2024-01-01", "2025-01-01"),
        ("member_year", "2025-03-31", "2020-04-01", "2024-04-01"),
        ("member_year", "2025-04-01", "2020-04-01", "2025-04-01"),
        ("member_year", "2025-02-28", "2024-02-29", "2025-02-28"),
        ("member_year", "2025-02-27", "2024-02-29", "2024-02-29"),
        ("member_year", "2028-02-28", "2024-02-29", "2027-02-28"),
        ("member_year", "2025-04-01", "2025-04-01", "2025-04-01"),
    ],
)
def test_the_first_day_that_a_limit_counts(window: str, today: str, joined: str, start: str) -> None:
    assert is_window(window)
    assert window_start(window, day(today), day(joined)) == day(start)


def test_a_lifetime_has_no_first_day() -> None:
    assert is_window("lifetime")
    assert window_start("lifetime", day("2025-03-31"), day("2024-01-01")) is None


def test_G42_a_calendar_month_ends_at_local_midnight() -> None:
    before, after = utc("2025-01-31T23:59:59+08:00"), utc("2025-02-01T00:00+08:00")
    shanghai = ZoneInfo(SHANGHAI)
    joined = day("2024-01-01")
    assert window_start("month", local_day(before, shanghai), joined) == day("2025-01-01")
    assert window_start("month", local_day(after, shanghai), joined) == day("2025-02-01")


@pytest.mark.parametrize(
    "window",
    ["", "year", "rolling", "rolling 0", "rolling -1", "rolling 9999", "rolling 1.5", "rolling30", "Day"],
)
def test_other_words_are_no_window(window: str) -> None:
    assert not is_window(window)


def test_an_unknown_window_is_an_error() -> None:
    with pytest.raises(ValueError, match="fortnight"):
        window_start("fortnight", day("2025-03-31"), day("2024-01-01"))


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
    rule = BirthdayRule(leap_day=leap_day)
    assert birthday_occurrence(2, 29, day(falls_on), rule) == year
    assert birthday_occurrence(2, 29, day(falls_on) + dt.timedelta(days=1), rule) is None
    assert birthday_occurrence(2, 29, day(falls_on) - dt.timedelta(days=1), rule) is None


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


AROUND = BirthdayRule("days", 3)


@pytest.mark.parametrize(
    ("rule", "month", "of_month", "today", "year"),
    [
        (AROUND, 1, 2, "2025-12-30", 2026),  # over New Year: the birthday's year, not today's
        (AROUND, 1, 2, "2025-12-29", None),
        (AROUND, 1, 2, "2026-01-05", 2026),
        (AROUND, 1, 2, "2026-01-06", None),
        (AROUND, 12, 30, "2026-01-02", 2025),
        (AROUND, 12, 30, "2026-01-03", None),
        (BirthdayRule("days", 0), 5, 4, "2026-05-04", 2026),
        (BirthdayRule("days", 0), 5, 4, "2026-05-05", None),
        (BirthdayRule("week"), 1, 1, "2026-12-28", 2027),  # Friday 1 January 2027: its week began in December
        (BirthdayRule("week"), 1, 1, "2027-01-03", 2027),
        (BirthdayRule("week"), 1, 1, "2027-01-04", None),
        (BirthdayRule("week"), 1, 1, "2026-12-27", None),
        (BirthdayRule("week"), 12, 31, "2027-01-03", 2026),
        (BirthdayRule("month"), 5, 31, "2026-05-01", 2026),
        (BirthdayRule("month"), 5, 31, "2026-06-01", None),
        (BirthdayRule("month"), 5, 1, "2026-04-30", None),
        (BirthdayRule("month", leap_day="mar1"), 2, 29, "2025-02-28", 2025),  # the month of birth
        (BirthdayRule("month", leap_day="mar1"), 2, 29, "2025-03-01", None),
        (BirthdayRule("days", 1, "mar1"), 2, 29, "2025-03-02", 2025),
        (BirthdayRule("days", 1, "feb28"), 2, 29, "2025-03-02", None),
    ],
)
def test_days_that_count_as_a_birthday(
    rule: BirthdayRule, month: int, of_month: int, today: str, year: int | None
) -> None:
    assert birthday_occurrence(month, of_month, day(today), rule) == year


@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2000, 12, 31)),
    some_days,
    st.sampled_from([BirthdayRule(), BirthdayRule("week"), BirthdayRule("month"), BirthdayRule("days", 60)]),
    st.sampled_from(["feb28", "mar1"]),
)
def test_each_year_has_one_stretch_of_birthday(
    born: dt.date, today: dt.date, rule: BirthdayRule, leap_day: LeapDay
) -> None:
    rule = msgspec.structs.replace(rule, leap_day=leap_day)
    year = birthday_occurrence(born.month, born.day, today, rule)
    if year is not None:
        assert abs((today - birthday_in(year, born.month, born.day, leap_day)).days) <= 60
    on_the_day = birthday_in(today.year, born.month, born.day, leap_day)
    if rule.window != "month" or (born.month, born.day) != (2, 29):
        assert birthday_occurrence(born.month, born.day, on_the_day, rule) == today.year


@pytest.mark.parametrize("days", [-1, 61])
def test_a_birthday_window_stays_far_below_half_a_year(days: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"window": "days", "days": days}, BirthdayRule)


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
                str(days.start_of_day(instant, there)),
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
