"""A card is shown: who is this, what do they have, what can they have now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.loyalty import engine
from tapledger.loyalty.engine import Redeem, Summary
from tapledger.membership import identity
from tapledger.membership.identity import Known, Presented
from tapledger.membership.shop import Shop
from tapledger.store import members


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
    given = members.given_out(tx)
    context = {
        reward.id: Redeem(
            reward=reward.id,
            hold="",
            voucher="",
            trust=known.presented.level,
            evidence=known.presented.evidence,
            stock_left=None if reward.stock is None else reward.stock - given.get(reward.id, 0),
            unsettled_points=known.unsettled_points,
        )
        for reward in shop.program.rewards
    }
    return Greeting(known, engine.summarize(known.member, context, shop.program, now), now)
