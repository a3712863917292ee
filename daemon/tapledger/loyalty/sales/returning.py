"""What comes back of a sale: void and return (loyalty.md section 3.13, decisions R21, R38, X2, X6, X8).

Money is the stored share of what comes back; nothing is priced again. ``sold`` reckons every amount from the
first return on, so what is posted here is the difference to what earlier returns posted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import days, ledger, tallies
from tapledger.loyalty.coupons import couponing
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import BONUS, POINTS, PRINCIPAL, Effect, Tallied
from tapledger.loyalty.facts import Reason, ReturnFacts, ReturnLine, Tender
from tapledger.loyalty.gains import Gained
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.life.sensitivity import is_sensitive
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import referring
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.values import Returns
from tapledger.loyalty.sales import clawing, refunding, sold
from tapledger.loyalty.sales.clawing import Clawed, Grace
from tapledger.loyalty.sales.sold import WHOLE, Back, Sold
from tapledger.loyalty.tiers import tiering

MAX_LINES = 500

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    line: int
    """Of the sale, from 0."""
    quantity_milli: int


@dataclass(frozen=True, slots=True)
class Return:
    """Some of a sale comes back. ``id`` is the return's for ever."""

    id: str
    lines: tuple[ReturnedLine, ...]
    staff: str | None
    reason: str = ""
    shop_fault: bool = False
    """Something was wrong with it: money from outside first, and expired value gets its grace (X2)."""
    late_approved: bool = False
    """A manager takes it back after the return window."""
    exchange: str = ""
    """Id of the exchange it is a part of."""


@dataclass(frozen=True, slots=True)
class Void:
    """A whole sale is undone on its own business day."""

    id: str
    staff: str | None
    reason: str = ""
    day_closed: bool = False
    """The till's business day has ended since (Z)."""


def decide_return(
    member: Member | None, sale: Sold, command: Return, program: Program, now: dt.datetime
) -> Decision:
    """Take some of a sale back; refuse what was never sold, has come back, or comes too late."""
    rules = program.returns
    today, window = days.local_day(now, program.zone()), rules.window_days
    last = days.local_day(sale.at, program.zone()) + dt.timedelta(days=window)
    if today > last and not command.late_approved:
        raise Refused("RETURN_TOO_LATE", days=window)
    before = sale.milli_back()
    after = _checked(sale, before, command.lines)
    kind = "exchange" if command.exchange else "return"
    plan = _Plan(member, sale, sold.back(sale.facts, before), sold.back(sale.facts, after), program, now)
    step = 1 if command.exchange else program.money.cash_rounding_minor
    facts = ReturnFacts(
        id=command.id,
        sale=sale.facts.id,
        kind=kind,
        currency=sale.facts.currency,
        lines=_lines(plan, before, after),
        refund_minor=plan.refund_minor,
        tenders=_tenders(plan, step, command.shop_fault),
        reason=command.reason,
        shop_fault=command.shop_fault,
        day=today.toordinal(),
        exchange=command.exchange,
    )
    return _decided(plan, facts, command.staff)


def decide_void(
    member: Member | None, sale: Sold, command: Void, program: Program, now: dt.datetime
) -> Decision:
    """Undo a sale as if it had never been; only all of it, and only on its business day (R38, X8)."""
    today = days.local_day(now, program.zone())
    if command.day_closed or days.local_day(sale.at, program.zone()) != today:
        raise Refused("VOID_ONLY_SAME_DAY")
    if sale.returns:
        raise Refused("SALE_ALREADY_RETURNED")
    before, after = sale.milli_back(), [line.quantity_milli for line in sale.facts.lines]
    plan = _Plan(member, sale, sold.back(sale.facts, before), sold.back(sale.facts, after), program, now)
    facts = ReturnFacts(
        id=command.id,
        sale=sale.facts.id,
        kind="void",
        currency=sale.facts.currency,
        lines=_lines(plan, before, after),
        refund_minor=plan.refund_minor,
        tenders=_tenders(plan, program.money.cash_rounding_minor, shop_fault=False),
        reason=command.reason,
        day=today.toordinal(),
    )
    return _decided(plan, facts, command.staff)


def _checked(sale: Sold, before: Sequence[int], lines: Sequence[ReturnedLine]) -> list[int]:
    """Return how much of each line is back with this return."""
    if not lines:
        raise Invalid("RETURN_EMPTY")
    if len(lines) > MAX_LINES:
        raise Invalid("BASKET_TOO_LONG", limit=MAX_LINES)
    after = list(before)
    for one in lines:
        if not 0 <= one.line < len(after):
            raise Invalid("LINE_UNKNOWN", line=one.line + 1)
        line = sale.facts.lines[one.line]
        in_pieces = not line.weighed and line.quantity_milli % WHOLE == 0
        if one.quantity_milli <= 0 or (in_pieces and one.quantity_milli % WHOLE):
            raise Invalid("QUANTITY_IMPOSSIBLE", sku=line.sku)
        after[one.line] += one.quantity_milli
        if after[one.line] > line.quantity_milli:
            raise Refused("RETURN_TOO_MUCH", sku=line.sku)
    return after


@dataclass(frozen=True, slots=True)
class _Plan:
    member: Member | None
    sale: Sold
    before: Back
    after: Back
    program: Program
    now: dt.datetime

    @property
    def refund_minor(self) -> int:
        """What is repaid now. A gift that was kept may have been deducted too late to get it back."""
        return max(0, self.after.refund_minor - sum(one.refund_minor for one in self.sale.returns))

    @property
    def rules(self) -> Returns:
        return self.program.returns


def _lines(plan: _Plan, before: Sequence[int], after: Sequence[int]) -> tuple[ReturnLine, ...]:
    found = []
    for i, line in enumerate(plan.sale.facts.lines):
        if after[i] != before[i]:
            name = "" if is_sensitive(line, plan.program) else line.name
            amount = plan.after.lines[i] - plan.before.lines[i]
            found.append(ReturnLine(i, after[i] - before[i], amount, name))
    return tuple(found)


def _tenders(plan: _Plan, step_minor: int, shop_fault: bool) -> tuple[Tender, ...]:
    order = "external_first" if shop_fault else plan.rules.tenders
    return refunding.repay(plan.sale.facts, plan.sale.returns, plan.refund_minor, order, step_minor)


def _decided(plan: _Plan, facts: ReturnFacts, staff: str | None) -> Decision:
    after = plan.after
    goods_back = sum(one.refund_minor for one in facts.lines)
    facts = replace(
        facts,
        tax_minor=after.tax_minor - plan.before.tax_minor,
        gifts_kept_minor=goods_back - facts.refund_minor,
        complete=after.complete,
    )
    member, points, sent = plan.member, 0, Gained()
    effects: tuple[Effect, ...] = ()
    if member is not None:
        effects, sent, facts = _for_member(member, plan, facts)
        points = facts.restored - facts.clawed + facts.forgiven
    lines = [
        *refunding.refund_lines(facts.tenders, None if member is None else member.id, facts.currency),
        *_income(plan, facts),
    ]
    if member is not None:
        lines += ledger.points_given(member.id, points)
    body = EventBody(
        kind="void" if facts.kind == "void" else "return",
        at=plan.now,
        program=plan.program.version,
        member=None if member is None else member.id,
        lines=(*lines, *sent.lines),
        effects=effects,
        returned=facts,
        reasons=(*_reasons(facts), *sent.reasons),
        staff=staff,
    )
    return decision(member, body)


def _income(plan: _Plan, facts: ReturnFacts) -> tuple[Line, ...]:
    """Take the refund out of what the sale was posted as: deposits, tax, and sales for the rest."""
    deposits = plan.after.deposit_minor - plan.before.deposit_minor
    amounts = (
        (ledger.DEPOSITS, deposits),
        (ledger.TAX, facts.tax_minor),
        (ledger.SALES, facts.refund_minor - facts.tax_minor - deposits),
    )
    return tuple(Line(account, facts.currency, amount) for account, amount in amounts if amount)


def _for_member(
    member: Member, plan: _Plan, facts: ReturnFacts
) -> tuple[tuple[Effect, ...], Gained, ReturnFacts]:
    """Return what changes for the member, what it means for a referral, and the facts with the points."""
    sale, before, after, rules = plan.sale, plan.before, plan.after, plan.rules
    restored = sold.points_to_restore(sale.facts, before), sold.points_to_restore(sale.facts, after)
    repaid = refunding.repaid_by(sale.returns)
    effects = [
        *clawing.given_back(
            member, sale.points, *restored, POINTS, _grace(plan, facts, points=True), plan.now
        )
    ]
    for pool, takes in ((PRINCIPAL, sale.principal), (BONUS, sale.bonus)):
        was = repaid.get(pool, 0)
        now = was + sum(t.amount_minor for t in facts.tenders if t.kind == pool)
        effects += clawing.given_back(
            member, takes, was, now, pool, _grace(plan, facts, points=False), plan.now
        )
    clawed = sum(one.clawed for one in sale.returns)
    target = sold.points_to_claw(sale.facts, after, rules.clawback)
    taken = Clawed((), {}, 0)
    if target or clawed:  # also when both are the same: what this return gives back may pay instead
        so_far = tiering.with_effects(member, effects, plan.now)
        taken = clawing.claw(so_far, sale, target, rules.negative, plan.now)
    effects += [*taken.effects, *_uncounted(plan)]
    if after.complete and not before.complete:
        effects += couponing.restore_effects(member, sale.facts, plan.program, plan.now)
    left = tiering.with_effects(member, effects, plan.now)
    kept = sum(sold.paid_for(line, sale.facts.tax_exclusive) for line in sale.facts.lines) - sum(after.lines)
    sent = referring.after_return(left, sale.facts.id, kept, plan.program, plan.now)
    effects += sent.effects
    effects += _tier(tiering.with_effects(left, sent.effects, plan.now), facts, plan)
    facts = replace(
        facts,
        clawed=target - clawed,
        forgiven=taken.forgiven,
        taken=taken.taken,
        restored=restored[1] - restored[0],
    )
    return tuple(effects), sent, facts


def _grace(plan: _Plan, facts: ReturnFacts, *, points: bool) -> Grace:
    """Return how long what had expired lasts again: for the shop's fault always, else as points have it."""
    rules = plan.rules
    length = rules.shop_fault_grace_days if facts.shop_fault else 0
    if points and rules.restore_expired == "grace_days":
        length = max(length, rules.grace_days)
    if not length:
        return Grace(None, facts.id)
    last = days.local_day(plan.now, plan.program.zone()) + dt.timedelta(days=length)
    return Grace(days.end_of_day(last, plan.program.zone()), facts.id)


def _uncounted(plan: _Plan) -> list[Tallied]:
    """Take back what the sale counted: spend and growth by what is kept, the rest when nothing is."""
    sale, found = plan.sale, []
    for one in sale.counted:
        if sale.facts.tallied and one.key not in sale.facts.tallied:
            continue
        amount = _counted_back(one, sale, plan.after) - _counted_back(one, sale, plan.before)
        if amount:
            found.append(Tallied(one.key, one.day, -amount))
    return found


def _counted_back(one: Tallied, sale: Sold, now: Back) -> int:
    whole = now.spend_minor + now.kept_spend_minor
    match one.key:
        case tallies.SPEND:
            return one.amount * now.spend_minor // whole if whole else 0
        case tallies.SALES:
            return one.amount if now.complete or (whole and not now.kept_spend_minor) else 0
        case tallies.GROWTH:
            per = sale.facts.growth_per_minor
            kept = now.kept_spend_minor // per if per else 0
            return one.amount - min(one.amount, kept)
    return one.amount if now.complete else 0


def _tier(member: Member, facts: ReturnFacts, plan: _Plan) -> tuple[Effect, ...]:
    """Return the tier that is taken back; after a void it is as before whatever the rule for returns."""
    program = plan.program
    if facts.kind == "void" and program.tiering.on_refund == "at_review":
        program = replace(program, tiering=replace(program.tiering, on_refund="recompute_if_unearned"))
    return tiering.after_return(member, program, plan.now)


def _reasons(facts: ReturnFacts) -> tuple[Reason, ...]:
    money_back: dict[str, int | str] = {"amount_minor": facts.refund_minor, "currency": facts.currency}
    found = [Reason("RETURN_REFUND", money_back)]
    if facts.gifts_kept_minor > 0:
        figures: dict[str, int | str] = {"amount_minor": facts.gifts_kept_minor, "currency": facts.currency}
        found.append(Reason("RETURN_GIFT_KEPT", figures))
    if facts.clawed:
        found.append(Reason("RETURN_CLAWED", {"points": facts.clawed}))
    if facts.forgiven > 0:
        found.append(Reason("RETURN_FORGIVEN", {"points": facts.forgiven}))
    if facts.restored:
        found.append(Reason("RETURN_RESTORED", {"points": facts.restored}))
    return tuple(found)
