"""Every number of an event in the order in which one reads it.

Reasons are data; ``membership.explaining`` makes sentences of them. Slips, till, kiosk and
``tapledger explain`` say the same ones. Why something cannot be had now is a reason too, and is found where
that is decided: ``Priced.left_out`` for coupons, ``redeeming.why_not`` for rewards.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from tapledger.loyalty import days
from tapledger.loyalty.effects import (
    POINTS,
    CouponMoved,
    Credited,
    Debited,
    Effect,
    Held,
    HoldSettled,
    Lot,
    Overdrawn,
    Restored,
    TierSet,
)
from tapledger.loyalty.facts import Discount, Reason, ReturnFacts, SaleFacts, Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life.sensitivity import is_sensitive
from tapledger.loyalty.program import Program

HIDDEN = "…"
"""Instead of an article's name."""


def explain(body: EventBody, program: Program) -> tuple[Reason, ...]:
    """Return every number of an event as reasons: prices, discounts, tax, tenders, points, tier, coupons.

    Days are the programme's local days. Articles that it calls sensitive stay without a name.
    """
    found: list[Reason] = []
    if body.sale is not None:
        found += _prices(body.sale, program)
        found += _money_in(body.sale)
    for why in body.reasons:
        found += (why, *_remainder(why))
    if body.returned is not None:
        found += _money_out(body.returned)
    for effect in body.effects:
        found += _effect(effect, body, program.zone())
    return tuple(found) or (Reason("EXPLAIN_NOTHING", {}),)


# ---- prices ----------------------------------------------------------------------------------------------
def _prices(sale: SaleFacts, program: Program) -> Iterator[Reason]:
    gross = sum(line.gross_minor for line in sale.lines)
    yield Reason("EXPLAIN_GROSS", {"gross_minor": gross, "currency": sale.currency})
    for line in sale.lines:
        if line.list_minor:
            figures: dict[str, int | str] = {
                "article": HIDDEN if is_sensitive(line, program) else line.name,
                "list_minor": line.list_minor,
                "unit_minor": line.unit_minor,
                "currency": sale.currency,
            }
            yield Reason("EXPLAIN_PRICE_BY_HAND", figures)
    for discount in sale.discounts:
        yield discount.reason
        yield from _rounded(discount)
    if sale.tax_minor:
        tax: dict[str, int | str] = {"tax_minor": sale.tax_minor, "currency": sale.currency}
        code = "EXPLAIN_TAX_ON_TOP" if sale.tax_exclusive else "EXPLAIN_TAX_INSIDE"
        yield Reason(code, tax)
    yield Reason("EXPLAIN_TOTAL", {"total_minor": sale.total_minor, "currency": sale.currency})


def _rounded(discount: Discount) -> Iterator[Reason]:
    rounding = discount.reason.data.get("rounding_bp", 0)
    if isinstance(rounding, int) and rounding:
        yield Reason("EXPLAIN_ROUNDING", {"rounding": _part(rounding, 4)})


def _part(value: int, digits: int) -> str:
    """Return a part of a unit as people write it: -3500 of four digits is -0.35."""
    return f"{'-' if value < 0 else ''}0.{abs(value):0{digits}d}".rstrip("0")


def _money_in(sale: SaleFacts) -> Iterator[Reason]:
    for tender in sale.tenders:
        if tender.amount_minor:
            yield _paid(tender, sale.currency)
    if sale.change_minor:
        yield Reason("EXPLAIN_CHANGE", {"change_minor": sale.change_minor, "currency": sale.currency})


def _money_out(back: ReturnFacts) -> Iterator[Reason]:
    for tender in back.tenders:
        if tender.amount_minor:
            yield _paid(tender, back.currency)
    if back.carried_minor:
        yield Reason("EXPLAIN_CARRIED", {"amount_minor": back.carried_minor, "currency": back.currency})


def _paid(tender: Tender, currency: str) -> Reason:
    figures: dict[str, int | str] = {"amount_minor": tender.amount_minor, "currency": currency}
    match tender.kind:
        case "principal":
            return Reason("EXPLAIN_PAID_PRINCIPAL", figures)
        case "bonus":
            return Reason("EXPLAIN_PAID_BONUS", figures)
        case "rounding":
            return Reason("EXPLAIN_CASH_ROUNDED", figures)
        case "cash":
            return Reason("EXPLAIN_PAID_CASH", figures)
        case "card":
            return Reason("EXPLAIN_PAID_CARD", figures)
        case "exchange":
            return Reason("EXPLAIN_PAID_EXCHANGE", figures)
        case _:
            return Reason("EXPLAIN_PAID_MOBILE", figures)


# ---- points ----------------------------------------------------------------------------------------------
def _remainder(why: Reason) -> Iterator[Reason]:
    """Say which part of a point was dropped: points are rounded once, at the end."""
    remainder = why.data.get("remainder_milli", 0)
    if isinstance(remainder, int) and remainder:
        yield Reason("EXPLAIN_REMAINDER", {"remainder": _part(remainder, 3)})


def _effect(effect: Effect, body: EventBody, zone: ZoneInfo) -> Iterator[Reason]:
    match effect:
        case Credited(lot=lot) if lot.pool == POINTS:
            yield from _lot(lot, body.at, zone)
        case Debited(takes=takes, pool="points"):
            taken = sum(take.amount for take in takes)
            yield Reason("EXPLAIN_TAKEN", {"points": taken, "lots": len(takes)})
        case Restored(takes=takes, pool="points"):
            yield Reason("EXPLAIN_RESTORED", {"points": sum(take.amount for take in takes)})
        case Overdrawn(amount=amount, pool="points"):
            yield Reason("EXPLAIN_DEFICIT", {"points": amount})
        case Held(hold=hold):
            last = _last_day(hold.until, zone)
            yield Reason("EXPLAIN_HELD", {"points": hold.points, "reward": hold.reward, "day": last})
        case HoldSettled(given_back=given_back):
            yield Reason("EXPLAIN_HOLD_BACK" if given_back else "EXPLAIN_HOLD_DONE", {})
        case TierSet(tier=tier) if tier and not _is_said("TIER_", body):
            yield Reason("EXPLAIN_TIER", {"tier": tier})
        case CouponMoved():
            yield from _coupon(effect, body)


def _lot(lot: Lot, at: dt.datetime, zone: ZoneInfo) -> Iterator[Reason]:
    if lot.available_at > at:
        begins = days.local_day(lot.available_at, zone).isoformat()
        if days.local_day(lot.available_at, zone).year < dt.MAXYEAR:
            yield Reason("EXPLAIN_LOT_WAITS", {"points": lot.amount, "day": begins})
    if lot.expires_at is None:
        yield Reason("EXPLAIN_LOT_FOR_EVER", {"points": lot.amount})
    else:
        last = _last_day(lot.expires_at, zone)
        yield Reason("EXPLAIN_LOT_UNTIL", {"points": lot.amount, "day": last})


def _last_day(ends: dt.datetime, zone: ZoneInfo) -> str:
    """Return the last local day before an instant."""
    return days.local_day(ends - dt.timedelta(microseconds=1), zone).isoformat()


def _is_said(code: str, body: EventBody) -> bool:
    return any(reason.code.startswith(code) for reason in body.reasons)


def _coupon(moved: CouponMoved, body: EventBody) -> Iterator[Reason]:
    discounts = () if body.sale is None else body.sale.discounts
    of = next((discount.id for discount in discounts if discount.coupon == moved.coupon), moved.coupon)
    figures: dict[str, int | str] = {"coupon": of}
    match moved.state:
        case "redeemed":
            yield Reason("EXPLAIN_COUPON_USED", figures)
        case "issued":
            yield Reason("EXPLAIN_COUPON_BACK", figures)
        case "void":
            yield Reason("EXPLAIN_COUPON_VOID", figures)
        case "expired":
            yield Reason("EXPLAIN_COUPON_OVER", figures)
