"""The cash drawer: once for a sale that takes cash or gives change, and for nothing else in the world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tapledger.devices.drawer import KICK_LIFE_S, DrawerLoop
from tapledger.loyalty.facts import Tender
from tapledger.membership.sale import record_sale
from tapledger.store import drawers
from tapledger_drivers.errors import DeviceLost
from tests.devices.desk import PATIENCE_S, ToldPrinter
from tests.store.shops import EARPHONES, Bench, card


class Drawer:
    """A drawer loop over a told printer."""

    def __init__(self, bench: Bench, printer: ToldPrinter | None) -> None:
        self._bench = bench
        self._settled = asyncio.Event()
        way = None if printer is None else printer.kick_drawer
        self.loop = DrawerLoop(bench.shop, lambda: way, self._on_settled)

    async def _on_settled(self, job: str) -> None:
        self._settled.set()

    def states(self) -> list[str]:
        return [state for (state,) in self._bench.rows("SELECT drawer FROM print_job ORDER BY number")]

    async def until(self, *states: str) -> None:
        self.loop.poke()
        async with asyncio.timeout(PATIENCE_S):
            while self.states() != list(states):
                self._settled.clear()
                await self._settled.wait()


@asynccontextmanager
async def drawer(bench: Bench, printer: ToldPrinter | None) -> AsyncIterator[Drawer]:
    made = Drawer(bench, printer)
    task = asyncio.create_task(made.loop.run())
    try:
        yield made
    finally:
        task.cancel()
        ended = await asyncio.gather(task, return_exceptions=True)
        assert [one for one in ended if not isinstance(one, asyncio.CancelledError)] == []


@pytest.fixture(autouse=True)
def has_drawer(bench: Bench) -> None:
    bench.shop.has_drawer = True


async def pay(bench: Bench, *tenders: Tender, key: str = "") -> None:
    await record_sale(bench.shop, replace(bench.sale(None, key=key), tenders=tenders))


async def test_it_opens_for_cash_and_for_change_alone(bench: Bench) -> None:
    printer = ToldPrinter()
    async with drawer(bench, printer) as at:
        await pay(bench, Tender("cash", 1200))
        await pay(bench, Tender("card", 1200))
        await pay(bench, Tender("card", 200), Tender("cash", 2000))
        await pay(bench, Tender("mobile", 1200))
        await at.until("opened", "", "opened", "")
        assert printer.kicks == 2


async def test_it_opens_once_for_a_sale_that_is_asked_for_ten_times(bench: Bench) -> None:
    printer = ToldPrinter()
    async with drawer(bench, printer) as at:
        for _ in range(10):
            await pay(bench, Tender("cash", 1200), key="sale-1")
            await at.until("opened")
        assert printer.kicks == 1


async def test_what_is_no_sale_does_not_open_it(bench: Bench) -> None:
    bench.shop.has_drawer = False
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    bench.shop.has_drawer = True
    await bench.redeem(member)
    async with drawer(bench, ToldPrinter()) as at:
        await pay(bench, Tender("cash", 1200))
        await at.until("", "", "opened")


async def test_that_it_is_kicked_is_on_disk_before_it_is(bench: Bench) -> None:
    """Killed in between, it stays shut: better than a drawer that opens by itself when the shop is empty."""
    await pay(bench, Tender("cash", 1200))
    await bench.shop.store.transact(drawers.take_next)
    await bench.restart()
    bench.shop.has_drawer = True
    printer = ToldPrinter()
    async with drawer(bench, printer) as at:
        await at.until("failed")
        await pay(bench, Tender("cash", 1200))
        await at.until("failed", "opened")
        assert printer.kicks == 1


async def test_a_sale_before_the_restart_opens_nothing_after_it(bench: Bench) -> None:
    await pay(bench, Tender("cash", 1200))
    await bench.restart()
    assert bench.rows("SELECT drawer FROM print_job") == [("failed",)]


@pytest.mark.parametrize(
    "kick", [False, DeviceLost("unplugged"), ZeroDivisionError("a mistake in a driver")], ids=str
)
async def test_a_kick_that_failed_is_said_and_not_repeated(bench: Bench, kick: bool | Exception) -> None:
    printer = ToldPrinter()
    printer.kick = kick
    async with drawer(bench, printer) as at:
        await pay(bench, Tender("cash", 1200))
        await at.until("failed")
        printer.kick = True
        await pay(bench, Tender("cash", 1200))
        await at.until("failed", "opened")
        assert printer.kicks == 2


async def test_without_a_way_to_it_the_cashier_is_told(bench: Bench) -> None:
    async with drawer(bench, None) as at:
        await pay(bench, Tender("cash", 1200))
        await at.until("failed")


async def test_a_kick_that_comes_too_late_is_not_given(bench: Bench) -> None:
    printer = ToldPrinter()
    await pay(bench, Tender("cash", 1200))
    bench.clock.move(KICK_LIFE_S + 1)
    async with drawer(bench, printer) as at:
        await at.until("failed")
        assert printer.kicks == 0


async def test_a_shop_without_a_drawer_has_none(bench: Bench) -> None:
    bench.shop.has_drawer = False
    await pay(bench, Tender("cash", 1200))
    assert bench.rows("SELECT drawer FROM print_job") == [("",)]
