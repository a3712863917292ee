"""Bottle deposits: lent with a sale, paid out when the bottle comes back (decisions X6)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Invalid
from tapledger.loyalty import days, ledger, money
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.facts import Reason, ReturnFacts, ReturnLine, Tender
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.program import Program
from tapledger.loyalty.sales import refunding
from tapledger.loyalty.sales.sold import WHOLE

MAX_LINES = 100
MAX_DEPOSITS = 10_000


@dataclass(frozen=True, slots=True)
class Deposit:
    """Empty bottles of one kind."""

    sku: str
    quantity: int
    unit_minor: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Somebody brings bottles back. ``id`` is the payout's for ever."""

    id: str
    deposits: tuple[Deposit, ...]
    staff: str | None
    member: str | None = None


def decide_giveback(command: GiveBack, program: Program, now: dt.datetime) -> Decision:
    """Pay deposits out in cash: no sale, no points, nothing of a member changes (X6)."""
    if not command.deposits:
        raise Invalid("RETURN_EMPTY")
    if len(command.deposits) > MAX_LINES:
        raise Invalid("BASKET_TOO_LONG", limit=MAX_LINES)
    for one in command.deposits:
        if not 0 < one.quantity <= MAX_DEPOSITS:
            raise Invalid("QUANTITY_IMPOSSIBLE", sku=one.sku)
        if not 0 < one.unit_minor <= money.MAX_AMOUNT_MINOR:
            raise Invalid("AMOUNT_IMPOSSIBLE", sku=one.sku)
    amounts = [one.quantity * one.unit_minor for one in command.deposits]
    total = sum(amounts)
    if total > money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_TOO_LARGE")
    more = money.to_cash(total, program.money.cash_rounding_minor)
    tenders = tuple(
        tender
        for tender in (Tender(refunding.CASH, total + more), Tender(refunding.ROUNDING, -more))
        if tender.amount_minor
    )
    facts = ReturnFacts(
        id=command.id,
        sale="",
        kind="giveback",
        currency=program.currency,
        lines=tuple(
            ReturnLine(i, one.quantity * WHOLE, amounts[i], one.name)
            for i, one in enumerate(command.deposits)
        ),
        refund_minor=total,
        tenders=tenders,
        complete=True,
        day=days.local_day(now, program.zone()).toordinal(),
    )
    body = EventBody(
        kind="return",
        at=now,
        program=program.version,
        lines=(
            *refunding.refund_lines(tenders, None, program.currency),
            Line(ledger.DEPOSITS, program.currency, total),
        ),
        returned=facts,
        facts={f"sku.{i}": one.sku for i, one in enumerate(command.deposits)},
        reasons=(Reason("RETURN_REFUND", {"amount_minor": total, "currency": program.currency}),),
        staff=command.staff,
    )
    return decision(None, body)
