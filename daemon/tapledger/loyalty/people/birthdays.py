"""A member's birthday: when it counts, and how often it may be changed (loyalty.md section 3.16, X9)."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import days
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import BirthdaySet
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program

FIRST_YEAR = 1900
A_LEAP_YEAR = 2000


@dataclass(frozen=True, slots=True)
class SetBirthday:
    month: int
    day: int
    year: int | None = None
    """Optional: nobody has to say how old they are."""
    staff: str | None = None


def at_join(month: int, day: int, year: int | None, program: Program, now: dt.datetime) -> BirthdaySet:
    """Return the birthday that somebody gives while joining: it counts at once, even today."""
    today = days.local_day(now, program.zone())
    _check(month, day, year, today)
    return BirthdaySet(month, day, year, counts_from=today.toordinal(), set_on=today.toordinal())


def decide_birthday(member: Member, command: SetBirthday, program: Program, now: dt.datetime) -> Decision:
    """Set or change a birthday after joining: it waits before it counts, and stays for a while.

    Adding or correcting the year alone is no change.
    """
    standing.check_earn(member, now)
    rule, today = program.birthday, days.local_day(now, program.zone())
    _check(command.month, command.day, command.year, today)
    old, this_day = member.birthday, today.toordinal()
    counts_from, set_on = this_day + rule.change_wait_days, this_day
    if old is not None and (old.month, old.day) == (command.month, command.day):
        counts_from, set_on = old.counts_from, old.set_on
    elif old is not None and this_day < old.set_on + rule.change_every_days:
        again = dt.date.fromordinal(old.set_on + rule.change_every_days)
        raise Refused("BIRTHDAY_CHANGED_LATELY", day=again.isoformat())
    effect = BirthdaySet(command.month, command.day, command.year, counts_from, set_on)
    first = dt.date.fromordinal(counts_from)
    body = EventBody(
        kind="birthday",
        at=now,
        program=program.version,
        member=member.id,
        effects=(effect,),
        reasons=(Reason("BIRTHDAY_NOTED", {"day": first.isoformat()}),),
        staff=command.staff,
    )
    return decision(member, body)


def _check(month: int, day: int, year: int | None, today: dt.date) -> None:
    """Raise ``Invalid`` for a day that is in no calendar; without a year, 29 February is one."""
    fits = 1 <= month <= 12 and 1 <= day <= calendar.monthrange(A_LEAP_YEAR, month)[1]
    if fits and year is not None:
        fits = FIRST_YEAR <= year <= today.year and day <= calendar.monthrange(year, month)[1]
        fits = fits and dt.date(year, month, day) <= today
    if not fits:
        raise Invalid("BIRTHDAY_IMPOSSIBLE")
