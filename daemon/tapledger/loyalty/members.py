"""What a member has, as a fold over their events: the same function in every shop and at central."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from tapledger.loyalty import lots
from tapledger.loyalty.ledger import Credential, EventBody, Hold, Lot


@dataclass(frozen=True, slots=True)
class Member:
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
    qualifying_minor: int = 0
    """Lifetime spend that counts for the tier; redeeming never changes it."""
    redeemed: tuple[tuple[dt.datetime, int], ...] = ()
    """Recent redemptions (instant, points), for the daily limit of weak credentials."""


@dataclass(frozen=True, slots=True)
class Points:
    available: int
    pending: int
    held: int
    deficit: int
    next_expiry: tuple[int, dt.datetime] | None
    """Points of the lots that lapse first, and the first instant at which they are worth nothing."""


REDEMPTIONS_KEPT = dt.timedelta(hours=48)
"""Longer than any local day: the daily limit must see all of it, however small the redemptions are."""


def points(member: Member, now: dt.datetime) -> Points:
    """Count a member's points at an instant; right even if no expiry job ever ran."""
    live = [lot for lot in member.lots if lots.is_available(lot, now)]
    available = sum(lot.remaining for lot in live)
    ends = min((lot.expires_at for lot in live if lot.expires_at is not None), default=None)
    expiring = sum(lot.remaining for lot in live if lot.expires_at == ends)
    return Points(
        available=0 if member.deficit else available,
        pending=sum(lot.remaining for lot in member.lots if lots.is_pending(lot, now)),
        held=sum(hold.points for hold in member.holds),
        deficit=member.deficit,
        next_expiry=None if ends is None or member.deficit else (expiring, ends),
    )


def fold(member: Member | None, body: EventBody) -> Member:
    """Return the member after one event. Total: a recorded fact is never refused, whatever came before it."""
    if body.member is None:
        raise ValueError(f"a {body.kind} without a member changes none")
    after = member or Member(id=body.member, joined_at=body.at)
    new_credentials = tuple(c for c in body.credentials if c not in after.credentials)
    left, shortfall = lots.subtract(after.lots, body.lots_taken)
    added = tuple(lot for lot in body.lots_added if all(lot.id != known.id for known in left))
    repaid, deficit = lots.repay(left + added, after.deficit + shortfall, body.at)
    after = replace(
        after,
        joined_at=min(after.joined_at, body.at) if body.kind == "join" else after.joined_at,
        lots=tuple(lot for lot in repaid if lot.remaining > 0 or _is_held(lot, after.holds, body.hold)),
        deficit=deficit,
        credentials=after.credentials + new_credentials,
        qualifying_minor=after.qualifying_minor + body.qualifying_minor,
        tier=after.tier if body.tier is None else body.tier,
    )
    if body.hold is not None:
        now = body.hold.at
        recent = tuple(one for one in after.redeemed if now - one[0] < REDEMPTIONS_KEPT)
        redeemed = (*recent, (now, body.hold.points))
        after = replace(after, holds=(*after.holds, body.hold), redeemed=redeemed)
    if body.hold_id is not None:
        after = _settle(after, body)
    return after


def _is_held(lot: Lot, holds: tuple[Hold, ...], new: Hold | None) -> bool:
    """A lot used up by a hold is kept, so that releasing the hold can give its points back."""
    every = holds if new is None else (*holds, new)
    return any(take.lot == lot.id for hold in every for take in hold.taken)


def _settle(member: Member, body: EventBody) -> Member:
    hold = next((one for one in member.holds if one.id == body.hold_id), None)
    if hold is None:
        return member
    kept = tuple(one for one in member.holds if one.id != hold.id)
    if body.kind == "release":
        restored = lots.give_back(member.lots, hold.taken, body.at)
        repaid, deficit = lots.repay(restored, member.deficit, body.at)
        undone = list(member.redeemed)
        if (hold.at, hold.points) in undone:
            undone.remove((hold.at, hold.points))
        member = replace(member, lots=repaid, deficit=deficit, redeemed=tuple(undone))
    spent = tuple(lot for lot in member.lots if lot.remaining > 0 or _is_held(lot, kept, None))
    return replace(member, holds=kept, lots=spent)
