"""What somebody gets for something, as lines and effects: the one way points and rights are given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from tapledger.loyalty import days, ledger, tallies
from tapledger.loyalty.coupons import issuing
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
    return Gained(ledger.points_given(member, lot.amount), (Credited(lot),))


def give(
    member: str,
    gain: Gain,
    source: str,
    program: Program,
    now: dt.datetime,
    *,
    id_: str,
    available_at: dt.datetime | None = None,
    exhausted: Collection[str] = frozenset(),
    node: str = "",
) -> Gained:
    """Give everything a ``Gain`` names. ``id_`` makes the ids of what is given; it is unique to the event.

    ``exhausted`` are the keys of coupons and gifts that cannot be given (``membership.stock.exhausted``):
    those are left out with a reason. One that runs out in between is refused when the event is recorded.
    ``node`` is the shop that will take its coupons also while it is offline.
    """
    given = credit(
        member, points_lot(f"{id_}/p", gain.points, source, program, now, available_at=available_at)
    )
    if gain.growth:
        today = days.local_day(now, program.zone()).toordinal()
        given = given.plus(Gained(effects=(Tallied(tallies.GROWTH, today, gain.growth),)))
    if gain.entitlement:
        grant = Grant(f"{id_}/g", gain.entitlement, None, None, source)
        given = given.plus(Gained(effects=(Granted(grant),)))
    if gain.coupon:
        given = given.plus(_coupon(gain.coupon, source, program, now, f"{id_}/c", exhausted, node))
    if gain.gift:
        given = given.plus(_gift(gain.gift, program, now, exhausted))
    if gain.points:
        why = Reason("GAINED_POINTS", {"points": gain.points, "source": source})
        given = given.plus(Gained(reasons=(why,)))
    return given


def _coupon(
    template_id: str,
    source: str,
    program: Program,
    now: dt.datetime,
    id_: str,
    exhausted: Collection[str],
    node: str,
) -> Gained:
    template = program.coupon(template_id)
    if template is None or tallies.of_coupon(template_id) in exhausted:
        return Gained(reasons=(Reason("GAIN_EXHAUSTED", {"what": template_id}),))
    why = Reason("COUPON_ISSUED", {"coupon": template_id, "source": source})
    return Gained(effects=issuing.issue(id_, template, source, program, now, node), reasons=(why,))


def _gift(reward: str, program: Program, now: dt.datetime, exhausted: Collection[str]) -> Gained:
    """Hand over a reward without a price: it is counted, for its stock and for the member."""
    if program.reward(reward) is None or tallies.of_reward(reward) in exhausted:
        return Gained(reasons=(Reason("GAIN_EXHAUSTED", {"what": reward}),))
    today = days.local_day(now, program.zone()).toordinal()
    counted = Tallied(tallies.of_reward(reward), today, 1)
    return Gained(effects=(counted,), reasons=(Reason("GAINED_GIFT", {"reward": reward}),))


def slide(program: Program, now: dt.datetime) -> tuple[Effect, ...]:
    """Return what an earn or a spend does to lots that lapse by inactivity (section 3.7)."""
    if program.expiry.mode != "inactivity":
        return ()
    ends = days.expires_at(program.expiry, now, program.zone())
    return () if ends is None else (Slid(ends),)
