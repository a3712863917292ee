"""Staff give a member a tier by hand; reviews are done at night (``membership.night``)."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.loyalty.tiers import tier_reviews
from tapledger.loyalty.tiers.tier_reviews import GiveTier
from tapledger.membership import referral
from tapledger.membership.shop import Shop, known_member, once, operation
from tapledger.store.journal import Recorded


async def give_tier(shop: Shop, key: str, member: str, command: GiveTier) -> Recorded:
    """Give a tier, locked until an instant when it says so; raise ``Refused`` below what the rule gives."""
    same = operation(key, "tier", member, command)

    def work(tx: Transaction) -> Recorded:
        stored, now = known_member(tx, member), shop.clock.now()
        decision = tier_reviews.decide_tier(stored.member, command, shop.program, now)
        recorded = shop.record(tx, same, decision, now)
        assert decision.after is not None
        referral.tell(tx, shop, key, decision.after, now)
        return recorded

    return await once(shop, same, work)
