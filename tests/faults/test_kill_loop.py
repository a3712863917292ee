"""Central and shops are killed all the time, on lines that lose replies: what was told as sold is sold."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapledger.lab.network import WELL, Fault, seeded
from tests.faults import books, forked
from tests.faults.books import Entry
from tests.faults.forked import understood
from tests.faults.small_chain import SHOPS, SmallChain, small_chain
from tests.postgres import PostgresServer

BAD = ((6, WELL), (2, Fault(cut_reply_after=0)), (1, Fault(cut=True)), (1, Fault(duplicate=True)))
DIE_YOUNG, BE_HEARD = 0.2, 0.2
YOUNG_S = 0.1
"""Some die while they start, within that time; some shops once central answered so often, whatever time that
takes on a slow machine; the others after so many sales, or requests."""
SALES, REQUESTS, ANSWERS = 40, 4, 3
TWIN_KILLS = 15


@pytest.mark.parametrize("kills", [30, pytest.param(10_000, marks=pytest.mark.long)])
async def test_what_was_told_as_sold_outlives_every_kill(
    tmp_path: Path, postgres: PostgresServer | None, kills: int
) -> None:
    async with small_chain(tmp_path, postgres) as chain:
        rng = random.Random(kills)
        for line in chain.lines.values():
            line.choose = seeded(rng, BAD)
        told = await kill_all_the_time(chain, kills, rng)
        for line in chain.lines.values():
            line.choose = None
        by_then = len(chain.held())
        counts = {shop: line.counts for shop, line in chain.lines.items()}
        print(f"{kills} kills, {len(told)} sales told, {by_then} events at central by then, {counts}")
        points = await chain.settle()
        assert len(told) > kills and by_then > kills, "there was time to sell and to sync"
        assert told - set(chain.recorded()) == set()
        assert books.differences(chain.recorded(), chain.held()) == []
        assert points == [chain.earned()] * len(SHOPS) and min(chain.earned()) > 0
        for shop in SHOPS:
            assert await books.chain_is_whole(chain.config(shop))
        # The test must see it where a shop tells too early.
        chain.run_by(forked.hasty_shop)
        told = await kill_all_the_time(chain, TWIN_KILLS, rng)
        assert told - set(chain.recorded()) != set()


async def kill_all_the_time(chain: SmallChain, kills: int, rng: random.Random) -> set[Entry]:
    """Kill central and both shops until there were so many kills; return what the shops had told as sold."""
    left, over = iter(range(kills)), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(kill_central(chain, left, rng, over))
        killing = [group.create_task(kill_shop(chain, shop, left, rng)) for shop in SHOPS]
        await asyncio.wait(killing)
        over.set()
    return {sold for task in killing for sold in task.result()}


async def kill_shop(chain: SmallChain, name: str, left: Iterator[int], rng: random.Random) -> list[Entry]:
    """Let a shop come up, sell some or nothing, and die; return what it told."""
    shop, told = chain.shops[name], []
    for _ in left:
        await shop.start()
        fate = rng.random()
        if fate < DIE_YOUNG:
            await asyncio.sleep(rng.uniform(0, YOUNG_S))
        elif fate < DIE_YOUNG + BE_HEARD:
            asking = asyncio.create_task(answered(chain, name, ANSWERS))
            while not asking.done():
                told.append(await shop.heard())
        else:
            told += [await shop.heard() for _ in range(rng.randint(1, SALES))]
        told += await shop.kill()
    return [understood(one) for one in told]


async def kill_central(
    chain: SmallChain, left: Iterator[int], rng: random.Random, over: asyncio.Event
) -> None:
    """Let central die while it starts or after it was asked something, and leave it up in the end."""
    for _ in left:
        await chain.central.kill()
        await chain.central.start()
        if rng.random() < DIE_YOUNG:
            await asyncio.sleep(rng.uniform(0, YOUNG_S))
            continue
        await chain.central.heard()
        # However slow the machine is, requests come through; once the shops are dead nobody asks any more.
        asking = asyncio.create_task(asked(chain, rng.choice(SHOPS), rng.randint(1, REQUESTS)))
        ending = asyncio.create_task(over.wait())
        await asyncio.wait({asking, ending}, return_when=asyncio.FIRST_COMPLETED)
        asking.cancel()
        ending.cancel()
    await chain.central.kill()
    await chain.central.start()
    await chain.central.heard()


async def asked(chain: SmallChain, shop: str, times: int) -> None:
    line = chain.lines[shop]
    enough = line.counts.requests + times
    await line.until(lambda counts: counts.requests >= enough)


async def answered(chain: SmallChain, shop: str, times: int) -> None:
    line = chain.lines[shop]
    enough = line.counts.replies + times
    await line.until(lambda counts: counts.replies >= enough)
