"""The till's business day in words: the same figures on the screen and, by ``devices``, on paper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from tapledger import texts
from tapledger.loyalty.program import name_in
from tapledger.loyalty.sales.shifts import CASH
from tapledger.membership.parking import Parked
from tapledger.membership.shifts import Report, Shift
from tapledger.membership.shop import Shop
from tapledger.web.shift_snapshots import ParkedView, ReportRow, ReportSection, ReportView, ShiftView

Money = Callable[[int], str]


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
    difference = report.difference_minor

    def money(minor: int) -> str:
        return texts.money(language, minor, shop.program.currency)

    return ReportView(
        number=report.shift.number,
        is_final=final,
        staff=report.shift.closed_by or report.shift.opened_by,
        since=clock(shop, report.shift.opened_at or report.since),
        until=clock(shop, report.at),
        sections=[
            _section(language, "sales", _sales(report, language, money)),
            _section(language, "tenders", tenders(report, language, money, blind=blind and not final)),
            _section(language, "discounts", discounts(shop, report, language, money)),
            _section(language, "points", points(report, language)),
            _section(language, "value", value(report, language, money)),
            _section(language, "drawer", _drawer(report, language, money) if final else []),
        ],
        difference=None if difference is None else money(difference),
        differs=bool(difference),
        pending=list(report.pending),
        unsynced=report.unsynced,
    )


def _section(language: str, key: str, rows: list[ReportRow]) -> ReportSection:
    titles = {
        "sales": texts.say(language, "shift.sales"),
        "tenders": texts.say(language, "shift.tenders"),
        "discounts": texts.say(language, "shift.discounts"),
        "points": texts.say(language, "shift.points"),
        "value": texts.say(language, "shift.value"),
        "drawer": texts.say(language, "shift.drawer"),
    }
    return ReportSection(titles[key], rows)


def _sales(report: Report, language: str, money: Money) -> list[ReportRow]:
    figures = report.figures
    return [
        ReportRow(texts.say(language, "shift.sold", count=figures.sales), money(figures.sold_minor)),
        ReportRow(
            texts.say(language, "shift.refunded", returns=figures.returns, voids=figures.voids),
            money(-figures.refunded_minor),
        ),
    ]


def tenders(report: Report, language: str, money: Money, *, blind: bool) -> list[ReportRow]:
    return [
        ReportRow(texts.say(language, f"tender.{kind}"), money(amount))
        for kind, amount in report.figures.tenders.items()
        if not (blind and kind == CASH)
    ]


def discounts(shop: Shop, report: Report, language: str, money: Money) -> list[ReportRow]:
    named = {one.id: name_in(one.name, language) for one in (*shop.program.promotions, *shop.program.coupons)}
    return [ReportRow(named.get(id_) or id_, money(-off)) for id_, off in report.figures.discounts.items()]


def points(report: Report, language: str) -> list[ReportRow]:
    figures = report.figures
    rows = (
        (texts.say(language, "shift.points_issued"), figures.points_issued),
        (texts.say(language, "shift.points_redeemed"), -figures.points_redeemed),
        (texts.say(language, "shift.points_expired"), -figures.points_expired),
        (texts.say(language, "shift.points_taken_back"), -figures.points_taken_back),
        (texts.say(language, "shift.points_owed"), figures.points_owed),
    )
    return [ReportRow(name, f"{count:+,}") for name, count in rows if count]


def value(report: Report, language: str, money: Money) -> list[ReportRow]:
    figures = report.figures
    rows = (
        (texts.say(language, "shift.value_in"), figures.value_in_minor),
        (texts.say(language, "shift.value_out"), -figures.value_out_minor),
        (texts.say(language, "shift.value_owed"), figures.value_owed_minor),
    )
    return [ReportRow(name, money(amount)) for name, amount in rows if figures.value_in_minor or amount]


def _drawer(report: Report, language: str, money: Money) -> list[ReportRow]:
    counted, difference = report.shift.counted_minor, report.difference_minor
    if counted is None or difference is None:
        return []
    return [
        ReportRow(texts.say(language, "shift.float"), money(report.shift.float_minor)),
        ReportRow(texts.say(language, "shift.expected"), money(report.expected_minor)),
        ReportRow(texts.say(language, "shift.counted"), money(counted)),
        ReportRow(texts.say(language, "shift.difference"), money(difference)),
    ]
