"""What a sale posts: its facts, its lines, and what it changes of the member."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from tapledger.loyalty import days, gains, ledger, lots, members, tallies
from tapledger.loyalty.coupons import couponing
from tapledger.loyalty.effects import Credited, Debited, Effect, Tallied
from tapledger.loyalty.facts import Reason, SaleFacts, SaleLine
from tapledger.loyalty.ledger import Line
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.pricing import ChosenCoupon, Priced
from tapledger.loyalty.program import Program
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.articles import Articles
from tapledger.loyalty.sales import refunding, shopping, tenders
from tapledger.loyalty.sales.sold import is_spend, paid_for, spend_of
from tapledger.loyalty.sales.tenders import Paid

if TYPE_CHECKING:
    from tapledger.loyalty.sales.selling import Sale

replace = msgspec.structs.replace


# ---- what is counted --------------------------------------------------------------------------------------
def metrics(priced: Priced, program: Program, now: dt.datetime) -> list[Tallied]:
    """Return what a sale counts for tiers: spend, a visit when it is large enough, growth (3.10)."""
    rules, today = program.tiering, days.local_day(now, program.zone()).toordinal()
    spend = spend_of(priced.lines, program.money.tax == "exclusive")
    counted = [Tallied(tallies.SPEND, today, spend)]
    if spend >= rules.visit_min_minor:
        counted.append(Tallied(tallies.SALES, today, 1))
    if rules.growth_per_minor and spend >= rules.growth_per_minor:
        counted.append(Tallied(tallies.GROWTH, today, spend // rules.growth_per_minor))
    return counted


def limits(priced: Priced, program: Program, now: dt.datetime) -> list[Tallied]:
    """Return what a sale uses up of limits: of the day, of flats, and of the card's trust."""
    today = days.local_day(now, program.zone()).toordinal()
    counted = []
    if program.earning.per_member_day is not None and priced.earned:
        counted.append(Tallied(tallies.EARNED, today, priced.earned))
    if priced.flats:
        once = {flat.id for flat in program.earning.flats if flat.once}
        counted += [Tallied(shopping.FLAT + flat, today, 1) for flat in priced.flats if flat in once]
    if priced.points_used:
        counted.append(Tallied(tallies.TRUST, today, priced.points_used))
    return counted


# ---- facts ------------------------------------------------------------------------------------------------
def facts(
    sale: Sale, priced: Priced, paid: Paid, counted: list[Tallied], program: Program, now: dt.datetime
) -> SaleFacts:
    """Return all that a receipt, an explanation or a return will ever ask of the sale."""
    exclusive = program.money.tax == "exclusive"
    return SaleFacts(
        id=sale.id,
        currency=program.currency,
        lines=_marked(priced, sale.wants.papers, program),
        total_minor=priced.total_minor,
        tax_minor=priced.tax_minor,
        tenders=tenders.with_shares(paid, priced.lines, exclusive),
        change_minor=paid.change_minor,
        earned=priced.earned,
        discounts=priced.discounts,
        earn=priced.earn,
        points_used=priced.points_used,
        coupons=priced.coupons,
        day=days.local_day(now, program.zone()).toordinal(),
        till=sale.till,
        tax_exclusive=exclusive,
        exchange=sale.exchange,
        tallied={one.key: one.amount for one in counted},
        growth_per_minor=program.tiering.growth_per_minor,
    )


def _marked(priced: Priced, papers: tuple[ChosenCoupon, ...], program: Program) -> tuple[SaleLine, ...]:
    """Mark what nobody is to be shown, and say of gifts what they came with."""
    sensitive = None if program.sensitive is None else Articles(program.sensitive)
    if sensitive is None and not any(line.gift_of for line in priced.lines):
        return priced.lines
    found = []
    for line in priced.lines:
        if sensitive is not None and sensitive.has(line):
            line = replace(line, sensitive=True)
        found.append(_as_gift(line, priced, papers, program) if line.gift_of else line)
    return tuple(found)


def _as_gift(gift: SaleLine, priced: Priced, papers: tuple[ChosenCoupon, ...], program: Program) -> SaleLine:
    known: list[Promotion] = [*program.promotions, *program.coupons, *(one.promotion for one in papers)]
    promotion = next((one for one in known if one.id == gift.gift_of), None)
    if promotion is None:
        return gift
    scope = Articles(promotion.scope)
    lines = tuple(i for i, one in enumerate(priced.lines) if not one.kind and scope.has(one))
    worth = sum(priced.lines[i].net_minor + priced.lines[i].points_minor for i in lines)
    return replace(gift, gift_lines=lines, gift_min_minor=min(promotion.min_minor, worth))


# ---- lines ------------------------------------------------------------------------------------------------
def lines(member: Member | None, sold: SaleFacts, program: Program) -> tuple[Line, ...]:
    """Post the money, the tax, the deposits and the points of a sale."""
    who = None if member is None else member.id
    deposits = sum(paid_for(line, sold.tax_exclusive) for line in sold.lines if not is_spend(line))
    amounts = [
        (ledger.tender_account(refunding.CASH), -sold.change_minor),
        (ledger.SALES, sold.tax_minor + deposits - sold.total_minor),
        (ledger.TAX, -sold.tax_minor),
        (ledger.DEPOSITS, -deposits),
    ]
    money = tuple(Line(account, program.currency, amount) for account, amount in amounts if amount)
    points: tuple[Line, ...] = ()
    if who is not None:
        points = ledger.points_given(who, -sold.points_used) + ledger.points_given(who, sold.earned)
    return (*refunding.lines(sold.tenders, who, program.currency, sold.exchange), *money, *points)


# ---- effects ----------------------------------------------------------------------------------------------
def effects(
    member: Member | None,
    sale: Sale,
    sold: SaleFacts,
    paid: Paid,
    counted: list[Tallied],
    program: Program,
    now: dt.datetime,
) -> tuple[Effect, ...]:
    """Return what a sale changes: what paid is taken first, what is earned comes after it."""
    changes: list[Effect] = []
    if sold.coupons:
        promised_at = None if sale.pinned is None else sale.pinned.at
        changes += couponing.redeem_effects(member, sold.coupons, sale.id, program, now, promised_at)
    if member is None:
        return tuple(changes)
    if sold.points_used:
        changes.append(Debited(lots.take(members.as_of(member, now).lots, sold.points_used, now)))
    changes += [Debited(takes, pool) for pool, takes in paid.takes]
    if sold.earned:
        begins = standing.credit_available_at(member, now, _delayed(program, now))
        lot = gains.points_lot(sale.lot, sold.earned, sale.id, program, now, available_at=begins)
        changes.append(Credited(lot))
    changes += counted
    if sold.earned or sold.points_used:
        changes += gains.slide(program, now)
    return tuple(changes)


def _delayed(program: Program, now: dt.datetime) -> dt.datetime:
    """Return when points earned now can be spent: at once, or at the start of a later local day."""
    wait = program.earning.delay_days
    if not wait:
        return now
    day = days.local_day(now, program.zone()) + dt.timedelta(days=wait)
    return days.first_instant(day, program.zone())


def reasons(
    member: Member | None, sold: SaleFacts, paid: Paid, program: Program, now: dt.datetime
) -> tuple[Reason, ...]:
    """Say what tenders and status do to the points."""
    if member is None:
        return ()
    found = []
    bonus = paid.value.bonus_minor
    if bonus and not program.earning.on_bonus_part:
        found.append(Reason("EARN_NOT_ON_BONUS", {"amount_minor": bonus, "currency": program.currency}))
    if sold.earned and member.status == standing.FROZEN:
        found.append(Reason("EARN_WAITS_FROZEN", {"points": sold.earned}))
    elif sold.earned and program.earning.delay_days:
        begins = days.local_day(_delayed(program, now), program.zone())
        found.append(Reason("EARN_WAITS_DAYS", {"points": sold.earned, "day": begins.isoformat()}))
    return tuple(found)
