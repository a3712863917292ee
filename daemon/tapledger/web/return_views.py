"""The till's snapshot of goods that come back."""

from __future__ import annotations

import datetime as dt

from tapledger import texts
from tapledger.loyalty.facts import SaleLine
from tapledger.loyalty.life.sensitivity import is_sensitive
from tapledger.membership.shop import Shop
from tapledger.web import problems
from tapledger.web.checkout_snapshots import Paid, ReceiptRow, Return, ReturnLine, ReturnSale
from tapledger.web.checkout_views import money_of
from tapledger.web.return_desk import Opened, ReturnDesk


def returning(shop: Shop, desk: ReturnDesk, language: str) -> Return | None:
    """Show what is open at the desk; None when nothing is."""
    if not desk.is_open:
        return None
    if desk.opened is not None:
        return Return([], _sale(shop, desk.opened, language))
    rows = []
    for number, one in enumerate(desk.recent, 1):
        sale = one.event.body.sale
        assert sale is not None
        total = texts.money(language, sale.total_minor, sale.currency)
        rows.append(ReceiptRow(number, one.receipt, _at(shop, one.event.body.at), total))
    return Return(rows)


def _at(shop: Shop, at: dt.datetime) -> str:
    zone = shop.program.zone()
    local, today = at.astimezone(zone), shop.clock.now().astimezone(zone).date()
    return f"{local:%H:%M}" if local.date() == today else local.date().isoformat()


def _sale(shop: Shop, here: Opened, language: str) -> ReturnSale:
    sold, body = here.sales.sold, here.preview
    back = None if body is None else body.returned
    money = money_of(shop, language)
    tenders = () if back is None else back.tenders
    return ReturnSale(
        receipt=here.receipt,
        at=_at(shop, sold.at),
        total=money(sold.facts.total_minor),
        lines=[_line(shop, here, i, line, language) for i, line in enumerate(sold.facts.lines)],
        void=here.void,
        can_void=here.can_void,
        reason=here.reason,
        shop_fault=here.shop_fault,
        refund=None if back is None else money(back.refund_minor),
        refund_minor=None if back is None else back.refund_minor,
        tenders=[Paid(texts.say(language, f"tender.{one.kind}"), money(one.amount_minor)) for one in tenders],
        points_taken=0 if back is None else back.clawed,
        points_given=0 if back is None else back.restored,
        problem=None if here.problem is None else problems.problem(language, here.problem),
    )


def _line(shop: Shop, here: Opened, i: int, line: SaleLine, language: str) -> ReturnLine:
    hidden = here.sales.sold.member is not None and is_sensitive(line, shop.program)
    taken = here.left[i] if here.void else here.taken.get(i, 0)
    return ReturnLine(
        number=i + 1,
        name=texts.say(language, "receipt.article") if hidden else line.name,
        sold=texts.quantity(line.quantity_milli),
        left=texts.quantity(here.left[i]),
        chosen=texts.quantity(taken),
        total=money_of(shop, language)(line.net_minor),
    )
