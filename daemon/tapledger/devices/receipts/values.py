"""What a slip says, written out in its language: from the event it proves, never from anything newer."""

from __future__ import annotations

import collections
import datetime as dt
from collections.abc import Iterable

import msgspec

from tapledger import texts
from tapledger.devices.receipts import fields
from tapledger.errors import Corrupt
from tapledger.loyalty.effects import BONUS, PRINCIPAL, CouponIssued, Held
from tapledger.loyalty.facts import TENDER_KINDS, Reason, ReturnFacts, SaleLine, Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life.sensitivity import is_sensitive
from tapledger.loyalty.program import name_in
from tapledger.loyalty.sales import refunding
from tapledger.loyalty.sales.refunding import ROUNDING
from tapledger.membership import explaining
from tapledger.membership.shop import Shop
from tapledger.membership.slips import Slip

REPORTS = {"status": fields.Status, "shift": fields.Shift}
"""Slips that no event proves: what they say was written out when they were queued."""


def of(slip: Slip, body: EventBody | None, shop: Shop) -> fields.Plain:
    """Return what a slip's template may use; raise ``Corrupt`` when the slip does not have it."""
    if slip.kind == "test":
        return fields.Plain(shop=shop.name)
    if (report := REPORTS.get(slip.kind)) is not None:
        try:
            said: fields.Plain = msgspec.msgpack.decode(slip.report, type=report)
        except msgspec.DecodeError as error:
            raise Corrupt("SLIP_UNREADABLE", job=slip.kind) from error
        return said
    if body is None:
        raise Corrupt("SLIP_UNREADABLE", job=slip.receipt)
    match slip.kind:
        case "sale":
            return _sale(slip, body, shop)
        case "return" | "void" | "giveback":
            return _returned(slip, body, shop)
        case "draw":
            return _draw(slip, body, shop)
        case "topup":
            return _value(slip, body, shop)
        case "coupon":
            return _coupon(slip, body, shop)
        case _:
            return _voucher(slip, body, shop)


def _entry(slip: Slip, body: EventBody, shop: Shop) -> dict[str, str]:
    """Return the fields of ``fields.Entry``."""
    local = body.at.astimezone(shop.program.zone())
    tier = name_in(shop.program.tier(slip.tier).name, slip.language) if slip.member_name or slip.tier else ""
    member = f"{slip.member_name} {tier}".strip()
    return {
        "shop": shop.name,
        "when": f"{local:%Y-%m-%d %H:%M}",
        "receipt": slip.receipt,
        "proof": slip.proof,
        "proof_qr": f"{slip.receipt}:{slip.digest}",
        "member": member,
        "points": str(slip.points) if member else "",
    }


def _sale(slip: Slip, body: EventBody, shop: Shop) -> fields.Sale:
    sale, language = body.sale, slip.language
    assert sale is not None
    lines = []
    for line in sale.lines:
        hidden = body.member is not None and is_sensitive(line, shop.program)
        name = texts.say(language, "receipt.article") if hidden else line.name
        lines.append(_line(name, line, sale.currency, language))
    return fields.Sale(
        **_entry(slip, body, shop),
        lines=tuple(lines),
        discounts=_sentences([one.reason for one in sale.discounts], shop, language),
        total=texts.money(language, sale.total_minor, sale.currency),
        tenders=_amounts(sale.tenders, sale.currency, language),
        change=_money(sale.change_minor, sale.currency, language),
        tax=_money(sale.tax_minor, sale.currency, language),
        earned="" if body.member is None else f"+{sale.earned}",
        reasons=() if body.member is None else _sentences(body.reasons, shop, language),
    )


def _line(name: str, line: SaleLine, currency: str, language: str) -> fields.Line:
    return fields.Line(
        name=name,
        amount=texts.money(language, line.net_minor, currency),
        several=line.quantity_milli != 1000,
        quantity=texts.quantity(line.quantity_milli),
        unit=texts.money(language, line.unit_minor, currency),
    )


def _sentences(reasons: Iterable[Reason], shop: Shop, language: str) -> tuple[str, ...]:
    return explaining.sentences(reasons, shop.program, language)


def _money(minor: int, currency: str, language: str) -> str:
    """Return an amount; nothing when there is none."""
    return texts.money(language, minor, currency) if minor else ""


def _amounts(tenders: tuple[Tender, ...], currency: str, language: str) -> tuple[fields.Amount, ...]:
    return tuple(
        fields.Amount(
            texts.say(language, f"tender.{tender.kind}"),
            texts.money(language, tender.amount_minor, currency),
        )
        for tender in tenders
    )


def _returned(slip: Slip, body: EventBody, shop: Shop) -> fields.Return:
    """What came back and how it is paid; stored value comes before other payments, and it says so."""
    back, language = body.returned, slip.language
    assert back is not None
    lines = []
    for line in back.lines:
        name = line.name or texts.say(language, "receipt.article")
        amount = texts.money(language, line.refund_minor, back.currency)
        lines.append(fields.Amount(f"{name} × {texts.quantity(line.quantity_milli)}", amount))
    by_rule = shop.program.returns.tenders == "bonus_first" and not back.shop_fault
    return fields.Return(
        **_entry(slip, body, shop),
        is_void=slip.kind == "void",
        is_giveback=slip.kind == "giveback",
        is_return=slip.kind == "return",
        lines=tuple(lines),
        refund=texts.money(language, back.refund_minor, back.currency),
        carried=_money(back.carried_minor, back.currency, language),
        tenders=_amounts(_paid_out(back, body), back.currency, language),
        bonus_first=by_rule and any(tender.kind in (PRINCIPAL, BONUS) for tender in back.tenders),
        reasons=_sentences(body.reasons[1:], shop, language),
    )


def _paid_out(back: ReturnFacts, body: EventBody) -> tuple[Tender, ...]:
    """Return what was paid out, as posted: of an exchange only what does not go on into the new sale."""
    posted = collections.Counter[str]()
    for line in body.lines:
        posted[line.account] -= line.amount
    kept = [one for one in back.tenders if one.kind in (PRINCIPAL, BONUS)]
    outside = [Tender(kind, posted[refunding.account(kind, None)]) for kind in (*TENDER_KINDS, ROUNDING)]
    return (*kept, *(one for one in outside if one.amount_minor))


def _voucher(slip: Slip, body: EventBody, shop: Shop) -> fields.Voucher:
    hold = next(effect.hold for effect in body.effects if isinstance(effect, Held))
    return fields.Voucher(
        **_entry(slip, body, shop),
        title=hold.title,
        code=slip.voucher,
        cost=f"-{hold.points}",
        day=_last_day(hold.until, shop, slip.language),
    )


def _last_day(end: dt.datetime, shop: Shop, language: str) -> str:
    last_instant = end - dt.timedelta(microseconds=1)
    return texts.day(language, last_instant.astimezone(shop.program.zone()).date())


def _coupon(slip: Slip, body: EventBody, shop: Shop) -> fields.Coupon:
    issued = next(effect.coupon for effect in body.effects if isinstance(effect, CouponIssued))
    template = shop.program.coupon(issued.template)
    return fields.Coupon(
        **_entry(slip, body, shop),
        title=issued.template if template is None else name_in(template.name, slip.language),
        code=slip.voucher,
        qr=slip.qr,
        day="" if issued.expires_at is None else _last_day(issued.expires_at, shop, slip.language),
    )


def _value(slip: Slip, body: EventBody, shop: Shop) -> fields.TopUp:
    """What was done with stored value, and what is there now."""
    language, currency = slip.language, shop.program.currency
    return fields.TopUp(
        **_entry(slip, body, shop),
        reasons=_sentences(body.reasons, shop, language),
        principal=texts.money(language, slip.principal_minor, currency),
        bonus=texts.money(language, slip.bonus_minor, currency),
    )


def _draw(slip: Slip, body: EventBody, shop: Shop) -> fields.Draw:
    """What proves a draw once its seed is revealed: the number, the kiosk's word and the commit."""
    facts = body.facts
    return fields.Draw(
        **_entry(slip, body, shop),
        reasons=_sentences(body.reasons, shop, slip.language),
        number=str(facts["nonce"]),
        word=str(facts["client_seed"]),
        commit=str(facts["commit"]),
    )
