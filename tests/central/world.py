"""A real central on a real socket, and shops with real stores, for the tests of central and of sync.

A conftest takes the fixture with ``from tests.central.world import world as world``, and those of
``tests.central.engines``: each test runs on both.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tapledger.identifiers import uuid7
from tapledger.loyalty import program as programs
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Credential
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.members import Member, points
from tapledger.loyalty.people.joining import Join, decide_join
from tapledger.loyalty.rewards.redeeming import Redeem, decide_hold
from tapledger.loyalty.sales.selling import BasketLine, Sale, decide_sale
from tapledger.store import keyring as keyrings
from tapledger.store import members, people
from tapledger.store.journal import Operation
from tapledger.store.keyring import Keyring
from tapledger.store.store import Store
from tapledger.sync.client import CentralClient
from tapledger.sync.enrol import enrol
from tapledger.sync.puller import pull_once
from tapledger.sync.pusher import Pusher
from tapledger.sync.transport import HttpTransport, open_session
from tapledger_central.app import Central, open_central, serving
from tapledger_central.settings import CentralSettings

START = dt.datetime(2026, 5, 4, 9, 0, tzinfo=dt.UTC)
PROGRAM = programs.load(
    {
        "version": "1",
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "tiers": [{"id": "base", "name": {"en": "Base"}, "from_spend_minor": 0, "earn_points": 1,
                   "earn_per_minor": 100}],
        "rewards": [{"id": "tea", "title": {"en": "Tea"}, "cost_points": 100}],
        "trust": {"l1_points_per_day": 100_000, "l2_points_per_day": 100_000},
    }
)  # fmt: skip


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: dt.datetime = START) -> None:
        self._now = now

    def now(self) -> dt.datetime:
        return self._now

    def monotonic_s(self) -> float:
        return (self._now - START).total_seconds()

    def move(self, seconds: float) -> None:
        self._now += dt.timedelta(seconds=seconds)


class ShopNode:
    """One enrolled shop: its store, and its line to central."""

    def __init__(self, store: Store, keyring: Keyring, client: CentralClient, clock: HandClock) -> None:
        self.store = store
        self.keyring = keyring
        self.client = client
        self.clock = clock

    async def close(self) -> None:
        """Close whatever store the shop has by now: its disk may have been put back."""
        await self.store.close()

    async def record(self, decision: Decision) -> None:
        operation = Operation(os.urandom(8).hex(), b"")
        event_id = uuid7(self.clock.now(), os.urandom)
        await self.store.transact(
            lambda tx: self.store.journal.append(tx, operation, decision, event_id, self.clock.now())
        )
        self.clock.move(1)

    async def join(self, member: str, card: str = "", name: str = "") -> None:
        digest = None
        if name:
            profile = people.seal(self.keyring.profile_key, member, people.Profile(name=name), os.urandom(12))
            await self.store.transact(lambda tx: people.put(tx, profile))
            digest = profile.digest
        credentials = (Credential("card", card or f"card of {member}", 1),)
        await self.record(
            decide_join(Join(member, credentials, digest, "staff-1"), PROGRAM, self.clock.now())
        )

    async def sale(self, member: str | None, amount_minor: int) -> None:
        state = None if member is None else await self.member(member)
        lines = (BasketLine("sku", "Tea", 1000, amount_minor, 1300, "tea"),)
        tenders = (Tender("cash", amount_minor),)
        sale = Sale(os.urandom(8).hex(), lines, tenders, lot=os.urandom(8).hex(), staff="staff-1")
        await self.record(decide_sale(state, sale, PROGRAM, self.clock.now()))

    async def redeem(self, member: str) -> None:
        state = await self.member(member)
        assert state is not None
        command = Redeem("tea", os.urandom(8).hex(), os.urandom(8).hex(), 1, "test", None, 0)
        await self.record(decide_hold(state, command, PROGRAM, self.clock.now()))

    async def member(self, member: str) -> Member | None:
        stored = await self.store.transact(lambda tx: members.load(tx, member))
        return None if stored is None else stored.member

    async def points(self, member: str) -> int:
        state = await self.member(member)
        return 0 if state is None else points(state, self.clock.now()).available

    async def push(self) -> int:
        """Push until there is nothing left; return how many events central took."""
        total = 0
        while sent := await Pusher(self.store, self.keyring).once(self.client):
            total += sent
        return total

    async def pull(self) -> list[str]:
        return await pull_once(self.store, self.client)


class World:
    """A central, and the shops of the test."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.folder = folder
        self.database_url = database_url
        self.clock = HandClock()
        self.central: Central
        self.address: str
        self.session: aiohttp.ClientSession
        self.way: HttpTransport
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        self.session = await self._stack.enter_async_context(open_session())
        self.way = HttpTransport(self.session)
        self.central = await open_central(self.folder / "central", self.clock, database_url=self.database_url)
        self._stack.push_async_callback(self.central.close)
        settings = CentralSettings(data_folder=self.folder, listen_port=0)
        self.address = await self._stack.enter_async_context(serving(self.central, settings))

    async def close(self) -> None:
        await self._stack.aclose()

    async def shop(self, name: str, clock: HandClock | None = None) -> ShopNode:
        """Enrol a new shop with a store of its own."""
        clock = clock or self.clock
        fresh = keyrings.make(os.urandom(96))
        code = await self.central.enrolment_code(name)
        answer = await enrol(self.way, self.address, code, fresh.signing_key, name)
        return await self.open_shop(name, fresh.with_enrolment(answer), clock)

    async def open_shop(self, name: str, keyring: Keyring, clock: HandClock) -> ShopNode:
        store = await Store.open(self.folder / name, keyring)
        client = CentralClient(self.way, self.address, keyring, clock, os.urandom)
        node = ShopNode(store, keyring, client, clock)
        self._stack.push_async_callback(node.close)
        return node


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    made = World(tmp_path, database_url)
    try:
        await made.open()
        yield made
    finally:
        await made.close()
