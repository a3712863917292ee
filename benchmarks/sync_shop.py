"""A shop's computer learns members and tells events: the shipped client and store, with a central."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
import psycopg

from benchmarks import seeded_shop, sync_workload
from benchmarks.seeded_shop import Customer, SeededShop
from benchmarks.sync_office import Office
from tapledger import interpreter
from tapledger.clock import SystemClock
from tapledger.database import Transaction
from tapledger.loyalty.members import Member
from tapledger.membership.sale import record_sale
from tapledger.membership.shop import Shop
from tapledger.store import members
from tapledger.store.keyring import Keyring
from tapledger.store.store import FILE_NAME, Store
from tapledger.sync.client import CentralClient
from tapledger.sync.puller import pull_once
from tapledger.sync.pusher import Pusher
from tapledger.sync.transport import http
from tapledger.wire.codec import GENESIS, link
from tapledger.wire.messages import EVERYWHERE, FeedPage, FeedRow
from tests.postgres import SUPERUSER, PostgresServer

CUSTOMERS, TAPS, LOOKUPS, FEW = 20, 300, 3000, 1000
TAP_PAUSE_S = (0.01, 0.1)
SHOP_NUMBER = 10**6
"""Its key is nobody else's."""

_SCOPE = "INSERT INTO scope VALUES (%s, %s, 0, 0, 0) ON CONFLICT DO NOTHING"
_RAISE = "UPDATE scope SET version = version + %s WHERE tenant = %s AND scope = %s RETURNING version"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Moved:
    """So many pulled or pushed, in how long."""

    count: int
    elapsed_s: float

    @property
    def per_s(self) -> float:
        return self.count / self.elapsed_s


@dataclass(frozen=True, slots=True)
class Many:
    """A shop with many members. Times in milliseconds."""

    members: int
    bootstrap_s: float
    file_mb: float
    tap_ms: list[float] = field(default_factory=list)
    tap_bootstrapping_ms: list[float] = field(default_factory=list)
    lookup_ms: list[float] = field(default_factory=list)
    lookup_of_few_ms: list[float] = field(default_factory=list)


def fill_feed(server: PostgresServer, office: Office, count: int) -> None:
    """Let central know so many members, as if they had long been told: past its applier, in its own rows."""
    settled = msgspec.msgpack.encode({"0benchm0/1": 7})
    kinds = sync_workload.archetypes()
    with psycopg.connect(server.url(SUPERUSER, office.database.name)) as connection:
        tenant = office.keys.tenant
        connection.execute(_SCOPE, (tenant, EVERYWHERE))
        row = connection.execute(_RAISE, (count, tenant, EVERYWHERE)).fetchone()
        assert row is not None
        with connection.cursor().copy(
            "COPY feed (tenant, scope, kind, key, version, gone, erased, changed_ms, body, settled)"
            " FROM STDIN"
        ) as copy:
            for version, raw in enumerate(sync_workload.members(kinds, 0, count), row[0] - count + 1):
                key = msgspec.msgpack.decode(raw, type=Member).id
                copy.write_row((tenant, EVERYWHERE, "member", key, version, 0, 0, 0, raw, settled))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE feed")


@asynccontextmanager
async def client_of(office: Office, ring: Keyring) -> AsyncIterator[CentralClient]:
    """Yield a node's way to central, as the daemon has it."""
    async with http() as transport:
        yield CentralClient(transport, office.address, ring, SystemClock(), os.urandom)


async def pull(office: Office, folder: Path, ring: Keyring) -> Moved:
    """Learn everything that central tells, into a new store."""
    store = await Store.open(folder, ring)
    try:
        async with client_of(office, ring) as client:
            interpreter.settle()
            began_s = time.perf_counter()
            changed = await pull_once(store, client)
            elapsed_s = time.perf_counter() - began_s
        assert await store.transact(members.count) == len(changed)
        return Moved(len(changed), elapsed_s)
    finally:
        await store.close()


async def push(office: Office, folder: Path, ring: Keyring, count: int) -> Moved:
    """Tell central so many events that a store has."""
    store = await Store.open(folder, ring)
    try:
        await store.transact(lambda tx: _record(tx, ring, count))
        assert await store.unsynced() == count
        async with client_of(office, ring) as client:
            interpreter.settle()
            began_s = time.perf_counter()
            pusher = Pusher(store, ring)
            while await pusher.once(client):
                pass
            elapsed_s = time.perf_counter() - began_s
        assert await store.unsynced() == 0
        return Moved(count, elapsed_s)
    finally:
        await store.close()


def _record(tx: Transaction, ring: Keyring, count: int) -> None:
    """Write events into the journal as if they had been recorded there."""
    head, rows = GENESIS, []
    chain = sync_workload.chain(sync_workload.tape(count, count // 10), SHOP_NUMBER, ring.signing_key)
    for seq, raw in enumerate(chain.raws, 1):
        head = link(head, raw)
        rows.append((1, seq, head, "sale", None, raw))
    tx.exec_driver_sql("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", rows)


async def many(office: Office, folder: Path, ring: Keyring, known: int, taps: int = TAPS) -> Many:
    """Let a shop learn that many members while its customers buy, then look and buy in peace."""
    seeded = await seeded_shop.make(folder / "shop", CUSTOMERS, lambda _: ring)
    randomness = random.Random(sync_workload.SEED)
    async with seeded.open() as shop, client_of(office, ring) as client:
        interpreter.settle()
        beside = asyncio.create_task(_tap_for_ever(shop, seeded, randomness))
        began_s = time.perf_counter()
        changed = await pull_once(shop.store, client)
        bootstrap_s = time.perf_counter() - began_s
        tap_bootstrapping_ms = await _ended(beside)
        assert len(changed) >= known
        tap_ms = [await _tap(shop, customer, randomness) for customer in _some(seeded, taps)]
        found = await _look_up(shop.store, folder / "few", ring, known, randomness)
    file_mb = (seeded.settings.store.folder / FILE_NAME).stat().st_size / 1e6
    return Many(known, bootstrap_s, file_mb, tap_ms, tap_bootstrapping_ms, *found)


def _some(seeded: SeededShop, count: int) -> Iterator[Customer]:
    for number in range(count):
        yield seeded.customers[number % len(seeded.customers)]


async def _tap(shop: Shop, customer: Customer, randomness: random.Random) -> float:
    """Return how long it takes from a customer's card until what they bought is on the disk."""
    command = seeded_shop.basket(shop, customer, randomness)
    began_s = time.perf_counter()
    await record_sale(shop, command)
    return (time.perf_counter() - began_s) * 1000


async def _tap_for_ever(shop: Shop, seeded: SeededShop, randomness: random.Random) -> list[float]:
    times: list[float] = []
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            for customer in seeded.customers:
                await asyncio.sleep(randomness.uniform(*TAP_PAUSE_S))
                times.append(await _tap(shop, customer, randomness))
    return times


async def _ended(task: asyncio.Task[T]) -> T:
    task.cancel()
    return await task


async def _look_up(
    store: Store, folder: Path, ring: Keyring, known: int, randomness: random.Random
) -> tuple[list[float], list[float]]:
    """Look members up by their cards, in turn in a store of many and in one of few."""
    few = await Store.open(folder, ring)
    try:
        kinds = sync_workload.archetypes()
        states = [msgspec.msgpack.decode(raw, type=Member) for raw in sync_workload.members(kinds, 0, FEW)]
        rows = [FeedRow.of(one, version=i) for i, one in enumerate(states, 1)]
        page = FeedPage(rows=rows, cursor=len(rows), more=False, at=SystemClock().now())
        await few.apply_page(page)
        cards = [_card(kinds, randomness.randrange(known)) for _ in range(LOOKUPS)]
        cards_of_few = [randomness.choice(states).credentials[0].index for _ in range(LOOKUPS)]
        times: tuple[list[float], list[float]] = ([], [])
        for one, other in zip(cards, cards_of_few, strict=True):
            times[0].append(await _timed(_find(store, one)))
            times[1].append(await _timed(_find(few, other)))
        return times
    finally:
        await few.close()


def _card(kinds: Sequence[bytes], number: int) -> str:
    (raw,) = sync_workload.members(kinds[number % len(kinds) :][:1], number, 1)
    return msgspec.msgpack.decode(raw, type=Member).credentials[0].index


async def _find(store: Store, index: str) -> None:
    def work(tx: Transaction) -> None:
        owner = members.owner(tx, index)
        assert owner is not None and members.load(tx, owner.member) is not None

    await store.transact(work)


async def _timed(work: Awaitable[None]) -> float:
    began_s = time.perf_counter()
    await work
    return (time.perf_counter() - began_s) * 1000
