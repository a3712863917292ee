"""Selling: what a basket costs and earns, and what paying it posts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import days, ledger, money, tallies, tiering
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Credited, Effect, Lot, Tallied
from tapledger.loyalty.facts import Reason, SaleFacts, SaleLine, Tender
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program, Tier

MAX_SALE_LINES = 500
MAX_QUANTITY_MILLI = 10_000_000
TENDER_KINDS = ("cash", "card", "mobile")


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One article in the basket; ``unit_minor`` is its tax-inclusive price for 1000 thousandths."""

    sku: str
    name: str
    quantity_milli: int
    unit_minor: int
    tax_bp: int
    category: str
    earns: bool = True


@dataclass(frozen=True, slots=True)
class Sale:
    """A basket to be paid. ``id`` is the sale's for ever; ``lot`` is the id its points will have."""

    id: str
    lines: tuple[BasketLine, ...]
    tenders: tuple[Tender, ...]
    lot: str
    staff: str | None
    trust: int | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a basket costs and earns now, with the reasons."""

    lines: tuple[SaleLine, ...]
    total_minor: int
    tax_minor: int
    earned: int
    reasons: tuple[Reason, ...]


def quote(member: Member | None, lines: tuple[BasketLine, ...], program: Program, now: dt.datetime) -> Quote:
    """Price a basket; raise ``Invalid`` for amounts or quantities that cannot be meant."""
    if len(lines) > MAX_SALE_LINES:
        raise Invalid("BASKET_TOO_LONG", limit=MAX_SALE_LINES)
    priced = tuple(_priced(line) for line in lines)
    total = sum(line.net_minor for line in priced)
    if total > money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_TOO_LARGE")
    by_rate: dict[int, int] = {}
    for line in priced:
        by_rate[line.tax_bp] = by_rate.get(line.tax_bp, 0) + line.net_minor
    tax = sum(money.tax_within(gross, rate) for rate, gross in by_rate.items())
    earned, reasons = _earned(member, priced, program, now)
    if earned > money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_TOO_LARGE")
    return Quote(priced, total, tax, earned, reasons)


def _priced(line: BasketLine) -> SaleLine:
    if not 0 < line.quantity_milli <= MAX_QUANTITY_MILLI:
        raise Invalid("QUANTITY_IMPOSSIBLE", sku=line.sku)
    if not 0 <= line.unit_minor <= money.MAX_AMOUNT_MINOR or not 0 <= line.tax_bp <= 10_000:
        raise Invalid("AMOUNT_IMPOSSIBLE", sku=line.sku)
    net = money.divide_half_up(line.unit_minor * line.quantity_milli, 1000)
    if net > money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_TOO_LARGE")
    return SaleLine(
        line.sku,
        line.name,
        line.quantity_milli,
        line.unit_minor,
        net,
        line.tax_bp,
        line.category,
        line.earns,
        gross_minor=net,
        basis_minor=net if line.earns else 0,
    )


def _earned(
    member: Member | None, lines: tuple[SaleLine, ...], program: Program, now: dt.datetime
) -> tuple[int, tuple[Reason, ...]]:
    """Reckon points on the sum of what earns, floored once at the end (loyalty.md section 3.5, R16)."""
    if member is None:
        would_be = _points_for(sum(x.net_minor for x in lines if x.earns), program.tiers[0])
        return 0, (Reason("EARN_NO_MEMBER", {"points": would_be}),)
    basis = sum(line.net_minor for line in lines if line.earns)
    tier = tiering.current(member, program, now)
    earned = _points_for(basis, tier)
    figures: dict[str, int | str] = {
        "basis_minor": basis,
        "points": earned,
        "rate_points": tier.earn_points,
        "rate_minor": tier.earn_per_minor,
        "multiplier_milli": tier.multiplier_milli,
        "tier": tier.id,
        "currency": program.currency,
    }
    return earned, (Reason("EARN_TIER" if basis else "EARN_NOTHING_ELIGIBLE", figures),)


def _points_for(basis_minor: int, tier: Tier) -> int:
    base = basis_minor // tier.earn_per_minor * tier.earn_points
    return int(Fraction(base * tier.multiplier_milli, 1000))


def decide_sale(member: Member | None, sale: Sale, program: Program, now: dt.datetime) -> Decision:
    """Turn a paid basket into money and points; refuse a tender that does not cover it."""
    if not sale.lines:
        raise Invalid("BASKET_EMPTY")
    priced = quote(member, sale.lines, program, now)
    change = _change(sale.tenders, priced.total_minor, program.currency)
    facts = SaleFacts(
        id=sale.id,
        currency=program.currency,
        lines=priced.lines,
        total_minor=priced.total_minor,
        tax_minor=priced.tax_minor,
        tenders=sale.tenders,
        change_minor=change,
        earned=priced.earned,
    )
    body = EventBody(
        kind="sale",
        at=now,
        program=program.version,
        member=None if member is None else member.id,
        lines=_sale_lines(member, facts, program),
        effects=() if member is None else _effects(member, sale, facts, program, now),
        sale=facts,
        reasons=priced.reasons,
        staff=sale.staff,
        trust=sale.trust,
        evidence=sale.evidence,
    )
    return decision(member, body)


def _change(tenders: tuple[Tender, ...], total_minor: int, currency: str) -> int:
    for tender in tenders:
        if tender.kind not in TENDER_KINDS:
            raise Invalid("TENDER_UNKNOWN", tender=tender.kind)
        if not 0 <= tender.amount_minor <= money.MAX_AMOUNT_MINOR:
            raise Invalid("AMOUNT_IMPOSSIBLE", sku=tender.kind)
    paid = sum(tender.amount_minor for tender in tenders)
    if paid > money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_TOO_LARGE")
    if paid < total_minor:
        raise Refused("TENDER_TOO_SMALL", missing_minor=total_minor - paid, currency=currency)
    change = paid - total_minor
    if change > sum(tender.amount_minor for tender in tenders if tender.kind == "cash"):
        raise Refused("CHANGE_ONLY_FROM_CASH")
    return change


def _sale_lines(member: Member | None, facts: SaleFacts, program: Program) -> tuple[Line, ...]:
    taken = [Line(ledger.tender_account(t.kind), program.currency, t.amount_minor) for t in facts.tenders]
    if facts.change_minor:
        taken.append(Line(ledger.tender_account("cash"), program.currency, -facts.change_minor))
    given = [
        Line(ledger.SALES, program.currency, facts.tax_minor - facts.total_minor),
        Line(ledger.TAX, program.currency, -facts.tax_minor),
    ]
    if member is not None and facts.earned:
        given += [
            Line(ledger.member_points(member.id), ledger.POINT, facts.earned),
            Line(ledger.PROGRAM_POINTS, ledger.POINT, -facts.earned),
        ]
    return tuple(line for line in (*taken, *given) if line.amount)


def _effects(
    member: Member, sale: Sale, facts: SaleFacts, program: Program, now: dt.datetime
) -> tuple[Effect, ...]:
    today = days.local_day(now, program.zone())
    counted: list[Effect] = []
    if facts.earned:
        ends = days.expires_at(program.expiry, now, program.zone())
        lot = Lot(
            id=sale.lot,
            amount=facts.earned,
            remaining=facts.earned,
            available_at=now,
            expires_at=ends,
            source=sale.id,
        )
        counted.append(Credited(lot))
    counted.append(Tallied(tallies.SPEND, today.toordinal(), facts.total_minor))
    counted.append(Tallied(tallies.SALES, today.toordinal(), 1))
    return (*counted, *tiering.upgrade(member, counted, program, now))
