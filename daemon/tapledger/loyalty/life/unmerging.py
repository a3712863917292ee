"""A merge is undone within 30 days: both are what they were, and what came after goes to whom it was (X4).

What the one member was given by the merge goes back even when it has been spent since: the spending was that
member's own, and becomes a deficit where nothing is left to pay it. Lots that lapsed in the meantime do not
come back, and what the member said about messages stays as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from tapledger.errors import Refused
from tapledger.loyalty import days, members, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import (
    ConsentGiven,
    Coupon,
    CouponIssued,
    CouponMoved,
    Credited,
    Debited,
    Effect,
    Granted,
    Held,
    Hold,
    HoldSettled,
    Linked,
    Lot,
    LotTake,
    Merged,
    Overdrawn,
    RefereeCounted,
    Restored,
    StatusSet,
    Tallied,
    Ungranted,
    Unlinked,
    Unmerged,
)
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import merging, standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program

UNDO_DAYS = 30

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes a merge back; ``id`` is the transfer's."""

    id: str
    staff: str | None
    joined: EventBody
    """The ``merge_in`` that is undone."""
    referrals: tuple[EventBody, ...]
    """The events by which the lists of referrers followed the merge."""
    referrers: Mapping[str, Member]
    """Those members as they are now."""


@dataclass(frozen=True, slots=True)
class _Back:
    """What goes back to the member of old, and what the other one gives for it."""

    lots: tuple[Lot, ...]
    holds: tuple[Hold, ...]
    """Vouchers of theirs that are still open."""
    deficits: dict[str, int]


def decide_undo(
    old: Member, into: Member, command: Undo, program: Program, now: dt.datetime
) -> tuple[Decision, ...]:
    """Part two members again; the event of each, then of those whose referrals change by it."""
    if old.status != standing.MERGED or old.merged_into != into.id or old.id not in into.aliases:
        raise Refused("MERGE_NOT_THERE")
    last = days.local_day(command.joined.at, program.zone()) + dt.timedelta(days=UNDO_DAYS)
    if now >= days.end_of_day(last, program.zone()):
        raise Refused("MERGE_UNDO_TOO_LATE", days=UNDO_DAYS)
    standing.check_earn(into, now)
    into = members.as_of(into, now)
    back = _back(into, command.joined, now)
    moved = Member(old.id, old.joined_at, lots=_less_held(back), holds=back.holds)
    for pool, owed in back.deficits.items():
        moved = members.with_deficit(moved, pool, owed)
    giving = EventBody(
        kind="unmerge_out",
        at=now,
        program=program.version,
        member=into.id,
        lines=merging.lines(moved, into.id, command.id, program, out=True),
        effects=tuple(_given(into, old, back, command, now)),
        reasons=(Reason("UNMERGED", {}),),
        facts={"merge": command.id, "to": old.id},
        staff=command.staff,
    )
    taking = EventBody(
        kind="unmerge_in",
        at=now,
        program=program.version,
        member=old.id,
        lines=merging.lines(moved, old.id, command.id, program, out=False),
        effects=(*_taken(into, old, back, command.joined), StatusSet(standing.ACTIVE, now)),
        reasons=(Reason("UNMERGED", {}),),
        facts={"merge": command.id, "from": into.id},
        staff=command.staff,
    )
    return (decision(into, giving), decision(old, taking), *_referrals(command, program, now))


def _back(into: Member, joined: EventBody, now: dt.datetime) -> _Back:
    """Reckon what goes back: all that came, less what lapsed and what its own vouchers used up since."""
    open_ids = {hold.id for hold in into.holds}
    holds = [effect.hold for effect in joined.effects if isinstance(effect, Held)]
    still_open = tuple(hold for hold in holds if hold.id in open_ids)
    used = _by_lot(hold for hold in holds if hold.id not in open_ids)
    in_hold = _by_lot(still_open)
    have = {lot.id: lot for lot in into.lots}
    lots = []
    for came in _lots(joined):
        lot = have.get(came.id, replace(came, remaining=0))
        there = lot.remaining + in_hold.get(lot.id, 0)
        want = came.remaining - used.get(lot.id, 0)
        want += min(used.get(lot.id, 0), max(0, there - want))  # a voucher that was given back
        if lot.expires_at is not None and lot.expires_at <= now:
            want = min(want, there)
        if want > 0:
            lots.append(replace(lot, remaining=want))
    deficits: dict[str, int] = {}
    for effect in joined.effects:
        if isinstance(effect, Overdrawn):
            deficits[effect.pool] = deficits.get(effect.pool, 0) + effect.amount
    return _Back(tuple(lots), still_open, deficits)


def _lots(joined: EventBody) -> Iterator[Lot]:
    """Yield the lots that a merge brought, as they came."""
    for effect in joined.effects:
        if isinstance(effect, Credited):
            yield effect.lot
        elif isinstance(effect, Restored):
            for take in effect.takes:
                yield Lot(take.lot, take.amount, take.amount, joined.at, take.expires_at, effect.pool)


def _by_lot(holds: Iterator[Hold] | tuple[Hold, ...]) -> dict[str, int]:
    amounts: dict[str, int] = {}
    for hold in holds:
        for take in hold.taken:
            amounts[take.lot] = amounts.get(take.lot, 0) + take.amount
    return amounts


def _less_held(back: _Back) -> tuple[Lot, ...]:
    """Return the lots as they are while the open vouchers hold their part of them."""
    in_hold = _by_lot(back.holds)
    return tuple(replace(lot, remaining=lot.remaining - in_hold.get(lot.id, 0)) for lot in back.lots)


def _given(into: Member, old: Member, back: _Back, command: Undo, now: dt.datetime) -> Iterator[Effect]:
    """Yield what the member gives back of what the merge brought."""
    yield from (HoldSettled(hold.id, given_back=True) for hold in back.holds)
    for pool in merging.POOLS:
        takes = tuple(LotTake(lot.id, lot.remaining, lot.expires_at) for lot in back.lots if lot.pool == pool)
        if takes:
            yield Debited(takes, pool)
        if owed := back.deficits.get(pool, 0):
            yield Credited(Lot(f"{command.id}/{pool}", owed, owed, now, None, pool))
    coupons = {coupon.id for coupon in into.coupons}
    grants = {grant.id for grant in into.grants}
    for effect in command.joined.effects:
        match effect:
            case Tallied(key=key) if not key.startswith(tallies.of_draws("")):  # no draw's number comes again
                yield replace(effect, amount=-effect.amount)
            case CouponIssued(coupon=coupon) if coupon.id in coupons:
                yield CouponMoved(coupon.id, "void")
            case CouponMoved(coupon=id_) if id_ in coupons:
                yield CouponMoved(id_, "void")
            case Granted(grant=grant) if grant.id in grants:
                yield Ungranted(grant.id)
            case Linked(credential=credential):
                yield Unlinked(credential.index)
            case RefereeCounted(member=referee, reached=reached) if reached != merging.DROPPED:
                yield RefereeCounted(referee, merging.DROPPED)
            case Merged(before=before):
                yield Unmerged(old.id, before)
    yield from merging.recalled(command.joined)


def _taken(into: Member, old: Member, back: _Back, joined: EventBody) -> Iterator[Effect]:
    """Yield what the member of old has again."""
    for lot in back.lots:
        yield merging.credited(old, lot)
    yield from (Overdrawn(owed, pool) for pool, owed in back.deficits.items())
    yield from (Held(hold) for hold in back.holds)
    coupons = {coupon.id: coupon for coupon in into.coupons}
    grants = {grant.id: grant for grant in into.grants}
    credentials = {one.index: one for one in into.credentials}
    for effect in joined.effects:
        match effect:
            case Tallied() | ConsentGiven():
                yield effect
            case CouponIssued(coupon=coupon) if coupon.id in coupons:
                yield _coupon(coupons[coupon.id])
            case CouponMoved(coupon=id_) if id_ in coupons:
                yield _coupon(coupons[id_])
            case Granted(grant=grant) if grant.id in grants:
                yield Granted(grants[grant.id])
            case Linked(credential=credential):
                yield Linked(credentials.get(credential.index, credential))
            case RefereeCounted(member=referee) if referee in into.referees:
                reached = into.referees[referee]
                yield from (RefereeCounted(referee, one, reached.counts_on) for one in reached.reached)


def _coupon(coupon: Coupon) -> CouponMoved:
    return CouponMoved(coupon.id, coupon.state, coupon.sale, coupon.until)


def _referrals(command: Undo, program: Program, now: dt.datetime) -> Iterator[Decision]:
    """Yield what gives referrers back the referees that the merge took from them."""
    for body in command.referrals:
        who = command.referrers.get(body.member or "")
        if who is None:
            continue
        counted = {
            effect.member
            for effect in body.effects
            if isinstance(effect, RefereeCounted) and effect.reached != merging.DROPPED
        }
        news: list[Effect] = [RefereeCounted(one, merging.DROPPED) for one in sorted(counted)]
        news += merging.recalled(body)
        if news:
            yield decision(who, merging.referral_body(who, news, command.id, program, now))
