"""Narrow places of central, each met once by a reader: clocks of regions, races of news, poisoned events."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tapledger.errors import Conflict
from tapledger.loyalty import members as rules
from tapledger.loyalty.effects import Credential, Linked, Tallied
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import replace
from tapledger.sync.enrol import enrol
from tapledger.wire.asking import LeaseAsked
from tapledger.wire.messages import EVERYWHERE
from tapledger.wire.news import ProgramNews
from tapledger_central import feed, intake, regions, telling
from tapledger_central.check import check
from tapledger_central.claims import Claims
from tapledger_central.classify import IMPOSSIBLE, MAX_EFFECTS
from tapledger_central.store import Transaction, members, news, nodes
from tapledger_central.store.nodes import Node
from tapledger_central.store.postgres import open_postgres
from tests.central.chains import Chain, earn, join
from tests.central.world import START, ShopNode, World

CARDS = 70_000
"""More than any engine takes values for one statement; 500 events may name as many."""


async def node_of(world: World, shop: ShopNode) -> Node:
    found = await world.central.store.transact(lambda tx: nodes.find(tx, shop.keyring.node))
    assert found is not None
    return found


async def send(world: World, shop: ShopNode, chain: Chain, first: int = 1) -> None:
    await world.central.take(await node_of(world, shop), chain.batch(first))
    assert await world.central.caught_up()


async def put(world: World, shop: str, region: str) -> None:
    await regions.put(world.central.store, shop, region, world.clock.now())


async def test_a_region_hears_the_clock_of_all_that_a_state_holds(world: World) -> None:
    north, south = await world.shop("north"), await world.shop("south")
    await put(world, "south", "s")
    world.clock.move(7200)
    early, late = Chain(south.keyring), Chain(north.keyring)
    late.add(join("m-1", "a card", minute=100))
    late.add(earn("m-1", 100, minute=101))
    await send(world, north, late)
    early.add(earn("m-1", 7, minute=1))  # by a clock that is slow
    await send(world, south, early)
    page = await feed.page(world.central.store, await node_of(world, south), 0, 100, world.clock.now())
    assert [row.member for row in page.rows if row.member] == ["m-1"]
    heard = (int(START.timestamp() * 1000) + 101 * 60_000) << 16
    assert page.hlc >= heard, "what is spent of it must count after it"


async def test_a_region_that_is_made_meanwhile_hears_what_all_are_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not world.database_url:
        return  # one transaction at a time
    await world.shop("north")
    looked, made = threading.Event(), threading.Event()
    versions = news.versions

    def slowly(tx: Transaction) -> dict[str, int]:
        found = versions(tx)
        looked.set()
        made.wait(2)
        return found

    monkeypatch.setattr(news, "versions", slowly)
    told = ProgramNews(version="1", content=b"{}", text="")
    now, store = world.clock.now(), world.central.store
    telling_it = asyncio.create_task(store.transact(lambda tx: telling.program(tx, told, now)))
    assert await asyncio.to_thread(looked.wait, 5)
    making_it = asyncio.create_task(put(world, "north", "n"))
    await asyncio.wait([making_it], timeout=0.5)
    made.set()
    await asyncio.gather(telling_it, making_it)
    assert await store.transact(lambda tx: news.told(tx, "n", "program", telling.CURRENT)) is not None


async def test_a_page_is_no_younger_than_the_clock_it_tells(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not world.database_url:
        return  # nobody commits between two statements
    shop = await world.shop("north")
    node, store, clock = await node_of(world, shop), world.central.store, int(1e15)
    item, other = news.Item("config", "one", b"1"), await open_postgres(world.database_url, store.tenant)

    def meanwhile(tx: Transaction) -> None:
        news.publish(tx, EVERYWHERE, [item], 0, clock)

    def interrupted(read: Callable[..., Any]) -> Callable[..., Any]:
        def work(*values: Any) -> Any:
            found = read(*values)
            other.transact_now(meanwhile)
            return found

        return work

    monkeypatch.setattr(news, "scope_of", interrupted(news.scope_of))
    try:
        page = await feed.page(store, node, 0, 100, world.clock.now())
    finally:
        await other.close()
    assert ("one" in [row.key for row in page.rows]) <= (page.hlc >= clock)


async def forked(world: World) -> tuple[ShopNode, Chain]:
    """Open a shop that has sent an event, and return another chain that begins otherwise."""
    shop = await world.shop("north")
    chain, other = Chain(shop.keyring), Chain(shop.keyring)
    chain.add(join("m-1", "a card"))
    other.add(join("m-2", "another"))
    await send(world, shop, chain)
    return shop, other


async def test_a_fork_is_found_and_told_in_one_transaction(world: World) -> None:
    shop, other = await forked(world)
    with pytest.raises(Conflict, match="FORK"):
        await intake.take(world.central.store, await node_of(world, shop), other.batch(), world.clock.now())
    body = await world.central.store.transact(lambda tx: news.told(tx, EVERYWHERE, "node", shop.keyring.node))
    assert body is not None and nodes.QUARANTINED.encode() in body


async def test_a_fork_does_not_undo_a_revocation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, other = await forked(world)
    now, store, take = world.clock.now(), world.central.store, intake.take

    async def take_and_revoke(*values: Any) -> Any:
        try:
            return await take(*values)
        finally:
            await store.transact(lambda tx: telling.change_status(tx, shop.keyring.node, nodes.REVOKED, now))

    monkeypatch.setattr(intake, "take", take_and_revoke)
    with pytest.raises(Conflict, match="FORK"):
        await world.central.take(await node_of(world, shop), other.batch())
    assert (await node_of(world, shop)).status == nodes.REVOKED


async def test_a_node_that_enrols_into_another_region_begins_its_feed_again(world: World) -> None:
    north, south = await world.shop("north"), await world.shop("south")
    await put(world, "south", "s")
    for number in range(5):
        await south.join(f"m-{number}")
    await south.push()
    for number in range(5):
        await north.join(f"n-{number}")
    await north.push()
    for number in range(20):
        await south.sale("m-4", 100 + number)
    await south.push()
    assert await world.central.caught_up()
    await north.pull()
    assert 5 < await north.store.cursor() <= (await world.central.store.transact(news.versions))["s"]
    code = await world.central.enrolment_code("south")
    await enrol(world.way, world.address, code, north.keyring.signing_key, "moved")
    await north.pull()
    assert [await north.member(f"m-{number}") is not None for number in range(5)] == [True] * 5


def broken() -> Callable[..., Any]:
    def fold(*_: Any) -> Any:
        raise ArithmeticError("no rule survives this")

    return fold


async def test_a_condemned_event_is_settled_like_any_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await world.shop("north")
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "a card"))
    poison = earn("m-1", 5)
    chain.add(replace(poison, effects=(*poison.effects, Tallied("used", 20260504, 1))))
    monkeypatch.setitem(rules.APPLY, Tallied, broken())
    await send(world, shop, chain)
    report = await check(world.central.store, world.central.keys, everybody=True)
    assert report.faults == []


def join_with(member: str, count: int) -> EventBody:
    body = join(member, "a card")
    cards = tuple(Linked(Credential("card", f"{member} {number}", 1)) for number in range(count))
    return replace(body, effects=(*body.effects, *cards))


async def test_a_turn_may_name_more_cards_than_a_statement_takes_values(world: World) -> None:
    names = [f"card {number}" for number in range(CARDS)]
    owner = await world.central.store.transact(lambda tx: claimed(tx, names))
    assert owner == {"card 0": "m-1"}


def claimed(tx: Transaction, names: list[str]) -> dict[str, str]:
    claims = Claims(tx)
    claims.claim(names[0], "m-1")
    claims.write()
    return members.owners(tx, names)


async def test_an_event_that_folds_for_ever_is_only_kept(world: World) -> None:
    shop = await world.shop("north")
    chain = Chain(shop.keyring)
    chain.add(join_with("m-1", MAX_EFFECTS))
    chain.add(join("m-2", "a good card", minute=1))
    answer = await world.central.take(await node_of(world, shop), chain.batch())
    assert [(one.seq, one.why) for one in answer.verdicts] == [(1, IMPOSSIBLE)]
    assert await world.central.caught_up()
    assert (await check(world.central.store, world.central.keys, everybody=True)).members == 1


async def test_a_shop_of_the_first_release_is_not_woken_by_what_it_is_never_told(world: World) -> None:
    shop = await world.shop("north")
    node, store = await node_of(world, shop), world.central.store
    await store.transact(
        lambda tx: telling.program(tx, ProgramNews(version="1", content=b"{}", text=""), world.clock.now())
    )
    page = await feed.page(store, node, 0, 100, world.clock.now(), 1)
    assert page.rows == []
    assert not await feed.has_news(store, node, page.cursor, 1)


async def test_an_id_is_not_a_lease_of_another_member(world: World) -> None:
    shop = await world.shop("north")
    for member in ("m-1", "m-2"):
        await shop.join(member)
        await shop.sale(member, 20_000)
    await shop.push()
    node = await node_of(world, shop)
    asked = LeaseAsked(id="one", member="m-1", pool="points", amount=10)
    assert (await world.central.lease(node, asked)).granted == 10
    with pytest.raises(Conflict, match="IDEMPOTENCY_MISMATCH"):
        await world.central.lease(node, LeaseAsked(id="one", member="m-2", pool="points", amount=10))
