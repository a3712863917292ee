"""The daemon is killed at every kind of moment: nothing is lost or doubled, and a copy says so."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

import pytest

from tests.faults.counter import COFFEE_POINTS, Counter, quietly

pytestmark = pytest.mark.asyncio(loop_scope="session")

Moment = Callable[[Counter, int], bool]
SLOW_S = 0.2
"""For a line of a slip that is being cut off: it must not be over before anybody has looked."""
TURNS = (1, 60, 250, 1000)
"""Turns of the event loop between sending the request and the end: some before, some after the commit."""
MOMENTS: dict[str, Moment] = {
    "as the sale is in the journal": lambda at, sales: at.count("sale") > sales,
    "as the slip is being sent": lambda at, sales: "sending" in at.fates().values(),
    "as the first line is on paper": lambda at, sales: not at.bench.printer.slips[-1].cut,
}


async def sale_interrupted(
    at: Counter, until: Callable[[], bool], turns: int = 0, moment: str = "at once", slow_s: float = 0.0
) -> str:
    """Pay and cut the power in the middle, then do what a cashier does; return the receipt.

    ``slow_s``: so long the text printer takes for a line until the power goes.
    """
    await at.fill_basket()
    if slow_s:
        at.bench.printer.line_delay_s = slow_s
    sales = at.count("sale")
    paying = asyncio.create_task(at.till.do("pay", tender="cash"))
    for _ in range(turns):
        await asyncio.sleep(0)
    try:
        await at.until(until, moment)
    except AssertionError:
        said = paying.result() if paying.done() else "nothing yet"
        pytest.fail(f"the moment never came: {moment}; paying said {said}, slips are {at.fates()}")
    at.cut_power()
    if slow_s:
        at.bench.printer.line_delay_s = 0.0
    await quietly(paying)
    await at.power_back()
    seen = await at.till.until(lambda s: bool(s["lines"]) or s["last_sale"] is not None, "nothing is there")
    if seen["lines"]:
        assert at.count("sale") == sales
        assert seen["member"] is not None, "the basket knows whose it is"
        receipt = await at.pay()
    else:
        receipt = str(seen["last_sale"]["receipt"])
    assert at.count("sale") == sales + 1
    return receipt


async def test_a_kill_in_the_middle_of_a_sale_loses_and_doubles_nothing(counter: Counter) -> None:
    before, head, receipts = await counter.points(), counter.head(), set()
    for turns in TURNS:
        receipts.add(await sale_interrupted(counter, lambda: True, turns))
    for name, moment in MOMENTS.items():
        sales = counter.count("sale")
        came = functools.partial(moment, counter, sales)
        receipts.add(await sale_interrupted(counter, came, moment=name, slow_s=SLOW_S))
    await counter.settled()
    assert len(receipts) == len(TURNS) + len(MOMENTS)
    earned = counter.earned(head)
    assert (len(earned), min(earned) >= 12) == (len(receipts), True)
    assert await counter.points() == before + sum(earned)
    counter.check_paper(receipts)
    assert any(counter.copies(receipt) for receipt in receipts), "some were cut in the middle"
    verdict = await counter.verify()
    assert (verdict["exit"], verdict["ok"]) == (0, True)
    assert verdict["events"] == counter.head()


async def test_a_kill_at_the_second_touch_gives_one_voucher_or_none(counter: Counter) -> None:
    """The card stays on the reader: the member is greeted again by the daemon that comes up."""
    await counter.bench.insert("kiosk-reader", "wang")
    shown = await counter.until_offered()
    for turns in (1, 150, 600):
        points, holds = shown["points"], counter.count("hold")
        assert await counter.kiosk.do("choose", reward="coffee") == {}
        await counter.kiosk.until_screen("confirm")
        confirming = asyncio.create_task(quietly(counter.kiosk.do("confirm", reward="coffee")))
        for _ in range(turns):
            await asyncio.sleep(0)
        counter.cut_power()
        await confirming
        await counter.power_back()
        shown = await counter.until_offered()
        given = counter.count("hold") - holds
        assert (given, shown["points"]) in {(0, points), (1, points - COFFEE_POINTS)}
    await counter.settled()
    kinds = dict(counter.rows("SELECT id, kind FROM print_job"))
    counter.check_paper({job.removeprefix("slip-") for job, kind in kinds.items() if kind == "voucher"})
    assert (await counter.verify())["ok"]
