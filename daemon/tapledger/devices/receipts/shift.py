"""The slip of an X or Z report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from tapledger.devices.receipts.fields import Amount, Shift
from tapledger.membership.shift_words import Row, ShiftWords
from tapledger.membership.shifts import Report
from tapledger.membership.shop import Shop
from tapledger.membership.slips import Slip


def shift_slip(shop: Shop, report: Report, till: str, language: str) -> Slip:
    """Return the slip of a day as it was read; a closed one says the same for ever."""
    program, figures, day = shop.program, report.figures, report.shift
    words = ShiftWords(shop, report, language)

    def when(at: dt.datetime | None) -> str:
        return "" if at is None else f"{at.astimezone(program.zone()):%Y-%m-%d %H:%M}"

    counted, difference = day.counted_minor, report.difference_minor
    said = Shift(
        shop=shop.name,
        when=when(report.at),
        is_final=day.upto is not None,
        number=str(day.number),
        till=till,
        staff=day.closed_by or day.opened_by,
        since=when(day.opened_at or report.since),
        until=when(report.at),
        sales=str(figures.sales),
        sold=words.money(figures.sold_minor),
        returns=str(figures.returns),
        returned=words.money(figures.refunded_minor),
        voids=str(figures.voids),
        tenders=_amounts(words.tenders()),
        coupons=_amounts(words.discounts()),
        points=_amounts(words.points()),
        value=_amounts(words.value()),
        expected="" if counted is None else words.money(report.expected_minor),
        counted="" if counted is None else words.money(counted),
        difference="" if difference is None else words.money(difference),
        pending=report.pending,
        unsynced=str(report.unsynced) if report.unsynced else "",
    )
    return Slip(kind="shift", language=language, report=msgspec.msgpack.encode(said))


def _amounts(rows: Iterable[Row]) -> tuple[Amount, ...]:
    return tuple(Amount(name, amount) for name, amount in rows)
