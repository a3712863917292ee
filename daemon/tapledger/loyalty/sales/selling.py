"""Selling: what a basket costs and earns, and what paying it posts (loyalty.md sections 3.4, 3.5, 3.9).

Prices are ``pricing``'s, tenders are ``tenders``'. Here both become one event.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

import msgspec

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import days, pricing
from tapledger.loyalty.coupons import couponing, wallet
from tapledger.loyalty.coupons.couponing import ONLINE, Reach
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import cards, standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import early_access, referring
from tapledger.loyalty.pricing import (
    MAX_LINES,
    MAX_QUANTITY_MILLI,
    Basket,
    BasketLine,
    ChosenCoupon,
    LeftOut,
    ManualDiscount,
    Priced,
)
from tapledger.loyalty.pricing.combination import Best
from tapledger.loyalty.program import Program
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.sales import posting, shopping, tenders
from tapledger.loyalty.sales.tenders import CENTRAL, Paid, Payer
from tapledger.loyalty.tiers import tiering

__all__ = ["MAX_QUANTITY_MILLI", "MAX_SALE_LINES", "BasketLine", "Quote"]

MAX_SALE_LINES = MAX_LINES
PIN_LIFE = dt.timedelta(minutes=15)
"""How long a quote that was shown is honoured (X5)."""

Quote = Priced

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Wants:
    """What a customer wants of a basket beside its articles."""

    coupons: tuple[str, ...] = ()
    """Of the member's wallet."""
    papers: tuple[ChosenCoupon, ...] = ()
    """Coupons of whoever holds the paper, and uses of public codes, as the store knows them."""
    codes: tuple[str, ...] = ()
    """Of promotions."""
    points: int = 0
    """To pay with."""
    manual: ManualDiscount | None = None


PLAIN = Wants()
"""Just the articles."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A quote that was shown: until its end it is paid as it was, whatever changes meanwhile (X5)."""

    version: str
    tier: str
    lines: tuple[BasketLine, ...]
    wants: Wants
    at: dt.datetime
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Sale:
    """A basket to be paid. ``id`` is the sale's for ever; ``lot`` is the id its points will have."""

    id: str
    lines: tuple[BasketLine, ...]
    tenders: tuple[Tender, ...]
    """Stored value is asked for as ``value``."""
    lot: str
    staff: str | None
    trust: int | None = None
    evidence: str = ""
    till: str = ""
    wants: Wants = PLAIN
    card: str = ""
    """Index of the credential that was shown, for the limit of that card."""
    rights: Rights = CENTRAL
    reach: Reach = ONLINE
    stepped_up: bool = False
    pinned: Pinned | None = None
    early_access_approved: bool = False
    budget_left: int | None = None
    """What is left of the programme's ``campaign_budget`` here; None is without limit."""
    exchange: str = ""


# ---- the quote --------------------------------------------------------------------------------------------
def quote(
    member: Member | None,
    lines: tuple[BasketLine, ...],
    program: Program,
    now: dt.datetime,
    wants: Wants = PLAIN,
    payer: Payer | None = None,
    reach: Reach = ONLINE,
    sale: str = "",
) -> Quote:
    """Price a basket, of ``sale`` when it has an id that may hold coupons.

    Raises ``Invalid`` for what cannot be meant; coupons that cannot be used are left out with the reason.
    """
    payer = payer or Payer(member)
    chosen, left_out = _chosen(member, wants, sale, program, now, reach)
    shopper = shopping.shopper(payer, program, now, points=wants.points)
    priced = pricing.price(
        _basket(lines, wants, chosen), shopper, shopping.compiled(program), shopping.moment(program, now)
    )
    return replace(priced, left_out=(*left_out, *priced.left_out)) if left_out else priced


def best_quote(
    payer: Payer,
    lines: tuple[BasketLine, ...],
    program: Program,
    now: dt.datetime,
    wants: Wants = PLAIN,
    reach: Reach = ONLINE,
    sale: str = "",
) -> Best:
    """Choose the coupons of the whole wallet that save the most; may take long, so off the event loop."""
    offered: tuple[ChosenCoupon, ...] = wants.papers
    left_out: tuple[LeftOut, ...] = ()
    if payer.member is not None:
        usable = couponing.usable(payer.member, program, now, reach, sale)
        offered, left_out = (*wants.papers, *usable.chosen), usable.left_out
    shopper = shopping.shopper(payer, program, now, points=wants.points)
    chosen = pricing.best(
        _basket(lines, wants, offered), shopper, shopping.compiled(program), shopping.moment(program, now)
    )
    return replace(chosen, left_out=(*left_out, *chosen.left_out))


def pin(
    member: Member | None, lines: tuple[BasketLine, ...], wants: Wants, program: Program, now: dt.datetime
) -> Pinned:
    """Promise a quote until its end."""
    tier = "" if member is None else tiering.current(member, program, now).id
    return Pinned(program.version, tier, lines, wants, now, now + PIN_LIFE)


def _basket(lines: tuple[BasketLine, ...], wants: Wants, chosen: tuple[ChosenCoupon, ...]) -> Basket:
    return Basket(lines, wants.manual, chosen, frozenset(wants.codes), wants.points)


def _chosen(
    member: Member | None, wants: Wants, sale: str, program: Program, now: dt.datetime, reach: Reach
) -> tuple[tuple[ChosenCoupon, ...], tuple[LeftOut, ...]]:
    """Return the coupons that may be used, and why not for the others that were asked for."""
    chosen, left_out = [*wants.papers], []
    for id_ in dict.fromkeys(wants.coupons):
        coupon = None if member is None else wallet.find(member.coupons, id_)
        template = None if coupon is None else program.coupon(coupon.template)
        if coupon is None or template is None:
            left_out.append(LeftOut(id_, couponing.why_not_known()))
            continue
        why = couponing.why_not(member, coupon, template, program, now, reach, sale)
        if why is None:
            chosen.append(ChosenCoupon(coupon.id, template, couponing.ends(coupon, sale, now)))
        else:
            left_out.append(LeftOut(id_, why))
    return tuple(chosen), tuple(left_out)


# ---- the sale ---------------------------------------------------------------------------------------------
def decide_sale(member: Member | None, sale: Sale, program: Program, now: dt.datetime) -> Decision:
    """Turn a paid basket into money and points; refuse a tender that does not cover it."""
    return decision(member, finished(member, body_of(member, sale, program, now), program, now))


def body_of(member: Member | None, sale: Sale, program: Program, now: dt.datetime) -> EventBody:
    """Return the event of a sale without what depends on the member as they are when it is posted."""
    if not sale.lines:
        raise Invalid("BASKET_EMPTY")
    sale, at, tier = _as_pinned(sale, program, now)
    payer = payer_of(member, sale)
    _check(member, sale, program, now)
    chosen, left_out = _chosen(member, sale.wants, sale.id, program, at, sale.reach)
    if left_out:
        raise Refused(left_out[0].reason.code, **left_out[0].reason.data)
    shopper = shopping.shopper(payer, program, at, points=sale.wants.points, tier=tier)
    compiled, moment = shopping.compiled(program), shopping.moment(program, at, sale.budget_left)
    priced = pricing.price(_basket(sale.lines, sale.wants, chosen), shopper, compiled, moment)
    couponing.check_offline(member, _taken_off(priced), sale.reach)
    paid = tenders.settle(sale.tenders, priced.total_minor, payer, program, now)
    priced = pricing.with_tenders(priced, paid.value.bonus_minor, shopper, compiled, moment)
    counted = posting.metrics(priced, program, now)
    if shopper is not None and member is not None and program.earning.tier_at == "after":
        after = tiering.tier_after(member, counted, program, now).id
        if after != shopper.tier:
            priced = pricing.earn_again(priced, replace(shopper, tier=after), compiled, moment)
    if member is not None:
        counted += posting.limits(priced, program, now)
        counted += _card(member, sale.card, priced, paid, program, now)
    facts = posting.facts(sale, priced, paid, counted if member is not None else [], program, now)
    return EventBody(
        kind="sale",
        at=now,
        program=program.version,
        member=None if member is None else member.id,
        lines=posting.lines(member, facts, program),
        effects=posting.effects(member, sale, facts, paid, counted, program, now),
        sale=facts,
        reasons=priced.reasons + posting.reasons(member, facts, paid, program, now),
        facts={} if sale.budget_left is None else {"bonus_points": priced.bonus_points},
        staff=sale.staff,
        trust=sale.trust,
        evidence=sale.evidence,
    )


def payer_of(member: Member | None, sale: Sale) -> Payer:
    return Payer(member, sale.trust or 0, sale.rights, sale.stepped_up)


def finished(member: Member | None, body: EventBody, program: Program, now: dt.datetime) -> EventBody:
    """Add what a sale means for its member's tier and for who sent them."""
    if member is None or body.sale is None:
        return body
    sent = referring.after_sale(member, body.sale.id, body.sale.total_minor, program, now)
    effects = (*body.effects, *sent.effects)
    risen = tiering.upgrade(member, effects, program, now)
    if not (sent.effects or risen):
        return body
    return replace(
        body,
        lines=(*body.lines, *sent.lines),
        effects=(*effects, *risen),
        reasons=(*body.reasons, *sent.reasons),
    )


def _as_pinned(sale: Sale, program: Program, now: dt.datetime) -> tuple[Sale, dt.datetime, str]:
    """Return the sale as its quote was shown, the instant of the quote and its tier."""
    pinned = sale.pinned
    if pinned is None:
        return sale, now, ""
    if now >= pinned.until or pinned.version != program.version:
        raise Refused("QUOTE_EXPIRED")
    return dataclasses.replace(sale, lines=pinned.lines, wants=pinned.wants), pinned.at, pinned.tier


def _check(member: Member | None, sale: Sale, program: Program, now: dt.datetime) -> None:
    """Refuse who may not buy at all, or not this yet."""
    if member is not None:
        standing.check_earn(member, now)
    if program.entitlements and not sale.early_access_approved:
        for sku in dict.fromkeys(line.sku for line in sale.lines):
            early = early_access.why_not(member, sku, program, now)
            if early is not None:
                raise Refused(early.code, **early.data)


def _card(
    member: Member, card: str, priced: Priced, paid: Paid, program: Program, now: dt.datetime
) -> tuple[Tallied, ...]:
    """Count what a card takes out of its member's account, and refuse more than it may a day (3.20)."""
    today = days.local_day(now, program.zone())
    amount = paid.value.principal_minor + paid.value.bonus_minor
    amount += sum(one.amount_minor for one in priced.discounts if one.kind == "points")
    if not amount:
        return ()
    why = cards.why_not_pay(member, card, amount, today, program.currency)
    if why is not None:
        raise Refused(why.code, **why.data)
    return cards.paid(member, card, amount, today)


def _taken_off(priced: Priced) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in priced.discounts:
        if one.coupon:
            found[one.coupon] = found.get(one.coupon, 0) + one.amount_minor
    return found
