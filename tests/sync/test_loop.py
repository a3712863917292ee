"""The loop that never ends: what it says about itself, and what cannot stop it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tapledger.errors import Invalid
from tapledger.settings import CentralSettings
from tapledger.store import keyring as keyrings
from tapledger.sync.client import CentralClient
from tapledger.sync.loop import BACKOFF_MAX_S, REFUSED_WAIT_S, SyncLoop, pause_s
from tapledger.wire.codec import CONTENT_TYPE, pack
from tapledger.wire.messages import BatchAnswer, FeedPage, Refusal
from tapledger_central.store import nodes
from tests.central.chains import Chain, earn, join
from tests.central.world import START, ShopNode, World

PATIENCE_S = 20.0


def loop_of(shop: ShopNode, url: str, poll_s: float = 3600) -> SyncLoop:
    return SyncLoop(shop.store, shop.keyring, CentralSettings(url=url, poll_s=poll_s), shop.clock, os.urandom)


async def until(loop: SyncLoop, holds: Callable[[], bool]) -> None:
    """Wait until something holds, looking again whenever the loop says something new."""
    news = asyncio.Event()
    loop.on_change = news.set
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await news.wait()
            news.clear()


async def until_it_is(loop: SyncLoop, holds: Callable[[], Awaitable[bool]]) -> None:
    """``until`` for what has to be asked for: news of central's own may come before what is waited for."""
    news = asyncio.Event()
    loop.on_change = news.set
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():
            await news.wait()
            news.clear()


def problem_of(loop: SyncLoop) -> str:
    return "" if loop.state.problem is None else loop.state.problem.code


@asynccontextmanager
async def running(loop: SyncLoop) -> AsyncIterator[None]:
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_poke_sends_what_was_recorded(world: World) -> None:
    shop = await world.shop("first")
    loop = loop_of(shop, world.address)
    async with running(loop):
        await until(loop, lambda: loop.state.online)
        await shop.join("m-1")
        loop.poke()

        async def is_told() -> bool:
            page = await shop.client.feed(0)
            is_there = [row.member for row in page.rows if row.state] == ["m-1"]
            return is_there and await shop.store.unsynced() == 0

        await until_it_is(loop, is_told)
    assert loop.state.problem is None
    assert loop.state.last_contact is not None


async def test_polling_brings_what_others_recorded(world: World) -> None:
    shop, other = await world.shop("first"), await world.shop("second")
    loop = loop_of(shop, world.address, poll_s=0.01)

    async def is_here() -> bool:
        return await shop.member("m-1") is not None

    async with running(loop):
        await until(loop, lambda: loop.state.online)
        await other.join("m-1")
        await other.push()
        await until_it_is(loop, is_here)


async def test_central_away_is_said_and_comes_back_by_itself(world: World) -> None:
    shop = await world.shop("first")
    await shop.join("m-1")
    loop = loop_of(shop, "http://127.0.0.1:9")
    gone = CentralClient(world.way, "http://127.0.0.1:9", shop.keyring, shop.clock, os.urandom)
    for _ in range(3):
        assert await loop.round(gone) is False
    state = loop.state
    assert (state.online, state.unsynced, state.last_contact) == (False, 1, None)
    assert problem_of(loop) == "CENTRAL_UNREACHABLE"
    await loop.round(shop.client)
    assert (loop.state.online, loop.state.unsynced, problem_of(loop)) == (True, 0, "")


async def test_a_fork_stops_pushing_and_nothing_else(world: World) -> None:
    shop, other = await world.shop("first"), await world.shop("second")
    rival = Chain(shop.keyring)
    rival.add(join("m-9", "card-9"))
    await shop.client.send(rival.batch())
    await shop.join("m-1")
    loop = loop_of(shop, world.address)
    await loop.round(shop.client)
    assert loop.state.push_problem is not None
    assert loop.state.push_problem.code == "FORK"
    assert (loop.state.online, loop.state.unsynced) == (True, 1)
    assert loop.state.pull_problem is not None, "a suspended node receives nothing"
    await other.join("m-2")
    await other.push()

    await world.central.store.transact(lambda tx: nodes.set_status(tx, shop.keyring.node, nodes.ACTIVE))
    await loop.round(shop.client)
    assert await shop.member("m-2") is not None, "pulling goes on while pushing rests"
    assert loop.state.push_problem.code == "FORK", "and the problem stays to be seen"
    shop.clock.move(REFUSED_WAIT_S + 1)
    await loop.round(shop.client)
    assert loop.state.push_problem.code == "FORK"
    assert loop.state.unsynced == 1


async def test_a_node_that_is_trusted_again_sends_at_once(world: World) -> None:
    shop = await world.shop("first")
    loop, node = loop_of(shop, world.address), shop.keyring.node
    await shop.join("m-1")
    await world.central.store.transact(lambda tx: nodes.set_status(tx, node, nodes.QUARANTINED))
    await loop.round(shop.client)
    assert (problem_of(loop), loop.state.unsynced) == ("NODE_SUSPENDED", 1)
    await world.central.store.transact(lambda tx: nodes.set_status(tx, node, nodes.ACTIVE))
    await loop.round(shop.client)
    await loop.round(shop.client)
    assert (problem_of(loop), loop.state.unsynced) == ("", 0), "the pause after a refusal is over"


Answer = Callable[[web.Request], web.StreamResponse]


@asynccontextmanager
async def pretender(answer: Answer) -> AsyncIterator[str]:
    """Serve something that is not central."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def packed(message: Refusal | BatchAnswer | FeedPage, status: int) -> web.Response:
    return web.Response(status=status, body=pack(message), content_type=CONTENT_TYPE)


POISON: dict[str, Answer] = {
    "nothing": lambda _: web.Response(body=b""),
    "html": lambda _: web.Response(text="<html>captive portal</html>", status=200),
    "redirect": lambda _: web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}),
    "huge": lambda _: web.Response(body=b"\0" * (9 << 20)),
    "clashing names": lambda _: packed(
        Refusal(code="ODD", data={"code": "x", "self": 1, "step": 2, "event": "e"}), 409
    ),
    "need of a string": lambda _: packed(Refusal(code="GAP", data={"need": "all"}), 409),
    "need of the future": lambda _: packed(Refusal(code="GAP", data={"need": 10**15}), 409),
    "need of nothing": lambda _: packed(Refusal(code="GAP", data={"need": 0}), 409),
    "clock of nobody": lambda _: packed(
        Refusal(code="CLOCK_OFF", data={"server_ms": 10**30 % 2**60, "proof": "zz"}), 403
    ),
    "wrong ack": lambda _: packed(BatchAnswer(ack=-5), 200),
    "trouble": lambda _: packed(Refusal(code="STORE_FAULT"), 503),
    "endless feed": lambda _: packed(FeedPage(rows=[], cursor=0, more=True, at=START), 200),
}


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
@pytest.mark.parametrize("name", POISON)
async def test_no_answer_ends_the_loop_or_loses_an_event(world: World, name: str) -> None:
    shop = await world.shop("first")
    await shop.join("m-1")
    async with pretender(POISON[name]) as url:
        bad = CentralClient(world.way, url, shop.keyring, shop.clock, os.urandom)
        loop = loop_of(shop, url)
        await loop.round(bad)
    assert problem_of(loop) != ""
    assert loop.state.unsynced == 1
    shop.clock.move(REFUSED_WAIT_S + 1)
    await loop.round(shop.client)
    assert (loop.state.unsynced, problem_of(loop)) == (0, "")


async def test_a_store_that_fails_does_not_end_the_loop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, other = await world.shop("first"), await world.shop("second")
    chain = Chain(other.keyring)
    chain.add(join("m-1", "card-1"))
    chain.add(earn("m-1", 5))
    await other.client.send(chain.batch())

    async def broken(page: FeedPage) -> list[str]:
        raise RuntimeError("a fault of ours")

    loop = loop_of(shop, world.address)
    with monkeypatch.context() as patch:
        patch.setattr(shop.store, "apply_page", broken)
        await loop.round(shop.client)
    assert problem_of(loop) == "SYNC_FAULT"
    await loop.round(shop.client)
    assert problem_of(loop) == ""
    assert await shop.member("m-1") is not None


async def test_a_shop_without_central_stands_alone(world: World) -> None:
    shop = await world.shop("first")
    loop = loop_of(shop, "")
    await loop.run()
    assert (loop.state.online, loop.state.problem) == (False, None)


async def test_a_shop_that_is_not_enrolled_says_so(world: World) -> None:
    shop = await world.shop("first")
    stranger = keyrings.make(os.urandom(96))
    loop = SyncLoop(shop.store, stranger, CentralSettings(url=world.address), shop.clock, os.urandom)
    await loop.run()
    assert problem_of(loop) == "NODE_NOT_ENROLLED"


async def test_an_address_over_which_keys_must_not_travel_is_refused_at_start(world: World) -> None:
    shop = await world.shop("first")
    with pytest.raises(Invalid, match="CENTRAL_URL_INSECURE"):
        loop_of(shop, "http://192.0.2.7:7400")


def test_the_back_off_doubles_up_to_its_limit_and_starts_over() -> None:
    ceilings = [pause_s(failures, 2.0, 1.0) for failures in range(1, 40)]
    assert ceilings[:4] == [2.0, 4.0, 8.0, 16.0]
    assert max(ceilings) == ceilings[-1] == BACKOFF_MAX_S
    assert pause_s(39, 2.0, 0.5) == BACKOFF_MAX_S / 2
    assert pause_s(39, 2.0, 0.0) == pause_s(0, 2.0, 1.0) == 2.0, "never more often than it polls"
