"""The lines between shops and central fail in every way: each event is at central once and balances agree."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tapledger.lab.chain import SHOPS, Chain
from tapledger.lab.network import WELL, Counts, Fault, seeded
from tapledger_central.store import FILE_NAME
from tests.faults import books
from tests.faults.counter import WANG, Counter
from tests.faults.small_chain import migrated
from tests.faults.test_power import TURNS, sale_interrupted
from tests.postgres import PostgresServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE_S = 40.0
LOST = Fault(cut_reply_after=0)
WEATHER: dict[str, tuple[Fault, Callable[[Counts], int]]] = {
    "replies are lost": (LOST, lambda counts: counts.lost),
    "replies break off": (Fault(cut_reply_after=50), lambda counts: counts.lost),
    "requests are copied": (Fault(duplicate=True), lambda counts: counts.copies),
    "the line is late and thin": (Fault(delay_ms=200, bytes_per_s=20_000), lambda counts: counts.replies),
    "one direction closes early": (Fault(half_close=True), lambda counts: counts.requests),
}
"""What is wrong, and what has to have happened so before it is over."""
MIXED = ((5, WELL), (2, LOST), (1, Fault(cut=True)))
SEED = 5


async def test_a_bad_line_loses_and_doubles_nothing(chain: Chain, counter: Counter) -> None:
    await bad_weather(chain, counter, f"sqlite:///{chain.central_folder / FILE_NAME}")


@pytest.mark.long
async def test_a_bad_line_loses_and_doubles_nothing_on_postgresql(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    database_url, looked_at = migrated(postgres_server)
    chain = Chain(tmp_path, (0, 0, 0), lambda sentence: None, database_url=database_url)
    await chain.start()
    try:
        async with Counter(chain, SHOPS[0]) as counter:
            await counter.sign_in()
            await bad_weather(chain, counter, looked_at)
    finally:
        await chain.stop()


async def bad_weather(chain: Chain, counter: Counter, central: str) -> None:
    """Sell in both shops while their lines are bad in one way after the other; then compare everything."""
    async with Counter(chain, SHOPS[1]) as other:
        await other.sign_in()
        await other.till.ask_for_member(WANG.number)
        await other.till.do("clear")
        before = await counter.points() - earned(counter, other)
        for fault, happened in WEATHER.values():
            await bad_while_selling(chain, (counter, other), fault, happened)
        for line in chain.lines.values():
            await line.set(WELL)
        await in_step(chain, (counter, other), before + earned(counter, other), central)


async def test_daemons_and_central_die_on_a_bad_line(chain: Chain, counter: Counter) -> None:
    """A few of the kills of ``test_kill_loop``, of the whole daemon with its devices and faces."""
    rng = random.Random(SEED)
    central = chain.central
    assert central is not None
    async with Counter(chain, "shop-b") as other:
        await other.sign_in()
        await other.till.ask_for_member(WANG.number)
        await other.till.do("clear")
        before = await counter.points() - earned(counter, other)
        for line in chain.lines.values():
            line.choose = seeded(rng, MIXED)
        victims = [None, None, counter, other]
        rng.shuffle(victims)
        for victim in victims:
            if victim is not None:
                await sale_interrupted(victim, lambda: True, rng.choice(TURNS))
                continue
            await central.ready()
            central.kill()
            await sell(rng.choice((counter, other)))
        for line in chain.lines.values():
            line.choose = None
        # A daemon that comes up does not wait for the pauses of the one that died.
        for last in (counter, other):
            await sale_interrupted(last, lambda: True, rng.choice(TURNS))
        url = f"sqlite:///{chain.central_folder / FILE_NAME}"
        await in_step(chain, (counter, other), before + earned(counter, other), url)


def earned(*counters: Counter) -> int:
    return sum(sum(at.earned(0)) for at in counters)


async def sell(at: Counter) -> None:
    await at.fill_basket()
    await at.pay()


async def bad_while_selling(
    chain: Chain, counters: tuple[Counter, ...], fault: Fault, happened: Callable[[Counts], int]
) -> None:
    """Let every line be bad while each shop sells, until that has mattered on each of them."""
    before = {shop: happened(line.counts) for shop, line in chain.lines.items()}
    for line in chain.lines.values():
        await line.set(fault)
    for at in counters:
        await sell(at)
    async with asyncio.timeout(PATIENCE_S):
        for shop, line in chain.lines.items():
            await line.until(lambda counts, shop=shop: happened(counts) > before[shop])  # type: ignore[misc]


async def in_step(chain: Chain, counters: tuple[Counter, ...], points: int, central: str) -> None:
    """Wait until nothing is left to tell, and hold the books of all against each other."""
    for at in counters:
        await at.until_in_step(points)
    shops = [entry for shop in SHOPS for entry in books.recorded(chain.config(shop))]
    assert books.differences(shops, books.held(central)) == []
    for shop in SHOPS:
        assert await books.chain_is_whole(chain.config(shop))
