"""The till's business day, and the baskets that wait, as its screen shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from tapledger import texts
from tapledger.membership.parking import Parked
from tapledger.membership.shift_words import Row, ShiftWords
from tapledger.membership.shifts import Report, Shift
from tapledger.membership.shop import Shop
from tapledger.web.shift_snapshots import ParkedView, ReportRow, ReportSection, ReportView, ShiftView


def parked(shop: Shop, waiting: Iterable[Parked], language: str) -> list[ParkedView]:
    return [
        ParkedView(
            number=number,
            at=clock(shop, one.at),
            staff=one.staff,
            member=one.member,
            articles=sum(entry.quantity for entry in one.basket.entries),
            due=texts.money(language, one.due_minor, shop.program.currency),
        )
        for number, one in enumerate(waiting, 1)
    ]


def clock(shop: Shop, at: dt.datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(shop.program.zone()):%H:%M}"


def shift(shop: Shop, now: Shift, report: Report | None, language: str, *, blind: bool) -> ShiftView:
    """Show the day. ``blind``: whoever will count the drawer must not read what should be in it."""
    return ShiftView(
        number=now.number,
        opened=None if now.opened_at is None else clock(shop, now.opened_at),
        float=texts.money(language, now.float_minor, shop.program.currency),
        report=None if report is None else report_view(shop, report, language, blind=blind),
    )


def report_view(shop: Shop, report: Report, language: str, *, blind: bool) -> ReportView:
    final = report.shift.upto is not None
    difference, words = report.difference_minor, ShiftWords(shop, report, language)
    return ReportView(
        number=report.shift.number,
        is_final=final,
        staff=report.shift.closed_by or report.shift.opened_by,
        since=clock(shop, report.shift.opened_at or report.since),
        until=clock(shop, report.at),
        sections=[
            _section(texts.say(language, "shift.sales"), _sales(words)),
            _section(texts.say(language, "shift.tenders"), words.tenders(blind=blind and not final)),
            _section(texts.say(language, "shift.discounts"), words.discounts()),
            _section(texts.say(language, "shift.points"), words.points()),
            _section(texts.say(language, "shift.value"), words.value()),
            _section(texts.say(language, "shift.drawer"), _drawer(words) if final else []),
        ],
        difference=None if difference is None else words.money(difference),
        differs=bool(difference),
        pending=list(report.pending),
        unsynced=report.unsynced,
    )


def _section(title: str, rows: list[Row]) -> ReportSection:
    return ReportSection(title, [ReportRow(name, amount) for name, amount in rows])


def _sales(words: ShiftWords) -> list[Row]:
    figures, language = words.report.figures, words.language
    refunded = texts.say(language, "shift.refunded", returns=figures.returns, voids=figures.voids)
    return [
        (texts.say(language, "shift.sold", count=figures.sales), words.money(figures.sold_minor)),
        (refunded, words.money(-figures.refunded_minor)),
    ]


def _drawer(words: ShiftWords) -> list[Row]:
    report, language = words.report, words.language
    counted, difference = report.shift.counted_minor, report.difference_minor
    if counted is None or difference is None:
        return []
    return [
        (texts.say(language, "shift.float"), words.money(report.shift.float_minor)),
        (texts.say(language, "shift.expected"), words.money(report.expected_minor)),
        (texts.say(language, "shift.counted"), words.money(counted)),
        (texts.say(language, "shift.difference"), words.money(difference)),
    ]
