"""Draws slips from the ledger: what is on paper is what the event says."""

from __future__ import annotations

import collections
import datetime as dt

from tapledger import texts
from tapledger.loyalty.effects import BONUS, PRINCIPAL, Held
from tapledger.loyalty.facts import TENDER_KINDS, ReturnFacts, SaleLine, Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life.sensitivity import is_sensitive
from tapledger.loyalty.program import name_in
from tapledger.loyalty.sales import refunding
from tapledger.loyalty.sales.refunding import ROUNDING
from tapledger.membership import explaining
from tapledger.membership.shop import Shop
from tapledger.membership.slips import Slip
from tapledger.wire.codec import decode_event
from tapledger_drivers.ports import Align, PaperItem, PrintJob, QrCode, Row, Rule, Text


def lay_out(job: str, slip: Slip, shop: Shop) -> PrintJob:
    """Return the print job of a slip in its language."""
    items: list[PaperItem] = [Text(shop.name, align=Align.CENTER, bold=True, large=True)]
    if slip.kind == "test":
        items += [Text(texts.say(slip.language, "receipt.test"), align=Align.CENTER)]
    else:
        body = decode_event(slip.event).body
        items += [Text(_when(slip, body, shop), align=Align.CENTER), Rule()]
        items += _of(slip, body, shop)
        items += [*_member(slip, shop), Rule(), *_proof(slip)]
    return PrintJob(job, tuple(items))


def _of(slip: Slip, body: EventBody, shop: Shop) -> list[PaperItem]:
    match slip.kind:
        case "sale":
            return _sale(slip, body, shop)
        case "return" | "void" | "giveback":
            return _returned(slip, body, shop)
        case "draw":
            return _draw(slip, body, shop)
        case "topup":
            return _value(slip, body, shop)
        case _:
            return _voucher(slip, body, shop)


def _when(slip: Slip, body: EventBody, shop: Shop) -> str:
    local = body.at.astimezone(shop.program.zone())
    return f"{local:%Y-%m-%d %H:%M}"


def _sale(slip: Slip, body: EventBody, shop: Shop) -> list[PaperItem]:
    sale, language = body.sale, slip.language
    assert sale is not None
    items: list[PaperItem] = []
    for line in sale.lines:
        hidden = body.member is not None and is_sensitive(line, shop.program)
        name = texts.say(language, "receipt.article") if hidden else line.name
        items += _line(name, line, sale.currency, language)
    items += [Text(explaining.sentence(one.reason, shop.program, language)) for one in sale.discounts]
    total = texts.money(language, sale.total_minor, sale.currency)
    items += [Rule(), Row(texts.say(language, "receipt.total"), total, bold=True)]
    items += _money(sale.tenders, sale.currency, language)
    if sale.change_minor:
        change = texts.money(language, sale.change_minor, sale.currency)
        items.append(Row(texts.say(language, "receipt.change"), change))
    if sale.tax_minor:
        tax = texts.money(language, sale.tax_minor, sale.currency)
        items.append(Row(texts.say(language, "receipt.tax"), tax))
    if body.member is not None:
        items.append(Row(texts.say(language, "receipt.earned"), f"+{sale.earned}"))
        items += [Text(explaining.sentence(why, shop.program, language)) for why in body.reasons]
    return items


def _line(name: str, line: SaleLine, currency: str, language: str) -> list[PaperItem]:
    amount = texts.money(language, line.net_minor, currency)
    if line.quantity_milli == 1000:
        return [Row(name, amount)]
    unit = texts.money(language, line.unit_minor, currency)
    return [Text(name), Row(f"  {texts.quantity(line.quantity_milli)} × {unit}", amount)]


def _money(tenders: tuple[Tender, ...], currency: str, language: str) -> list[PaperItem]:
    return [
        Row(
            texts.say(language, f"tender.{tender.kind}"),
            texts.money(language, tender.amount_minor, currency),
        )
        for tender in tenders
    ]


def _title(slip: Slip) -> str:
    match slip.kind:
        case "void":
            return texts.say(slip.language, "receipt.void")
        case "giveback":
            return texts.say(slip.language, "receipt.giveback")
        case _:
            return texts.say(slip.language, "receipt.return")


def _returned(slip: Slip, body: EventBody, shop: Shop) -> list[PaperItem]:
    """Print what came back and how it is paid; stored value comes before other payments, and it says so."""
    back, language = body.returned, slip.language
    assert back is not None
    items: list[PaperItem] = [Text(_title(slip), align=Align.CENTER, bold=True)]
    for line in back.lines:
        name = line.name or texts.say(language, "receipt.article")
        amount = texts.money(language, line.refund_minor, back.currency)
        items.append(Row(f"{name} × {texts.quantity(line.quantity_milli)}", amount))
    total = texts.money(language, back.refund_minor, back.currency)
    items += [Rule(), Row(texts.say(language, "receipt.refund"), total, bold=True)]
    if back.carried_minor:
        carried = texts.money(language, back.carried_minor, back.currency)
        items.append(Row(texts.say(language, "receipt.carried"), carried))
    items += _money(_paid_out(back, body), back.currency, language)
    by_rule = shop.program.returns.tenders == "bonus_first" and not back.shop_fault
    if by_rule and any(tender.kind in (PRINCIPAL, BONUS) for tender in back.tenders):
        items.append(Text(texts.say(language, "receipt.order")))
    items += [Text(explaining.sentence(why, shop.program, language)) for why in body.reasons[1:]]
    return items


def _paid_out(back: ReturnFacts, body: EventBody) -> tuple[Tender, ...]:
    """Return what was paid out, as posted: of an exchange only what does not go on into the new sale."""
    posted = collections.Counter[str]()
    for line in body.lines:
        posted[line.account] -= line.amount
    kept = [one for one in back.tenders if one.kind in (PRINCIPAL, BONUS)]
    outside = [Tender(kind, posted[refunding.account(kind, None)]) for kind in (*TENDER_KINDS, ROUNDING)]
    return (*kept, *(one for one in outside if one.amount_minor))


def _voucher(slip: Slip, body: EventBody, shop: Shop) -> list[PaperItem]:
    language = slip.language
    hold = next(effect.hold for effect in body.effects if isinstance(effect, Held))
    last_instant = hold.until - dt.timedelta(microseconds=1)
    last_day = last_instant.astimezone(shop.program.zone()).date()
    return [
        Text(texts.say(language, "receipt.voucher"), align=Align.CENTER, bold=True),
        Text(hold.title, align=Align.CENTER, large=True),
        Text(slip.voucher, align=Align.CENTER, bold=True),
        QrCode(slip.voucher),
        Row(texts.say(language, "receipt.cost"), f"-{hold.points}"),
        Text(texts.say(language, "receipt.voucher_until", day=texts.day(language, last_day))),
    ]


def _value(slip: Slip, body: EventBody, shop: Shop) -> list[PaperItem]:
    """Print what was done with stored value, and what is there now."""
    language, currency = slip.language, shop.program.currency
    principal = texts.money(language, slip.principal_minor, currency)
    bonus = texts.money(language, slip.bonus_minor, currency)
    return [
        Text(texts.say(language, "receipt.value"), align=Align.CENTER, bold=True),
        *(Text(explaining.sentence(why, shop.program, language)) for why in body.reasons),
        Rule(),
        Row(texts.say(language, "receipt.principal"), principal, bold=True),
        Row(texts.say(language, "receipt.bonus"), bonus),
    ]


def _draw(slip: Slip, body: EventBody, shop: Shop) -> list[PaperItem]:
    """Print what proves a draw once its seed is revealed: the number, the kiosk's word and the commit."""
    language, facts = slip.language, body.facts
    said = [Text(explaining.sentence(why, shop.program, language)) for why in body.reasons]
    return [
        Text(texts.say(language, "receipt.draw"), align=Align.CENTER, bold=True),
        *said,
        Row(texts.say(language, "receipt.draw_number"), str(facts["nonce"])),
        Row(texts.say(language, "receipt.draw_word"), str(facts["client_seed"])),
        Text(texts.say(language, "receipt.draw_commit")),
        Text(str(facts["commit"])),
    ]


def _member(slip: Slip, shop: Shop) -> list[PaperItem]:
    if not slip.member_name and not slip.tier:
        return []
    tier = name_in(shop.program.tier(slip.tier).name, slip.language)
    return [
        Row(texts.say(slip.language, "receipt.member"), f"{slip.member_name} {tier}".strip()),
        Row(texts.say(slip.language, "receipt.points"), str(slip.points)),
    ]


def _proof(slip: Slip) -> list[PaperItem]:
    """Print what proves the entry: its place, 16 hex digits and the full hash as a QR code (decisions R2)."""
    return [
        Text(slip.receipt, align=Align.CENTER),
        Text(slip.proof, align=Align.CENTER),
        QrCode(f"{slip.receipt}:{slip.digest}"),
    ]
