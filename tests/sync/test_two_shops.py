"""Two shops and a real central between them: what one records, the other knows."""

from __future__ import annotations

from tapledger.store import people
from tests.central.world import World


async def test_points_earned_in_one_shop_are_known_in_the_other(world: World) -> None:
    first, second = await world.shop("first"), await world.shop("second")
    await first.join("m-1", name="王小明")
    await first.sale("m-1", 12_300)
    assert await first.push() == 2
    assert await second.pull() == ["m-1"]
    assert await second.points("m-1") == 123
    profile = await second.store.transact(lambda tx: people.get(tx, "m-1"))
    assert profile is not None
    assert people.unseal(second.keyring.profile_key, profile).name == "王小明"

    await second.sale("m-1", 7_700)
    await second.redeem("m-1")
    await second.push()
    await first.pull()
    assert await first.points("m-1") == 100
    assert await first.member("m-1") == await second.member("m-1")


async def test_nothing_to_send_and_nothing_new_is_quiet(world: World) -> None:
    shop = await world.shop("first")
    assert await shop.push() == 0
    assert await shop.pull() == []
