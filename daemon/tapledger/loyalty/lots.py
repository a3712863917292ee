"""Lots: in which order points are spent, when they lapse, and how credits repay a deficit."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

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
    lots: tuple[Lot, ...], taken: Iterable[LotTake], now: dt.datetime, pool: str = POINTS
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


def last_day(mode: str, count: int, earned_on: dt.date) -> dt.date | None:
    """Return the last local day on which points earned on ``earned_on`` are worth something."""
    match mode:
        case "never":
            return None
        case "days":
            return earned_on + dt.timedelta(days=count)
        case "months":
            return add_months(earned_on, count)
        case "end_of_month":
            month = add_months(earned_on.replace(day=1), count)
            return month.replace(day=calendar.monthrange(month.year, month.month)[1])
        case "end_of_year":
            return dt.date(earned_on.year + count, 12, 31)
        case _:
            raise ValueError(f"unknown expiry mode {mode!r}")


def expires_at(mode: str, count: int, earned_at: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    """Return the first instant after the last valid local day, in UTC; None when points never lapse."""
    day = last_day(mode, count, earned_at.astimezone(zone).date())
    return None if day is None else first_instant(day + dt.timedelta(days=1), zone)


def first_instant(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the first instant of a local day in UTC.

    Where clocks skip midnight, zoneinfo reads 00:00 with the offset before the gap, which is the instant at
    which the gap ends; where midnight comes twice, it is the first of the two.
    """
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day of a later month, or that month's last day when it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
