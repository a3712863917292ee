"""What people think of their visit: a score and maybe one reason, with no name beside it."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.errors import Invalid
from tapledger.loyalty.decisions import decision
from tapledger.loyalty.ledger import EventBody
from tapledger.membership.shop import Shop, once, operation
from tapledger.store.journal import Recorded

LOWEST, HIGHEST = 1, 5
REASONS = ("waiting", "staff", "goods", "price")


async def give(shop: Shop, key: str, score: int) -> Recorded:
    """Record an opinion, from ``LOWEST`` to ``HIGHEST``."""
    return await _say(shop, key, score, {"score": score}, is_known=True)


async def add_reason(shop: Shop, key: str, score: int, reason: str) -> Recorded:
    """Record why: one of ``REASONS``, beside the score that it belongs to, which counts already."""
    return await _say(shop, key, score, {"of_score": score, "reason": reason}, is_known=reason in REASONS)


async def _say(shop: Shop, key: str, score: int, facts: dict[str, int | str], *, is_known: bool) -> Recorded:
    same = operation(key, "feedback", *facts.values())

    def work(tx: Transaction) -> Recorded:
        if not LOWEST <= score <= HIGHEST or not is_known:
            raise Invalid("ANSWER_UNKNOWN", question="feedback")
        now = shop.clock.now()
        body = EventBody(kind="feedback", at=now, program=shop.program.version, facts=facts)
        return shop.record(tx, same, decision(None, body), now)

    return await once(shop, same, work)
