"""The job that keeps the log: it enters, signs, tells every shop, and never twice."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from tapledger.wire import checkpoints
from tapledger.wire.news import CheckpointNews
from tapledger_central.keys import CentralKeys, load_or_make
from tapledger_central.notary import KEY, KIND, Notary
from tapledger_central.rebuild import verify
from tapledger_central.store import CentralStore, log, news, open_store
from tests.central.log_office import Office, migrate
from tests.central.world import HandClock
from tests.postgres import Database


async def told(store: CentralStore, keys: CentralKeys, scope: str = "all") -> list[int]:
    """Return the sizes of the checkpoints in a scope of the feed."""
    found, _ = await store.transact(lambda tx: news.page(tx, scope, "shop-a", 0, 10, 2**20, KIND))
    assert all(item.key == KEY for _, item in found)
    notes = [msgspec.msgpack.decode(item.body, type=CheckpointNews).text for _, item in found]
    origin = checkpoints.origin_of(keys.tenant)
    return [checkpoints.read(note, origin, keys.public_key).size for note in notes]


async def test_every_scope_is_told_the_newest_checkpoint(tmp_path: Path) -> None:
    keys, clock, woken = load_or_make(tmp_path, os.urandom), HandClock(), list[int]()
    store = await open_store(tmp_path, keys.tenant)
    notary = Notary(store, keys, clock, lambda: woken.append(1))
    try:
        await notary.round()
        assert (await told(store, keys), woken) == ([], [])
        await store.transact(lambda tx: news.lock(tx, "north"))
        await store.transact(lambda tx: Office(tx, keys).file("shop-a", 1200))
        await notary.round()
        assert await told(store, keys) == await told(store, keys, "north") == [1000]
        assert len(woken) == 1
        clock.move(60)
        await notary.round()
        assert await told(store, keys) == await told(store, keys, "north") == [1200]
        await notary.round()
        assert len(woken) == 2
    finally:
        await store.close()


async def test_two_notaries_of_one_log_enter_nothing_twice(postgres_url: Database, tmp_path: Path) -> None:
    migrate(postgres_url)
    keys, clock = load_or_make(tmp_path, os.urandom), HandClock()
    stores = [await open_store(tmp_path, keys.tenant, postgres_url.app) for _ in range(2)]
    try:
        for node in ("shop-a", "shop-b", "shop-c"):
            await stores[0].transact(lambda tx, node=node: Office(tx, keys).file(node, 700))  # type: ignore[misc]
        await asyncio.gather(*(Notary(store, keys, clock).round() for store in stores))
        clock.move(60)
        await Notary(stores[1], keys, clock).round()
        assert await told(stores[0], keys) == [2100]
        assert await stores[0].transact(lambda tx: list(verify(tx, keys))[-1]) == 2100
        sizes = [one.size for one in await stores[0].transact(log.checkpoints)]
        assert sizes == [1000, 2000, 2100]
    finally:
        for store in stores:
            await store.close()
