"""A central that went back in time: shops read its feed again, and send what it lost."""

from __future__ import annotations

from tapledger_central.store import restored
from tests.central.world import World


async def test_a_shop_reads_everything_again_and_then_only_news(world: World) -> None:
    shop = await world.shop("first")
    await shop.join("m-1")
    await shop.join("m-2")
    await shop.push()
    assert sorted(await shop.pull()) == ["m-1", "m-2"]
    assert await shop.pull() == [], "without being told so, a shop would look at nothing below its cursor"
    for _ in range(2):
        world.clock.move(60)
        await world.central.store.transact(lambda tx: restored.begin_feed_again(tx, world.clock.now()))
        assert sorted(await shop.pull()) == ["m-1", "m-2"]
        assert await shop.pull() == []
        await shop.sale("m-1", 5_000)
        await shop.push()
        assert await shop.pull() == ["m-1"]
    assert await shop.points("m-1") == 100


async def test_versions_are_later_than_those_of_another_restore_of_the_same_copy(world: World) -> None:
    seen: list[int] = []
    for _ in range(2):
        await world.central.store.transact(lambda tx: restored.begin_feed_again(tx, world.clock.now()))
        shop = await world.shop(f"shop-{len(seen)}")
        await shop.join(f"m-{len(seen)}")
        await shop.push()
        await shop.pull()
        seen.append(await shop.store.cursor())
        world.clock.move(1)
    assert restored.VERSIONS_A_SECOND <= seen[0] < seen[1] < 2**53


async def test_what_was_acknowledged_and_is_gone_is_sent_again(world: World) -> None:
    shop = await world.shop("first")
    await shop.join("m-1")
    await shop.sale("m-1", 5_000)
    await shop.push()
    await shop.store.begin_epoch(2)
    await shop.sale("m-1", 5_000)
    await shop.push()
    assert not await shop.store.send_again({1: 2, 2: 1})
    assert await shop.store.send_again({1: 1})
    assert await shop.store.unsynced() == 2
    assert await shop.push() == 2
    assert not await shop.store.send_again({1: 2, 2: 1})
    assert await shop.store.send_again({})
    assert await shop.store.unsynced() == 3
