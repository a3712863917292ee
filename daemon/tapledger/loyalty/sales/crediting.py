"""A card that was forgotten at home: the points of a receipt, given afterwards (decisions, smaller (a))."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import msgspec

from tapledger.errors import Refused
from tapledger.loyalty import days, gains, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Effect, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.pricing import earn, reckon
from tapledger.loyalty.program import Program
from tapledger.loyalty.sales import shopping
from tapledger.loyalty.sales.sold import Sold, back
from tapledger.loyalty.sales.tenders import Payer
from tapledger.loyalty.tiers import tiering

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class LateCredit:
    """A member shows the receipt of a sale that had no member. ``lot`` is the id its points will have."""

    lot: str
    staff: str | None


def decide_late_credit(
    member: Member,
    sale: Sold,
    command: LateCredit,
    rules: Program,
    program: Program,
    now: dt.datetime,
) -> Decision:
    """Give the points of what is kept of a sale, by its own rules and the tier held then; nothing else.

    ``rules`` is the programme of the sale, ``program`` today's. That a receipt is credited once is the
    store's to claim.
    """
    _check(member, sale, program, now)
    tier = tier_then(member, sale.at, rules)
    kept = back(sale.facts, sale.milli_back())
    shopper = shopping.shopper(Payer(member), rules, sale.at, tier=tier)
    earned = earn(
        sale.facts.lines,
        [line.basis_minor for line in sale.facts.lines],
        shopper,
        shopping.compiled(rules),
        shopping.moment(rules, sale.at),
    )
    points = reckon(earned.facts, kept.bases)
    if not points:
        raise Refused("LATE_CREDIT_NOTHING")
    begins = standing.credit_available_at(member, now)
    lot = gains.points_lot(command.lot, points, sale.facts.id, rules, sale.at, available_at=begins)
    counted: tuple[Effect, ...] = ()
    if rules.earning.per_member_day is not None:
        sold_on = days.local_day(sale.at, rules.zone()).toordinal()
        counted = (Tallied(tallies.EARNED, sold_on, points),)
    given = gains.credit(member.id, lot)
    body = EventBody(
        kind="late_credit",
        at=now,
        program=rules.version,
        member=member.id,
        lines=given.lines,
        effects=(*given.effects, *counted, *gains.slide(program, now)),
        sale=replace(
            sale.facts,
            earned=points,
            earn=earned.facts,
            tallied={one.key: one.amount for one in counted if isinstance(one, Tallied)},
        ),
        reasons=(Reason("LATE_CREDIT", {"points": points}), *earned.reasons),
        staff=command.staff,
    )
    return decision(member, body)


def _check(member: Member, sale: Sold, program: Program, now: dt.datetime) -> None:
    standing.check_earn(member, now)
    if sale.member is not None:
        raise Refused("SALE_HAS_MEMBER")
    zone, window = program.zone(), program.returns.window_days
    if days.local_day(now, zone) > days.local_day(sale.at, zone) + dt.timedelta(days=window):
        raise Refused("LATE_CREDIT_TOO_LATE", days=window)
    if member.joined_at > sale.at:
        raise Refused("LATE_CREDIT_JOINED_LATER")


def tier_then(member: Member, at: dt.datetime, program: Program) -> str:
    """Return the tier that a member held at an earlier instant, as far as is known of them."""
    sold_on = days.local_day(at, program.zone()).toordinal()
    if member.gained_on <= sold_on:
        return tiering.current(member, program, at).id
    for former in reversed(member.former_tiers):
        if former.gained_on <= sold_on:
            return program.tier(former.tier).id
    return program.tiers[0].id
