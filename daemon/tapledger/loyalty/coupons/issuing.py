"""Coupons are given: by a trigger, a campaign, a reward, staff, or claimed by their public code (3.11)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from tapledger.errors import Refused
from tapledger.loyalty import days, eligibility, tallies
from tapledger.loyalty.coupons import wallet
from tapledger.loyalty.coupons.claiming import BEARER, CODE
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Coupon, CouponIssued, CouponMoved, Effect, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.coupons import Template


def new_coupon(
    id_: str,
    template: Template,
    source: str,
    program: Program,
    now: dt.datetime,
    node: str = "",
    code: str = "",
) -> Coupon:
    """Return a coupon issued now. Days are whole local days after today; of two ends the earlier counts."""
    zone, ends = program.zone(), []
    if template.valid_days is not None:
        last = days.local_day(now, zone) + dt.timedelta(days=template.valid_days)
        ends.append(days.end_of_day(last, zone))
    if template.valid_to is not None:
        ends.append(days.instant(template.valid_to, zone))
    begins = None if template.valid_from is None else days.instant(template.valid_from, zone)
    return Coupon(
        id=id_,
        template=template.id,
        issued_at=now,
        expires_at=min(ends, default=None),
        valid_from=begins,
        source=source,
        node=node,
        code=code,
    )


def issue(
    id_: str,
    template: Template,
    source: str,
    program: Program,
    now: dt.datetime,
    node: str = "",
    code: str = "",
) -> tuple[Effect, ...]:
    """Put a coupon into a wallet and count it: for the member's limit, and for the total of this shop."""
    today = days.local_day(now, program.zone()).toordinal()
    coupon = new_coupon(id_, template, source, program, now, node, code)
    return CouponIssued(coupon), Tallied(tallies.of_coupon(template.id), today, 1)


def spent_limits(member: Member, program: Program) -> frozenset[str]:
    """Return the keys of coupons that a member has had as often as they may."""
    return frozenset(
        tallies.of_coupon(template.id)
        for template in program.coupons
        if template.per_member is not None and times_had(member, template.id) >= template.per_member
    )


def times_had(member: Member, template: str) -> int:
    """Return how many of a template a member was issued or has used by its public code."""
    return tallies.total(member.tallies, tallies.of_coupon(template)) + tallies.total(
        member.tallies, CODE + template
    )


@dataclass(frozen=True, slots=True)
class Issue:
    """Staff, a campaign or the member gives or claims a coupon."""

    template: str
    coupon: str
    """Id it will have."""
    source: str
    kind: str = "coupon"
    """``coupon`` when it is given, ``claim`` when the member asked for it by its public code."""
    node: str = ""
    code: str = ""
    staff: str | None = None
    exhausted: Collection[str] = frozenset()
    """Keys of which this shop has none left."""


def decide_issue(member: Member, command: Issue, program: Program, now: dt.datetime) -> Decision:
    """Issue a coupon to a member; refuse with the reason that stands in the way."""
    template = program.coupon(command.template)
    if template is None or (command.kind == "claim" and not template.claimable):
        raise Refused("COUPON_UNKNOWN")
    why = why_not(member, template, command, program, now)
    if why is not None:
        raise Refused(why.code, **why.data)
    effects = issue(command.coupon, template, command.source, program, now, command.node, command.code)
    return decision(member, _body(command.kind, member.id, effects, template, command, program, now))


def why_not(
    member: Member, template: Template, command: Issue, program: Program, now: dt.datetime
) -> Reason | None:
    """Return why a template cannot be issued to a member now; a claim must also meet its condition."""
    if (gone := standing.why_not_earn(member, now)) is not None:
        return gone
    if template.valid_to is not None and now >= days.instant(template.valid_to, program.zone()):
        return Reason("COUPON_EXPIRED", {"coupon": template.id})
    if tallies.of_coupon(template.id) in command.exhausted:
        return Reason("COUPON_EXHAUSTED", {})
    if template.per_member is not None and times_had(member, template.id) >= template.per_member:
        return Reason("LIMIT_REACHED", {"times": template.per_member})
    return eligibility.why_not(member, template.when, program, now) if command.kind == "claim" else None


def decide_bearer(command: Issue, program: Program, now: dt.datetime) -> Decision:
    """Issue a coupon to whoever will hold its paper; ``command.code`` is the index of the printed code."""
    template = program.coupon(command.template)
    if template is None:
        raise Refused("COUPON_UNKNOWN")
    if template.valid_to is not None and now >= days.instant(template.valid_to, program.zone()):
        raise Refused("COUPON_EXPIRED", coupon=template.id)
    effects = issue(
        BEARER + command.coupon, template, command.source, program, now, command.node, command.code
    )
    return decision(None, _body("coupon", None, effects, template, command, program, now))


def decide_take(
    member: Member, paper: Coupon, command: Issue, program: Program, now: dt.datetime
) -> Decision:
    """Put a bearer's coupon into a member's wallet: the paper is used up, its end stays."""
    template = program.coupon(paper.template)
    if template is None:
        raise Refused("COUPON_UNKNOWN")
    standing.check_earn(member, now)
    own = msgspec.structs.replace(
        new_coupon(command.coupon, template, command.source, program, now, command.node),
        expires_at=paper.expires_at,
    )
    effects = (CouponMoved(paper.id, "redeemed", command.coupon), CouponIssued(own))
    return decision(member, _body("claim", member.id, effects, template, command, program, now))


def decide_admit(
    member: Member | None, coupon: Coupon, command: Issue, program: Program, now: dt.datetime
) -> Decision:
    """Believe a coupon that another shop signed and this one has not heard of; it was counted there."""
    template = program.coupon(coupon.template)
    if template is None:
        raise Refused("COUPON_UNKNOWN")
    owner = None if member is None else member.id
    return decision(member, _body("claim", owner, (CouponIssued(coupon),), template, command, program, now))


def _body(
    kind: str,
    member: str | None,
    effects: tuple[Effect, ...],
    template: Template,
    command: Issue,
    program: Program,
    now: dt.datetime,
) -> EventBody:
    return EventBody(
        kind=kind,
        at=now,
        program=program.version,
        member=member,
        effects=effects,
        reasons=(Reason("COUPON_ISSUED", {"coupon": template.id, "source": command.source}),),
        staff=command.staff,
    )


def decide_void(
    member: Member, coupon: str, why: str, staff: str, program: Program, now: dt.datetime
) -> Decision:
    """Take a coupon away that was not redeemed; the reason is kept."""
    known = wallet.find(member.coupons, coupon)
    if known is None:
        raise Refused("COUPON_UNKNOWN")
    if wallet.state(known, now) not in ("issued", "held"):
        raise Refused("COUPON_USED")
    body = EventBody(
        kind="coupon_void",
        at=now,
        program=program.version,
        member=member.id,
        effects=(CouponMoved(coupon, "void"),),
        facts={"why": why},
        staff=staff,
    )
    return decision(member, body)
