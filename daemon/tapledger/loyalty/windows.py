"""Member days, happy hours and holidays: when a rule is open, by the clock on the shop's wall (3.17)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from tapledger.errors import Invalid

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Start = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
End = Annotated[str, msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]

HolidaySets = Mapping[str, frozenset[dt.date]]
"""The days of each holiday calendar, by its id."""


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days and hours on which something holds: ``[[windows]]`` of a programme.

    A day counts when any of the lists has it; with no list at all, every day counts. From ``start`` until
    before ``end``; an end at or before the start is on the next day, and those hours belong to the day on
    which they began: Friday 22:00 to 02:00 ends on Saturday.
    """

    id: str
    weekdays: list[Weekday] = []
    month_days: list[Annotated[int, msgspec.Meta(ge=1, le=31)]] = []
    dates: list[dt.date] = []
    holidays: str = ""
    """Id of a holiday calendar, such as ``cn``."""
    start: Start = "00:00"
    end: End = "24:00"


def is_open(window: Window, now: dt.datetime, zone: ZoneInfo, holidays: HolidaySets) -> bool:
    """Tell whether a window is open at an instant.

    The wall clock is compared: an hour that is skipped never comes, one that is repeated counts twice.
    """
    wall = now.astimezone(zone)
    today, minute = wall.date(), wall.hour * 60 + wall.minute
    start, end = _minute(window.start), _minute(window.end)
    if start < end:
        return start <= minute < end and _has_day(window, today, holidays)
    if minute >= start:
        return _has_day(window, today, holidays)
    return minute < end and _has_day(window, today - dt.timedelta(days=1), holidays)


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def _has_day(window: Window, day: dt.date, holidays: HolidaySets) -> bool:
    if not (window.weekdays or window.month_days or window.dates or window.holidays):
        return True
    return (
        _WEEKDAYS[day.weekday()] in window.weekdays
        or day.day in window.month_days
        or day in window.dates
        or (bool(window.holidays) and day in holidays[window.holidays])
    )


class Holiday(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    date: dt.date
    name: dict[str, str]
    """By language, as everywhere in a programme."""


class Holidays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One region's calendar: ``config/holidays/REGION.toml``."""

    id: str
    days: list[Holiday]

    def dates(self) -> frozenset[dt.date]:
        return frozenset(holiday.date for holiday in self.days)

    def on(self, day: dt.date) -> Holiday | None:
        """Return the holiday that falls on a day."""
        return next((holiday for holiday in self.days if holiday.date == day), None)


def load_holidays(table: Mapping[str, object], where: str) -> Holidays:
    """Build a calendar from parsed TOML; raise ``Invalid`` that says where and why."""
    try:
        calendar = msgspec.convert(table, Holidays)
    except msgspec.ValidationError as error:
        raise Invalid("HOLIDAYS_INVALID", where=where, why=str(error)) from error
    for why in _lint(calendar):
        raise Invalid("HOLIDAYS_INVALID", where=where, why=why)
    return calendar


def _lint(calendar: Holidays) -> Iterator[str]:
    if not calendar.id:
        yield "id must not be empty"
    seen: set[dt.date] = set()
    for holiday in calendar.days:
        if holiday.date in seen:
            yield f"{holiday.date} is listed twice"
        seen.add(holiday.date)
        if not any(holiday.name.values()):
            yield f"{holiday.date} has no name"
