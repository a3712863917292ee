"""What a member has, as a fold over their events: the same function in every shop and at central."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from tapledger.loyalty import escrow, lots, tallies
from tapledger.loyalty.coupons import wallet
from tapledger.loyalty.effects import (
    POINTS,
    AvailableFrom,
    BirthdaySet,
    Blocked,
    CardLimited,
    Consent,
    ConsentGiven,
    Coupon,
    CouponIssued,
    CouponMoved,
    Credential,
    Credited,
    Debited,
    Effect,
    Grant,
    Granted,
    Held,
    Hold,
    HoldSettled,
    Lapsed,
    Lease,
    LeaseClosed,
    Leased,
    LeaseDrawn,
    LeaseRecalled,
    Linked,
    Lot,
    Merged,
    Noted,
    Overdrawn,
    RefereeCounted,
    Referred,
    Restored,
    Slid,
    StatusSet,
    Tagged,
    Tallied,
    TierSet,
    Ungranted,
    Unlinked,
    Unmerged,
)
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import consents, credentials
from tapledger.loyalty.people import referees
from tapledger.loyalty.people.referees import Referee
from tapledger.loyalty.tiers import former_tiers
from tapledger.loyalty.tiers.former_tiers import FormerTier

replace = msgspec.structs.replace


class Member(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One member's state. ``id`` is a pseudonym; personal data is elsewhere."""

    id: str
    joined_at: dt.datetime
    tier: str = ""
    """Empty: the programme's lowest tier."""
    lots: tuple[Lot, ...] = ()
    holds: tuple[Hold, ...] = ()
    credentials: tuple[Credential, ...] = ()
    deficit: int = 0
    """Points spent beyond the lots (by two shops at once); the next credits repay it."""
    earlier_spend_minor: int = msgspec.field(default=0, name="qualifying_minor")
    """Lifetime spend recorded before tallies kept days (first release)."""
    debts: dict[str, int] = {}
    """Deficits of the pools of stored value, in minor units."""
    tallies: dict[str, dict[int, int]] = {}
    gained_on: int = 0
    tier_until: dt.datetime | None = None
    """First instant of the tier's review; null is for ever."""
    tier_locked_until: dt.datetime | None = None
    former_tiers: tuple[FormerTier, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    grants: tuple[Grant, ...] = ()
    status: str = "active"
    status_at: dt.datetime | None = None
    restore_until: dt.datetime | None = None
    merged_into: str = ""
    aliases: tuple[str, ...] = ()
    """Members that became part of this one: what comes in their name is this one's."""
    birthday: BirthdaySet | None = None
    referrer: str = ""
    referees: dict[str, Referee] = {}
    consents: tuple[Consent, ...] = ()
    """The statement that holds, for each purpose."""
    tags: dict[str, tuple[str, ...]] = {}
    """Segments and preferences by kind."""
    notes: tuple[Noted, ...] = ()
    leases: tuple[Lease, ...] = ()
    """Slices of the balance that shops may spend by themselves; they are no part of ``lots``."""


@dataclass(frozen=True, slots=True)
class Points:
    available: int
    """Free: whatever a shop holds on lease is not in it."""
    pending: int
    held: int
    deficit: int
    next_expiry: tuple[int, dt.datetime] | None
    """Points of the lots that lapse first, and the first instant at which they are worth nothing."""
    leased: int = 0

    @property
    def shown(self) -> int:
        """Return what members are shown as theirs: a lease takes nothing from them (X10)."""
        return self.available + self.leased


def points(member: Member, now: dt.datetime) -> Points:
    """Count a member's points at an instant; right even if no expiry job ever ran."""
    available = pending = expiring = 0
    ends: dt.datetime | None = None
    for lot in member.lots:
        if not lot.remaining or lot.pool != POINTS:
            continue
        if lot.expires_at is not None and lot.expires_at <= now:
            continue
        if lot.available_at > now:
            pending += lot.remaining
            continue
        available += lot.remaining
        if lot.expires_at is not None:
            if ends is None or lot.expires_at < ends:
                ends, expiring = lot.expires_at, lot.remaining
            elif lot.expires_at == ends:
                expiring += lot.remaining
    deficit = max(0, member.deficit - available)
    leased = escrow.worth(member.leases, member.lots, now) if member.leases else 0
    if member.deficit:
        # What the deficit eats comes from the lots that lapse first.
        return (
            points(as_of(member, now), now)
            if not deficit
            else Points(0, pending, _held(member), deficit, None, leased)
        )
    soon = None if ends is None else (expiring, ends)
    return Points(available, pending, _held(member), 0, soon, leased)


def _held(member: Member) -> int:
    return sum(hold.points for hold in member.holds)


def value(member: Member, pool: str, now: dt.datetime) -> int:
    """Return what a pool of stored value is worth now, in minor units; 0 while it is overdrawn."""
    return max(0, lots.available(member.lots, now, pool) - member.debts.get(pool, 0))


def shown_value(member: Member, pool: str, now: dt.datetime) -> int:
    """Return what members are shown as theirs of a pool: what shops hold on lease is part of it (X10)."""
    return value(member, pool, now) + escrow.worth(member.leases, member.lots, now, pool)


def deficit_of(member: Member, pool: str) -> int:
    return member.deficit if pool == POINTS else member.debts.get(pool, 0)


def with_deficit(member: Member, pool: str, amount: int) -> Member:
    if pool == POINTS:
        return replace(member, deficit=amount)
    return replace(member, debts={**member.debts, pool: amount})


def as_of(member: Member, now: dt.datetime) -> Member:
    """Return the member with every deficit repaid from what has become available by now (decisions (e))."""
    for pool in (POINTS, *member.debts):
        owed = deficit_of(member, pool)
        if owed:
            repaid, left = lots.repay(member.lots, owed, now, pool)
            if left != owed:
                member = with_deficit(replace(member, lots=repaid), pool, left)
    return member


def fold(member: Member | None, body: EventBody) -> Member:
    """Return the member after one event. Total: a recorded fact is never refused, whatever came before it."""
    if body.member is None:
        raise ValueError(f"a {body.kind} without a member changes none")
    after = member or Member(id=body.member, joined_at=body.at)
    if body.kind == "join":
        after = replace(after, joined_at=min(after.joined_at, body.at))
    after = as_of(after, body.at)
    for effect in body.effects:
        after = APPLY[type(effect)](after, effect, body.at)
    return as_of(_without_spent_lots(after), body.at)


def _without_spent_lots(member: Member) -> Member:
    """Drop lots that are used up. One that a hold or a lease took from is kept: its points can go back."""
    if all(lot.remaining for lot in member.lots):
        return member
    taken = (*(hold.taken for hold in member.holds), *(lease.taken for lease in member.leases))
    held = {take.lot for takes in taken for take in takes}
    kept = tuple(lot for lot in member.lots if lot.remaining > 0 or lot.id in held)
    return replace(member, lots=kept)


def _credit(member: Member, effect: Credited, at: dt.datetime) -> Member:
    if any(lot.id == effect.lot.id for lot in member.lots):
        return member
    return replace(member, lots=(*member.lots, effect.lot))


def _debit(member: Member, effect: Debited, at: dt.datetime) -> Member:
    left, shortfall = lots.subtract(member.lots, effect.takes)
    return _with_shortfall(replace(member, lots=left), effect.pool, shortfall)


def _with_shortfall(member: Member, pool: str, shortfall: int) -> Member:
    return with_deficit(member, pool, deficit_of(member, pool) + shortfall) if shortfall else member


def _lapse(member: Member, effect: Lapsed, at: dt.datetime) -> Member:
    left, missing = lots.subtract(member.lots, effect.takes)
    if missing:
        counted = Tallied(tallies.of_overlapse(effect.pool), at.toordinal(), missing)
        member = replace(member, tallies=tallies.add(member.tallies, counted))
    return replace(member, lots=left)


def _overdraw(member: Member, effect: Overdrawn, at: dt.datetime) -> Member:
    return with_deficit(member, effect.pool, deficit_of(member, effect.pool) + effect.amount)


def _restore(member: Member, effect: Restored, at: dt.datetime) -> Member:
    return replace(member, lots=lots.give_back(member.lots, effect.takes, at, effect.pool))


def _available_from(member: Member, effect: AvailableFrom, at: dt.datetime) -> Member:
    moved = tuple(
        replace(lot, available_at=effect.at) if lot.id in effect.lots else lot for lot in member.lots
    )
    return replace(member, lots=moved)


def _slide(member: Member, effect: Slid, at: dt.datetime) -> Member:
    moved = tuple(
        replace(lot, expires_at=effect.expires_at)
        if lot.slides and lot.expires_at is not None and at < lot.expires_at < effect.expires_at
        else lot
        for lot in member.lots
    )
    return replace(member, lots=moved)


def _hold(member: Member, effect: Held, at: dt.datetime) -> Member:
    left, shortfall = lots.subtract(member.lots, effect.hold.taken)
    held = replace(member, lots=left, holds=(*member.holds, effect.hold))
    return _with_shortfall(held, POINTS, shortfall)


def _settle(member: Member, effect: HoldSettled, at: dt.datetime) -> Member:
    hold = next((one for one in member.holds if one.id == effect.hold), None)
    if hold is None:
        return member
    kept = tuple(one for one in member.holds if one.id != hold.id)
    left = lots.give_back(member.lots, hold.taken, at) if effect.given_back else member.lots
    return replace(member, holds=kept, lots=left)


def _lease(member: Member, effect: escrow.Change, at: dt.datetime) -> Member:
    left = escrow.after(member.lots, member.leases, effect, at)
    return _with_shortfall(replace(member, lots=left.lots, leases=left.leases), left.pool, left.shortfall)


def _name(member: Member, effect: credentials.Change, at: dt.datetime) -> Member:
    return replace(member, credentials=credentials.after(member.credentials, effect))


def _tier(member: Member, effect: TierSet, at: dt.datetime) -> Member:
    held = FormerTier(member.tier, member.gained_on, member.tier_until)
    return replace(
        member,
        former_tiers=former_tiers.after(member.former_tiers, held, effect),
        tier=effect.tier,
        gained_on=effect.gained_on,
        tier_until=effect.valid_until,
        tier_locked_until=effect.locked_until,
    )


def _tally(member: Member, effect: Tallied, at: dt.datetime) -> Member:
    return replace(member, tallies=tallies.add(member.tallies, effect))


def _issue(member: Member, effect: CouponIssued, at: dt.datetime) -> Member:
    return replace(member, coupons=wallet.issue(member.coupons, effect.coupon, at))


def _move_coupon(member: Member, effect: CouponMoved, at: dt.datetime) -> Member:
    coupons, overused = wallet.move(member.coupons, effect)
    if overused:
        counted = Tallied(wallet.OVERUSE, at.toordinal(), 1)
        member = replace(member, tallies=tallies.add(member.tallies, counted))
    return replace(member, coupons=coupons)


def _grant(member: Member, effect: Granted, at: dt.datetime) -> Member:
    others = tuple(one for one in member.grants if one.id != effect.grant.id)
    return replace(member, grants=(*others, effect.grant))


def _ungrant(member: Member, effect: Ungranted, at: dt.datetime) -> Member:
    return replace(member, grants=tuple(one for one in member.grants if one.id != effect.grant))


def _status(member: Member, effect: StatusSet, at: dt.datetime) -> Member:
    if effect.status == "erased":
        member = replace(member, credentials=(), birthday=None, consents=(), tags={}, notes=())
    elif effect.status == "merged":
        member = replace(member, consents=())
    return replace(
        member, status=effect.status, status_at=effect.at, restore_until=effect.until, merged_into=effect.into
    )


def _merge(member: Member, effect: Merged | Unmerged, at: dt.datetime) -> Member:
    others = tuple(one for one in member.aliases if one != effect.member)
    aliases = (*others, effect.member) if isinstance(effect, Merged) else others
    leases = tuple(one for one in member.leases if one.alias != effect.member)
    return replace(member, aliases=aliases, leases=leases, **msgspec.structs.asdict(effect.now))


def _birthday(member: Member, effect: BirthdaySet, at: dt.datetime) -> Member:
    return replace(member, birthday=effect)


def _referred(member: Member, effect: Referred, at: dt.datetime) -> Member:
    return replace(member, referrer=member.referrer or effect.by)


def _referee(member: Member, effect: RefereeCounted, at: dt.datetime) -> Member:
    return replace(member, referees=referees.after(member.referees, effect))


def _consent(member: Member, effect: ConsentGiven, at: dt.datetime) -> Member:
    return replace(member, consents=consents.after(member.consents, effect.consent))


def _tag(member: Member, effect: Tagged, at: dt.datetime) -> Member:
    return replace(member, tags={**member.tags, effect.kind: effect.tags})


def _note(member: Member, effect: Noted, at: dt.datetime) -> Member:
    kept = tuple(one for one in member.notes if one.until > at)
    return replace(member, notes=(*kept, effect))


APPLY: dict[type[Effect], Callable[[Member, Any, dt.datetime], Member]] = {
    AvailableFrom: _available_from,
    BirthdaySet: _birthday,
    Blocked: _name,
    CardLimited: _name,
    ConsentGiven: _consent,
    CouponIssued: _issue,
    CouponMoved: _move_coupon,
    Credited: _credit,
    Debited: _debit,
    Granted: _grant,
    Held: _hold,
    HoldSettled: _settle,
    Lapsed: _lapse,
    LeaseClosed: _lease,
    LeaseDrawn: _lease,
    LeaseRecalled: _lease,
    Leased: _lease,
    Linked: _name,
    Merged: _merge,
    Noted: _note,
    Overdrawn: _overdraw,
    RefereeCounted: _referee,
    Referred: _referred,
    Restored: _restore,
    Slid: _slide,
    StatusSet: _status,
    Tagged: _tag,
    Tallied: _tally,
    TierSet: _tier,
    Ungranted: _ungrant,
    Unlinked: _name,
    Unmerged: _merge,
}
