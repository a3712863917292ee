"""A card is shown: who is this, what do they have, what can they have now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.loyalty import engine, tallies
from tapledger.loyalty.engine import Redeem, Summary
from tapledger.membership import identity, stock
from tapledger.membership.identity import Known, Presented
from tapledger.membership.shop import Shop
from tapledger.store import claims


@dataclass(frozen=True, slots=True)
class Greeting:
    """The answer to a tap."""

    known: Known
    summary: Summary
    at: dt.datetime


async def greet_member(shop: Shop, presented: Presented) -> Greeting:
    """Answer a credential; nothing is recorded. Raises ``NotFound`` or ``Refused`` (identity.identify)."""

    def work(tx: Transaction) -> Greeting:
        return greeting(tx, shop, identity.identify(tx, shop, presented))

    return await shop.store.transact(work)


async def greet_again(shop: Shop, member: str, presented: Presented) -> Greeting:
    """Answer for a member who was identified before in the same session."""

    def work(tx: Transaction) -> Greeting:
        return greeting(tx, shop, identity.by_id(tx, shop, member, presented))

    return await shop.store.transact(work)


def greeting(tx: Transaction, shop: Shop, known: Known) -> Greeting:
    now = shop.clock.now()
    used = claims.used(tx, tallies.of_reward(""))
    exhausted = stock.exhausted(tx, shop, known.member)
    context = {
        reward.id: Redeem(
            reward=reward.id,
            hold="",
            voucher="",
            trust=known.presented.level,
            evidence=known.presented.evidence,
            stock_left=stock.left(used, tallies.of_reward(reward.id), reward.stock),
            exhausted=exhausted,
            unsettled_points=known.unsettled_points,
        )
        for reward in shop.program.rewards
    }
    return Greeting(known, engine.summarize(known.member, context, shop.program, now), now)
