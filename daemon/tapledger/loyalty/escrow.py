"""What a lease does to a member's lots: a slice leaves them, and what was not spent of it comes back.

Escrow is what makes spending without central safe: free lots, leases and what was spent always add up to
what was earned, whoever cannot hear whom (docs/sync-protocol.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from tapledger.loyalty import lots
from tapledger.loyalty.effects import (
    POINTS,
    Lease,
    LeaseClosed,
    Leased,
    LeaseDrawn,
    LeaseRecalled,
    Lot,
    LotTake,
)

Change = Leased | LeaseDrawn | LeaseRecalled | LeaseClosed

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class After:
    lots: tuple[Lot, ...]
    leases: tuple[Lease, ...]
    pool: str = POINTS
    shortfall: int = 0
    """What the lots of the pool could not pay."""


def find(leases: Iterable[Lease], id_: str) -> Lease | None:
    return next((one for one in leases if one.id == id_), None)


def after(free: tuple[Lot, ...], leases: tuple[Lease, ...], change: Change, at: dt.datetime) -> After:
    """Return free lots and leases after one change. Total: what is not known, or used up, changes nothing."""
    if isinstance(change, Leased):
        if find(leases, change.lease.id) is not None:
            return After(free, leases)
        left, shortfall = lots.subtract(free, change.lease.taken)
        return After(left, (*leases, change.lease), change.lease.pool, shortfall)
    lease = find(leases, change.lease)
    if lease is None:
        return After(free, leases)
    if isinstance(change, LeaseRecalled):
        return After(free, _with(leases, replace(lease, recalled=True)))
    if isinstance(change, LeaseClosed):
        return After(lots.give_back(free, lease.taken, at, lease.pool), _without(leases, lease))
    kept, drawn = _draw(lease.taken, change.takes)
    rest = _with(leases, replace(lease, taken=kept)) if kept else _without(leases, lease)
    return After(lots.give_back(free, drawn, at, lease.pool), rest)


def _draw(
    taken: Sequence[LotTake], wanted: Iterable[LotTake]
) -> tuple[tuple[LotTake, ...], tuple[LotTake, ...]]:
    """Return what is kept of a lease and what is drawn: of no lot more than the lease has."""
    asked: dict[str, int] = {}
    for one in wanted:
        asked[one.lot] = asked.get(one.lot, 0) + one.amount
    kept, drawn = [], []
    for take in taken:
        part = min(take.amount, asked.get(take.lot, 0))
        if part:
            asked[take.lot] -= part
            drawn.append(replace(take, amount=part))
        if take.amount > part:
            kept.append(replace(take, amount=take.amount - part))
    return tuple(kept), tuple(drawn)


def _with(leases: tuple[Lease, ...], changed: Lease) -> tuple[Lease, ...]:
    return tuple(changed if one.id == changed.id else one for one in leases)


def _without(leases: tuple[Lease, ...], gone: Lease) -> tuple[Lease, ...]:
    return tuple(one for one in leases if one.id != gone.id)


def usable(lease: Lease, free: Iterable[Lot], now: dt.datetime) -> tuple[LotTake, ...]:
    """Return what of a lease is worth something now: lots lapse in a lease as they do outside of it."""
    ends = {lot.id: lot.expires_at for lot in free}
    return tuple(
        take for take in lease.taken if (end := ends.get(take.lot, take.expires_at)) is None or now < end
    )


def worth(leases: Iterable[Lease], free: tuple[Lot, ...], now: dt.datetime, pool: str = POINTS) -> int:
    """Return what leases of a pool are worth now."""
    return sum(lots.taken_amount(usable(lease, free, now)) for lease in leases if lease.pool == pool)


def everything(leases: Iterable[Lease], pool: str) -> int:
    """Return what leases of a pool hold, whether it is worth something now or not."""
    return sum(lots.taken_amount(lease.taken) for lease in leases if lease.pool == pool)
