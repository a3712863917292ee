"""What happens at the till of a life: baskets are paid, wait for their payment, and come back."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import NamedTuple

import msgspec

from tapledger.database import Transaction
from tapledger.errors import TapledgerError
from tapledger.lab.scenario.shops import Place
from tapledger.loyalty.coupons import couponing
from tapledger.loyalty.facts import SaleFacts, Tender
from tapledger.loyalty.pricing import ManualDiscount
from tapledger.loyalty.sales import selling
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.loyalty.sales.selling import Wants
from tapledger.loyalty.sales.tenders import Payer, cash_due
from tapledger.membership import (
    coupons,
    exchange,
    late_credit,
    pending,
    refund,
    rights,
    sale,
)
from tapledger.membership.sale import SaleCommand
from tapledger.store import history
from tests.lives.belongings import belongings
from tests.lives.life import Life
from tests.lives.rules import APPLES, BOTTLE, PHONE, TEA, TOWEL, VOUCHER

LANGUAGE = "en"


class Step(NamedTuple):
    what: str
    a: int
    b: int
    c: int


# ---- baskets ----------------------------------------------------------------------------------------------
ITEMS = (
    (TOWEL, 1000),
    (TEA, 3000),
    (APPLES, 1234),
    (BOTTLE, 2000),
    (PHONE, 1000),
    (VOUCHER, 1000),
    (TEA, 1000),
)


async def basket(life: Life, place: Place, step: Step, key: str = "") -> SaleCommand | None:
    """Return a sale of a few articles, paid as the numbers say; None when nothing could be priced."""
    a, b, c = step.a, step.b, step.c
    anonymous = a % 7 == 6
    who = await life.member(place, a)
    if who is None:
        return None
    level = b % 4
    lines = tuple(
        place.shop.catalogue.find(sku).line(milli, LANGUAGE)
        for place_, (sku, milli) in enumerate(ITEMS)
        if (b >> place_) % 2 or place_ == c % 3
    )
    if c % 11 == 0:
        lines = (msgspec.structs.replace(lines[0], manual_unit_minor=900), *lines[1:])
    mine = () if anonymous else tuple(one.id for one in who.coupons)[: c % 3]
    wants = Wants(
        coupons=mine if b % 2 else (),
        points=0 if anonymous else (0, 0, 50, 1000, 30)[c % 5],
        manual=ManualDiscount("scratch", off_minor=50) if c % 13 == 1 else None,
    )
    scanned = ("code/public",) if c % 6 == 2 else ()
    command = SaleCommand(
        id=key or life.key(),
        till="till",
        lines=lines,
        tenders=(),
        staff="s-1",
        language=LANGUAGE,
        member=None if anonymous else who.id,
        presented=None if anonymous else life.card(a, level),
        wants=wants,
        scanned=scanned,
    )

    def price(tx: Transaction) -> int:
        member = None if anonymous else who
        may = rights.rights_of(tx, place.shop, None if anonymous else who.id)
        reach = couponing.reach_of(place.shop.store.keyring.node, may, place.shop.program, life.now)
        papers = coupons.papers(tx, place.shop, member, scanned, "", reach)
        asked = dataclasses.replace(wants, papers=papers.chosen)
        payer = Payer(member, level, may)
        return selling.quote(member, lines, place.shop.program, life.now, asked, payer, reach).total_minor

    try:
        total = await place.shop.store.transact(price)
    except TapledgerError as error:
        life.refused("quote", error)
        return None
    value = min(total, (0, 700, 5000)[c % 3]) if c % 4 == 1 and not anonymous else 0
    rest = total - value
    cash = cash_due(rest, place.shop.program) if c % 2 else 0
    tenders = (Tender("value", value), Tender("cash", cash), Tender("card", 0 if c % 2 else rest))
    return dataclasses.replace(command, tenders=tuple(one for one in tenders if one.amount_minor))


async def buy(life: Life, place: Place, step: Step) -> None:
    if (command := await basket(life, place, step)) is not None:
        await life.run(place, f"sale {step}", partial(sale.record_sale, place.shop, command))


async def wait_for_payment(life: Life, place: Place, step: Step) -> None:
    if (command := await basket(life, place, step)) is not None:
        await life.run(place, "pending", partial(pending.record_pending, place.shop, command))


async def payment_came(life: Life, place: Place, step: Step) -> None:
    waiting = await pending.unresolved(place.shop)
    if waiting:
        one = waiting[step.a % len(waiting)].id
        if step.b % 3:
            await life.run(place, "confirm", partial(pending.confirm_pending, place.shop, one))
        else:
            await life.run(place, "give up", partial(pending.void_pending, place.shop, one, "s-1"))


# ---- what comes back --------------------------------------------------------------------------------------
async def _sold(place: Place, number: int, *, anonymous: bool = False) -> SaleFacts | None:
    """Return one of the newest sales of a shop; ``anonymous``: of nobody."""

    def work(tx: Transaction) -> list[SaleFacts]:
        bodies = [body for body in history.everything(tx) if body.sale is not None and body.kind == "sale"]
        if anonymous:
            bodies = [body for body in bodies if body.member is None]
        known = [body.sale for body in bodies if body.sale and history.of_sale(tx, body.sale.id) is not None]
        return known[-6:]

    found = await place.shop.store.transact(work)
    return found[number % len(found)] if found else None


def _back(life: Life, sold: SaleFacts, step: Step) -> refund.ReturnCommand:
    lines = tuple(
        ReturnedLine(number, line.quantity_milli if step.c % 2 or line.quantity_milli < 2000 else 1000)
        for number, line in enumerate(sold.lines)
        if (step.b >> number) % 2 or number == step.c % len(sold.lines)
    )
    return refund.ReturnCommand(life.key(), sold.id, lines, "s-1", LANGUAGE, shop_fault=step.c % 5 == 0)


async def bring_back(life: Life, place: Place, step: Step) -> None:
    if (sold := await _sold(place, step.a)) is not None:
        command = _back(life, sold, step)
        await life.run(place, f"return {step}", partial(refund.return_sale, place.shop, command))


async def void(life: Life, place: Place, step: Step) -> None:
    if (sold := await _sold(place, step.a)) is not None:
        command = refund.VoidCommand(life.key(), sold.id, "s-1", LANGUAGE)
        await life.run(place, "void", partial(refund.void_sale, place.shop, command))


async def swap(life: Life, place: Place, step: Step) -> None:
    sold = await _sold(place, step.a)
    key = life.key()
    new = await basket(life, place, step._replace(c=step.c * 2), f"{key}/new")
    if sold is not None and new is not None:
        cash = sum(one.amount_minor for one in new.tenders if one.kind != "value") // 100 * 100 + 100
        new = dataclasses.replace(new, tenders=(Tender("cash", cash),))
        back = dataclasses.replace(_back(life, sold, step), key=key)
        command = exchange.ExchangeCommand(back, new)
        await life.run(place, "exchange", partial(exchange.exchange, place.shop, command))


async def bottles(life: Life, place: Place, step: Step) -> None:
    command = refund.GiveBackCommand(life.key(), ((BOTTLE, 1 + step.a % 3),), "s-1", LANGUAGE)
    await life.run(place, "bottles", partial(refund.give_back_deposit, place.shop, command))


async def show_receipt_late(life: Life, place: Place, step: Step) -> None:
    if (sold := await _sold(place, step.b, anonymous=step.c % 4 > 0)) is not None:
        who = life.who[step.a % len(life.who)]
        late = partial(late_credit.late_credit, place.shop, life.key(), who, sold.id, "s-1")
        await life.run(place, "late credit", late)


async def whole(life: Life, place: Place, step: Step) -> None:
    """Buy and bring everything back at once: it is as if it had never been (P7)."""
    command = await basket(life, place, step)
    if command is None:
        return
    before = await belongings(life, place)
    sold = await life.run(place, f"whole sale {step}", partial(sale.record_sale, place.shop, command))
    if sold is None:
        return
    facts = sold.event.body.sale
    if step.b % 2:
        undo = refund.VoidCommand(life.key(), facts.id, "s-1", LANGUAGE)
        back = await life.run(place, "whole void", partial(refund.void_sale, place.shop, undo))
    else:
        everything = tuple(ReturnedLine(n, line.quantity_milli) for n, line in enumerate(facts.lines))
        asked = refund.ReturnCommand(life.key(), facts.id, everything, "s-1", LANGUAGE)
        back = await life.run(place, "whole return", partial(refund.return_sale, place.shop, asked))
    assert back is not None, f"a sale of just now cannot be taken back: {life.log[-1]}"
    after = await belongings(life, place)
    assert after == before, {
        name: (before[name], after[name]) for name in before if after[name] != before[name]
    }
    paid = {one.kind: one.amount_minor for one in facts.tenders}
    paid["cash"] = paid.get("cash", 0) - facts.change_minor
    repaid = {one.kind: one.amount_minor for one in back.event.body.returned.tenders}
    assert {k: v for k, v in paid.items() if v} == {k: v for k, v in repaid.items() if v}
