"""At the desk: what comes back, points for a receipt of before, and payments that wait."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from tapledger.errors import Invalid
from tapledger.loyalty.facts import Tender as Paid
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.membership import exchange as exchanges
from tapledger.membership import late_credit as late_credits
from tapledger.membership import pending, receipts, refund
from tapledger.membership.desk import naming
from tapledger.membership.desk.asking import (
    MAX_MANY,
    ROLES,
    Answer,
    Command,
    Id,
    Minor,
    Name,
    OfMember,
    Quantity,
    Receipt,
    Request,
    Staff,
    Tender,
    Text,
    Who,
    found,
    milli,
    paid_out,
    told,
)
from tapledger.membership.exchange import ExchangeCommand
from tapledger.membership.refund import GiveBackCommand, ReturnCommand, VoidCommand
from tapledger.membership.sale import SaleCommand
from tapledger.membership.shop import Shop

TILL = "desk"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of a line comes back; lines are counted from 1."""

    line: Annotated[int, Meta(ge=1, le=1000)]
    quantity: Quantity = "1"


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So much of an article."""

    sku: Id
    quantity: Quantity = "1"


class Payment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money by one tender."""

    tender: Tender
    amount_minor: Minor


Parts = Annotated[tuple[Part, ...], Meta(min_length=1, max_length=MAX_MANY)]
Items = Annotated[tuple[Item, ...], Meta(min_length=1, max_length=MAX_MANY)]


class Return(Request, frozen=True, kw_only=True):
    """Takes some of a sale back and pays for it."""

    receipt: Receipt
    lines: Parts
    reason: Text = ""
    shop_fault: bool = False


async def give_back(shop: Shop, asked: Return, staff: Staff) -> Answer:
    sold = await receipts.show(shop, asked.receipt)
    command = _back(asked, staff, sold.sold.facts.id)
    recorded = await refund.return_sale(shop, command)
    return told(shop, asked, staff, recorded, paid_out=paid_out(recorded))


def _back(asked: Return, staff: Staff, sale: str) -> ReturnCommand:
    return ReturnCommand(
        key=asked.key,
        sale=sale,
        lines=tuple(ReturnedLine(one.line - 1, milli(one.quantity)) for one in asked.lines),
        staff=staff.id,
        language=staff.language,
        reason=asked.reason,
        shop_fault=asked.shop_fault,
        late_approved=staff.role != ROLES[0],
    )


class VoidSale(Request, frozen=True, kw_only=True):
    """Undoes a whole sale of today."""

    receipt: Receipt
    reason: Text = ""


async def void(shop: Shop, asked: VoidSale, staff: Staff) -> Answer:
    sold = await receipts.show(shop, asked.receipt)
    command = VoidCommand(asked.key, sold.sold.facts.id, staff.id, staff.language, asked.reason)
    recorded = await refund.void_sale(shop, command)
    return told(shop, asked, staff, recorded, paid_out=paid_out(recorded))


class Exchange(Return, frozen=True, kw_only=True):
    """Takes some of a sale back and sells something else; only the difference is paid."""

    items: Items
    payments: Annotated[tuple[Payment, ...], Meta(max_length=MAX_MANY)] = ()
    """What is paid beside the refund."""


async def exchange(shop: Shop, asked: Exchange, staff: Staff) -> Answer:
    sold = await receipts.show(shop, asked.receipt)
    member = None if sold.member is None else sold.member.id
    new = _sale(shop, asked, f"{asked.key}/new", member, staff)
    done = await exchanges.exchange(shop, ExchangeCommand(_back(asked, staff, sold.sold.facts.id), new))
    answer = told(shop, asked, staff, done.sold, returned=done.returned.receipt)
    first = told(shop, asked, staff, done.returned)
    values = {**answer.values, "paid_out": paid_out(done.returned)}
    return msgspec.structs.replace(answer, says=(*first.says, *answer.says), values=values)


class Bottles(Request, frozen=True, kw_only=True):
    """Pays the deposits of empty bottles and crates out."""

    items: Items


async def bottles(shop: Shop, asked: Bottles, staff: Staff) -> Answer:
    counted = tuple((one.sku, _whole(one)) for one in asked.items)
    command = GiveBackCommand(asked.key, counted, staff.id, staff.language)
    recorded = await refund.give_back_deposit(shop, command)
    return told(shop, asked, staff, recorded, paid_out=paid_out(recorded))


def _whole(one: Item) -> int:
    count, part = divmod(milli(one.quantity), 1000)
    if part:
        raise Invalid("QUANTITY_IMPOSSIBLE", sku=one.sku)
    return count


class LateCredit(OfMember, frozen=True, kw_only=True):
    """Gives a member the points of a receipt that was paid without their card."""

    receipt: Receipt


async def late_credit(shop: Shop, asked: LateCredit, staff: Staff) -> Answer:
    sold, member = await receipts.show(shop, asked.receipt), await naming.member(shop, asked)
    recorded = await late_credits.late_credit(shop, asked.key, member, sold.sold.facts.id, staff.id)
    return told(shop, asked, staff, recorded)


class Wait(Request, frozen=True, kw_only=True):
    """Keeps a sale whose payment does not answer; nothing is earned or redeemed until it is confirmed."""

    items: Items
    payments: Annotated[tuple[Payment, ...], Meta(min_length=1, max_length=MAX_MANY)]
    member: Who | None = None


async def wait(shop: Shop, asked: Wait, staff: Staff) -> Answer:
    member = None if asked.member is None else await naming.other(shop, asked.member)
    command = _sale(shop, asked, asked.key, member, staff)
    return told(shop, asked, staff, await pending.record_pending(shop, command), sale=command.id)


def _sale(shop: Shop, asked: Wait | Exchange, id_: str, member: str | None, staff: Staff) -> SaleCommand:
    """Return the sale of a request's articles, at today's prices."""
    return SaleCommand(
        id=id_,
        till=TILL,
        lines=tuple(
            shop.catalogue.find(one.sku).line(milli(one.quantity), staff.language) for one in asked.items
        ),
        tenders=tuple(Paid(one.tender, one.amount_minor) for one in asked.payments),
        staff=staff.id,
        language=staff.language,
        member=member,
        presented=None if member is None else naming.TYPED,
    )


class Waiting(Request, frozen=True, kw_only=True):
    """Lists the sales whose payment has not answered."""


async def waiting(shop: Shop, asked: Waiting, staff: Staff) -> Answer:
    rows = [
        {"sale": one.id, "at": one.at, "till": one.till, "total_minor": one.body.sale.total_minor}
        for one in await pending.unresolved(shop)
        if one.body.sale is not None
    ]
    return found(asked, waiting=rows)


class Confirm(Request, frozen=True, kw_only=True):
    """Completes a sale whose payment came after all."""

    sale: Name
    """Its id in waiting, which makes a repeat the same."""


async def confirm(shop: Shop, asked: Confirm, staff: Staff) -> Answer:
    return told(shop, asked, staff, await pending.confirm_pending(shop, asked.sale))


class GiveUp(Request, frozen=True, kw_only=True):
    """Gives a sale up whose payment did not come."""

    sale: Name
    """Its id in waiting, which makes a repeat the same."""


async def give_up(shop: Shop, asked: GiveUp, staff: Staff) -> Answer:
    return told(shop, asked, staff, await pending.void_pending(shop, asked.sale, staff.id))


COMMANDS = (
    Command("return", Return, "cashier", give_back),
    Command("void-sale", VoidSale, "cashier", void),
    Command("exchange", Exchange, "cashier", exchange),
    Command("bottles", Bottles, "cashier", bottles),
    Command("late-credit", LateCredit, "cashier", late_credit),
    Command("wait-for-payment", Wait, "cashier", wait),
    Command("waiting", Waiting, "cashier", waiting, records=False),
    Command("confirm-sale", Confirm, "manager", confirm),
    Command("give-up-sale", GiveUp, "manager", give_up),
)
