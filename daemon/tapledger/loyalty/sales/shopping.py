"""What prices and points need to know of a member and of the moment; one function for each."""

from __future__ import annotations

import datetime as dt

from tapledger.errors import Refused
from tapledger.loyalty import days, eligibility, limits, members, rights, tallies, windows
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.pricing import Compiled, Moment, Shopper, compile_program
from tapledger.loyalty.program import Limit, Program
from tapledger.loyalty.program.earning import Flat
from tapledger.loyalty.sales.tenders import Payer
from tapledger.loyalty.tiers import tiering

FLAT = "flat/"
"""Tally of a flat that may be given once in its period."""
KEPT_PROGRAMS = 16

_compiled: dict[int, tuple[Program, Compiled]] = {}


def compiled(program: Program) -> Compiled:
    """Return a programme made ready for pricing; made once for each programme object."""
    known = _compiled.get(id(program))
    if known is None or known[0] is not program:
        if len(_compiled) >= KEPT_PROGRAMS:
            _compiled.clear()
        known = _compiled[id(program)] = program, compile_program(program)
    return known[1]


def moment(program: Program, now: dt.datetime, budget_left: int | None = None) -> Moment:
    """Return what prices depend on besides basket and member."""
    if not program.windows:
        return Moment(now, budget_left=budget_left)
    zone, holidays = program.zone(), eligibility.holiday_sets(program)
    is_open = frozenset(one.id for one in program.windows if windows.is_open(one, now, zone, holidays))
    return Moment(now, is_open, budget_left)


def shopper(
    payer: Payer, program: Program, now: dt.datetime, *, points: int = 0, tier: str = ""
) -> Shopper | None:
    """Return what prices and points depend on of a member; None for an unknown customer.

    ``points`` is how many they want to pay with, ``tier`` the one that a quote has pinned. Raises ``Refused``
    when points may not be spent at all.
    """
    member = payer.member
    if member is None:
        return None
    rules = program.earning
    today = days.local_day(now, program.zone()).toordinal()
    return Shopper(
        id=member.id,
        tier=tier or tiering.current(member, program, now).id,
        segments=frozenset(member.tags.get(eligibility.SEGMENTS, ())),
        campaigns=eligibility.campaigns(member, program) if program.campaigns else frozenset(),
        birthday=eligibility.birthday_year(member, program, now) is not None,
        points_available=_spendable(payer, program, now) if points else 0,
        earned_today=(
            0 if rules.per_member_day is None else tallies.total(member.tallies, tallies.EARNED, today, today)
        ),
        flats_taken=frozenset(flat.id for flat in rules.flats if _was_given(member, flat, program, now)),
    )


def _spendable(payer: Payer, program: Program, now: dt.datetime) -> int:
    """Return how many points may pay now: those available, within trust and what this shop may do alone."""
    member = payer.member
    assert member is not None
    standing.check_spend(member, now)
    have = members.points(member, now).available
    room = rights.limit(
        "points_as_cash", member, payer.trust, payer.rights, program, now, stepped_up=payer.stepped_up
    )
    if room.amount is None:
        return have
    if room.amount <= 0 < have and room.why is not None:
        raise Refused(room.why.code, **room.why.data)
    return min(have, room.amount)


def _was_given(member: Member, flat: Flat, program: Program, now: dt.datetime) -> bool:
    """Tell whether a flat that is given once in its period was given in this one."""
    if not flat.once:
        return False
    return limits.used(member, FLAT + flat.id, Limit(1, flat.once), program, now) > 0
