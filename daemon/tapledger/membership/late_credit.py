"""A member shows a receipt from when the card was at home: its points are given, once (smaller (a))."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.errors import Refused
from tapledger.loyalty.sales import crediting
from tapledger.loyalty.sales.crediting import LateCredit
from tapledger.membership import programs, receipts
from tapledger.membership.shop import Shop, known_member, once, operation
from tapledger.store import claims
from tapledger.store.journal import Recorded

CLAIM = "late-credit/"


async def late_credit(shop: Shop, key: str, member: str, sale: str, staff: str | None = None) -> Recorded:
    """Give a member the points of a sale that had none; raise ``Refused`` the second time, or too late."""
    same = operation(key, "late_credit", member, sale)

    def work(tx: Transaction) -> Recorded:
        found, stored = receipts.load(tx, sale), known_member(tx, member)
        if not claims.once(tx, CLAIM + sale):
            raise Refused("LATE_CREDIT_TAKEN")
        now, rules = shop.clock.now(), programs.of_shop(tx, shop, found.version)
        command = LateCredit(f"{sale}/late", staff)
        decision = crediting.decide_late_credit(stored.member, found.sold, command, rules, shop.program, now)
        return shop.record(tx, same, decision, now)

    return await once(shop, same, work)
