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


async def give(shop: Shop, key: str, score: int, reason: str = "") -> Recorded:
    """Record an opinion; ``reason`` is one of ``REASONS``, said after the score that it belongs to."""
    same = operation(key, "feedback", score, reason)

    def work(tx: Transaction) -> Recorded:
        if not LOWEST <= score <= HIGHEST or (reason and reason not in REASONS):
            raise Invalid("ANSWER_UNKNOWN", question="feedback")
        now = shop.clock.now()
        body = EventBody(
            kind="feedback",
            at=now,
            program=shop.program.version,
            facts={"score": score, "reason": reason},
        )
        return shop.record(tx, same, decision(None, body), now)

    return await once(shop, same, work)
