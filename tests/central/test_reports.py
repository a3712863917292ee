"""What nodes tell about themselves, receipts for erasures, and a node that is revoked while it waits."""

from __future__ import annotations

import asyncio
import os

import pytest

from tapledger.errors import Denied
from tapledger.loyalty.effects import StatusSet
from tapledger.loyalty.ledger import EventBody
from tapledger.settings import CentralSettings
from tapledger.sync.loop import SyncLoop
from tapledger.wire.asking import Report, Telemetry
from tapledger.wire.messages import MAX_WAIT_S
from tapledger_central import telling
from tapledger_central.store import nodes, reports
from tests.central.chains import Chain, join
from tests.central.world import START, World

REVOKED_WITHIN_S = 5.0


async def test_the_newest_report_is_kept_and_old_ones_make_room(world: World) -> None:
    shop = await world.shop("first")
    name, store = shop.keyring.node, world.central.store
    for first in range(0, reports.KEPT + 100, 100):
        told = [Report(at_ms=at, kind="status", body=b"%d" % at) for at in range(first, first + 100)]
        await shop.client.report(Telemetry(reports=told))
        await shop.client.report(Telemetry(reports=told))
    newest = await store.transact(lambda tx: reports.newest(tx, name, "status"))
    assert newest == (reports.KEPT + 99, b"%d" % (reports.KEPT + 99))
    assert await store.transact(lambda tx: reports.newest(tx, name, "other")) is None
    assert await store.transact(lambda tx: reports.count(tx, name)) == reports.KEPT


async def test_an_erased_member_is_told_first_and_the_receipt_reaches_central(world: World) -> None:
    """On a page before everything else, however far behind the shop is; told once."""
    shop, other = await world.shop("first"), await world.shop("second")
    chain = Chain(other.keyring)
    for number in range(5):
        chain.add(join(f"m-{number}", f"card-{number}"))
    await other.client.send(chain.batch())
    await shop.pull()
    erased = StatusSet("erased", START)
    chain.add(join("m-9", "card-9", minute=1))
    chain.add(EventBody(kind="erase", at=START, program="1", member="m-3", effects=(erased,)))
    await other.client.send(chain.batch())
    page = await shop.client.feed(await shop.store.cursor(), limit=1)
    assert page.erased == ["m-3"]
    loop = SyncLoop(shop.store, shop.keyring, CentralSettings(url=world.address), shop.clock, os.urandom)
    while await loop.round(shop.client):
        pass
    assert (loop.state.problem, await shop.store.erased()) == (None, [])
    at = await world.central.store.transact(lambda tx: reports.erased_at(tx, "m-3"))
    assert at == [shop.keyring.node]


async def test_a_node_that_is_revoked_while_it_waits_is_told_so_at_once(world: World) -> None:
    shop = await world.shop("first")
    cursor = (await shop.client.feed(0)).cursor
    waits = asyncio.Event()
    world.central.watch.on_wait = waits.set
    waiting = asyncio.create_task(shop.client.feed(cursor, wait_s=MAX_WAIT_S))
    await waits.wait()
    await world.central.store.transact(
        lambda tx: telling.change_status(tx, shop.keyring.node, nodes.REVOKED, START)
    )
    async with asyncio.timeout(REVOKED_WITHIN_S):
        with pytest.raises(Denied, match="NODE_SUSPENDED"):
            await waiting
    with pytest.raises(Denied, match="NODE_SUSPENDED"):
        await shop.client.feed(cursor)
