"""A card is shown: who is this, what do they have, what can they have now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from tapledger.database import Transaction
from tapledger.errors import Refused
from tapledger.loyalty import tallies
from tapledger.loyalty.coupons import couponing
from tapledger.loyalty.coupons.couponing import View
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.rewards.redeeming import Redeem
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.summary import Summary, summarize
from tapledger.loyalty.tiers import tier_progress
from tapledger.membership import cards, identity, occasions, permits, stock
from tapledger.membership.identity import Known, Presented
from tapledger.membership.rights import rights_of
from tapledger.membership.shop import Shop


@dataclass(frozen=True, slots=True)
class Greeting:
    """The answer to a tap."""

    known: Known
    summary: Summary
    at: dt.datetime
    wallet: View
    """Their coupons, as this shop can take them now."""
    rights: Rights
    """What this shop may do for them, should central be asked before where it answers."""
    given: tuple[Reason, ...] = ()
    """What this tap brought: "Happy birthday", "+100 points"."""
    ways_up: tuple[Reason, ...] = ()
    """What the nearest way to the next tier still asks, where money alone does not say it."""


async def greet_member(shop: Shop, presented: Presented, phone_tail: str = "") -> Greeting:
    """Answer a credential; raises ``NotFound`` or ``Refused`` (identity.identify).

    Nothing is recorded, but that somebody shows a card that was lost or replaced is an alarm for staff.
    """

    def work(tx: Transaction) -> Greeting:
        return greeting(tx, shop, identity.identify(tx, shop, presented, phone_tail))

    try:
        return await shop.store.transact(work)
    except Refused as error:
        if error.code == "CARD_BLOCKED":
            await cards.ring(shop, presented, error)
        raise


async def welcome_member(shop: Shop, presented: Presented, phone_tail: str = "") -> Greeting:
    """Answer somebody who shows their card here and now: what is due to them is given first."""
    greeted = await greet_member(shop, presented, phone_tail)
    given = await occasions.give_due(shop, greeted.known.member.id)
    if not given.recorded:
        return greeted
    return replace(await greet_again(shop, given.member.id, presented), given=given.reasons)


def simulated(greeted: Greeting) -> Greeting:
    """Return the greeting of a credential that no thing read."""
    known = replace(greeted.known, presented=identity.simulated(greeted.known.presented))
    return replace(greeted, known=known)


async def greet_again(shop: Shop, member: str, presented: Presented) -> Greeting:
    """Answer for a member who was identified before in the same session."""

    def work(tx: Transaction) -> Greeting:
        return greeting(tx, shop, identity.by_id(tx, shop, member, presented))

    return await shop.store.transact(work)


def greeting(tx: Transaction, shop: Shop, known: Known) -> Greeting:
    now = shop.clock.now()
    left = stock.left(tx, shop, {tallies.of_reward(one.id): one.stock for one in shop.program.rewards})
    exhausted = stock.exhausted(tx, shop, known.member)
    rights = rights_of(tx, shop, known.member.id, to_be_asked=True)
    ready = permits.hand_of(tx, shop, known.member).ready
    context = {
        reward.id: Redeem(
            reward=reward.id,
            hold="",
            voucher="",
            trust=known.presented.level,
            evidence=known.presented.evidence,
            stock_left=left[tallies.of_reward(reward.id)],
            exhausted=exhausted,
            unsettled_points=known.unsettled_points,
            rights=rights,
        )
        for reward in shop.program.rewards
    }
    summary = summarize(ready, context, shop.program, now)
    reach = couponing.reach_of(shop.store.keyring.node, rights, shop.program, now)
    return Greeting(
        known=known,
        summary=summary,
        at=now,
        wallet=couponing.view(known.member, shop.program, now, reach),
        rights=rights,
        ways_up=() if summary.next_tier is not None else ways_up(known.member, shop.program, now),
    )


def ways_up(member: Member, program: Program, now: dt.datetime) -> tuple[Reason, ...]:
    """Return what each clause of the nearest way to the next tier still asks."""
    found = tier_progress.progress(member, program, now)
    if found is None or not found.groups:
        return ()
    open_ = [one for one in found.groups[0] if one.missing or one.counts_on]
    return tuple(tier_progress.said(one, found.tier, program) for one in open_)
