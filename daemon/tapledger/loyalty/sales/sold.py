"""A sale as a return finds it: what was sold, which lots paid, and what came back before.

All amounts of a return are differences of cumulative ones, and those depend on how much of each line is back
and on nothing else: any order and any partition of returns ends where one return would (loyalty.md 3.13, P6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import msgspec

from tapledger.loyalty import money
from tapledger.loyalty.effects import (
    BONUS,
    POINTS,
    PRINCIPAL,
    Credited,
    Debited,
    Effect,
    Lot,
    LotTake,
    Tallied,
)
from tapledger.loyalty.facts import EarnFacts, ReturnFacts, SaleFacts, SaleLine
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.pricing import reckon
from tapledger.loyalty.pricing.amounts import taxes

WHOLE = 1000

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale with everything that a return of it needs."""

    facts: SaleFacts
    at: dt.datetime
    member: str | None
    lot: Lot | None = None
    """The points it earned, as they were credited."""
    points: tuple[LotTake, ...] = ()
    """Which lots paid, by pool."""
    principal: tuple[LotTake, ...] = ()
    bonus: tuple[LotTake, ...] = ()
    counted: tuple[Tallied, ...] = ()
    returns: tuple[ReturnFacts, ...] = ()
    """Earlier ones, in their order."""
    clawed: tuple[LotTake, ...] = ()
    """What they took of lots for points that had been earned."""

    def milli_back(self) -> list[int]:
        """Return how much of each line has come back, in thousandths."""
        back = [0] * len(self.facts.lines)
        for earlier in self.returns:
            for line in earlier.lines:
                back[line.line] += line.quantity_milli
        return back


def read(sale: EventBody, returned: Sequence[EventBody] = (), late: EventBody | None = None) -> Sold:
    """Put together what the ledger says of one sale; ``late`` is the credit its receipt got afterwards."""
    assert sale.sale is not None
    facts, member, given = sale.sale, sale.member, sale.effects
    if late is not None:
        assert late.sale is not None
        facts = replace(facts, earned=late.sale.earned, earn=late.sale.earn, tallied=late.sale.tallied)
        member, given = late.member, late.effects
    return Sold(
        facts=_with_taxes(facts),
        at=sale.at,
        member=member,
        lot=next((one.lot for one in given if _is_earned(one, facts.id)), None),
        points=_takes(sale.effects, POINTS),
        principal=_takes(sale.effects, PRINCIPAL),
        bonus=_takes(sale.effects, BONUS),
        counted=tuple(one for one in given if isinstance(one, Tallied)),
        returns=tuple(body.returned for body in returned if body.returned is not None),
        clawed=_clawed(returned),
    )


def _with_taxes(facts: SaleFacts) -> SaleFacts:
    """Share the tax out for a sale of the first release, whose lines have none of their own."""
    if not facts.tax_minor or any(line.tax_minor for line in facts.lines):
        return facts
    nets = [line.net_minor for line in facts.lines]
    found = taxes(nets, [line.tax_bp for line in facts.lines], facts.tax_exclusive)
    lines = tuple(replace(line, tax_minor=tax) for line, tax in zip(facts.lines, found, strict=True))
    return replace(facts, lines=lines)


def _is_earned(effect: Effect, sale: str) -> TypeGuard[Credited]:
    """Tell the sale's own points from others of its event; the first release named no source."""
    return isinstance(effect, Credited) and effect.lot.source in (sale, "")


def _takes(effects: Iterable[Effect], pool: str) -> tuple[LotTake, ...]:
    return tuple(
        take for one in effects if isinstance(one, Debited) and one.pool == pool for take in one.takes
    )


def _clawed(returned: Sequence[EventBody]) -> tuple[LotTake, ...]:
    """Add up what returns took of each lot; what a later one gave back again is taken off."""
    amounts: dict[str, int] = {}
    ends: dict[str, dt.datetime | None] = {}
    for body in returned:
        if body.returned is not None:
            for lot, amount in body.returned.taken.items():
                amounts[lot] = amounts.get(lot, 0) + amount
            ends.update({take.lot: take.expires_at for take in _takes(body.effects, POINTS)})
    return tuple(LotTake(lot, amount, ends.get(lot)) for lot, amount in amounts.items() if amount > 0)


# ---- what has come back, cumulatively ---------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Back:
    """What belongs to the part of a sale that is back, from the first return on."""

    lines: tuple[int, ...]
    """Money of each line."""
    refund_minor: int
    """Their sum, less gifts that are kept and were not earned; never below 0."""
    tax_minor: int
    deposit_minor: int
    points_minor: int
    """Of what points paid."""
    spend_minor: int
    """Of what counted as spend."""
    kept_spend_minor: int
    bases: tuple[int, ...]
    """What is kept of the basis of each line."""
    complete: bool
    """Everything but deposits is back."""

    @property
    def gifts_kept_minor(self) -> int:
        return sum(self.lines) - self.refund_minor


def portion(amount: int, line: SaleLine, milli: int) -> int:
    """Return the part of a line's amount that goes with so many thousandths of it.

    Pieces have whole shares, and the first ones to come back are those with the larger shares; what is
    weighed is shared between returned and kept (X6).
    """
    whole = line.quantity_milli
    if milli >= whole:
        return amount
    if line.weighed or whole % WHOLE:
        return money.allocate([milli, whole - milli], amount)[0]
    pieces, back = whole // WHOLE, milli // WHOLE
    return amount // pieces * back + min(amount % pieces, back)


def paid_for(line: SaleLine, tax_exclusive: bool) -> int:
    """Return what was paid for a line, tax included."""
    return line.net_minor + (line.tax_minor if tax_exclusive else 0)


def is_spend(line: SaleLine) -> bool:
    """Tell whether a line counts as spend: a deposit is only lent."""
    return line.kind != "deposit"


def spend_of(lines: Iterable[SaleLine], tax_exclusive: bool) -> int:
    """Return what was paid for all that counts as spend."""
    return sum(paid_for(line, tax_exclusive) for line in lines if is_spend(line))


def back(facts: SaleFacts, milli: Sequence[int]) -> Back:
    """Return what belongs to so many thousandths of each line."""
    both = list(zip(facts.lines, milli, strict=True))
    money_back = [portion(paid_for(line, facts.tax_exclusive), line, part) for line, part in both]
    spend = sum(part for part, line in zip(money_back, facts.lines, strict=True) if is_spend(line))
    return Back(
        lines=tuple(money_back),
        refund_minor=max(0, sum(money_back) - _gifts(facts, milli)),
        tax_minor=sum(portion(line.tax_minor, line, part) for line, part in both),
        deposit_minor=sum(money_back) - spend,
        points_minor=sum(portion(line.points_minor, line, part) for line, part in both),
        spend_minor=spend,
        kept_spend_minor=spend_of(facts.lines, facts.tax_exclusive) - spend,
        bases=tuple(line.basis_minor - portion(line.basis_minor, line, part) for line, part in both),
        complete=all(part >= line.quantity_milli for line, part in both if is_spend(line)),
    )


def _gifts(facts: SaleFacts, milli: Sequence[int]) -> int:
    """Return what gifts would have cost that are kept while too little is kept of what they came with."""
    cost = 0
    for number, line in enumerate(facts.lines):
        if line.kind != "gift" or not line.shadow_minor:
            continue
        others = line.gift_lines or tuple(i for i, one in enumerate(facts.lines) if not one.kind)
        kept = 0
        for i in others:
            worth = facts.lines[i].net_minor + facts.lines[i].points_minor
            kept += worth - portion(worth, facts.lines[i], milli[i])
        if kept < max(1, line.gift_min_minor):
            cost += line.shadow_minor - portion(line.shadow_minor, line, milli[number])
    return cost


# ---- points -----------------------------------------------------------------------------------------------
def points_to_claw(facts: SaleFacts, now: Back, rule: str) -> int:
    """Return how many of the earned points are to be taken back in all.

    ``as_if``: as many as the kept part would not have earned, by the sale's own rules, tier and caps.
    ``proportional``: by the returned share of the basis, the last return takes all.
    """
    if not facts.earned:
        return 0
    if rule == "as_if" and facts.earn != EarnFacts():
        return min(facts.earned, max(0, facts.earned - reckon(facts.earn, now.bases)))
    if facts.earn == EarnFacts():  # the first release kept no arithmetic
        whole = sum(line.net_minor for line in facts.lines if line.earns)
        kept = whole - sum(part for part, line in zip(now.lines, facts.lines, strict=True) if line.earns)
    else:
        whole, kept = sum(line.basis_minor for line in facts.lines), sum(now.bases)
    if now.complete or not whole:
        return facts.earned if now.complete else 0
    return facts.earned * (whole - kept) // whole


def points_to_restore(facts: SaleFacts, now: Back) -> int:
    """Return how many of the points that paid are to be given back in all."""
    whole = sum(line.points_minor for line in facts.lines)
    return facts.points_used * now.points_minor // whole if whole else 0


def shared_back(takes: Sequence[LotTake], amount: int) -> dict[str, LotTake]:
    """Name the lots that get an amount back which they paid: the latest to expire first (3.13)."""
    far = dt.datetime.max.replace(tzinfo=dt.UTC)
    found: dict[str, LotTake] = {}
    for take in sorted(takes, key=lambda one: (one.expires_at or far, one.lot), reverse=True):
        part = min(amount, take.amount)
        if part:
            found[take.lot] = replace(take, amount=part)
            amount -= part
    return found
