"""Pushing and pulling with a real central and a real store: gaps, forks, large events, and bad answers."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
import sqlalchemy as sa

from tapledger.errors import Conflict, Corrupt, Invalid, Unavailable
from tapledger.sync.client import CentralClient
from tapledger.sync.puller import Puller, pull_once
from tapledger.sync.pusher import LEAST_BYTES, TARGET_BYTES, Load, Pusher
from tapledger.wire.messages import Batch, BatchAnswer, FeedPage
from tests.central.chains import held
from tests.central.world import START, HandClock, ShopNode, World


class Line:
    """A line to central that may lose answers, and remembers what was sent."""

    def __init__(self, shop: ShopNode) -> None:
        self.shop = shop
        self.sent: list[Batch] = []
        self.answers_to_lose = 0

    async def send(self, batch: Batch) -> BatchAnswer:
        self.sent.append(batch)
        answer = await self.shop.client.send(batch)
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise Unavailable("CENTRAL_UNREACHABLE", why="lost")
        return answer


async def test_a_lost_answer_costs_one_more_request_and_nothing_else(world: World) -> None:
    shop = await world.shop("first")
    await shop.join("m-1")
    await shop.sale("m-1", 5000)
    line = Line(shop)
    line.answers_to_lose = 1
    with pytest.raises(Unavailable):
        await Pusher(shop.store, shop.keyring).once(line)
    assert await shop.store.unsynced() == 2
    await shop.sale("m-1", 5000)
    before = len((await held(world.central))["inbox"])
    assert await Pusher(shop.store, shop.keyring).once(line) == 3
    assert await shop.store.unsynced() == 0
    assert (before, len((await held(world.central))["inbox"])) == (2, 3)
    await shop.pull()
    assert await shop.points("m-1") == 100


async def test_central_that_lost_its_data_gets_everything_again(world: World) -> None:
    shop = await world.shop("first")
    await shop.join("m-1")
    await shop.sale("m-1", 5000)
    await shop.push()
    lost = ("inbox", "head", "member", "claim")
    await world.central.store.transact(
        lambda tx: [tx.execute(sa.text(f"DELETE FROM {table} WHERE tenant = :tenant")) for table in lost]
    )
    await shop.sale("m-1", 7000)
    assert await Pusher(shop.store, shop.keyring).once(shop.client) == 0, "it learns what central needs"
    assert await shop.push() == 3
    await shop.pull()
    assert await shop.points("m-1") == 120


async def test_a_restored_disk_is_told_fork_and_loses_nothing(world: World) -> None:
    """What it records after the restore collides with what central has from before."""
    shop, other = await world.shop("first"), await world.shop("second")
    await shop.join("m-1")
    await shop.push()
    image = {path.name: path.read_bytes() for path in (world.folder / "first").glob("shop.db*")}
    await shop.sale("m-1", 5000)
    await shop.push()
    (world.folder / "old").mkdir()
    for name in ("shop.db", "shop.db-wal"):
        (world.folder / "old" / name).write_bytes(image[name])
    old = await world.open_shop("old", shop.keyring, world.clock)
    await old.sale("m-1", 9000)
    with pytest.raises(Conflict) as refused:
        await old.push()
    assert (refused.value.code, refused.value.data) == ("FORK", {"seq": 2})
    assert await old.store.unsynced() == 1
    await other.pull()
    assert await other.points("m-1") == 50


async def test_more_than_one_batch_goes_in_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = await world.shop("first")
    await shop.join("m-1")
    for _ in range(4):
        await shop.sale("m-1", 100)
    monkeypatch.setattr("tapledger.sync.pusher.MAX_BATCH_EVENTS", 2)
    line = Line(shop)
    while await Pusher(shop.store, shop.keyring).once(line):
        pass
    assert [batch.first_seq for batch in line.sent] == [1, 3, 5]
    assert [len(batch.raws) for batch in line.sent] == [2, 2, 1]


class SlowLine:
    """A line on which a batch takes so long, and none larger than ``carries`` bytes gets through."""

    def __init__(self, clock: HandClock, took_s: float, carries: int) -> None:
        self.clock, self.took_s, self.carries = clock, took_s, carries

    async def send(self, batch: Batch) -> BatchAnswer:
        self.clock.move(self.took_s)
        if sum(map(len, batch.raws)) > self.carries:
            raise Unavailable("CENTRAL_UNREACHABLE")
        return BatchAnswer(ack=batch.first_seq)


async def test_a_batch_is_as_large_as_the_line_carries() -> None:
    clock = HandClock(START)
    load = Load(clock)

    async def send(took_s: float, carries: int, size: int = 0) -> int:
        size = size or load.target_bytes
        batch = Batch(node="n", epoch=1, first_seq=1, raws=[bytes(size)], head=b"", signature=b"")
        with suppress(Unavailable):
            await load.on(SlowLine(clock, took_s, carries)).send(batch)
        return size

    sizes = [await send(20, TARGET_BYTES // 5) for _ in range(5)]
    assert sizes == [TARGET_BYTES >> n for n in (0, 1, 2, 3, 3)]
    await send(0.1, TARGET_BYTES, size=100)
    assert load.target_bytes == TARGET_BYTES >> 3, "that a small one was quick says nothing"
    sizes = [await send(0.1, TARGET_BYTES) for _ in range(5)]
    assert sizes == [TARGET_BYTES >> n for n in (3, 2, 1, 0, 0)]
    for _ in range(20):
        await send(20, 0)
    assert load.target_bytes == LEAST_BYTES


async def test_large_events_go_in_smaller_batches(world: World) -> None:
    shop = await world.shop("first")
    for number in range(5):
        await shop.join(f"m-{number}")
    assert TARGET_BYTES > 400
    line = Line(shop)
    while await Pusher(shop.store, shop.keyring).once(line, target_bytes=400):
        pass
    assert sum(len(batch.raws) for batch in line.sent) == 5
    assert len(line.sent) > 2
    assert all(len(b.raws) == 1 or sum(map(len, b.raws)) <= 400 for b in line.sent)


async def test_an_answer_that_takes_less_than_was_sent_is_not_believed(world: World) -> None:
    shop = await world.shop("first")
    await shop.join("m-1")
    await shop.sale("m-1", 100)

    class Short:
        async def send(self, batch: Batch) -> BatchAnswer:
            return BatchAnswer(ack=1)

    with pytest.raises(Unavailable, match="CENTRAL_ANSWER_UNREADABLE"):
        await Pusher(shop.store, shop.keyring).once(Short())
    assert await shop.store.unsynced() == 2


async def test_a_page_with_a_hole_changes_nothing(world: World) -> None:
    shop, other = await world.shop("first"), await world.shop("second")
    for number in range(3):
        await other.join(f"m-{number}")
    await other.push()

    class Torn:
        async def feed(self, cursor: int, *, wait_s: int = 0) -> FeedPage:
            page = await shop.client.feed(cursor)
            return FeedPage(rows=page.rows[:1], cursor=page.cursor, more=False, at=START)

    with pytest.raises(Corrupt, match="FEED_GAP"):
        await pull_once(shop.store, Torn())
    assert (await shop.store.cursor(), await shop.member("m-0")) == (0, None)
    assert await shop.pull() == ["m-0", "m-1", "m-2"]


async def test_central_out_of_reach_is_unavailable(world: World) -> None:
    shop = await world.shop("first")
    client = CentralClient(world.way, "http://127.0.0.1:9", shop.keyring, world.clock, os.urandom)
    with pytest.raises(Unavailable, match="CENTRAL_UNREACHABLE"):
        await client.feed(0)


async def test_a_client_checks_its_address_first(world: World) -> None:
    shop = await world.shop("first")
    with pytest.raises(Invalid, match="CENTRAL_URL_INSECURE"):
        CentralClient(world.way, "http://192.0.2.1", shop.keyring, world.clock, os.urandom)


async def test_the_next_page_is_on_its_way_while_one_is_written(world: World) -> None:
    shop, other = await world.shop("first"), await world.shop("second")
    await shop.pull()
    for number in range(10):
        await other.join(f"m-{number}")
    await other.push()
    asked: list[int] = []

    class Small:
        fails = False

        async def feed(self, cursor: int, *, wait_s: int = 0) -> FeedPage:
            asked.append(cursor)
            if self.fails:
                raise Unavailable("CENTRAL_UNREACHABLE")
            return await shop.client.feed(cursor, 2)

    line = Small()
    puller = Puller(shop.store)
    assert await puller.take(line) == (["m-0", "m-1"], True)
    assert len(asked) == 2, "the next one is there already"
    assert await puller.take(line) == (["m-2", "m-3"], True)
    assert len(asked) == 3
    assert await Puller(shop.store).take(line) == (["m-4", "m-5"], True)
    assert await puller.take(line) == (["m-6", "m-7"], True), "one that does not follow any more is not used"
    line.fails = True
    assert await puller.take(line) == (["m-8", "m-9"], False), "the last was there"
    with pytest.raises(Unavailable, match="CENTRAL_UNREACHABLE"):
        await puller.take(line)


async def test_a_page_is_taken_though_the_next_cannot_be_had(world: World) -> None:
    shop, other = await world.shop("first"), await world.shop("second")
    await shop.pull()
    for number in range(4):
        await other.join(f"m-{number}")
    await other.push()

    class Breaking:
        async def feed(self, cursor: int, *, wait_s: int = 0) -> FeedPage:
            if cursor != before:
                raise Unavailable("CENTRAL_UNREACHABLE")
            return await shop.client.feed(cursor, 2)

    before = await shop.store.cursor()
    puller, line = Puller(shop.store), Breaking()
    assert await puller.take(line) == (["m-0", "m-1"], True)
    with pytest.raises(Unavailable, match="CENTRAL_UNREACHABLE"):
        await puller.take(line)
    assert await shop.pull() == ["m-2", "m-3"]
