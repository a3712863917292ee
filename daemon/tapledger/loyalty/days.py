"""Local days: when one begins, how many months on, when points lapse, which days a limit counts (3.7, 3.16).

A day is a day of the programme's zone; instants are UTC. The zone of the machine is never asked.
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

MAX_PERIODS = 3650
"""Of days, months or years in a rule: keeps every date inside the calendar."""
MAX_BIRTHDAY_DAYS = 60
"""Around a birthday; far below half a year, so that one day never belongs to two birthdays."""

Month = Annotated[int, msgspec.Meta(ge=1, le=12)]
MonthDay = Annotated[int, msgspec.Meta(ge=1, le=31)]
"""Where a month is shorter, its last day is meant: 31 is always the last one."""


# ---- days and instants ------------------------------------------------------------------------------------
def local_day(now: dt.datetime, zone: ZoneInfo) -> dt.date:
    """Return the local day that an instant is in."""
    return now.astimezone(zone).date()


def instant(local: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the instant of a local time as somebody wrote it, in UTC; one with an offset says it itself."""
    return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(dt.UTC)


def first_instant(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the first instant of a local day in UTC.

    Where clocks skip midnight, zoneinfo reads 00:00 with the offset before the gap, which is the instant at
    which the gap ends; where midnight comes twice, it is the first of the two.
    """
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def end_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the first instant after a local day: until before it, the day is not over."""
    return first_instant(day + dt.timedelta(days=1), zone)


def in_month(year: int, month: int, day: int) -> dt.date:
    """Return a day of a month, or the month's last day when it has no such day."""
    return dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day of a later month, or that month's last day when it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return in_month(year, month + 1, day.day)


# ---- expiry -----------------------------------------------------------------------------------------------
ExpiryMode = Literal["never", "days", "months", "end_of_month", "end_of_year", "annual", "inactivity"]


class Expiry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When points lapse: ``[expiry]`` of a programme, or a rule's own."""

    mode: ExpiryMode = "never"
    count: int = 0
    """Days for ``days``; years for ``end_of_year``; months for the others; nothing for ``annual``."""
    month: Month = 12
    """With ``day``: the settlement day of ``annual``."""
    day: MonthDay = 31


def last_day(rule: Expiry, since: dt.date) -> dt.date | None:
    """Return the last local day on which points are worth something; None when they never lapse.

    ``since`` is the day they were earned on, or, for ``inactivity``, the day the member last earned or spent.
    """
    match rule.mode:
        case "never":
            return None
        case "days":
            return since + dt.timedelta(days=rule.count)
        case "months" | "inactivity":
            return add_months(since, rule.count)
        case "end_of_month":
            month = add_months(since.replace(day=1), rule.count)
            return in_month(month.year, month.month, 31)
        case "end_of_year":
            return dt.date(since.year + rule.count, 12, 31)
        case "annual":
            a_year_on = add_months(since, 12)
            settled = in_month(a_year_on.year, rule.month, rule.day)
            return settled if settled >= a_year_on else in_month(a_year_on.year + 1, rule.month, rule.day)


def expires_at(rule: Expiry, since: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    """Return the first instant after the last valid local day, in UTC; None when points never lapse."""
    day = last_day(rule, local_day(since, zone))
    return None if day is None else end_of_day(day, zone)


# ---- the days that a limit or a metric counts -------------------------------------------------------------
LimitWindow = Literal["day", "week", "month", "rolling", "calendar_year", "member_year", "lifetime"]


def window_start(window: LimitWindow, today: dt.date, joined_on: dt.date, days: int = 0) -> dt.date | None:
    """Return the first local day of the window that ``today`` is in; None is since ever.

    Weeks begin on Monday. ``rolling`` are the ``days`` days that end today. A ``member_year`` begins on the
    day of the year on which the member joined; who joined on 29 February begins on the 28th in common years.
    """
    match window:
        case "day":
            return today
        case "week":
            return today - dt.timedelta(days=today.weekday())
        case "month":
            return today.replace(day=1)
        case "rolling":
            return today - dt.timedelta(days=days - 1)
        case "calendar_year":
            return today.replace(month=1, day=1)
        case "member_year":
            began = in_month(today.year, joined_on.month, joined_on.day)
            return began if began <= today else in_month(today.year - 1, joined_on.month, joined_on.day)
        case "lifetime":
            return None


# ---- birthdays --------------------------------------------------------------------------------------------
LeapDay = Literal["feb28", "mar1"]
"""When someone born on 29 February has their birthday in a common year."""


BirthdayWindow = Literal["day", "days", "week", "month"]
"""The day itself, days before and after it, its week from Monday, or the whole month of birth."""


def birthday_in(year: int, birth_month: int, birth_day: int, leap_day: LeapDay) -> dt.date:
    """Return the day on which a birthday falls in a year."""
    if (birth_month, birth_day) == (2, 29) and leap_day == "mar1" and not calendar.isleap(year):
        return dt.date(year, 3, 1)
    return in_month(year, birth_month, birth_day)


def age(born: dt.date, today: dt.date, leap_day: LeapDay = "feb28") -> int:
    """Return how many birthdays someone has had."""
    return today.year - born.year - (today < birthday_in(today.year, born.month, born.day, leap_day))


def birthday_occurrence(
    birth_month: int,
    birth_day: int,
    today: dt.date,
    window: BirthdayWindow,
    days: int = 0,
    leap_day: LeapDay = "feb28",
) -> int | None:
    """Return the year of the birthday whose window ``today`` is in, or None when it is in none.

    ``days`` is for the window ``days``: so many before and after, at most ``MAX_BIRTHDAY_DAYS``. The year is
    that of the birthday, not of today, for a window may reach over New Year; its benefits are given once.
    """
    for year in (today.year - 1, today.year, today.year + 1):
        birthday = birthday_in(year, birth_month, birth_day, leap_day)
        match window:
            case "day":
                near = today == birthday
            case "days":
                near = abs((today - birthday).days) <= days
            case "week":
                near = today.isocalendar()[:2] == birthday.isocalendar()[:2]
            case "month":
                near = (today.year, today.month) == (year, birth_month)
        if near:
            return year
    return None
