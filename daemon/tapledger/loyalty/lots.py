"""Lots: in which order points are spent, when they lapse, and how credits repay a deficit."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from zoneinfo import ZoneInfo

from tapledger.loyalty.ledger import Lot, LotTake

_FAR = dt.datetime.max.replace(tzinfo=dt.UTC)


def is_available(lot: Lot, now: dt.datetime) -> bool:
    return lot.remaining > 0 and lot.available_at <= now and (lot.expires_at is None or now < lot.expires_at)


def is_pending(lot: Lot, now: dt.datetime) -> bool:
    return lot.remaining > 0 and now < lot.available_at


def spending_order(lots: Iterable[Lot]) -> list[Lot]:
    """Return the lots as they are spent: earliest expiry first, never-expiring last."""
    return sorted(lots, key=lambda lot: (lot.expires_at or _FAR, lot.available_at, lot.id))


def take(lots: Iterable[Lot], points: int, now: dt.datetime) -> tuple[LotTake, ...]:
    """Name the lots that pay ``points``; fewer points than asked when there are not enough."""
    taken = []
    for lot in spending_order(lot for lot in lots if is_available(lot, now)):
        if points == 0:
            break
        part = min(points, lot.remaining)
        taken.append(LotTake(lot.id, part))
        points -= part
    return tuple(taken)


def subtract(lots: tuple[Lot, ...], taken: Iterable[LotTake]) -> tuple[tuple[Lot, ...], int]:
    """Take the named points off; return the lots left and what they could not pay.

    A lot may be missing or already used up here when another node spent it first: the shortfall becomes the
    member's deficit (loyalty.md section 3.6), never a lost event.
    """
    wanted: dict[str, int] = {}
    for one in taken:
        wanted[one.lot] = wanted.get(one.lot, 0) + one.points
    left = []
    for lot in lots:
        part = min(lot.remaining, wanted.get(lot.id, 0))
        if part:
            wanted[lot.id] -= part
            lot = replace(lot, remaining=lot.remaining - part)
        left.append(lot)
    return tuple(left), sum(wanted.values())


def give_back(lots: tuple[Lot, ...], taken: Iterable[LotTake], now: dt.datetime) -> tuple[Lot, ...]:
    """Return taken points to their lots, which keep their own expiry.

    A lot that another node has used up since is gone with its expiry: its points come back as such that never
    lapse, so that what the shop cannot know costs the shop and not the member.
    """
    back: dict[str, int] = {}
    for one in taken:
        back[one.lot] = back.get(one.lot, 0) + one.points
    kept = tuple(replace(lot, remaining=lot.remaining + back.pop(lot.id, 0)) for lot in lots)
    return (*kept, *(Lot(id_, points, points, now, None) for id_, points in back.items()))


def repay(lots: tuple[Lot, ...], deficit: int, now: dt.datetime) -> tuple[tuple[Lot, ...], int]:
    """Let lots that have not lapsed pay off a deficit, earliest expiry first; return what is left of both."""
    if not deficit:
        return lots, 0
    paid: dict[str, int] = {}
    for lot in spending_order(lot for lot in lots if lot.expires_at is None or now < lot.expires_at):
        part = min(deficit, lot.remaining)
        paid[lot.id] = part
        deficit -= part
    return tuple(replace(lot, remaining=lot.remaining - paid.get(lot.id, 0)) for lot in lots), deficit


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
