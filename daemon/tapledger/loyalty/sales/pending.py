"""A payment that answers nothing: the sale waits, what it uses is kept for it, and it is completed once (X1).

The event of the sale is decided when it begins to wait and posted when the tender is confirmed: prices, tier
and points are those of then. Until then nothing is earned and nothing redeemed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import msgspec

from tapledger.loyalty import ledger
from tapledger.loyalty.coupons import couponing
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import POINTS, CouponMoved, Debited, Effect, Restored
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.sales import selling
from tapledger.loyalty.sales.selling import Sale

HELD_FOR = dt.timedelta(days=7)
"""How long coupons are kept for a sale that waits; the list at Z is looked at long before."""

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sale that waits for its tender: what keeps things for it, and the event that it will be."""

    kept: Decision
    body: EventBody


def decide_pending(member: Member | None, sale: Sale, program: Program, now: dt.datetime) -> Waiting:
    """Decide a sale and keep what it uses; refuse what could not be sold at all."""
    body = selling.body_of(member, sale, program, now)
    assert body.sale is not None
    effects: tuple[Effect, ...] = (
        *(
            replace(one, until=now + HELD_FOR) if isinstance(one, CouponMoved) else one
            for one in couponing.hold_effects(member, body.sale.coupons, sale.id, now)
        ),
        *(one for one in body.effects if isinstance(one, Debited)),
    )
    kept = EventBody(
        kind="hold",
        at=now,
        program=program.version,
        member=body.member,
        lines=_kept_lines(body, 1),
        effects=effects,
        facts={"sale": sale.id},
        staff=sale.staff,
        trust=sale.trust,
        evidence=sale.evidence,
    )
    return Waiting(decision(member, kept), body)


def decide_confirmed(member: Member | None, body: EventBody, program: Program, now: dt.datetime) -> Decision:
    """Complete a sale whose tender came after all: never refused, because the customer has paid."""
    whole = replace(
        body,
        at=now,
        member=None if member is None else member.id,
        lines=(*_kept_lines(body, -1, member), *(_of_now(line, body, member) for line in body.lines)),
        effects=(*_restored(body), *body.effects),
    )
    return decision(member, selling.finished(member, whole, program, now))


def decide_given_up(
    member: Member | None, body: EventBody, staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Let go of what was kept for a sale whose tender did not come."""
    assert body.sale is not None
    effects: tuple[Effect, ...] = (
        *_restored(body),
        *couponing.release_effects(member, body.sale.coupons, body.sale.id),
    )
    released = EventBody(
        kind="release",
        at=now,
        program=program.version,
        member=None if member is None else member.id,
        lines=_kept_lines(body, -1, member),
        effects=effects,
        facts={"sale": body.sale.id},
        staff=staff,
    )
    return decision(member, released)


def _restored(body: EventBody) -> tuple[Effect, ...]:
    return tuple(Restored(one.takes, one.pool) for one in body.effects if isinstance(one, Debited))


def _of_now(line: Line, body: EventBody, member: Member | None) -> Line:
    """Return a line on the accounts of whom the sale's member is now: they may be merged since (X4)."""
    before = f"member/{body.member}/"
    if member is None or not line.account.startswith(before):
        return line
    return replace(line, account=f"member/{member.id}/{line.account.removeprefix(before)}")


def _kept_lines(body: EventBody, sign: int, now: Member | None = None) -> tuple[Line, ...]:
    """Move what pays from the member's accounts to what is held, or back to whom they are ``now``."""
    if body.member is None or body.sale is None:
        return ()
    owner = body.member if now is None else now.id
    held = ledger.member_held(body.member)
    amounts: list[tuple[str, str, int]] = []
    for one in body.effects:
        if isinstance(one, Debited):
            amount = sum(take.amount for take in one.takes)
            if one.pool == POINTS:
                amounts.append((ledger.member_points(owner), ledger.POINT, -amount))
            else:
                amounts.append((ledger.member_value(owner, one.pool), body.sale.currency, amount))
    return tuple(
        line
        for account, unit, amount in amounts
        for line in (Line(account, unit, sign * amount), Line(held, unit, -sign * amount))
    )
