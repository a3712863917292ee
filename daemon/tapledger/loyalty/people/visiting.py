"""Check-in: once a local day and shop, without a purchase; gifts by tier, streaks (section 3.19)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from tapledger.errors import Refused
from tapledger.loyalty import days, gains, tallies
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.gains import Gained
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import giving
from tapledger.loyalty.people.missions import CHECK_INS
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import CheckIn, Gain, Streak
from tapledger.loyalty.tiers import tiering

PHYSICAL = frozenset({"card", "uid"})
"""Kinds of credential that somebody has to bring along; a number can be told to a friend."""
SOURCE = "check-in"
"""What the gifts of a visit come from."""
GIFT = "check-in-gift"
"""Tally of the gifts by tier: one a local day, however many shops (R28)."""
STREAK = "check-in-streak"
"""Begins the tallies of the gifts of a streak: each once a local day, too."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody shows that they are here."""

    store: str
    id: str
    """Unique to the event; begins the ids of what is given."""
    credential: str
    """Kind of what was shown."""
    at_kiosk: bool = True
    staff: str | None = None
    trust: int | None = None
    evidence: str = ""
    exhausted: Collection[str] = frozenset()


def key(store: str) -> str:
    return f"{CHECK_INS}/{store}"


def streak(member: Member, program: Program, now: dt.datetime) -> int:
    """Return on how many days in a row, up to today, a member has checked in anywhere.

    A streak that was alive yesterday is not lost before today is over.
    """
    checked = member.tallies.get(CHECK_INS, {})
    day = days.local_day(now, program.zone()).toordinal()
    if checked.get(day, 0) <= 0:
        day -= 1
    count = 0
    while checked.get(day - count, 0) > 0:
        count += 1
    return count


def why_not(member: Member, visit: Visit, program: Program, now: dt.datetime) -> Reason | None:
    """Return why somebody cannot check in, or None."""
    if program.check_in is None:
        return Reason("CHECK_IN_OFF", {})
    if visit.at_kiosk and visit.credential not in PHYSICAL:
        return Reason("CHECK_IN_NEEDS_CARD", {})
    today = days.local_day(now, program.zone()).toordinal()
    if tallies.total(member.tallies, key(visit.store), today, today) > 0:
        return Reason("CHECK_IN_ALREADY", {})
    return None


def decide_check_in(member: Member, visit: Visit, program: Program, now: dt.datetime) -> Decision:
    """Count a visit and give what it brings; refuse a second one of the same day and shop."""
    standing.check_spend(member, now)
    why = why_not(member, visit, program, now)
    if why is not None or program.check_in is None:
        raise Refused("CHECK_IN_OFF") if why is None else Refused(why.code, **why.data)
    today = days.local_day(now, program.zone()).toordinal()
    is_first = tallies.total(member.tallies, CHECK_INS, today, today) <= 0
    counted = (Tallied(key(visit.store), today, 1), Tallied(CHECK_INS, today, 1))
    row = streak(tiering.with_effects(member, counted, now), program, now)
    given = Gained(effects=counted, reasons=(Reason("CHECKED_IN", {"days": row}),))
    given = given.plus(_give(member, program.check_in.gain, "g", visit, program, now))
    if is_first:
        given = given.plus(_gift(member, program.check_in, visit, program, now))
        for one in program.check_in.streaks:
            if one.days == row:
                effects = (Tallied(_streak_key(one), today, 1),)
                given = given.plus(Gained(effects=effects, reasons=(Reason("STREAK", {"days": row}),)))
                given = given.plus(_give(member, one.gain, f"s{row}", visit, program, now))
    return giving.posted(
        member,
        "checkin",
        given,
        program,
        now,
        facts={"store": visit.store, "streak": row},
        staff=visit.staff,
        trust=visit.trust,
        evidence=visit.evidence,
    )


def _give(member: Member, gain: Gain, part: str, visit: Visit, program: Program, now: dt.datetime) -> Gained:
    return gains.give(
        member.id, gain, SOURCE, program, now, id_=f"{visit.id}/{part}", exhausted=visit.exhausted
    )


def _gift(member: Member, rule: CheckIn, visit: Visit, program: Program, now: dt.datetime) -> Gained:
    gain = _of_tier(member, rule, program, now)
    if gain is None:
        return Gained()
    today = days.local_day(now, program.zone()).toordinal()
    counted = Gained(effects=(Tallied(GIFT, today, 1),))
    return counted.plus(_give(member, gain, "t", visit, program, now))


def _of_tier(member: Member, rule: CheckIn, program: Program, now: dt.datetime) -> Gain | None:
    """Return the gift of the member's tier; a tier without a row has none."""
    tier = tiering.current(member, program, now).id
    return next((one.gain for one in rule.gifts if one.tier == tier), None)


def _streak_key(streak: Streak) -> str:
    return f"{STREAK}/{streak.days}"


def once_a_day(member: Member, program: Program, now: dt.datetime) -> list[tuple[str, Gain]]:
    """Return the tallies of what a day of check-ins gives once, with what each brings."""
    rule = program.check_in
    if rule is None:
        return []
    gift = _of_tier(member, rule, program, now) or Gain()
    return [(GIFT, gift), *((_streak_key(one), one.gain) for one in rule.streaks)]
