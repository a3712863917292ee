"""What a return or a void would do, before anybody confirms it; nothing is recorded here."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.errors import Refused
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.sales import returning
from tapledger.loyalty.sales.returning import Return, ReturnedLine, Void
from tapledger.membership import receipts, shifts
from tapledger.membership.receipts import Sales
from tapledger.membership.shop import Shop
from tapledger.store import history
from tapledger.store.journal import Recorded

RECENT = 8
"""Sales to choose from without a receipt."""
PREVIEW = "preview"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to come back of a sale."""

    sale: str
    lines: tuple[ReturnedLine, ...]
    reason: str = ""
    shop_fault: bool = False
    late_approved: bool = False
    void: bool = False


async def recent(shop: Shop) -> list[Recorded]:
    """Return the last sales of this shop, the newest first."""
    return await shop.store.transact(lambda tx: history.newest_sales(tx, RECENT))


async def preview(shop: Shop, wanted: Wanted, staff: str) -> EventBody:
    """Return the event that confirming would record; raise what confirming would raise."""

    def work(tx: Transaction) -> EventBody:
        found, now = receipts.load(tx, wanted.sale), shop.clock.now()
        if wanted.void:
            asked = Void(PREVIEW, staff, wanted.reason, shifts.day_closed(tx, wanted.sale))
            return returning.decide_void(found.member, found.sold, asked, shop.program, now).body
        back = Return(
            id=PREVIEW,
            lines=wanted.lines,
            staff=staff,
            reason=wanted.reason,
            shop_fault=wanted.shop_fault,
            late_approved=wanted.late_approved,
        )
        return returning.decide_return(found.member, found.sold, back, shop.program, now).body

    return await shop.store.transact(work)


async def can_void(shop: Shop, sales: Sales) -> bool:
    """Tell whether the whole sale may still be undone."""
    closed = await shop.store.transact(lambda tx: shifts.day_closed(tx, sales.sold.facts.id))
    asked = Void(PREVIEW, None, day_closed=closed)
    try:
        returning.decide_void(sales.member, sales.sold, asked, shop.program, shop.clock.now())
    except Refused:
        return False
    return True
