"""Goods are exchanged: a return and a new sale in one transaction; only the difference is paid (3.14)."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.loyalty import decisions
from tapledger.loyalty.sales import exchanging
from tapledger.membership import receipts, referral, refund, sale
from tapledger.membership.refund import ReturnCommand
from tapledger.membership.sale import SaleCommand
from tapledger.membership.shop import Shop, operation
from tapledger.store import members
from tapledger.store.journal import Recorded


@dataclass(frozen=True, slots=True)
class ExchangeCommand:
    """Some of a sale goes back and something else is taken. The return's key is the exchange's id.

    ``new.tenders`` are what is paid beside the refund; the new sale is the old one's member's.
    """

    back: ReturnCommand
    new: SaleCommand


@dataclass(frozen=True, slots=True)
class Exchanged:
    returned: Recorded
    sold: Recorded


async def exchange(shop: Shop, command: ExchangeCommand) -> Exchanged:
    """Post both halves or none; raise what either of them refuses."""
    back, new = command.back, command.new
    same = operation(back.key, "exchange", back.sale, back.lines, back.shop_fault, new.id, back.staff)
    same_sale = sale.identified(new, new.id)
    await sale.secure(shop, same_sale, new)

    def work(tx: Transaction) -> Exchanged:
        first, second = shop.store.journal.find(tx, same), shop.store.journal.find(tx, same_sale)
        if first is not None and second is not None:
            return Exchanged(first, second)
        now, found = shop.clock.now(), receipts.load(tx, back.sale)
        ready = sale.prepare(tx, shop, new)
        hand = ready.hand
        is_own = hand is not None and found.member is not None and hand.member.id == found.member.id
        decided = exchanging.decide_exchange(
            hand.ready if hand is not None and is_own else found.member,
            found.sold,
            refund.returned(back, exchange=back.key),
            ready.sale,
            shop.program,
            now,
            ready.member,
        )
        returned, sold = decided.returned, decided.sold
        if hand is not None:
            if is_own:
                returned = decisions.decision(found.member, returned.body)
                hand = hand.after(returned)
            sold = hand.draw(sold, ready.program)
        done = Exchanged(
            refund.post_untold(tx, shop, same, returned, "return", back.language),
            sale.post(tx, shop, same_sale, sold, new.till, new.language),
        )
        # Only now: who sent the one may be who buys, and is decided as they were before either half.
        if found.member is not None and (after := members.load(tx, found.member.id)) is not None:
            referral.tell(tx, shop, back.key, after.member, now)
        return done

    return await shop.store.transact(work)
