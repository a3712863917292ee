"""How often somebody may have something in a window of local days."""

from __future__ import annotations

import datetime as dt

from tapledger.loyalty import days, tallies
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Limit, Program


def since(member: Member, limit: Limit, program: Program, now: dt.datetime) -> int | None:
    """Return the first local day of a limit's window; None is since ever."""
    zone = program.zone()
    joined_on, today = days.local_day(member.joined_at, zone), days.local_day(now, zone)
    start = days.window_start(limit.window, today, joined_on, limit.days)
    return None if start is None else start.toordinal()


def used(member: Member, key: str, limit: Limit, program: Program, now: dt.datetime) -> int:
    """Return how much of a tally the window holds."""
    return tallies.total(member.tallies, key, since(member, limit, program, now))


def left(member: Member, key: str, limit: Limit | None, program: Program, now: dt.datetime) -> int | None:
    """Return how often a limit still allows what a tally counts; None is without limit."""
    return None if limit is None else max(0, limit.times - used(member, key, limit, program, now))
