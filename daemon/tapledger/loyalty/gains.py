"""What somebody gets for something, as lines and effects: the one way points and rights are given."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.loyalty import days, ledger, tallies
from tapledger.loyalty.effects import Credited, Effect, Grant, Granted, Lot, Slid, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import Line
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import Gain

FAR = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
"""When points of a lot that waits for a decision become available: not by time alone."""


@dataclass(frozen=True, slots=True)
class Gained:
    """A part of an event; ``plus`` adds another."""

    lines: tuple[Line, ...] = ()
    effects: tuple[Effect, ...] = ()
    reasons: tuple[Reason, ...] = ()

    def plus(self, other: Gained) -> Gained:
        return Gained(self.lines + other.lines, self.effects + other.effects, self.reasons + other.reasons)


def points_lot(
    id_: str,
    amount: int,
    source: str,
    program: Program,
    now: dt.datetime,
    *,
    available_at: dt.datetime | None = None,
) -> Lot:
    """Return a lot of points earned now, with the programme's expiry."""
    return Lot(
        id=id_,
        amount=amount,
        remaining=amount,
        available_at=available_at or now,
        expires_at=days.expires_at(program.expiry, now, program.zone()),
        source=source,
        slides=program.expiry.mode == "inactivity",
    )


def credit(member: str, lot: Lot) -> Gained:
    """Give points: the lot, and the lines that say where they come from."""
    if not lot.amount:
        return Gained()
    lines = (
        Line(ledger.member_points(member), ledger.POINT, lot.amount),
        Line(ledger.PROGRAM_POINTS, ledger.POINT, -lot.amount),
    )
    return Gained(lines, (Credited(lot),))


def give(
    member: str,
    gain: Gain,
    source: str,
    program: Program,
    now: dt.datetime,
    *,
    id_: str,
    available_at: dt.datetime | None = None,
) -> Gained:
    """Give everything a ``Gain`` names. ``id_`` makes the ids of what is given; it is unique to the event."""
    given = credit(
        member, points_lot(f"{id_}/p", gain.points, source, program, now, available_at=available_at)
    )
    if gain.growth:
        today = days.local_day(now, program.zone()).toordinal()
        given = given.plus(Gained(effects=(Tallied(tallies.GROWTH, today, gain.growth),)))
    if gain.entitlement:
        grant = Grant(f"{id_}/g", gain.entitlement, None, None, source)
        given = given.plus(Gained(effects=(Granted(grant),)))
    if gain.points:
        why = Reason("GAINED_POINTS", {"points": gain.points, "source": source})
        given = given.plus(Gained(reasons=(why,)))
    return given


def slide(program: Program, now: dt.datetime) -> tuple[Effect, ...]:
    """Return what an earn or a spend does to lots that lapse by inactivity (section 3.7)."""
    if program.expiry.mode != "inactivity":
        return ()
    ends = days.expires_at(program.expiry, now, program.zone())
    return () if ends is None else (Slid(ends),)
