"""How a sale is paid: money from outside, stored value, change, and cash in coins that exist (X2, X7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import money, rights
from tapledger.loyalty.effects import BONUS, PRINCIPAL, LotTake
from tapledger.loyalty.facts import TENDER_KINDS, SaleLine, Tender
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.sales import refunding, sold
from tapledger.loyalty.value import storing
from tapledger.loyalty.value.storing import MAX_TENDERS, Split

VALUE = "value"
"""Stored value: asked for as one, recorded as principal and bonus."""
ASKED = (*TENDER_KINDS, VALUE, refunding.EXCHANGE)
NAMES = (*ASKED, PRINCIPAL, BONUS, refunding.ROUNDING)
"""Every kind that a sale or a return can record."""

NOTHING = Split((), ())
CENTRAL = Rights()
"""Central answers, or there is none."""


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays, how sure we are of it, and what this shop may do for them now."""

    member: Member | None = None
    trust: int = 0
    rights: Rights = CENTRAL
    stepped_up: bool = False
    """Staff typed the last digits of the phone number that the member told them (R8)."""


@dataclass(frozen=True, slots=True)
class Paid:
    """The tenders as they are recorded: they sum to the total and the change."""

    tenders: tuple[Tender, ...]
    change_minor: int
    value: Split

    @property
    def takes(self) -> tuple[tuple[str, tuple[LotTake, ...]], ...]:
        return tuple(
            (pool, t) for pool, t in ((PRINCIPAL, self.value.principal), (BONUS, self.value.bonus)) if t
        )


def cash_due(amount_minor: int, program: Program) -> int:
    """Return what a customer pays in coins for an amount."""
    return amount_minor + money.to_cash(amount_minor, program.money.cash_rounding_minor)


def settle(
    tenders: Sequence[Tender], total_minor: int, payer: Payer, program: Program, now: dt.datetime
) -> Paid:
    """Take what was tendered for a total; refuse what does not cover it, or would give change of no cash."""
    _check(tenders)
    value = sum(one.amount_minor for one in tenders if one.kind == VALUE)
    split = _split(value, payer, program, now) if value else NOTHING
    cash = sum(one.amount_minor for one in tenders if one.kind == "cash")
    paid = sum(one.amount_minor for one in tenders)
    if paid > money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_TOO_LARGE")
    coins = 0
    if any(one.kind == "cash" for one in tenders):
        due = max(0, total_minor - paid + cash)
        coins = money.to_cash(due, program.money.cash_rounding_minor)
    if paid < total_minor + coins:
        missing = total_minor + coins - paid
        raise Refused("TENDER_TOO_SMALL", missing_minor=missing, currency=program.currency)
    change = paid - total_minor - coins
    if change > cash:
        raise Refused("CHANGE_ONLY_FROM_CASH")
    recorded = [one for one in tenders if one.kind != VALUE]
    if coins:
        recorded.append(Tender(refunding.ROUNDING, -coins))
    recorded += [
        Tender(pool, amount)
        for pool, amount in ((PRINCIPAL, split.principal_minor), (BONUS, split.bonus_minor))
        if amount
    ]
    return Paid(tuple(recorded), change, split)


def _check(tenders: Sequence[Tender]) -> None:
    if len(tenders) > MAX_TENDERS:
        raise Invalid("TENDERS_TOO_MANY", limit=MAX_TENDERS)
    for tender in tenders:
        if tender.kind not in ASKED:
            raise Invalid("TENDER_UNKNOWN", tender=tender.kind)
        if not 0 <= tender.amount_minor <= money.MAX_AMOUNT_MINOR:
            raise Invalid("AMOUNT_IMPOSSIBLE", sku=tender.kind)


def _split(amount_minor: int, payer: Payer, program: Program, now: dt.datetime) -> Split:
    """Name the lots of stored value that pay; refuse what status, card or distance from central forbid."""
    member, rules = payer.member, program.stored_value
    if member is None or rules is None:
        raise Refused("NO_STORED_VALUE")
    standing.check_spend(member, now)
    room = rights.limit("value_spend", member, payer.trust, payer.rights, program, now)
    if not room.allows(amount_minor) and room.why is not None:
        raise Refused(room.why.code, **room.why.data)
    here = None if rights.stage(payer.rights, program, now) == "online" else room.amount
    return storing.split(
        member, amount_minor, rules.spend_order, now, program.currency, principal_limit_minor=here
    )


def with_shares(paid: Paid, lines: Sequence[SaleLine], tax_exclusive: bool) -> tuple[Tender, ...]:
    """Say of stored value what it paid of each line: bonus by what lines cost, then principal (X2)."""
    if not paid.takes:
        return paid.tenders
    left = [sold.paid_for(line, tax_exclusive) for line in lines]
    bonus = money.allocate(left, paid.value.bonus_minor)
    left = [whole - part for whole, part in zip(left, bonus, strict=True)]
    principal = money.allocate(left, paid.value.principal_minor)
    shares = {BONUS: tuple(bonus), PRINCIPAL: tuple(principal)}
    return tuple(Tender(one.kind, one.amount_minor, shares.get(one.kind, ())) for one in paid.tenders)
