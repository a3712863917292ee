"""Rewards: points set aside for one, handed over, or given back (loyalty.md section 3.8).

Things, services and seats are held: a voucher is issued, and handing it in closes the matter. A coupon or an
entitlement is given by the same event that takes the points, so there is nothing to hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import days, eligibility, gains, ledger, limits, lots, members, rights, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Debited, Effect, Held, Hold, HoldSettled, Tallied
from tapledger.loyalty.facts import TENDER_KINDS, Reason
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program, Reward, name_in
from tapledger.loyalty.program.people import Gain
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.tiers import tiering

AT_ONCE = ("coupon", "entitlement")
"""Kinds that are fulfilled by the event that takes the points."""
PARTNER = "partner/"
"""Holds of points on their way to a partner, who may have them already."""
UNDO_LIFE = dt.timedelta(seconds=10)
"""How long members may undo a reward by themselves, as long as nothing was delivered (R18)."""


@dataclass(frozen=True, slots=True)
class Redeem:
    """A member wants a reward. The figures are this shop's own, read in the same transaction."""

    reward: str
    hold: str
    """Id the hold will have, or what is given in its place."""
    voucher: str
    """Index of the voucher code to be printed."""
    trust: int
    evidence: str
    stock_left: int | None
    unsettled_points: int
    """Points of this member given out here that central has not confirmed yet."""
    language: str = "en"
    staff: str | None = None
    exhausted: Collection[str] = frozenset()
    """Keys of coupons and gifts of which this shop has none left."""
    rights: Rights | None = None
    """What this shop may do while central is out of reach; None: as ``unsettled_points`` says."""


def decide_redeem(member: Member, command: Redeem, program: Program, now: dt.datetime) -> Decision:
    """Take a reward: hold it and issue its voucher, or give at once what needs no handing over."""
    reward = program.reward(command.reward)
    if reward is not None and reward.kind in AT_ONCE:
        return _give_at_once(member, reward, command, program, now)
    return decide_hold(member, command, program, now)


def decide_hold(member: Member, command: Redeem, program: Program, now: dt.datetime) -> Decision:
    """Set points aside for a reward and issue its voucher; refuse with the first reason that applies."""
    reward = program.reward(command.reward)
    if reward is None or reward.kind == "draw":
        raise Refused("REWARD_UNKNOWN")
    _check(member, reward, command, program, now)
    today = days.local_day(now, program.zone()).toordinal()
    hold = Hold(
        id=command.hold,
        reward=reward.id,
        title=name_in(reward.title, command.language) or reward.id,
        points=reward.cost_points,
        taken=lots.take(members.as_of(member, now).lots, reward.cost_points, now),
        at=now,
        voucher=command.voucher,
        until=_ends(reward, program, now),
        day=today,
        money_minor=reward.cost_minor,
    )
    body = EventBody(
        kind="hold",
        at=now,
        program=program.version,
        member=member.id,
        lines=_move(member, reward.cost_points, to_held=True),
        effects=(Held(hold), *_counted(hold, 1), *gains.slide(program, now)),
        reasons=(Reason("REDEEM", {"points": reward.cost_points, "reward": reward.id}),),
        staff=command.staff,
        trust=command.trust,
        evidence=command.evidence,
    )
    return decision(member, body)


def _give_at_once(
    member: Member, reward: Reward, command: Redeem, program: Program, now: dt.datetime
) -> Decision:
    _check(member, reward, command, program, now)
    granted = reward.grants
    gain = Gain(coupon=granted) if reward.kind == "coupon" else Gain(entitlement=granted)
    source = f"reward/{reward.id}"
    given = gains.give(member.id, gain, source, program, now, id_=command.hold)
    body = EventBody(
        kind="fulfil",
        at=now,
        program=program.version,
        member=member.id,
        lines=(*ledger.points_given(member.id, -reward.cost_points), *given.lines),
        effects=(*spend(member, reward, program, now), *given.effects, *gains.slide(program, now)),
        reasons=(
            Reason("REDEEM", {"points": reward.cost_points, "reward": reward.id}),
            *given.reasons,
        ),
        facts={"reward": reward.id},
        staff=command.staff,
        trust=command.trust,
        evidence=command.evidence,
    )
    return decision(member, body)


def spend(member: Member, reward: Reward, program: Program, now: dt.datetime) -> tuple[Effect, ...]:
    """Take a reward's points for good and count them."""
    today = days.local_day(now, program.zone()).toordinal()
    takes = lots.take(members.as_of(member, now).lots, reward.cost_points, now)
    return (
        *((Debited(takes), Tallied(tallies.TRUST, today, reward.cost_points)) if takes else ()),
        Tallied(tallies.of_reward(reward.id), today, 1),
    )


def _check(member: Member, reward: Reward, command: Redeem, program: Program, now: dt.datetime) -> None:
    why = why_not(member, reward, command, program, now)
    if why is not None:
        raise Refused(why.code, **why.data)


def _counted(hold: Hold, sign: int) -> tuple[Tallied, ...]:
    """Count a redemption, or take it back, on the day it was made."""
    if not hold.day:
        return ()
    return (
        Tallied(tallies.TRUST, hold.day, sign * hold.points),
        Tallied(tallies.of_reward(hold.reward), hold.day, sign),
    )


def _ends(reward: Reward, program: Program, now: dt.datetime) -> dt.datetime:
    """Return the first instant after a voucher's last local day, as for points: paper names whole days.

    The ticket of an event is good until the event ends, however far away that is.
    """
    if reward.kind == "event" and reward.ends is not None:
        return days.instant(reward.ends, program.zone())
    last = days.local_day(now, program.zone()) + dt.timedelta(days=program.voucher_days)
    return days.end_of_day(last, program.zone())


def why_not(
    member: Member,
    reward: Reward,
    command: Redeem,
    program: Program,
    now: dt.datetime,
    have: int | None = None,
) -> Reason | None:
    """Return the first reason why this reward cannot be had now, or None; the same for screen and refusal.

    ``have`` are the member's points available now, for a caller that asks about many rewards.
    """
    if (held_back := standing.why_not_spend(member, now)) is not None:
        return held_back
    if reward.tiers and tiering.current(member, program, now).id not in reward.tiers:
        return Reason("REWARD_OTHER_TIER", {"tier": reward.tiers[0]})
    if (unmet := eligibility.why_not(member, reward.when, program, now)) is not None:
        return unmet
    if command.stock_left is not None and command.stock_left <= 0:
        return Reason("OUT_OF_STOCK", {})
    if reward.kind == "coupon" and tallies.of_coupon(reward.grants) in command.exhausted:
        return Reason("OUT_OF_STOCK", {})
    limited, key = reward.per_member, tallies.of_reward(reward.id)
    if limited is not None and limits.left(member, key, limited, program, now) == 0:
        return Reason("LIMIT_REACHED", {"times": limited.times})
    cost = reward.cost_points
    have = members.points(member, now).available if have is None else have
    if have < cost:
        return Reason("POINTS_MISSING", {"points": cost - have})
    op = "event_seat" if reward.kind == "event" else "reward"
    return why_not_points(op, cost, member, command, program, now)


def why_not_points(
    op: str, cost: int, member: Member, command: Redeem, program: Program, now: dt.datetime
) -> Reason | None:
    """Return why this card, or this shop while it stands alone, cannot give out so many points (R6 to R8)."""
    known = command.rights
    if known is None:
        known = Rights(quota_left_member=program.unsettled_points - command.unsettled_points)
    bound = rights.limit(op, member, command.trust, known, program, now)
    return None if bound.allows(cost) else bound.why


def decide_fulfil(
    member: Member,
    hold_id: str,
    staff: str | None,
    program: Program,
    now: dt.datetime,
    tender: str = "cash",
) -> Decision:
    """Close a hold because the reward was handed over, and what it costs beside the points was paid."""
    hold = _hold(member, hold_id)
    if now >= hold.until:
        raise Refused("VOUCHER_EXPIRED")
    if tender not in TENDER_KINDS:
        raise Invalid("TENDER_UNKNOWN", tender=tender)
    lines = [
        Line(ledger.member_held(member.id), ledger.POINT, -hold.points),
        Line(ledger.PROGRAM_POINTS, ledger.POINT, hold.points),
        Line(ledger.tender_account(tender), program.currency, hold.money_minor),
        Line(ledger.SALES, program.currency, -hold.money_minor),
    ]
    reward = program.reward(hold.reward)
    attended = gains.Gained()
    if reward is not None and reward.kind == "event":
        attended = gains.give(
            member.id, Gain(points=reward.attend_points), f"reward/{reward.id}", program, now, id_=hold.id
        )
    return _settled(member, "fulfil", hold, tuple(lines), staff, program, now, attended)


def decide_release(
    member: Member, hold_id: str, staff: str | None, program: Program, now: dt.datetime
) -> Decision:
    """Give a hold's points back to the lots they came from, with their own expiry."""
    hold = _hold(member, hold_id)
    return _settled(member, "release", hold, _move(member, hold.points, to_held=False), staff, program, now)


def decide_undo(
    member: Member, hold_id: str, delivered: bool, program: Program, now: dt.datetime
) -> Decision:
    """Take a reward back that the member has just taken, before anything was delivered (R18)."""
    hold = _hold(member, hold_id)
    if delivered or hold.reward.startswith(PARTNER):
        raise Refused("VOUCHER_DELIVERED")
    if not hold.at <= now < hold.at + UNDO_LIFE:
        raise Refused("UNDO_TOO_LATE", seconds=int(UNDO_LIFE.total_seconds()))
    return decide_release(member, hold_id, None, program, now)


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
    given: gains.Gained | None = None,
) -> Decision:
    more = given or gains.Gained()
    undone = _counted(hold, -1) if kind == "release" else ()
    body = EventBody(
        kind=kind,
        at=now,
        program=program.version,
        member=member.id,
        lines=tuple(line for line in (*lines, *more.lines) if line.amount),
        effects=(HoldSettled(hold.id, given_back=kind == "release"), *undone, *more.effects),
        staff=staff,
        reasons=(
            Reason("VOUCHER", {"points": hold.points, "reward": hold.reward}),
            *more.reasons,
        ),
    )
    return decision(member, body)
