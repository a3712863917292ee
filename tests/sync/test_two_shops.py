"""Two shops and a real central between them: what one records, the other knows."""

from __future__ import annotations

import os

from tapledger.loyalty.life.profiles import ProfileChange, decide_profile
from tapledger.store import people
from tests.central.world import PROGRAM, START, ShopNode, World


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


async def test_a_name_that_was_changed_here_waits_for_central_and_is_not_overwritten(world: World) -> None:
    """Another shop's sale brings the member's row, and with it the name as central still knows it."""
    first, second = await world.shop("first"), await world.shop("second")
    await first.join("m-1", name="Ann")
    await first.push()
    await second.pull()
    await _rename(second, "m-1", "Anna")
    await _rename(second, "m-1", "Annette")
    await first.sale("m-1", 1_000)
    await first.push()
    await second.pull()
    assert await _name(second, "m-1") == "Annette"
    pending = await second.store.pending(10)
    assert pending is not None and len(pending.raws) == 2
    assert len(pending.profiles) == 1, "the one that the newest event names; the other is gone"
    await second.push()
    await first.pull()
    assert await _name(first, "m-1") == "Annette"
    await _rename(first, "m-1", "Anne")
    await first.push()
    await second.pull()
    assert await _name(second, "m-1") == "Anne", "once central has it, the later one counts"


async def _rename(shop: ShopNode, member: str, name: str) -> None:
    sealed = people.seal(shop.keyring.profile_key, member, people.Profile(name=name), os.urandom(12))
    await shop.store.transact(lambda tx: people.put(tx, sealed))
    state = await shop.member(member)
    assert state is not None
    await shop.record(decide_profile(state, ProfileChange(sealed.digest, "", "", None), PROGRAM, START))


async def _name(shop: ShopNode, member: str) -> str:
    profile = await shop.store.transact(lambda tx: people.get(tx, member))
    assert profile is not None
    return people.unseal(shop.keyring.profile_key, profile).name
