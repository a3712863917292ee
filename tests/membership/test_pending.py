"""Payments that wait, and quotes that were shown (decisions X1, X5)."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from typing import Any

import msgspec

from tapledger.errors import Conflict
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.program.prices import PointsAsCash
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.sales.selling import Wants, pin
from tapledger.membership import pending, refund
from tapledger.membership.sale import SaleCommand, record_sale
from tapledger.store.journal import Recorded
from tests.membership.counter import DAY_S, back, facts, new_sale, refused, rules, state
from tests.store.shops import EARPHONES, TOWEL, Bench


# ---- payments that wait -----------------------------------------------------------------------------------
async def waiting_sale(bench: Bench, member: str, **more: Any) -> SaleCommand:
    rules(bench, points_as_cash=PointsAsCash(1, 1))
    await bench.buy(member, EARPHONES)
    command = new_sale(bench, member, 5000, 0, wants=Wants(points=200))
    return dataclasses.replace(command, tenders=(Tender("mobile", 4800),), **more)


async def test_X1_a_sale_that_waits_earns_nothing_and_keeps_what_it_uses(bench: Bench, member: str) -> None:
    command = await waiting_sale(bench, member)
    waits = await pending.record_pending(bench.shop, command)
    assert (await pending.record_pending(bench.shop, command)).receipt == waits.receipt
    assert await bench.points(member) == 99
    assert [one.id for one in await pending.unresolved(bench.shop)] == [command.id]
    assert bench.rows("SELECT count(*) FROM event WHERE kind = 'sale'") == [(1,)]
    assert isinstance(await refused(bench, _sell(bench, command, Tender("cash", 4800))), Conflict)


async def _sell(bench: Bench, command: SaleCommand, tender: Tender) -> Recorded:
    return await record_sale(bench.shop, dataclasses.replace(command, tenders=(tender,)))


async def test_X1_a_late_confirmation_completes_the_same_sale_once(bench: Bench, member: str) -> None:
    command = await waiting_sale(bench, member)
    await pending.record_pending(bench.shop, command)
    bench.clock.move(3 * DAY_S)
    answers = await asyncio.gather(*(pending.confirm_pending(bench.shop, command.id) for _ in range(10)))
    assert len({one.receipt for one in answers}) == 1
    sold = answers[0].event.body.sale
    assert sold is not None and (sold.id, sold.earned, sold.points_used) == (command.id, 48, 200)
    assert await bench.points(member) == 99 + 48
    assert await pending.unresolved(bench.shop) == []
    assert (
        await refused(bench, pending.void_pending(bench.shop, command.id, "s"))
    ).code == "PENDING_CONFIRMED"
    done = await refund.return_sale(bench.shop, back(bench, command.id, (0, 1000)))
    assert (facts(done).restored, facts(done).clawed, facts(done).refund_minor) == (200, 48, 4800)
    assert await bench.points(member) == 299


async def test_X1_a_payment_that_never_came_lets_everything_go(bench: Bench, member: str) -> None:
    command = await waiting_sale(bench, member)
    before = await state(bench, member)
    await pending.record_pending(bench.shop, command)
    await pending.void_pending(bench.shop, command.id, "s-1")
    await pending.void_pending(bench.shop, command.id, "s-1")
    assert (await state(bench, member)).lots == before.lots
    assert await pending.unresolved(bench.shop) == []
    assert (await refused(bench, pending.confirm_pending(bench.shop, command.id))).code == "SALE_GIVEN_UP"
    assert (await refused(bench, pending.confirm_pending(bench.shop, "x"))).code == "PENDING_UNKNOWN"


async def test_X1_points_that_lapse_while_the_sale_waits_still_pay(bench: Bench, member: str) -> None:
    rules(bench, expiry=msgspec.structs.replace(bench.shop.program.expiry, mode="days", count=1))
    command = await waiting_sale(bench, member)
    await pending.record_pending(bench.shop, command)
    bench.clock.move(5 * DAY_S)
    assert await bench.points(member) == 0
    await pending.confirm_pending(bench.shop, command.id)
    assert (await state(bench, member)).deficit == 0


# ---- a quote that was shown -------------------------------------------------------------------------------
async def test_X5_a_quote_is_honoured_until_its_deadline(bench: Bench, member: str) -> None:
    off = Promotion(id="minus", benefit=Amount(off_minor=200))
    rules(bench, promotions=[off])
    command = bench.sale(member, TOWEL)
    who = await state(bench, member)
    pinned = pin(who, command.lines, Wants(), bench.shop.program, bench.clock.now())
    assert pinned.until - pinned.at == dt.timedelta(minutes=15)
    paid = dataclasses.replace(command, tenders=(Tender("cash", 1000),), pinned=pinned)
    dearer = tuple(msgspec.structs.replace(one, unit_minor=9900) for one in command.lines)
    bench.clock.move(15 * 60 - 1)
    sold = await record_sale(bench.shop, dataclasses.replace(paid, lines=dearer))
    assert sold.event.body.sale is not None and sold.event.body.sale.total_minor == 1000
    bench.clock.move(1)
    late = dataclasses.replace(paid, id=bench.key())
    assert (await refused(bench, record_sale(bench.shop, late))).code == "QUOTE_EXPIRED"
