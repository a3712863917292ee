"""The slip of an X or Z report."""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger import texts
from tapledger.devices.receipts.fields import Amount, Shift
from tapledger.loyalty.program import name_in
from tapledger.membership.shifts import Report
from tapledger.membership.shop import Shop
from tapledger.membership.slips import Slip


def shift_slip(shop: Shop, report: Report, till: str, language: str) -> Slip:
    """Return the slip of a day as it was read; a closed one says the same for ever."""
    program, figures, day = shop.program, report.figures, report.shift
    named = {one.id: name_in(one.name, language) for one in (*program.promotions, *program.coupons)}

    def money(minor: int) -> str:
        return texts.money(language, minor, program.currency)

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
        sold=money(figures.sold_minor),
        returns=str(figures.returns),
        returned=money(figures.refunded_minor),
        voids=str(figures.voids),
        tenders=tuple(
            Amount(texts.say(language, f"tender.{kind}"), money(amount))
            for kind, amount in figures.tenders.items()
        ),
        coupons=tuple(Amount(named.get(id_) or id_, money(-off)) for id_, off in figures.discounts.items()),
        points=(
            Amount(texts.say(language, "shift.points_issued"), str(figures.points_issued)),
            Amount(texts.say(language, "shift.points_redeemed"), str(figures.points_redeemed)),
            Amount(texts.say(language, "shift.points_expired"), str(figures.points_expired)),
            Amount(texts.say(language, "shift.points_taken_back"), str(figures.points_taken_back)),
        ),
        value=(
            Amount(texts.say(language, "shift.value_in"), money(figures.value_in_minor)),
            Amount(texts.say(language, "shift.value_out"), money(figures.value_out_minor)),
            Amount(texts.say(language, "shift.value_owed"), money(figures.value_owed_minor)),
        ),
        expected="" if counted is None else money(report.expected_minor),
        counted="" if counted is None else money(counted),
        difference="" if difference is None else money(difference),
        pending=report.pending,
        unsynced=str(report.unsynced) if report.unsynced else "",
    )
    return Slip(kind="shift", language=language, report=msgspec.msgpack.encode(said))
