"""What an event uses up of limited things: the store claims it before anything else of the event is written.

Stock, totals and things that happen once are read from the effects, so no command can forget to claim.
"""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.errors import Refused
from tapledger.loyalty import ledger, tallies
from tapledger.loyalty.effects import Coupon, CouponIssued, CouponMoved, Effect, Tallied
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.program import Program

CODE = "code/"
"""A use of a template's public code is no coupon of anybody's: ``code/TEMPLATE``."""
BEARER = "bearer/"
"""A coupon of whoever holds the paper: ``bearer/ID``."""
REDEEMED = "redeemed/"
BACK = "stock_back"
"""Kind of the event by which a computer gives back a part of its allotments: its facts are counts by key."""
RETURNED = "returned/"
"""Pieces of an allotment that were given back to central: ``returned/KEY``."""
ONCE = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """``count`` of a key are used up, at most ``limit`` in all; a count below 0 gives back."""

    key: str
    limit: int | None
    count: int = 1
    mark: str = ""
    """Counted once for each mark, and given back only when the mark was there."""


def claims(body: EventBody, program: Program) -> tuple[Claim, ...]:
    """Return what an event claims, in the order of its effects."""
    if body.kind in ledger.MOVES:
        return ()
    if body.kind == BACK:
        return tuple(Claim(RETURNED + key, None, int(count)) for key, count in body.facts.items())
    return tuple(claim for effect in body.effects for claim in _of(effect, program))


def _of(effect: Effect, program: Program) -> tuple[Claim, ...]:
    match effect:
        case Tallied(key=key, amount=amount) if amount > 0 and key.startswith(tallies.STOCKED):
            return (Claim(key, limit(key, program), amount),)
        case CouponMoved(coupon=coupon, state=state, sale=sale):
            if coupon.startswith(BEARER):
                return ()
            if coupon.startswith(CODE):
                key = tallies.of_coupon(coupon.removeprefix(CODE))
                mark, taken = f"{coupon}/{sale}", state in ("held", "redeemed")
                return (Claim(key, limit(key, program) if taken else None, 1 if taken else -1, mark),)
            if state == "redeemed":
                return (Claim(REDEEMED + coupon, ONCE),)
            return (Claim(REDEEMED + coupon, None, -1),) if state == "issued" else ()
    return ()


def of_bearers(body: EventBody) -> tuple[CouponIssued | CouponMoved, ...]:
    """Return what happens to coupons that belong to no member; the store keeps their state."""
    found: list[CouponIssued | CouponMoved] = []
    for effect in body.effects:
        match effect:
            case CouponIssued(coupon=Coupon(id=id_)) | CouponMoved(coupon=str(id_)) if id_.startswith(BEARER):
                found.append(effect)
    return tuple(found)


def limit(key: str, program: Program) -> int | None:
    """Return how many of a key this shop may give out in all; None is without limit."""
    kind, _, name = key.partition("/")
    match kind:
        case "reward":
            reward = program.reward(name)
            return None if reward is None else reward.stock
        case "coupon":
            template = program.coupon(name)
            return None if template is None else template.total
        case "prize":
            lottery_id, _, prize_id = name.partition("/")
            prizes = [p for lottery in program.lotteries if lottery.id == lottery_id for p in lottery.prizes]
            return next((prize.stock for prize in prizes if prize.id == prize_id), None)
        case "budget":
            return next((one.budget_points for one in program.campaigns if one.id == name), None)
    return None


def limits(program: Program) -> dict[str, int]:
    """Return every key that is limited at this shop, with its limit."""
    keys = [
        *(tallies.of_reward(reward.id) for reward in program.rewards),
        *(tallies.of_coupon(template.id) for template in program.coupons),
        *(tallies.of_prize(one.id, prize.id) for one in program.lotteries for prize in one.prizes),
    ]
    return {key: most for key in keys if (most := limit(key, program)) is not None}


def refusal(claim: Claim) -> Refused:
    """Return what somebody is told whose claim came too late."""
    if claim.key.startswith(REDEEMED):
        return Refused("COUPON_USED")
    if claim.key.startswith(tallies.of_coupon("")):
        return Refused("COUPON_EXHAUSTED")
    return Refused("OUT_OF_STOCK")


def bearer_refusal() -> Refused:
    """Return what whoever holds a paper is told: the same whether it was used, voided or never issued."""
    return Refused("COUPON_CODE_WRONG")
