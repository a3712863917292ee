"""Points that go to a partner's programme and come from it: held, credited there, confirmed (section 3.21).

A shop owes for points that it issued and a partner takes on: sending debits its account with the partner,
receiving credits it, in points of its own. ``alliance.settle`` turns accounts into money.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import days, gains, ledger, lots, members, money, rights, tallies
from tapledger.loyalty.days import Expiry
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Held, Hold, HoldSettled, Lot, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program, name_in
from tapledger.loyalty.program.people import Partner
from tapledger.loyalty.rewards.redeeming import PARTNER
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.value import alliance
from tapledger.loyalty.value.alliance import Exchange


def partner_account(partner: str) -> str:
    return f"partner/{partner}/points"


def settlement_account(partner: str) -> str:
    return f"partner/{partner}/paid"


def partner_of(program: Program, id_: str) -> Partner:
    """Return a partner; raise ``Refused`` for one that the programme does not name."""
    found = next((one for one in program.partners if one.id == id_), None)
    if found is None:
        raise Refused("PARTNER_UNKNOWN")
    return found


@dataclass(frozen=True, slots=True)
class SendPoints:
    """A member wants points to become a partner's. ``key`` names the exchange on both sides."""

    key: str
    partner: str
    points: int
    account_points: int
    """This shop's account with the partner now."""
    trust: int
    evidence: str
    rights: Rights
    staff: str | None = None
    language: str = "en"


def decide_send(
    member: Member, command: SendPoints, program: Program, now: dt.datetime
) -> tuple[Decision, Exchange]:
    """Set the points aside that can be exchanged; a remainder below one full step stays."""
    partner = partner_of(program, command.partner)
    standing.check_spend(member, now)
    if not 0 < command.points <= money.MAX_AMOUNT_MINOR:
        raise Invalid("POINTS_IMPOSSIBLE")
    parts = alliance.exchange(command.points, partner.out_from, partner.out_to)
    if not parts.taken:
        raise Refused("EXCHANGE_TOO_SMALL", points=partner.out_from)
    have = members.points(member, now).available
    if have < parts.taken:
        raise Refused("POINTS_MISSING", points=parts.taken - have)
    room = rights.limit("alliance", member, command.trust, command.rights, program, now)
    if not room.allows(parts.taken) and room.why is not None:
        raise Refused(room.why.code, **room.why.data)
    alliance.balance_after(command.account_points, 0, parts.taken, partner.overdraft)
    today = days.local_day(now, program.zone()).toordinal()
    reward = f"{PARTNER}{partner.id}"
    hold = Hold(
        id=command.key,
        reward=reward,
        title=name_in(partner.name, command.language),
        points=parts.taken,
        taken=lots.take(members.as_of(member, now).lots, parts.taken, now),
        at=now,
        voucher=f"partner/{command.key}",
        until=gains.FAR,  # not by time: the partner is asked what became of it
        day=today,
    )
    body = EventBody(
        kind="hold",
        at=now,
        program=program.version,
        member=member.id,
        lines=(
            Line(ledger.member_points(member.id), ledger.POINT, -parts.taken),
            Line(ledger.member_held(member.id), ledger.POINT, parts.taken),
        ),
        effects=(
            Held(hold),
            Tallied(tallies.TRUST, today, parts.taken),
            Tallied(tallies.of_reward(reward), today, 1),
        ),
        reasons=(
            Reason("EXCHANGE_OUT", {"points": parts.taken, "given": parts.given, "stays": parts.stays}),
        ),
        facts={"partner": partner.id, "taken": parts.taken, "given": parts.given, "stays": parts.stays},
        staff=command.staff,
        trust=command.trust,
        evidence=command.evidence,
    )
    return decision(member, body), parts


def decide_sent(member: Member, key: str, partner: str, program: Program, now: dt.datetime) -> Decision:
    """Close an exchange that the partner has credited: the points are the partner's now."""
    hold = next((one for one in member.holds if one.id == key), None)
    if hold is None:
        raise Refused("EXCHANGE_UNKNOWN")
    body = EventBody(
        kind="partner_out",
        at=now,
        program=program.version,
        member=member.id,
        lines=(
            Line(ledger.member_held(member.id), ledger.POINT, -hold.points),
            Line(partner_account(partner), ledger.POINT, hold.points),
        ),
        effects=(HoldSettled(key, given_back=False),),
        facts={"partner": partner, "exchange": key, "taken": hold.points},
    )
    return decision(member, body)


@dataclass(frozen=True, slots=True)
class TakePoints:
    """A partner sends points of a member: ``points`` are the partner's own."""

    key: str
    partner: str
    points: int


def decide_take(member: Member, command: TakePoints, program: Program, now: dt.datetime) -> Decision:
    """Give a member our points for a partner's; they have their own expiry when the partner's row says so."""
    partner = partner_of(program, command.partner)
    standing.check_earn(member, now)
    if not 0 < command.points <= money.MAX_AMOUNT_MINOR:
        raise Invalid("POINTS_IMPOSSIBLE")
    parts = alliance.exchange(command.points, partner.in_from, partner.in_to)
    if not parts.given:
        raise Refused("EXCHANGE_TOO_SMALL", points=partner.in_from)
    lot = _lot(command.key, parts.given, partner, program, standing.credit_available_at(member, now), now)
    gained = gains.credit(member.id, lot)
    lines = tuple(
        Line(partner_account(partner.id), line.unit, line.amount)
        if line.account == ledger.PROGRAM_POINTS
        else line
        for line in gained.lines
    )
    body = EventBody(
        kind="partner_in",
        at=now,
        program=program.version,
        member=member.id,
        lines=lines,
        effects=gained.effects,
        reasons=(Reason("EXCHANGE_IN", {"points": parts.given, "partner": partner.id}),),
        facts={
            "partner": partner.id,
            "exchange": command.key,
            "taken": parts.taken,
            "given": parts.given,
            "stays": parts.stays,
        },
    )
    return decision(member, body)


def _lot(
    key: str, points: int, partner: Partner, program: Program, available_at: dt.datetime, now: dt.datetime
) -> Lot:
    source = f"partner/{partner.id}"
    if partner.expiry_days is None:
        return gains.points_lot(f"{key}/in", points, source, program, now, available_at=available_at)
    ends = days.expires_at(Expiry("days", partner.expiry_days), now, program.zone())
    return Lot(f"{key}/in", points, points, available_at, ends, source=source)


def decide_pay_in(partner_id: str, points: int, staff: str, program: Program, now: dt.datetime) -> Decision:
    """Raise this shop's account with a partner by what it paid, counted in points."""
    partner = partner_of(program, partner_id)
    if not 0 < points <= money.MAX_AMOUNT_MINOR:
        raise Invalid("POINTS_IMPOSSIBLE")
    body = EventBody(
        kind="grant",
        at=now,
        program=program.version,
        lines=(
            Line(partner_account(partner.id), ledger.POINT, -points),
            Line(settlement_account(partner.id), ledger.POINT, points),
        ),
        facts={"partner": partner.id, "paid_in": points},
        staff=staff,
    )
    return decision(None, body)
