"""Rewards: points set aside for one, handed over, or given back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Refused
from tapledger.loyalty import days, ledger, lots, members, tallies, tiering
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Held, Hold, HoldSettled, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program, Reward


@dataclass(frozen=True, slots=True)
class Redeem:
    """A member wants a reward. The figures are this shop's own, read in the same transaction."""

    reward: str
    hold: str
    """Id the hold will have."""
    voucher: str
    """Index of the voucher code to be printed."""
    trust: int
    evidence: str
    stock_left: int | None
    unsettled_points: int
    """Points of this member given out here that central has not confirmed yet."""
    language: str = "en"
    staff: str | None = None


def decide_hold(member: Member, command: Redeem, program: Program, now: dt.datetime) -> Decision:
    """Set points aside for a reward and issue its voucher; refuse with the first reason that applies."""
    reward = program.reward(command.reward)
    if reward is None:
        raise Refused("REWARD_UNKNOWN")
    why = why_not(member, reward, command, program, now)
    if why is not None:
        raise Refused(why.code, **why.data)
    today = days.local_day(now, program.zone()).toordinal()
    taken = lots.take(members.as_of(member, now).lots, reward.cost_points, now)
    hold = Hold(
        id=command.hold,
        reward=reward.id,
        title=reward.title.get(command.language) or reward.title.get("en") or reward.id,
        points=reward.cost_points,
        taken=taken,
        at=now,
        voucher=command.voucher,
        until=_ends(program, now),
        day=today,
    )
    body = EventBody(
        kind="hold",
        at=now,
        program=program.version,
        member=member.id,
        lines=_move(member, reward.cost_points, to_held=True),
        effects=(Held(hold), *_counted(hold, 1)),
        reasons=(Reason("REDEEM", {"points": reward.cost_points, "reward": reward.id}),),
        staff=command.staff,
        trust=command.trust,
        evidence=command.evidence,
    )
    return decision(member, body)


def _counted(hold: Hold, sign: int) -> tuple[Tallied, ...]:
    """Count a redemption, or take it back, on the day it was made."""
    if not hold.day:
        return ()
    return (
        Tallied(tallies.TRUST, hold.day, sign * hold.points),
        Tallied(tallies.of_reward(hold.reward), hold.day, sign),
    )


def _ends(program: Program, now: dt.datetime) -> dt.datetime:
    """Return the first instant after a voucher's last local day, as for points: paper names whole days."""
    last = days.local_day(now, program.zone()) + dt.timedelta(days=program.voucher_days)
    return days.end_of_day(last, program.zone())


def why_not(
    member: Member, reward: Reward, command: Redeem, program: Program, now: dt.datetime
) -> Reason | None:
    """Return the first reason why this reward cannot be had now, or None; the same for screen and refusal."""
    have = members.points(member, now).available
    tier = tiering.current(member, program, now)
    if reward.tiers and tier.id not in reward.tiers:
        return Reason("REWARD_OTHER_TIER", {"tier": reward.tiers[0]})
    if command.stock_left is not None and command.stock_left <= 0:
        return Reason("OUT_OF_STOCK", {})
    if have < reward.cost_points:
        return Reason("POINTS_MISSING", {"points": reward.cost_points - have})
    limit = program.trust.points_per_day(command.trust)
    if limit == 0:
        return Reason("CARD_ONLY_IDENTIFIES", {})
    today = days.local_day(now, program.zone()).toordinal()
    if tallies.total(member.tallies, tallies.TRUST, today, today) + reward.cost_points > limit:
        return Reason("DAILY_LIMIT", {"points": limit})
    if command.unsettled_points + reward.cost_points > program.unsettled_points:
        return Reason("UNSETTLED_LIMIT", {"points": program.unsettled_points})
    return None


def decide_fulfil(
    member: Member, hold_id: str, staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Close a hold because the reward was handed over."""
    hold = _hold(member, hold_id)
    if now >= hold.until:
        raise Refused("VOUCHER_EXPIRED")
    lines = (
        Line(ledger.member_held(member.id), ledger.POINT, -hold.points),
        Line(ledger.PROGRAM_POINTS, ledger.POINT, hold.points),
    )
    return _settled(member, "fulfil", hold, lines, staff, program, now)


def decide_release(
    member: Member, hold_id: str, staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Give a hold's points back to the lots they came from, with their own expiry."""
    hold = _hold(member, hold_id)
    return _settled(member, "release", hold, _move(member, hold.points, to_held=False), staff, program, now)


def _hold(member: Member, hold_id: str) -> Hold:
    hold = next((one for one in member.holds if one.id == hold_id), None)
    if hold is None:
        raise Refused("VOUCHER_USED")
    return hold


def _move(member: Member, points: int, *, to_held: bool) -> tuple[Line, ...]:
    amount = points if to_held else -points
    return (
        Line(ledger.member_points(member.id), ledger.POINT, -amount),
        Line(ledger.member_held(member.id), ledger.POINT, amount),
    )


def _settled(
    member: Member,
    kind: str,
    hold: Hold,
    lines: tuple[Line, ...],
    staff: str | None,
    program: Program,
    now: dt.datetime,
) -> Decision:
    undone = _counted(hold, -1) if kind == "release" else ()
    body = EventBody(
        kind=kind,
        at=now,
        program=program.version,
        member=member.id,
        lines=lines,
        effects=(HoldSettled(hold.id, given_back=kind == "release"), *undone),
        staff=staff,
        reasons=(Reason("VOUCHER", {"points": hold.points, "reward": hold.reward}),),
    )
    return decision(member, body)
