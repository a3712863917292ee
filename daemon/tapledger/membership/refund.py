"""Goods come back: a return, the void of a whole sale, deposits paid out (loyalty.md section 3.13)."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.errors import Invalid
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.sales import deposits, returning
from tapledger.loyalty.sales.deposits import Deposit, GiveBack
from tapledger.loyalty.sales.returning import Return, ReturnedLine, Void
from tapledger.membership import receipts, referral, shifts
from tapledger.membership.shop import Shop, once, operation
from tapledger.membership.slips import SlipKind
from tapledger.store.journal import Operation, Recorded

DEPOSIT = "deposit"


@dataclass(frozen=True, slots=True)
class ReturnCommand:
    """Some of a sale comes back. ``key`` makes a repeat the same return."""

    key: str
    sale: str
    """Id of the sale (``receipts.sale_of``)."""
    lines: tuple[ReturnedLine, ...]
    staff: str
    language: str
    reason: str = ""
    shop_fault: bool = False
    late_approved: bool = False
    """By a manager, after the return window."""


async def return_sale(shop: Shop, command: ReturnCommand) -> Recorded:
    """Take some of a sale back and pay for it; raise ``Invalid``, ``NotFound`` or ``Refused``, and change
    nothing then."""
    same = operation(command.key, "return", command.sale, command.lines, command.shop_fault, command.staff)

    def work(tx: Transaction) -> Recorded:
        now, found = shop.clock.now(), receipts.load(tx, command.sale)
        asked = returned(command)
        decision = returning.decide_return(found.member, found.sold, asked, shop.program, now)
        return post(tx, shop, same, decision, "return", command.language)

    return await once(shop, same, work)


def returned(command: ReturnCommand, exchange: str = "") -> Return:
    return Return(
        id=command.key,
        lines=command.lines,
        staff=command.staff,
        reason=command.reason,
        shop_fault=command.shop_fault,
        late_approved=command.late_approved,
        exchange=exchange,
    )


@dataclass(frozen=True, slots=True)
class VoidCommand:
    """A whole sale is undone on its own day. ``key`` makes a repeat the same void."""

    key: str
    sale: str
    staff: str
    language: str
    reason: str = ""
    day_closed: bool = False
    """The till's business day has ended since."""


async def void_sale(shop: Shop, command: VoidCommand) -> Recorded:
    """Undo a sale; raise ``Refused`` after its business day, or when some of it has come back."""
    same = operation(command.key, "void", command.sale, command.staff)

    def work(tx: Transaction) -> Recorded:
        now, found = shop.clock.now(), receipts.load(tx, command.sale)
        closed = command.day_closed or shifts.day_closed(tx, command.sale)
        asked = Void(command.key, command.staff, command.reason, closed)
        decision = returning.decide_void(found.member, found.sold, asked, shop.program, now)
        return post(tx, shop, same, decision, "void", command.language)

    return await once(shop, same, work)


@dataclass(frozen=True, slots=True)
class GiveBackCommand:
    """Empty bottles come back: (article of the deposit, how many). ``key`` makes a repeat the same payout."""

    key: str
    bottles: tuple[tuple[str, int], ...]
    staff: str
    language: str


async def give_back_deposit(shop: Shop, command: GiveBackCommand) -> Recorded:
    """Pay deposits out by today's catalogue; it is no return of any sale (X6)."""
    same = operation(command.key, "giveback", command.bottles, command.staff)

    def work(tx: Transaction) -> Recorded:
        lent = tuple(_deposit(shop, sku, count) for sku, count in command.bottles)
        asked = GiveBack(command.key, lent, command.staff)
        decision = deposits.decide_giveback(asked, shop.program, shop.clock.now())
        return post(tx, shop, same, decision, "giveback", command.language)

    return await once(shop, same, work)


def _deposit(shop: Shop, sku: str, count: int) -> Deposit:
    line = shop.catalogue.find(sku).line(1000, shop.language)
    if line.kind != DEPOSIT:
        raise Invalid("ARTICLE_NO_DEPOSIT", sku=sku)
    return Deposit(sku, count, line.unit_minor, line.name)


def post(
    tx: Transaction, shop: Shop, same: Operation, decision: Decision, kind: SlipKind, language: str
) -> Recorded:
    """Record what came back, tell who sent its member, and queue the slip."""
    recorded = post_untold(tx, shop, same, decision, kind, language)
    if decision.after is not None:
        referral.tell(tx, shop, same.key, decision.after, shop.clock.now())
    return recorded


def post_untold(
    tx: Transaction, shop: Shop, same: Operation, decision: Decision, kind: SlipKind, language: str
) -> Recorded:
    """Record what came back and queue the slip."""
    recorded = shop.record(tx, same, decision, shop.clock.now())
    receipts.queue(tx, shop, recorded, kind, language, decision.after)
    return recorded
