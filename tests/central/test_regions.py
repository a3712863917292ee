"""A shop that is put into a region knows there what it knew before, and all that the region knows."""

from __future__ import annotations

import pytest

from tapledger.errors import Invalid
from tapledger.store import news as shop_news
from tapledger.wire.news import CatalogueNews, NodeNews, ProgramNews
from tapledger_central import regions, telling
from tapledger_central.check import check
from tapledger_central.store import Transaction, news, nodes
from tests.central.commands import config_of, run_beside
from tests.central.world import ShopNode, World

TOLD = ProgramNews(version="1", content=b"{}", text="")
LISTED = CatalogueNews(digest="d", text="sku")


async def put(world: World, shop: str, region: str) -> list[str]:
    return await regions.put(world.central.store, shop, region, world.clock.now())


async def rules_of(shop: ShopNode) -> tuple[int, int, int]:
    """Return how many programmes, lists of articles and computers a shop knows of."""

    def read(tx: object) -> tuple[int, int, int]:
        kinds = (("program", ProgramNews), ("catalogue", CatalogueNews), ("node", NodeNews))
        found = [len(shop_news.all_of(tx, kind, body)) for kind, body in kinds]  # type: ignore[arg-type]
        return found[0], found[1], found[2]

    return await shop.store.transact(read)


async def two_shops(world: World) -> tuple[ShopNode, ShopNode]:
    """Open a shop that has met a member, and one in a region that has met others; both know the rules."""
    north, south = await world.shop("north"), await world.shop("south")

    def tell(tx: Transaction) -> None:
        telling.program(tx, TOLD, world.clock.now())
        telling.catalogue(tx, LISTED, world.clock.now())

    await world.central.store.transact(tell)
    await put(world, "south", "s")
    await north.join("m-north")
    for number in range(5):
        await south.join(f"m-{number}")
    for shop in (north, south):
        await shop.push()
    assert await world.central.caught_up()
    return north, south


async def test_a_new_region_has_the_rules_and_whom_its_shop_has_met(world: World) -> None:
    north, south = await two_shops(world)
    assert await put(world, "north", "n") == [north.keyring.node]
    await north.pull()
    assert await rules_of(north) == (1, 1, 2)
    await south.pull()
    assert await south.member("m-4") is not None and await south.member("m-north") is None
    assert await north.member("m-north") is not None and await north.member("m-0") is None
    await north.sale("m-north", 700)
    await north.push()
    await put(world, "south", "n")
    await south.pull()
    assert await south.points("m-north") == 7
    assert (await check(world.central.store, world.central.keys, everybody=True)).faults == []


async def moved_with_a_small_cursor(world: World) -> ShopNode:
    north, _ = await two_shops(world)
    await north.pull()
    last = (await world.central.store.transact(news.versions))["s"]
    assert 0 < await north.store.cursor() <= last, "its cursor means something in the region's feed, too"
    assert await put(world, "north", "s") == [north.keyring.node]
    return north


async def test_a_shop_that_is_put_into_a_region_reads_all_of_its_news(world: World) -> None:
    north = await moved_with_a_small_cursor(world)
    await north.pull()
    assert [await north.member(f"m-{number}") is not None for number in range(5)] == [True] * 5
    assert await north.member("m-north") is not None
    cursor = await north.store.cursor()
    await north.pull()
    assert await north.store.cursor() == cursor, "from the beginning once, not for ever"


async def test_twin_a_shop_that_went_on_from_its_cursor_would_miss_members(world: World) -> None:
    north = await moved_with_a_small_cursor(world)
    await world.central.store.transact(lambda tx: nodes.set_purge_seen(tx, north.keyring.node, 0))
    await north.pull()
    assert None in [await north.member(f"m-{number}") for number in range(5)]


async def test_putting_a_shop_where_it_is_tells_nothing_twice(world: World) -> None:
    await two_shops(world)
    await put(world, "north", "n")
    before = await world.central.store.transact(news.versions)
    await put(world, "north", "n")
    assert await world.central.store.transact(news.versions) == before


async def test_the_command_says_which_computers_moved(world: World) -> None:
    north = await world.shop("north")
    code, said = await run_beside(config_of(world), "region", "north", "n")
    assert (code, said) == (0, {"shop": "north", "region": "n", "nodes": [north.keyring.node]})
    code, said = await run_beside(config_of(world), "region", "north", "No region")
    assert (code, said["code"]) == (2, "REGION_INVALID")
    with pytest.raises(Invalid):
        await put(world, "north", "")
