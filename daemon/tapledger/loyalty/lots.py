"""Lots: in which order points are spent, and how credits repay a deficit. When they lapse is in ``days``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from tapledger.loyalty.effects import POINTS, Lot, LotTake

_FAR = dt.datetime.max.replace(tzinfo=dt.UTC)

replace = msgspec.structs.replace


def is_available(lot: Lot, now: dt.datetime, pool: str = POINTS) -> bool:
    return (
        lot.remaining > 0
        and lot.pool == pool
        and lot.available_at <= now
        and (lot.expires_at is None or now < lot.expires_at)
    )


def available(lots: Iterable[Lot], now: dt.datetime, pool: str = POINTS) -> int:
    return sum(lot.remaining for lot in lots if is_available(lot, now, pool))


def spending_order(lots: Iterable[Lot]) -> list[Lot]:
    """Return the lots as they are spent: earliest expiry first, never-expiring last."""
    return sorted(lots, key=lambda lot: (lot.expires_at or _FAR, lot.available_at, lot.id))


def take(lots: Iterable[Lot], amount: int, now: dt.datetime, pool: str = POINTS) -> tuple[LotTake, ...]:
    """Name the lots that pay an amount; less than asked when there is not enough."""
    return take_from(spending_order(lot for lot in lots if is_available(lot, now, pool)), amount)


def take_from(ordered: Iterable[Lot], amount: int) -> tuple[LotTake, ...]:
    """Name what the lots pay, in the order given; less than asked when there is not enough."""
    taken = []
    for lot in ordered:
        if amount == 0:
            break
        part = min(amount, lot.remaining)
        if part:
            taken.append(LotTake(lot.id, part, lot.expires_at))
            amount -= part
    return tuple(taken)


def taken_amount(takes: Iterable[LotTake]) -> int:
    return sum(take.amount for take in takes)


def everything(lots: Iterable[Lot], pool: str) -> tuple[LotTake, ...]:
    """Name all that the lots of a pool hold, whether it is worth something now or not."""
    return tuple(
        LotTake(lot.id, lot.remaining, lot.expires_at) for lot in lots if lot.pool == pool and lot.remaining
    )


def subtract(lots: tuple[Lot, ...], taken: Iterable[LotTake]) -> tuple[tuple[Lot, ...], int]:
    """Take the named amounts off; return the lots left and what they could not pay.

    A lot may be missing or already used up here when another node spent it first: the shortfall becomes the
    member's deficit (loyalty.md section 3.6), never a lost event.
    """
    wanted = _by_lot(taken)
    left = []
    for lot in lots:
        part = min(lot.remaining, wanted.get(lot.id, 0))
        if part:
            wanted[lot.id] -= part
            lot = replace(lot, remaining=lot.remaining - part)
        left.append(lot)
    return tuple(left), sum(wanted.values())


def give_back(
    lots: tuple[Lot, ...], taken: Sequence[LotTake], now: dt.datetime, pool: str = POINTS
) -> tuple[Lot, ...]:
    """Return taken amounts to their lots, which keep their own expiry.

    A lot that is kept no more comes back with the expiry that the take remembers. One of the first release
    remembers none: its points never lapse; what the shop cannot know costs the shop, not the member.
    """
    back = _by_lot(taken)
    ends = {take.lot: take.expires_at for take in taken}
    kept = tuple(
        replace(lot, remaining=lot.remaining + back.pop(lot.id)) if lot.id in back else lot for lot in lots
    )
    return (*kept, *(Lot(id_, amount, amount, now, ends[id_], pool) for id_, amount in back.items()))


def _by_lot(takes: Iterable[LotTake]) -> dict[str, int]:
    amounts: dict[str, int] = {}
    for one in takes:
        amounts[one.lot] = amounts.get(one.lot, 0) + one.amount
    return amounts


def repay(
    lots: tuple[Lot, ...], deficit: int, now: dt.datetime, pool: str = POINTS
) -> tuple[tuple[Lot, ...], int]:
    """Let what is available pay off a deficit, earliest expiry first; return what is left of both."""
    paid = _by_lot(take(lots, deficit, now, pool))
    if not paid:
        return lots, deficit
    left = tuple(replace(lot, remaining=lot.remaining - paid.get(lot.id, 0)) for lot in lots)
    return left, deficit - sum(paid.values())
