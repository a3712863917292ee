"""Business days: every event is in exactly one Z, each figure is the ledger's, a closed Z never changes."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Iterable

import pytest

from tapledger.errors import Conflict, Invalid, NotFound, Refused
from tapledger.loyalty import ledger
from tapledger.loyalty import program as programs
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.membership import receipts as receipts_room
from tapledger.membership import refund, return_desk, shifts, stored_value
from tapledger.membership.refund import ReturnCommand, VoidCommand
from tapledger.membership.sale import record_sale
from tapledger.membership.shifts import Report
from tapledger.membership.stored_value import TopUpCommand
from tapledger.store import history
from tests.store.shops import EARPHONES, TOWEL, Bench, card
from tests.web.test_till_offers import OFFERS


async def close(bench: Bench, counted_minor: int = 0) -> Report:
    now = await shifts.current(bench.shop)
    return await shifts.close_shift(bench.shop, now.number, "Ann", counted_minor)


async def bodies(bench: Bench) -> list[EventBody]:
    return await bench.shop.store.transact(lambda tx: list(history.everything(tx)))


def from_the_ledger(events: Iterable[EventBody]) -> Counter[str]:
    """Reckon what a report says in another way: by accounts alone."""
    sums: Counter[str] = Counter()
    for body in events:
        for line in body.lines:
            if line.account.startswith("tender/"):
                sums[line.account] += line.amount
            elif line.account == ledger.PROGRAM_POINTS:
                sums["points"] -= line.amount
            elif line.account.startswith("member/") and line.unit != ledger.POINT:
                sums["value"] -= line.amount
    return Counter({name: amount for name, amount in sums.items() if amount})


def as_reported(report: Report) -> Counter[str]:
    figures = report.figures
    sums = Counter({f"tender/{kind}": amount for kind, amount in figures.tenders.items()})
    sums["points"], sums["value"] = figures.points_owed, figures.value_owed_minor
    return Counter({name: amount for name, amount in sums.items() if amount})


async def random_day(bench: Bench, member: str, dice: random.Random) -> None:
    sold: list[str] = []
    for _ in range(dice.randint(3, 9)):
        what = dice.choice(("sale", "guest", "return", "void", "reward", "top up"))
        bench.clock.move(dice.randint(1, 500))
        if what in ("sale", "guest"):
            key = bench.key()
            who = member if what == "sale" else None
            sku = dice.choice((TOWEL, EARPHONES))
            await stored_sale(bench, who, sku, dice.randint(1, 3), key)
            sold.append(key)
        elif what == "return" and sold:
            lines = (ReturnedLine(0, 1000),)
            await refund.return_sale(
                bench.shop, ReturnCommand(bench.key(), sold.pop(), lines, "s-1", "en", "torn")
            )
        elif what == "void" and sold:
            try:
                await refund.void_sale(bench.shop, VoidCommand(bench.key(), sold.pop(), "s-1", "en"))
            except Refused as error:
                assert error.code == "VOID_ONLY_SAME_DAY"
        elif what == "reward":
            try:
                await bench.redeem(member)
            except Refused as error:
                assert error.code in ("POINTS_MISSING", "OUT_OF_STOCK")
        elif what == "top up":
            paid = (Tender("cash", 10_000),)
            command = TopUpCommand(bench.key(), member, card("a"), 10_000, paid, "s-1", "en")
            with contextlib.suppress(Refused):  # the most that a card may hold
                await stored_value.top_up(bench.shop, command)


async def stored_sale(bench: Bench, member: str | None, sku: str, count: int, key: str) -> None:
    await record_sale(bench.shop, bench.sale(member, sku, count, key))


@pytest.mark.parametrize("seed", range(6))
async def test_random_days_balance_to_the_ledger_to_the_unit(bench: Bench, seed: int) -> None:
    dice = random.Random(seed)
    bench.shop.program = programs.load(OFFERS | {"version": f"random-{seed}"})
    member = await bench.join("Ann", card("a"))
    reports, seen = [], 0
    for _ in range(4):
        await random_day(bench, member, dice)
        report = await close(bench, dice.randint(0, 50_000))
        everything = await bodies(bench)
        assert as_reported(report) == from_the_ledger(everything[seen:])
        assert report.figures.events == len(everything) - seen
        seen = len(everything)
        reports.append(report)
    for report in reports:
        again = await shifts.z_report(bench.shop, report.shift.number)
        assert again.figures == report.figures
        assert again.difference_minor == report.difference_minor
    assert sum(one.figures.events for one in reports) == seen


async def test_the_drawer_is_counted_blind_and_its_difference_told_after(bench: Bench) -> None:
    await shifts.open_shift(bench.shop, "Ann", 20_000)
    await bench.buy(None, TOWEL, 2)
    report = await close(bench, 22_350)
    assert (report.expected_minor, report.difference_minor) == (22_400, -50)
    assert (report.figures.sales, report.figures.sold_minor) == (1, 2_400)


async def test_a_day_is_opened_once_and_what_was_sold_before_is_in_it(bench: Bench) -> None:
    await bench.buy(None)
    await shifts.open_shift(bench.shop, "Ann", 10_000)
    with pytest.raises(Conflict, match="SHIFT_OPEN"):
        await shifts.open_shift(bench.shop, "Bea", 1)
    assert (await shifts.x_report(bench.shop)).figures.sales == 1


async def test_a_closed_day_never_changes(bench: Bench) -> None:
    await bench.buy(None)
    first = await close(bench, 1200)
    assert (await shifts.close_shift(bench.shop, 1, "Bea", 1200)) == first
    with pytest.raises(Conflict, match="SHIFT_CLOSED"):
        await shifts.close_shift(bench.shop, 1, "Bea", 1300)
    await bench.buy(None)
    await bench.restart()
    assert (await shifts.z_report(bench.shop, 1)).figures == first.figures
    assert (await shifts.x_report(bench.shop)).figures.sales == 1


async def test_sales_while_somebody_closes_are_in_one_day_each(bench: Bench) -> None:
    async def sell() -> None:
        for _ in range(20):
            await bench.buy(None)

    async def count() -> list[Report]:
        found = []
        for _ in range(5):
            await asyncio.sleep(0)
            found.append(await close(bench))
        return found

    _, reports = await asyncio.gather(sell(), count())
    rest = await shifts.x_report(bench.shop)
    assert sum(one.figures.sales for one in (*reports, rest)) == 20


async def test_after_the_z_a_sale_comes_back_only_as_a_return(bench: Bench) -> None:
    recorded = await bench.buy(None)
    sold = recorded.event.body.sale
    assert sold is not None
    assert await return_desk.can_void(bench.shop, await _sales(bench, recorded.receipt))
    await close(bench)
    assert not await return_desk.can_void(bench.shop, await _sales(bench, recorded.receipt))
    with pytest.raises(Refused, match="VOID_ONLY_SAME_DAY"):
        await refund.void_sale(bench.shop, VoidCommand("v-1", sold.id, "s-1", "en"))
    back = ReturnCommand("r-1", sold.id, (ReturnedLine(0, 1000),), "s-1", "en", "torn")
    await refund.return_sale(bench.shop, back)
    today = await shifts.x_report(bench.shop)
    assert (today.figures.returns, today.figures.refunded_minor, today.figures.sales) == (1, 1200, 0)


async def _sales(bench: Bench, receipt: str) -> receipts_room.Sales:
    return await receipts_room.show(bench.shop, receipt)


@pytest.mark.parametrize("amount", [-1, 10**15])
async def test_an_impossible_count_is_refused(bench: Bench, amount: int) -> None:
    with pytest.raises(Invalid, match="AMOUNT_IMPOSSIBLE"):
        await shifts.open_shift(bench.shop, "Ann", amount)
    with pytest.raises(Invalid, match="AMOUNT_IMPOSSIBLE"):
        await close(bench, amount)


async def test_a_day_that_is_not_closed_has_no_z(bench: Bench) -> None:
    with pytest.raises(NotFound, match="SHIFT_UNKNOWN"):
        await shifts.z_report(bench.shop, 1)
