"""Central is killed while shops sell: they sell on, and catch up; the other shop knows in the end."""

from __future__ import annotations

import pytest

from tapledger.lab.chain import Chain
from tests.faults.counter import WANG, Counter

pytestmark = pytest.mark.asyncio(loop_scope="session")

SALES = 6


async def test_shops_sell_on_while_central_dies_and_catch_up(chain: Chain, counter: Counter) -> None:
    central = chain.central
    assert central is not None
    await counter.till.until(lambda s: s["unsynced"] == 0, "not in step at first")
    before, head = await counter.points(), counter.head()
    for number in range(SALES):
        await counter.fill_basket()
        if number % 3 == 1:
            await central.ready()
            central.kill()
        await counter.pay()
    await central.ready()
    await counter.till.until(lambda s: s["unsynced"] == 0 and s["online"], "the shop does not catch up")
    earned = counter.earned(head)
    expected = before + sum(earned)
    assert len(earned) == SALES
    assert await counter.points() == expected
    async with Counter(chain, "shop-b") as other:
        await other.sign_in()
        await other.till.ask_for_member(WANG.number)
        await other.till.until(
            lambda s: s["member"] is not None and s["member"]["points"] == expected, "shop B knows less"
        )
    assert (await counter.verify())["ok"]
