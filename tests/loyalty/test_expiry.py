"""When points lapse: all seven modes, at local midnight, wherever that is (loyalty.md 3.7)."""

from __future__ import annotations

import datetime as dt
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.loyalty.days import Expiry, ExpiryMode, expires_at, last_day, local_day
from tests.loyalty.test_days import SHANGHAI, ZONES, day, instants, utc


@pytest.mark.parametrize(
    ("rule", "earned", "zone", "expires"),
    [
        pytest.param(
            Expiry("end_of_month", 12),
            "2020-07-06T12:00+08:00",
            SHANGHAI,
            "2021-08-01T00:00+08:00",
            id="G32",
        ),
        pytest.param(
            Expiry("end_of_month", 6),
            "2020-12-15T12:00-08:00",
            "America/Los_Angeles",
            "2021-07-01T00:00-07:00",
            id="G33",
        ),
        pytest.param(
            Expiry("end_of_month"),
            "2018-01-22T12:00+01:00",
            "Europe/Warsaw",
            "2018-02-01T00:00+01:00",
            id="G34 month",
        ),
        pytest.param(
            Expiry("end_of_year"),
            "2018-05-04T12:00+02:00",
            "Europe/Warsaw",
            "2019-01-01T00:00+01:00",
            id="G34 year",
        ),
        pytest.param(
            Expiry("end_of_month"),
            "2025-01-31T16:30+00:00",
            SHANGHAI,
            "2025-02-28T16:00+00:00",
            id="G37",
        ),
        pytest.param(
            Expiry("months", 1), "2025-01-31T12:00+08:00", SHANGHAI, "2025-03-01T00:00+08:00", id="G39 1"
        ),
        pytest.param(
            Expiry("months", 6), "2023-08-31T12:00+08:00", SHANGHAI, "2024-03-01T00:00+08:00", id="G39 6"
        ),
        pytest.param(
            Expiry("months", 12), "2024-02-29T12:00+08:00", SHANGHAI, "2025-03-01T00:00+08:00", id="G39 12"
        ),
        pytest.param(
            Expiry("days"),
            "2023-04-27T12:00+02:00",
            "Africa/Cairo",
            "2023-04-27T22:00+00:00",
            id="G40 midnight skipped in Cairo",
        ),
        pytest.param(
            Expiry("days"),
            "2018-11-03T12:00-03:00",
            "America/Sao_Paulo",
            "2018-11-04T01:00-02:00",
            id="G40 midnight skipped in Sao Paulo",
        ),
        pytest.param(
            Expiry("days"),
            "2025-10-26T12:00+01:00",
            "Europe/Warsaw",
            "2025-10-27T00:00+01:00",
            id="G40 a day of 25 hours",
        ),
        pytest.param(
            Expiry("days", 1),
            "2011-12-29T12:00-10:00",
            "Pacific/Apia",
            "2011-12-31T00:00+14:00",
            id="30 December was skipped",
        ),
        pytest.param(
            Expiry("days"),
            "2025-11-01T12:00-04:00",
            "America/Havana",
            "2025-11-02T00:00-04:00",
            id="midnight comes twice",
        ),
        pytest.param(
            Expiry("days", 30), "2026-12-31T23:59:59+08:00", SHANGHAI, "2027-01-31T00:00+08:00", id="days"
        ),
        pytest.param(
            Expiry("end_of_month", 1),
            "2026-12-31T23:59:59+08:00",
            SHANGHAI,
            "2027-02-01T00:00+08:00",
            id="over New Year",
        ),
    ],
)
def test_expiry_is_the_first_instant_after_the_last_valid_day(
    rule: Expiry, earned: str, zone: str, expires: str
) -> None:
    assert expires_at(rule, utc(earned), ZoneInfo(zone)) == utc(expires)


@pytest.mark.parametrize(
    ("month", "of_month", "earned", "last"),
    [
        (3, 31, "2025-03-30", "2026-03-31"),
        (3, 31, "2025-03-31", "2026-03-31"),  # E + 1 year <= S holds with equality
        (3, 31, "2025-04-01", "2027-03-31"),
        (12, 31, "2025-12-31", "2026-12-31"),
        (12, 31, "2026-01-01", "2027-12-31"),
        (2, 29, "2023-02-28", "2024-02-29"),
        (2, 29, "2024-02-29", "2025-02-28"),  # both clamp to 28 February
        (2, 28, "2024-02-29", "2025-02-28"),
        (1, 1, "2025-01-02", "2027-01-01"),
        (4, 31, "2025-04-30", "2026-04-30"),  # 31 is the last day
    ],
)
def test_annual_points_last_until_a_settlement_day_at_least_a_year_on(
    month: int, of_month: int, earned: str, last: str
) -> None:
    assert last_day(Expiry("annual", 0, month, of_month), day(earned)) == day(last)


def test_inactivity_counts_from_the_last_time_the_member_earned_or_spent() -> None:
    rule = Expiry("inactivity", 6)
    assert last_day(rule, day("2025-08-31")) == day("2026-02-28")
    assert last_day(rule, day("2025-09-01")) == day("2026-03-01")


def test_never_is_never() -> None:
    assert expires_at(Expiry(), utc("2026-05-04T12:00+08:00"), ZoneInfo(SHANGHAI)) is None


@given(
    st.sampled_from(sorted(set(get_args(ExpiryMode)) - {"never"})),
    st.integers(1, 60),
    instants,
    st.sampled_from(ZONES),
)
def test_points_outlive_the_day_they_were_earned_on(
    mode: ExpiryMode, count: int, earned: dt.datetime, zone: str
) -> None:
    rule, there = Expiry(mode, count, 6, 30), ZoneInfo(zone)
    ends, last = expires_at(rule, earned, there), last_day(rule, local_day(earned, there))
    assert ends is not None and last is not None
    assert ends > earned
    assert local_day(ends - dt.timedelta(microseconds=1), there) <= last
