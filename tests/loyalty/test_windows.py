"""Member days, happy hours and holidays by the clock on the wall (loyalty.md 3.17)."""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid
from tapledger.loyalty.windows import Window, is_open, load_holidays
from tests.source_tree import ROOT

SHANGHAI, LOS_ANGELES, WARSAW = "Asia/Shanghai", "America/Los_Angeles", "Europe/Warsaw"
NATIONAL_DAY = {"cn": frozenset({dt.date(2026, 10, 1)})}

TUESDAY = Window("tuesday", weekdays=["tue"], start="16:00", end="18:00")
FRIDAY_NIGHT = Window("friday night", weekdays=["fri"], start="22:00", end="02:00")
EARLY = Window("early", start="02:00", end="03:00")
MEMBER_DAY = Window("member day", month_days=[8, 18, 28], weekdays=["sun"])
HOLIDAY = Window("holiday", holidays="cn", dates=[dt.date(2026, 5, 20)])
HOLIDAY_NIGHT = Window("holiday night", holidays="cn", start="20:00", end="04:00")
ALWAYS = Window("always")


@pytest.mark.parametrize(
    ("window", "zone", "now", "opened"),
    [
        pytest.param(TUESDAY, LOS_ANGELES, "2025-07-01T22:59:59Z", False, id="G83 before"),
        pytest.param(TUESDAY, LOS_ANGELES, "2025-07-01T23:00:00Z", True, id="G83 first"),
        pytest.param(TUESDAY, LOS_ANGELES, "2025-07-02T00:59:59Z", True, id="G83 last"),
        pytest.param(TUESDAY, LOS_ANGELES, "2025-07-02T01:00:00Z", False, id="G83 after"),
        pytest.param(TUESDAY, SHANGHAI, "2025-01-07T07:59:59Z", False, id="G83 Shanghai before"),
        pytest.param(TUESDAY, SHANGHAI, "2025-01-07T08:00:00Z", True, id="G83 Shanghai first"),
        pytest.param(TUESDAY, SHANGHAI, "2025-01-08T08:00:00Z", False, id="G83 Wednesday"),
        pytest.param(FRIDAY_NIGHT, SHANGHAI, "2025-01-10T21:59:59+08:00", False, id="G84 Friday 21:59"),
        pytest.param(FRIDAY_NIGHT, SHANGHAI, "2025-01-10T22:00:00+08:00", True, id="G84 Friday 22:00"),
        pytest.param(FRIDAY_NIGHT, SHANGHAI, "2025-01-11T01:30:00+08:00", True, id="G84 Saturday 01:30"),
        pytest.param(FRIDAY_NIGHT, SHANGHAI, "2025-01-11T02:00:00+08:00", False, id="G84 Saturday 02:00"),
        pytest.param(FRIDAY_NIGHT, SHANGHAI, "2025-01-10T01:30:00+08:00", False, id="G84 Friday 01:30"),
        pytest.param(FRIDAY_NIGHT, SHANGHAI, "2025-01-11T22:30:00+08:00", False, id="G84 Saturday 22:30"),
        pytest.param(EARLY, WARSAW, "2025-03-30T00:59:59Z", False, id="G85 01:59:59 before the skip"),
        pytest.param(EARLY, WARSAW, "2025-03-30T01:00:00Z", False, id="G85 03:00 after it"),
        pytest.param(EARLY, WARSAW, "2025-10-26T00:30:00Z", True, id="G85 02:30 for the first time"),
        pytest.param(EARLY, WARSAW, "2025-10-26T01:30:00Z", True, id="G85 02:30 again"),
        pytest.param(EARLY, WARSAW, "2025-10-26T02:00:00Z", False, id="G85 03:00"),
        pytest.param(MEMBER_DAY, SHANGHAI, "2026-05-18T00:00:00+08:00", True, id="the 18th"),
        pytest.param(MEMBER_DAY, SHANGHAI, "2026-05-18T23:59:59+08:00", True, id="all day"),
        pytest.param(MEMBER_DAY, SHANGHAI, "2026-05-19T00:00:00+08:00", False, id="the 19th"),
        pytest.param(MEMBER_DAY, SHANGHAI, "2026-05-24T12:00:00+08:00", True, id="or a Sunday"),
        pytest.param(
            HOLIDAY, SHANGHAI, "2026-09-30T16:00:00Z", True, id="a holiday begins at local midnight"
        ),
        pytest.param(HOLIDAY, SHANGHAI, "2026-09-30T15:59:59Z", False, id="and not before"),
        pytest.param(HOLIDAY, SHANGHAI, "2026-10-01T16:00:00Z", False, id="nor after"),
        pytest.param(HOLIDAY, SHANGHAI, "2026-05-20T12:00:00+08:00", True, id="a date of its own"),
        pytest.param(HOLIDAY_NIGHT, SHANGHAI, "2026-10-02T03:59:59+08:00", True, id="the night after"),
        pytest.param(HOLIDAY_NIGHT, SHANGHAI, "2026-10-01T03:59:59+08:00", False, id="not the night before"),
    ],
)
def test_a_window_is_open_by_the_wall_clock(window: Window, zone: str, now: str, opened: bool) -> None:
    instant = dt.datetime.fromisoformat(now)
    assert is_open(window, instant, ZoneInfo(zone), NATIONAL_DAY) is opened


@given(st.integers(0, 40 * 365 * 24 * 60), st.sampled_from([SHANGHAI, LOS_ANGELES, WARSAW]))
def test_equal_times_are_a_whole_day_from_there(minutes: int, zone: str) -> None:
    now = dt.datetime(2000, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
    there = ZoneInfo(zone)
    assert is_open(ALWAYS, now, there, {})
    assert is_open(Window("from six", start="06:00", end="06:00"), now, there, {})
    from_six = Window("tuesday from six", weekdays=["tue"], start="06:00", end="06:00")
    shifted = (now.astimezone(there).replace(tzinfo=None) - dt.timedelta(hours=6)).weekday()
    assert is_open(from_six, now, there, {}) is (shifted == 1)


@given(st.integers(0, 23), st.integers(0, 23), st.integers(0, 10 * 365 * 24 * 60))
def test_a_window_and_its_rest_share_out_the_day(start: int, end: int, minutes: int) -> None:
    """At each moment exactly one of 10:00 to 18:00 and 18:00 to 10:00 is open."""
    if start == end:
        return
    now = dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
    one = Window("one", start=f"{start:02}:00", end=f"{end:02}:00")
    rest = Window("rest", start=f"{end:02}:00", end=f"{start:02}:00")
    assert is_open(one, now, ZoneInfo(WARSAW), {}) != is_open(rest, now, ZoneInfo(WARSAW), {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": "24:00"},
        {"start": "9:00"},
        {"end": "24:01"},
        {"end": "18:60"},
        {"end": "6 pm"},
        {"weekdays": ["Friday"]},
        {"month_days": [0]},
        {"month_days": [32]},
        {"dates": ["2026-02-30"]},
        {"hours": "10-12"},
    ],
)
def test_a_window_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"id": "w", **wrong}, Window)


def test_a_window_is_read_from_toml() -> None:
    table = tomllib.loads(
        'id = "w"\ndates = [2026-05-20]\nweekdays = ["fri"]\nstart = "22:00"\nend = "24:00"'
    )
    assert msgspec.convert(table, Window) == Window(
        "w", ["fri"], dates=[dt.date(2026, 5, 20)], start="22:00", end="24:00"
    )


# ---- calendars -------------------------------------------------------------------------------------------
def shipped(region: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "config" / "holidays" / f"{region}.toml").read_text(encoding="utf-8"))


REGIONS = ("cn", "hk", "tw", "jp")


@pytest.mark.parametrize("region", REGIONS)
def test_shipped_calendars_are_whole(region: str) -> None:
    calendar = load_holidays(shipped(region), f"{region}.toml")
    assert calendar.id == region
    assert {day.date.year for day in calendar.days} == {2026, 2027}
    assert [day.date for day in calendar.days] == sorted(calendar.dates())
    for day in calendar.days:
        assert set(day.name) == {"zh-Hans", "zh-Hant", "en", "ja"}
        assert all(day.name.values())


@pytest.mark.parametrize(
    ("region", "day", "name"),
    [
        ("cn", "2026-02-17", "Spring Festival"),
        ("cn", "2027-02-06", "Spring Festival"),
        ("cn", "2026-04-05", "Qingming Festival"),
        ("cn", "2026-06-19", "Dragon Boat Festival"),
        ("cn", "2027-06-09", "Dragon Boat Festival"),
        ("cn", "2026-09-25", "Mid-Autumn Festival"),
        ("cn", "2027-09-15", "Mid-Autumn Festival"),
        ("hk", "2026-04-03", "Good Friday"),
        ("hk", "2027-05-13", "The Birthday of the Buddha"),
        ("tw", "2027-10-10", "National Day"),
        ("jp", "2026-09-22", "Citizens' holiday"),
        ("jp", "2027-03-22", "Substitute holiday"),
    ],
)
def test_festivals_fall_where_they_fall(region: str, day: str, name: str) -> None:
    calendar = load_holidays(shipped(region), f"{region}.toml")
    holiday = calendar.on(dt.date.fromisoformat(day))
    assert holiday is not None and holiday.name["en"] == name
    assert calendar.on(dt.date(2026, 3, 10)) is None


DAY = {"date": dt.date(2026, 10, 1), "name": {"en": "National Day"}}


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"id": "cn"}, "days"),
        ({"id": "", "days": [DAY]}, "id"),
        ({"id": "cn", "days": [DAY, DAY]}, "twice"),
        ({"id": "cn", "days": [{**DAY, "name": {}}]}, "no name"),
        ({"id": "cn", "days": [{**DAY, "date": "2026-13-01"}]}, "date"),
        ({"id": "cn", "days": [{**DAY, "off": True}]}, "off"),
    ],
)
def test_a_broken_calendar_says_where_and_why(table: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match="HOLIDAYS_INVALID") as error:
        load_holidays(table, "ours.toml")
    assert error.value.data["where"] == "ours.toml"
    assert why in str(error.value.data["why"])
