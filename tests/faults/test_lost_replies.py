"""Only replies are lost, for hours: what a shop sends again and again is at central once."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from tapledger.lab.network import WELL, Fault, FaultProxy
from tests.faults import books
from tests.faults.forked import sell
from tests.faults.small_chain import small_chain
from tests.postgres import PostgresServer

TRIES = 60
"""As many as there are in two hours: the pauses between them grow to 150 s on average. They are left out."""


async def test_replies_that_are_lost_for_hours_change_nothing(
    tmp_path: Path, postgres: PostgresServer | None
) -> None:
    rng = random.Random(5)
    async with small_chain(tmp_path, postgres) as chain:
        line = chain.lines["north"]
        async with chain.opened("north") as (north, sync):
            assert await sync.is_quiet()
            known = len(chain.held())
            for number in range(TRIES):
                if number % 10 == 0:
                    await sell(north, rng.choice(chain.members))
                await line.set(Fault(cut_reply_after=rng.choice((0, 1, 100, 200))))
                await sync.go()
            sales = TRIES // 10
            assert (line.counts.lost, sync.sync.state.unsynced) == (TRIES, sales)
            assert len(chain.held()) == known + sales
            assert books.differences(chain.recorded(), chain.held()) == []
        await line.set(WELL)
        assert await chain.settle() == [chain.earned()] * 2
        assert books.differences(chain.recorded(), chain.held()) == []


@contextlib.asynccontextmanager
async def line_to(port: int) -> AsyncIterator[FaultProxy]:
    line = FaultProxy(port)
    await line.start()
    yield line
    await line.close()


async def test_a_shop_that_only_tries_again_counts_twice_on_such_a_line() -> None:
    """The same line, and a protocol that is not ours: the line does what the tests above rely on."""
    counted = []

    async def count(request: web.Request) -> web.Response:
        counted.append(await request.read())
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/", count)])
    async with (
        TestServer(app) as server,
        line_to(server.port or 0) as line,
        aiohttp.ClientSession(line.url) as session,
    ):
        for fault in (Fault(cut_reply_after=0), WELL):
            await line.set(fault)
            with contextlib.suppress(aiohttp.ClientError):
                await session.post("/", data=b"a sale")
    assert counted == [b"a sale", b"a sale"]


def test_the_books_tell_every_kind_of_difference() -> None:
    shop = [("n", 1, seq, bytes([seq])) for seq in (1, 2, 3, 4)]
    assert books.differences(shop, shop) == []
    assert books.differences(shop, shop[:3]) == ["lost n-1-4"]
    assert books.differences(shop, [*shop[:1], *shop[2:]]) == ["gap before n-1-3", "lost n-1-2"]
    assert books.differences(shop, [*shop, shop[1]]) == ["twice n-1-2"]
    assert books.differences(shop, [*shop[:3], ("n", 1, 4, b"?")]) == ["altered n-1-4"]
    assert books.differences(shop, [*shop, ("n", 2, 1, b"?")]) == ["unknown n-2-1"]
