"""A membership is frozen, cancelled, restored, lapses or is erased (loyalty.md section 3.20).

A cancelled member has ``restore_window_days`` to come back to everything they had; then points, bonus and
coupons lapse, while paid-in stored value stays owed. Erasing destroys what is personal and keeps the ledger.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import days, escrow, leases, ledger, lots, members
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import (
    BONUS,
    POINTS,
    PRINCIPAL,
    AvailableFrom,
    CouponMoved,
    Debited,
    Effect,
    HoldSettled,
    LeaseClosed,
    StatusSet,
    Ungranted,
)
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.gains import Gained
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program

MAX_WHY_LENGTH = 200
NOTHING = Gained()


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody of the staff changes a membership and says why."""

    staff: str | None
    why: str = ""


def decide_freeze(member: Member, change: Change, program: Program, now: dt.datetime) -> Decision:
    """Stop all spending; what is earned from now on waits, and expiry goes on."""
    standing.check_spend(member, now)
    return _changed("freeze", member, StatusSet(standing.FROZEN, now), change, program, now)


def decide_unfreeze(member: Member, change: Change, program: Program, now: dt.datetime) -> Decision:
    """Let a frozen member spend again, what they earned in the meantime included."""
    if member.status != standing.FROZEN:
        raise Refused("MEMBER_NOT_FROZEN")
    return _changed(
        "unfreeze", member, StatusSet(standing.ACTIVE, now), change, program, now, _awoken(member, now)
    )


def decide_cancel(member: Member, change: Change, program: Program, now: dt.datetime) -> Decision:
    """End a membership; everything comes back when it is restored before the window closes."""
    standing.check_earn(member, now)
    last = days.local_day(now, program.zone()) + dt.timedelta(days=program.membership.restore_window_days)
    until = days.end_of_day(last, program.zone())
    return _changed("cancel", member, StatusSet(standing.CANCELLED, now, until), change, program, now)


def decide_restore(member: Member, change: Change, program: Program, now: dt.datetime) -> Decision:
    """Give a cancelled member everything back, with the expiries it had."""
    if member.status != standing.CANCELLED:
        raise Refused("MEMBER_NOT_CANCELLED")
    if member.restore_until is None or now >= member.restore_until:
        raise Refused("RESTORE_TOO_LATE")
    return _changed(
        "restore", member, StatusSet(standing.ACTIVE, now), change, program, now, _awoken(member, now)
    )


def _awoken(member: Member, now: dt.datetime) -> Gained:
    """Return what makes the points available that waited because the member was frozen."""
    waiting = tuple(
        lot.id for lot in member.lots if lot.remaining and lot.available_at == standing.WHEN_UNFROZEN
    )
    return Gained(effects=(AvailableFrom(waiting, now),)) if waiting else NOTHING


def is_lapsing(member: Member, now: dt.datetime) -> bool:
    """Tell whether a cancelled member's window has closed and nothing has lapsed yet."""
    until = member.restore_until
    return member.status == standing.CANCELLED and until is not None and until <= now


def decide_lapse(member: Member, program: Program, now: dt.datetime) -> Decision:
    """Let everything but paid-in stored value lapse of a member whose window has closed."""
    if not is_lapsing(member, now):
        raise Refused("MEMBER_NOT_CANCELLED")
    lapsed = given_up(member, (POINTS, BONUS), program, now)
    status = StatusSet(standing.CANCELLED, member.status_at or now)
    return _changed("lapse", member, status, Change(None), program, now, lapsed)


@dataclass(frozen=True, slots=True)
class Erase:
    """A member asks to be forgotten; ``waiver`` names the paper on which they gave up what they paid in."""

    staff: str | None
    waiver: str = ""


def decide_erase(member: Member, command: Erase, program: Program, now: dt.datetime) -> Decision:
    """Forget who a member was; refuse while paid-in money is owed and not given up in writing."""
    if member.status in (standing.ERASED, standing.MERGED):
        why = standing.why_not_earn(member, now)
        assert why is not None
        raise Refused(why.code, **why.data)
    owed = members.value(member, PRINCIPAL, now) + escrow.everything(member.leases, PRINCIPAL)
    if owed and not command.waiver.strip():
        raise Refused("PRINCIPAL_LEFT", owed_minor=owed, currency=program.currency)
    given = given_up(member, (POINTS, BONUS, PRINCIPAL), program, now)
    change = Change(command.staff, command.waiver)
    return _changed("erase", member, StatusSet(standing.ERASED, now), change, program, now, given)


def without_holds(member: Member, now: dt.datetime) -> tuple[Member, tuple[HoldSettled, ...]]:
    """Return the member with the points of open vouchers back in their lots, and the effects that do it."""
    settled = tuple(HoldSettled(hold.id, given_back=True) for hold in member.holds)
    for effect in settled:
        member = members.APPLY[HoldSettled](member, effect, now)
    return member, settled


def given_up(member: Member, pools: tuple[str, ...], program: Program, now: dt.datetime) -> Gained:
    """Return what takes everything of these pools from a member, with open vouchers, coupons and grants.

    What waits, what lapsed unnoticed and what shops hold on lease goes too, so that the accounts end at zero;
    a deficit stays.
    """
    member = members.as_of(member, now)
    held = sum(hold.points for hold in member.holds)
    free, effects = without_holds(member, now)
    lines: list[Line] = []
    taken: list[Effect] = [*effects]
    for lease in (one for one in member.leases if one.pool in pools and not one.alias):
        closed = LeaseClosed(lease.id, written_off=True)
        free = members.APPLY[LeaseClosed](free, closed, now)
        back = -lots.taken_amount(lease.taken)
        lines += leases.lines(member.id, lease.node, lease.pool, back, program)
        taken.append(closed)
    if held:
        lines += [
            Line(ledger.member_held(member.id), ledger.POINT, -held),
            Line(ledger.member_points(member.id), ledger.POINT, held),
        ]
    for pool in pools:
        takes = lots.everything(free.lots, pool)
        amount = lots.taken_amount(takes)
        if amount:
            account, unit, other = _accounts(member.id, pool, program)
            less = -amount if pool == POINTS else amount  # stored value is what the shop owes
            lines += [Line(account, unit, less), Line(other, unit, -less)]
            taken.append(Debited(takes, pool))
    taken += [CouponMoved(one.id, "void") for one in member.coupons if one.state in ("issued", "held")]
    taken += [Ungranted(grant.id) for grant in member.grants]
    return Gained(tuple(lines), tuple(taken))


def _accounts(member: str, pool: str, program: Program) -> tuple[str, str, str]:
    """Return the member's account of a pool, its unit, and where it goes when it is given up."""
    if pool == POINTS:
        return ledger.member_points(member), ledger.POINT, ledger.PROGRAM_POINTS
    other = ledger.FORFEITED if pool == PRINCIPAL else ledger.BONUS_COST
    return ledger.member_value(member, pool), program.currency, other


def _changed(
    kind: str,
    member: Member,
    status: StatusSet,
    change: Change,
    program: Program,
    now: dt.datetime,
    more: Gained = NOTHING,
) -> Decision:
    if len(change.why) > MAX_WHY_LENGTH:
        raise Invalid("WHY_TOO_LONG", limit=MAX_WHY_LENGTH)
    gone = sum(-line.amount for line in more.lines if line.account == ledger.member_points(member.id))
    reasons = (Reason("POINTS_GIVEN_UP", {"points": gone}),) if gone > 0 else ()
    body = EventBody(
        kind=kind,
        at=now,
        program=program.version,
        member=member.id,
        lines=more.lines,
        effects=(*more.effects, status),
        reasons=reasons,
        facts={"why": change.why} if change.why else {},
        staff=change.staff,
    )
    return decision(member, body)
