"""X4: a member is merged while a shop is offline; what it recorded in the old name is the new one's."""

from __future__ import annotations

import pytest

from tapledger.database import Transaction
from tapledger.loyalty.decisions import decision
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import unmerging
from tapledger.loyalty.life.lifecycle import Erase, decide_erase
from tapledger.loyalty.life.merging import Merge, decide_merge
from tapledger.store import history, members
from tests.central.chains import run_sql
from tests.central.world import PROGRAM, ShopNode, World


async def merge(shop: ShopNode, old: str, into: str) -> None:
    one, other = await shop.member(old), await shop.member(into)
    assert one is not None and other is not None
    for made in decide_merge(one, other, Merge("t-1", "s-1", {}), PROGRAM, shop.clock.now()):
        await shop.record(made)


async def undo(shop: ShopNode, old: str, into: str) -> None:
    def read(tx: Transaction) -> tuple[members.Stored | None, members.Stored | None, EventBody]:
        return members.load_alias(tx, old), members.load(tx, into), history.recent(tx, into, "merge_in", 1)[0]

    one, other, joined = await shop.store.transact(read)
    assert one is not None and other is not None
    command = unmerging.Undo("t-2", "s-1", joined, (), {})
    for made in unmerging.decide_undo(one.member, other.member, command, PROGRAM, shop.clock.now()):
        await shop.record(made)


async def everywhere(world: World, shops: list[ShopNode], name: str) -> set[int]:
    """Push and pull until all know all; return what the shops say a member has."""
    for shop in shops:
        await shop.push()
    for shop in shops:
        await shop.pull()
    return {await shop.points(name) for shop in shops}


async def two_shops(world: World) -> list[ShopNode]:
    shops = [await world.shop("one"), await world.shop("two")]
    for member, amount in (("a", 10_000), ("b", 3_000)):
        await shops[0].join(member, name="Ann")
        await shops[0].sale(member, amount)
    assert await everywhere(world, shops, "a") == {100}
    return shops


@pytest.mark.parametrize("late_first", [True, False])
async def test_x4_a_sale_and_a_reward_recorded_without_knowing_of_the_merge(
    world: World, late_first: bool
) -> None:
    shops = await two_shops(world)
    here, away = shops
    if late_first:
        await away.sale("a", 2_000)
        await away.redeem("a")
        await merge(here, "a", "b")
        await away.push()
    else:
        await merge(here, "a", "b")
        await away.sale("a", 2_000)
        await away.redeem("a")
    assert await everywhere(world, shops, "b") == {50}
    assert await everywhere(world, shops, "a") == {50}, "the old name leads to the same member"
    assert await everywhere(world, shops, "b") == {50}, "and stays so"
    held = [state.holds for shop in shops if (state := await shop.member("a")) is not None]
    assert [len(one) for one in held] == [1, 1]


async def test_what_is_recorded_before_the_news_is_pushed_counts_at_once(world: World) -> None:
    here, away = await two_shops(world)
    await merge(here, "a", "b")
    await here.push()
    await away.sale("a", 2_000)
    await away.pull()
    assert await away.points("a") == await away.points("b") == 150
    await away.push()
    await here.pull()
    assert await here.points("b") == 150


async def test_undoing_it_gives_each_their_own_again_late_events_included(world: World) -> None:
    shops = await two_shops(world)
    here, away = shops
    await away.sale("a", 2_000)
    await merge(here, "a", "b")
    await everywhere(world, shops, "b")
    await here.sale("b", 500)
    await undo(here, "a", "b")
    assert await everywhere(world, shops, "a") == {120}
    assert await everywhere(world, shops, "b") == {35}


async def test_a_card_goes_with_its_member(world: World) -> None:
    shops = await two_shops(world)
    await merge(shops[0], "a", "b")
    await everywhere(world, shops, "b")
    for shop in shops:
        owner = await shop.store.transact(lambda tx: members.owner(tx, "card of a"))
        assert owner is not None and owner.member == "b"


async def test_who_is_erased_is_forgotten_by_central_and_every_shop(world: World) -> None:
    shops = await two_shops(world)
    state = await shops[0].member("a")
    assert state is not None
    await shops[0].record(decide_erase(state, Erase("s-1"), PROGRAM, shops[0].clock.now()))
    assert await everywhere(world, shops, "a") == {0}
    for shop in shops:
        stored = await shop.store.transact(lambda tx: members.load(tx, "a"))
        owner = await shop.store.transact(lambda tx: members.owner(tx, "card of a"))
        assert stored is not None and (stored.profile, owner) == (None, None)
        assert stored.member.status == "erased"
    rows = await run_sql(world.central, "SELECT sealed FROM profile WHERE member = 'a'")
    assert rows == [(None,)]
    await shops[1].join("c", "card of a")
    assert await everywhere(world, shops, "c") == {0}
    owners = await shops[0].store.transact(lambda tx: members.owner(tx, "card of a"))
    assert owners is not None and owners.member == "c"


async def test_x4_keys_that_count_once_are_checked_again(world: World) -> None:
    here, away = await two_shops(world)
    for shop, name in ((here, "b"), (away, "a")):
        gift = Tallied("birthday/2026", 5, 1)
        body = EventBody(kind="birthday_gift", at=shop.clock.now(), program="1", member=name, effects=(gift,))
        state = await shop.member(name)
        assert state is not None
        await shop.record(decision(state, body))
        if shop is here:
            await merge(here, "a", "b")
    await everywhere(world, [here, away], "b")
    rows = await run_sql(world.central, "SELECT code, detail, member, other_member FROM difference")
    assert rows == [("HAD_TWICE", "birthday/2026 5", "b", "a")]
