"""An exchange: a return and a new sale in one transaction, and only the difference is paid (section 3.14)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

import msgspec

from tapledger.loyalty import money
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.sales import refunding, returning, selling
from tapledger.loyalty.sales.returning import Return
from tapledger.loyalty.sales.selling import Sale
from tapledger.loyalty.sales.sold import Sold

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Exchanged:
    """Both halves, to be posted in this order in one transaction."""

    returned: Decision
    sold: Decision


def decide_exchange(
    member: Member | None,
    sale: Sold,
    back: Return,
    new: Sale,
    program: Program,
    now: dt.datetime,
    buyer: Member | None = None,
) -> Exchanged:
    """Take some of a sale back and sell something else, by today's rules; what is owed is the difference.

    Restored points may pay for the new sale; coupons of the old one do not move over.
    ``new.tenders`` are what is paid beside the refund. ``buyer`` takes the new one when it is not ``member``.
    """
    first = returning.decide_return(member, sale, back, program, now)
    assert first.body.returned is not None
    after = first.after if buyer is None or (member is not None and buyer.id == member.id) else buyer
    outside = refunding.outside_minor(first.body.returned.tenders)
    priced = selling.quote(
        after, new.lines, program, now, new.wants, selling.payer_of(after, new), new.reach, new.id
    )
    value = sum(one.amount_minor for one in new.tenders if one.kind == "value")
    payable = max(0, priced.total_minor - value)
    carried = min(outside, payable)
    tenders = (Tender(refunding.EXCHANGE, carried),) if carried else ()
    sold = selling.decide_sale(
        after,
        dataclasses.replace(new, tenders=(*tenders, *new.tenders), exchange=back.exchange),
        program,
        now,
    )
    first_body = _carried(first.body, member, carried, program)
    return Exchanged(Decision(first_body, first.after), sold)


def _carried(body: EventBody, member: Member | None, amount_minor: int, program: Program) -> EventBody:
    """Return a return of which ``amount_minor`` goes on into the new sale; cash that is left is rounded."""
    facts = body.returned
    assert facts is not None
    who = None if member is None else member.id
    others = body.lines[len(facts.tenders) :]
    moved = refunding.carry_over(facts.tenders, amount_minor)
    cash = sum(one.amount_minor for one in moved if one.kind == refunding.CASH)
    coins = money.to_cash(cash, program.money.cash_rounding_minor)
    if coins:
        moved = (*moved, Tender(refunding.CASH, coins), Tender(refunding.ROUNDING, -coins))
    lines = refunding.refund_lines(moved, who, facts.currency, facts.exchange)
    return replace(body, lines=(*lines, *others), returned=replace(facts, carried_minor=amount_minor))
