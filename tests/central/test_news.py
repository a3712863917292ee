"""The feed: kinds, regions, rows for one node, tombstones, erased members, and waiting for news."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from tapledger.errors import Conflict
from tapledger.loyalty.life.lifecycle import Erase, decide_erase
from tapledger.wire.codec import pack, unpack
from tapledger.wire.messages import FeedPage
from tapledger_central import feed
from tapledger_central.store import Transaction, news, nodes
from tapledger_central.store.news import Item
from tapledger_central.store.nodes import Node
from tests.central.chains import Chain, earn, join
from tests.central.world import PROGRAM, ShopNode, World


async def node_of(world: World, shop: ShopNode) -> Node:
    found = await world.central.store.transact(lambda tx: nodes.find(tx, shop.keyring.node))
    assert found is not None
    return found


async def publish(world: World, *items: Item, scope: str = "all") -> list[int]:
    now_ms = int(world.clock.now().timestamp() * 1000)
    return await world.central.store.transact(lambda tx: news.publish(tx, scope, items, now_ms))


async def told(world: World, shop: ShopNode, cursor: int = 0, v: int = 2) -> list[tuple[str, str]]:
    await world.central.caught_up()
    page = await world.central.page(await node_of(world, shop), cursor, 100, v)
    read = unpack(pack(page), FeedPage)
    assert [row.version for row in read.rows] == sorted({row.version for row in read.rows})
    return [(row.kind, row.key or row.member) for row in read.rows if row.kind != "node"]


async def test_a_row_for_one_node_is_told_to_no_other(world: World) -> None:
    here, away = await world.shop("here"), await world.shop("away")
    name = here.keyring.node
    first = await publish(world, Item("config", name, b"a", only_for=name), Item("program", "2", b"b"))
    assert first == list(range(first[0], first[0] + 2)), "numbers are dense"
    assert await told(world, here) == [("config", name), ("program", "2")]
    assert await told(world, away) == [("program", "2")]
    assert await told(world, here, v=1) == [], "the first release knows members only"
    chain = Chain(here.keyring)
    chain.add(join("m-1", "card-1"))
    await here.client.send(chain.batch())
    assert await told(world, away, v=1) == [("member", "m-1")]


async def test_a_region_hears_of_members_that_its_shops_have_met(world: World) -> None:
    north, south = await world.shop("north"), await world.shop("south")

    def divide(tx: Transaction) -> None:
        nodes.set_scope(tx, "north", "n")
        nodes.set_scope(tx, "south", "s")

    await world.central.store.transact(divide)
    chains = [Chain(north.keyring), Chain(south.keyring)]
    chains[0].add(join("m-1", "card-1"))
    chains[0].add(join("m-2", "card-2"))
    await north.client.send(chains[0].batch())
    assert await told(world, north) == [("member", "m-1"), ("member", "m-2")]
    assert await told(world, south) == []
    chains[1].add(earn("m-1", 5))
    await south.client.send(chains[1].batch())
    assert await told(world, south) == [("member", "m-1")]
    assert await told(world, north) == [("member", "m-2"), ("member", "m-1")], "both hear of the change"


async def test_tombstones_end_and_whoever_missed_them_begins_again(world: World) -> None:
    shop = await world.shop("here")
    node = await node_of(world, shop)
    (made,) = await publish(world, Item("config", "x", b"1"))
    now_ms = int(world.clock.now().timestamp() * 1000)
    await world.central.store.transact(lambda tx: news.retract(tx, "all", "config", "x", now_ms))
    (last,) = await publish(world, Item("program", "9", b"1"))
    page = await world.central.page(node, made, 10)
    assert [(row.key, row.gone) for row in page.rows] == [("x", True), ("9", False)]
    world.clock.move(feed.TOMBSTONES_KEPT.total_seconds() - 1)
    assert await feed.purge(world.central.store, world.clock.now()) == 0
    world.clock.move(2)
    assert await feed.purge(world.central.store, world.clock.now()) == 1
    with pytest.raises(Conflict, match="FEED_GONE"):
        await world.central.page(node, made, 10)
    assert (await world.central.page(node, last - 1, 10)).rows[0].key == "9", "who knew of it goes on"
    cursor, keys = 0, []
    while (page := await world.central.page(node, cursor, 1)).rows:
        cursor = page.cursor
        keys += [row.key for row in page.rows]
    assert "x" not in keys and "9" in keys, "reading from 0 comes through, page by page"


async def test_who_is_erased_is_told_first_and_for_ever(world: World) -> None:
    shop, away = await world.shop("here"), await world.shop("away")
    for number in range(4):
        await shop.join(f"m-{number}", name="Ann")
    await shop.push()
    await shop.pull()
    state = await shop.member("m-1")
    assert state is not None
    await shop.record(decide_erase(state, Erase("s-1"), PROGRAM, shop.clock.now()))
    await shop.push()
    await world.central.caught_up()
    node = await node_of(world, away)
    page = await world.central.page(node, 0, 1)
    assert (page.erased, page.more) == (["m-1"], True)
    world.clock.move(dt.timedelta(days=200).total_seconds())
    await feed.purge(world.central.store, world.clock.now())
    assert (await world.central.page(node, 0, 1)).erased == ["m-1"]
    rows = (await world.central.page(node, 0, 100)).rows
    assert [row.profile for row in rows if row.member == "m-1"] == [None]


async def test_a_question_for_news_is_answered_when_there_is_some(world: World) -> None:
    shop = await world.shop("here")
    node = await node_of(world, shop)
    cursor = (await world.central.page(node, 0, 100)).cursor
    waiting = asyncio.create_task(world.central.news(node, cursor, 25))
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "card-1"))
    await shop.client.send(chain.batch())
    async with asyncio.timeout(10):
        await waiting
    assert await told(world, shop, cursor) == [("member", "m-1")]


async def test_what_another_process_tells_is_noticed_soon(world: World) -> None:
    shop = await world.shop("here")
    node = await node_of(world, shop)
    cursor = (await world.central.page(node, 0, 100)).cursor
    waiting = asyncio.create_task(world.central.news(node, cursor, 25))
    await publish(world, Item("program", "2", b"b"))  # nobody here is told
    async with asyncio.timeout(10):
        await waiting
