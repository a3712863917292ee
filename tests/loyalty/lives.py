"""Small programmes and one member's days, for the tests of what members do besides buying."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest

from tapledger.loyalty import tallies
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Effect, Tallied
from tapledger.loyalty.members import APPLY, Member

ZONES = ("Asia/Shanghai", "America/Los_Angeles", "Africa/Cairo")
MACHINES = ("Pacific/Kiritimati", "America/Noronha", "UTC")
JOINED = dt.datetime(2026, 1, 5, 4, 0, tzinfo=dt.UTC)


def at(day: str, clock: str = "12:00", zone: str = "Asia/Shanghai") -> dt.datetime:
    """Return the instant of a local time."""
    local = dt.datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(dt.UTC)


def ordinal(day: str) -> int:
    return dt.date.fromisoformat(day).toordinal()


def nobody(tier: str = "normal", **state: object) -> Member:
    return Member("m-1", JOINED, tier, **state)  # type: ignore[arg-type]


def apply(member: Member, *effects: Effect) -> Member:
    for effect in effects:
        member = APPLY[type(effect)](member, effect, JOINED)
    return member


def bought(member: Member, *days: str, minor: int = 1000) -> Member:
    for day in days:
        member = apply(
            member,
            Tallied(tallies.SPEND, ordinal(day), minor),
            Tallied(tallies.SALES, ordinal(day), 1),
        )
    return member


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.body.reasons]


@contextmanager
def machine_in(zone: str) -> Iterator[None]:
    """Set the zone of the machine, which must change nothing (P11)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "TZ", zone)
        time.tzset()
        try:
            yield
        finally:
            patch.undo()
            time.tzset()
