"""Every fault in the dock shows on the console, the kiosk and the till in words, and goes with its cause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tapledger.lab.chain import SHOPS, Chain
from tests.browser.fault_table import FAULTS, LANES, PAGE_S, USABLE_S, Shows
from tests.browser.shop_floor import ShopFloor, Unseen, open_floor

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.alone]

EVERY = [
    (shop, role, verb)
    for shop in SHOPS
    for lane in LANES[shop]
    for role in lane
    for verb in FAULTS[shop][role]
]
Row = tuple[str, str, str]
Walk = dict[Row, "asyncio.Future[None]"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def floors(browser: Browser, chain: Chain) -> AsyncIterator[dict[str, ShopFloor]]:
    async with AsyncExitStack() as stack:
        yield {shop: await stack.enter_async_context(open_floor(browser, chain, shop)) for shop in SHOPS}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def walk(request: pytest.FixtureRequest, floors: dict[str, ShopFloor]) -> AsyncIterator[Walk]:
    """Pull every fault that is asked for; what shows in different places at the same time."""
    asked = {item.callspec.params["row"] for item in request.session.items if hasattr(item, "callspec")
             and "row" in item.callspec.params}  # fmt: skip
    walk: Walk = {row: asyncio.get_running_loop().create_future() for row in EVERY if row in asked}
    lanes = [asyncio.create_task(_lane(floors[shop], roles, walk)) for shop in SHOPS for roles in LANES[shop]]
    yield walk
    for lane in lanes:
        lane.cancel()
    await asyncio.gather(*lanes, return_exceptions=True)


async def _lane(floor: ShopFloor, roles: tuple[str, ...], walk: Walk) -> None:
    for role in roles:
        for number, (verb, shows) in enumerate(FAULTS[floor.shop][role].items()):
            done = walk.get((floor.shop, role, verb))
            if done is None:
                continue
            try:
                async with floor.alone(role):
                    await _pull_and_mend(floor, role, verb, shows, by_hand=number == 0)
                done.set_result(None)
            except Exception as error:
                done.set_exception(error)
                await floor.settle(role, verb)


async def _pull_and_mend(floor: ShopFloor, role: str, verb: str, shows: Shows, *, by_hand: bool) -> None:
    await floor.well(role, USABLE_S)
    seen = asyncio.create_task(floor.shown(role, shows))  # before it happens, for it may be over soon
    try:
        await floor.pull(role, verb, on=True, amount=shows.amount, by_hand=by_hand)
        if verb == "replug":
            await floor.well(role, USABLE_S)
        if shows.use:
            await floor.use(role, shows.use, works=shows.works)
        done, _ = await asyncio.wait({seen}, timeout=shows.within_s + PAGE_S)
        if not done:
            raise Unseen(f"{shows} did not show; what does: {await floor.there(role)}")
        seen.result()
        if not shows.reasons and not shows.use:
            await floor.says_nothing_wrong(role)
    finally:
        seen.cancel()
        await asyncio.gather(seen, return_exceptions=True)
    await floor.put_away(role)
    if shows.replug:
        await floor.pull(role, "replug", on=True)
    elif verb != "replug":
        await floor.pull(role, verb, on=False, by_hand=by_hand and not shows.passes)
    await floor.well(role, USABLE_S)
    await floor.works(role)


async def test_the_table_has_every_fault_of_the_dock(chain: Chain) -> None:
    for shop in SHOPS:
        offered = {
            one.role: {fault.verb for fault in one.faults} for one in chain.benches[shop].dock().devices
        }
        assert {role: verbs for role, verbs in offered.items() if verbs} == {
            role: set(verbs) for role, verbs in FAULTS[shop].items()
        }


@pytest.mark.parametrize("row", EVERY, ids="-".join)
async def test_a_fault_shows_in_words_and_goes_with_its_cause(walk: Walk, row: Row) -> None:
    await walk[row]


async def test_nothing_is_left_and_no_page_complained(walk: Walk, floors: dict[str, ShopFloor]) -> None:
    for floor in floors.values():
        for role in FAULTS[floor.shop]:
            await floor.well(role, USABLE_S)
        assert floor.complaints() == []
