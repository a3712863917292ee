"""Payments that answer nothing: sales that wait, and how each is resolved, once (decisions X1)."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.errors import NotFound, Refused
from tapledger.loyalty.members import Member
from tapledger.loyalty.sales import pending as rules
from tapledger.membership import sale as sales_room
from tapledger.membership.sale import SaleCommand
from tapledger.membership.shop import Shop, check_texts, known_member, once, operation
from tapledger.store import drafts, history, sales
from tapledger.store.journal import Recorded
from tapledger.store.sales import CONFIRMED, Pending

GIVEN_UP = "/given-up"


async def record_pending(shop: Shop, command: SaleCommand) -> Recorded:
    """Let a sale wait for its tender and keep what it uses; nothing is earned or redeemed until then.

    Its id is taken: the same sale cannot be recorded otherwise, and asking again changes nothing.
    """
    same = sales_room.identified(command, command.id)
    await sales_room.secure(shop, same, command)

    def work(tx: Transaction) -> Recorded:
        now = shop.clock.now()
        ready = sales_room.prepare(tx, shop, command)
        waiting = rules.decide_pending(ready.member, ready.sale, ready.program, now)
        check_texts((command, waiting.body))  # once it is paid it must not be refused any more
        recorded = shop.record(tx, same, ready.paid(waiting.kept), now)
        sales.keep_pending(tx, Pending(command.id, now, command.till, command.language, waiting.body))
        drafts.discard(tx, command.till)
        return recorded

    return await once(shop, same, work)


async def confirm_pending(shop: Shop, sale: str) -> Recorded:
    """Complete a sale whose payment came after all: exactly once, however often it is confirmed."""
    same = operation(sale + CONFIRMED, "confirm", sale)

    def work(tx: Transaction) -> Recorded:
        waiting = _waiting(tx, sale)
        decision = rules.decide_confirmed(_member(tx, waiting), waiting.body, shop.program, shop.clock.now())
        sales.resolve(tx, sale)
        return sales_room.post(tx, shop, same, decision, waiting.till, waiting.language)

    return await once(shop, same, work)


async def void_pending(shop: Shop, sale: str, staff: str) -> Recorded:
    """Give a sale up whose payment did not come, and let go of what was kept for it."""
    same = operation(sale + GIVEN_UP, "give-up", sale)

    def work(tx: Transaction) -> Recorded:
        waiting = _waiting(tx, sale)
        now = shop.clock.now()
        decision = rules.decide_given_up(_member(tx, waiting), waiting.body, staff, shop.program, now)
        sales.resolve(tx, sale)
        return shop.record(tx, same, decision, now)

    return await once(shop, same, work)


async def unresolved(shop: Shop) -> list[Pending]:
    """Return the sales that wait, the longest waiting first: the list that a day's end shows."""
    return await shop.store.transact(sales.unresolved)


def _waiting(tx: Transaction, sale: str) -> Pending:
    waiting = sales.pending(tx, sale)
    if waiting is not None:
        return waiting
    if history.of_sale(tx, sale) is not None:
        raise Refused("PENDING_CONFIRMED")
    if history.of_operation(tx, sale + GIVEN_UP) is not None:
        raise Refused("SALE_GIVEN_UP")
    raise NotFound("PENDING_UNKNOWN")


def _member(tx: Transaction, waiting: Pending) -> Member | None:
    if waiting.body.member is None:
        return None
    return known_member(tx, waiting.body.member).member
