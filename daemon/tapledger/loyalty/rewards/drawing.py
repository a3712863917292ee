"""Taking part in a lottery: points, draw and prize in one event (loyalty.md section 3.18, R40)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from tapledger.errors import Refused
from tapledger.loyalty import days, eligibility, gains, ledger, limits, lots, members, rights, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Debited, Effect, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program, Reward
from tapledger.loyalty.program.people import Lottery, Prize
from tapledger.loyalty.rewards import lottery, redeeming
from tapledger.loyalty.rewards.redeeming import Redeem
from tapledger.loyalty.rights import Rights


@dataclass(frozen=True, slots=True)
class TakePart:
    """A member draws. The seed and the figures are this shop's own, read in the same transaction."""

    lottery: str
    client_seed: str
    """A word from the kiosk or the member, so that the seed alone decides nothing."""
    seed: bytes
    stock_left: Mapping[str, int | None]
    """Of each prize by its id; None is without limit."""
    figures: Redeem
    """``reward`` is the reward of kind ``draw`` that pays for it, or empty: the lottery's own price."""
    node: str = ""


def decide_draw(member: Member, command: TakePart, program: Program, now: dt.datetime) -> Decision:
    """Draw a prize, pay for it and give it; refuse with the first reason that applies."""
    rule = program.lottery(command.lottery)
    if rule is None:
        raise Refused("LOTTERY_UNKNOWN")
    reward = program.reward(command.figures.reward) if command.figures.reward else None
    if command.figures.reward and (reward is None or reward.kind != "draw" or reward.grants != rule.id):
        raise Refused("REWARD_UNKNOWN")
    why = why_not(member, rule, reward, command.figures, program, now)
    if why is not None:
        raise Refused(why.code, **why.data)
    committed = lottery.commit(command.seed)
    nonce = tallies.total(member.tallies, under_seed(rule.id, committed)) + 1
    weights = [prize.weight for prize in rule.prizes]
    drawn = lottery.draw(command.seed, weights, rule.id, member.id, nonce, command.client_seed)
    place = _given(drawn.prize, rule, command.stock_left)
    prize = None if place is None else rule.prizes[place]
    cost = rule.cost_points if reward is None else reward.cost_points
    given = _prize(member, rule, prize, command, program, now)
    body = EventBody(
        kind="draw",
        at=now,
        program=program.version,
        member=member.id,
        lines=(*ledger.points_given(member.id, -cost), *given.lines),
        effects=(
            *_paid(member, reward, cost, program, now),
            *_counted(rule, committed, prize, program, now),
            *given.effects,
            *gains.slide(program, now),
        ),
        reasons=(_told(rule, drawn, prize), *given.reasons),
        facts={
            "lottery": rule.id,
            "nonce": nonce,
            "client_seed": command.client_seed,
            "commit": committed,
            "prize": drawn.prize,
            "given": -1 if place is None else place,
        },
        staff=command.figures.staff,
        trust=command.figures.trust,
        evidence=command.figures.evidence,
    )
    return decision(member, body)


def under_seed(lottery_id: str, committed: str) -> str:
    """Return the key that counts a member's draws under one seed: another shop's seed counts its own."""
    return f"{tallies.of_draws(lottery_id)}/{committed[:16]}"


def why_not(
    member: Member, rule: Lottery, reward: Reward | None, figures: Redeem, program: Program, now: dt.datetime
) -> Reason | None:
    """Return the first reason why a member cannot draw now; None when they can."""
    if (held_back := standing.why_not_spend(member, now)) is not None:
        return held_back
    if (unmet := eligibility.why_not(member, rule.when, program, now)) is not None:
        return unmet
    drawn = tallies.of_draws(rule.id)
    if rule.limit is not None and limits.left(member, drawn, rule.limit, program, now) == 0:
        return Reason("LIMIT_REACHED", {"times": rule.limit.times})
    away = rights.limit("lottery", member, figures.trust, figures.rights or Rights(), program, now)
    if not away.allows(1):
        return away.why
    if reward is not None:
        return redeeming.why_not(member, reward, figures, program, now)
    have = members.points(member, now).available
    if have < rule.cost_points:
        return Reason("POINTS_MISSING", {"points": rule.cost_points - have})
    return redeeming.why_not_points("reward", rule.cost_points, member, figures, program, now)


def _given(drawn: int, rule: Lottery, stock_left: Mapping[str, int | None]) -> int | None:
    """Return the prize that is handed over: the fallback for one that is out, nothing when both are."""
    left = [stock_left.get(prize.id, prize.stock) for prize in rule.prizes]
    fallback = next(place for place, prize in enumerate(rule.prizes) if prize.id == rule.fallback)
    place = lottery.given(drawn, left[drawn], fallback)
    there = left[place]
    return place if there is None or there > 0 else None


def _prize(
    member: Member, rule: Lottery, prize: Prize | None, command: TakePart, program: Program, now: dt.datetime
) -> gains.Gained:
    if prize is None:
        return gains.Gained()
    return gains.give(
        member.id,
        prize.gain,
        f"lottery/{rule.id}",
        program,
        now,
        id_=command.figures.hold,
        exhausted=command.figures.exhausted,
        node=command.node,
    )


def _paid(
    member: Member, reward: Reward | None, cost: int, program: Program, now: dt.datetime
) -> tuple[Effect, ...]:
    if reward is not None:
        return redeeming.spend(member, reward, program, now)
    takes = lots.take(members.as_of(member, now).lots, cost, now)
    today = days.local_day(now, program.zone()).toordinal()
    return (Debited(takes), Tallied(tallies.TRUST, today, cost)) if takes else ()


def _counted(
    rule: Lottery, committed: str, prize: Prize | None, program: Program, now: dt.datetime
) -> tuple[Effect, ...]:
    today = days.local_day(now, program.zone()).toordinal()
    draws = (Tallied(tallies.of_draws(rule.id), today, 1), Tallied(under_seed(rule.id, committed), today, 1))
    return draws if prize is None else (*draws, Tallied(tallies.of_prize(rule.id, prize.id), today, 1))


def _told(rule: Lottery, drawn: lottery.Draw, prize: Prize | None) -> Reason:
    wanted = rule.prizes[drawn.prize].id
    if prize is None:
        return Reason("LOTTERY_NOTHING_LEFT", {"nonce": drawn.nonce, "prize": wanted})
    if prize.id != wanted:
        return Reason("LOTTERY_FALLBACK", {"nonce": drawn.nonce, "prize": wanted, "given": prize.id})
    return Reason("LOTTERY_DRAWN", {"nonce": drawn.nonce, "prize": wanted})
