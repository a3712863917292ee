"""A basket is paid: money and points are recorded and the receipt is queued, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.loyalty import engine, members
from tapledger.loyalty.engine import BasketLine, Sale
from tapledger.loyalty.facts import Tender
from tapledger.membership import identity, referral, slips
from tapledger.membership.identity import Known, Presented
from tapledger.membership.shop import Shop, operation
from tapledger.store import drafts
from tapledger.store.journal import Recorded
from tapledger.store.people import mask


@dataclass(frozen=True, slots=True)
class SaleCommand:
    """A sale as the till asks for it. ``id`` is its idempotency key: the same sale again is one sale."""

    id: str
    till: str
    lines: tuple[BasketLine, ...]
    tenders: tuple[Tender, ...]
    staff: str
    language: str
    member: str | None = None
    presented: Presented | None = None


async def record_sale(shop: Shop, command: SaleCommand) -> Recorded:
    """Record a sale; raise ``Invalid`` or ``Refused`` when it cannot be one, and change nothing then."""
    same = operation(command.id, "sale", command.lines, command.tenders, command.member, command.staff)

    def work(tx: Transaction) -> Recorded:
        if (before := shop.store.journal.find(tx, same)) is not None:
            return before
        now = shop.clock.now()
        known = _member(tx, shop, command)
        sale = Sale(
            id=command.id,
            lines=command.lines,
            tenders=command.tenders,
            lot=command.id,
            staff=command.staff,
            trust=None if command.presented is None else command.presented.level,
            evidence="" if command.presented is None else command.presented.evidence,
        )
        decision = engine.decide_sale(None if known is None else known.member, sale, shop.program, now)
        recorded = shop.record(tx, same, decision, now)
        if decision.after is not None:
            referral.tell(tx, shop, command.id, decision.after, now)
        left = 0 if decision.after is None else members.points(decision.after, now).available
        slip = slips.Slip(
            kind="sale",
            language=command.language,
            event=recorded.raw,
            receipt=recorded.receipt,
            proof=recorded.proof,
            digest=recorded.hash.hex(),
            member_name="" if known is None else mask(known.name),
            points=left,
            tier="" if decision.after is None else shop.tier_of(decision.after),
        )
        slips.enqueue(tx, shop, slips.job_id(recorded), slip)
        drafts.discard(tx, command.till)
        return recorded

    return await shop.store.transact(work)


def _member(tx: Transaction, shop: Shop, command: SaleCommand) -> Known | None:
    if command.member is None or command.presented is None:
        return None
    return identity.by_id(tx, shop, command.member, command.presented)


async def last_sale(shop: Shop) -> Recorded | None:
    """Return the sale of a moment ago: after a crash it answers 'did it go through?'."""
    newest = await shop.store.transact(lambda tx: shop.store.journal.newest(tx, "sale"))
    if newest is None or shop.clock.now() - newest.event.body.at > slips.SLIP_LIFE:
        return None
    return newest
