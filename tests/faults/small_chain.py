"""A chain of forked processes: central and two shops, each with a line to central that can be broken."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections import Counter as Count
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tapledger import settings
from tapledger.app import open_shop
from tapledger.clock import SystemClock
from tapledger.database import Transaction
from tapledger.lab import seed
from tapledger.lab.network import FaultProxy
from tapledger.loyalty.members import points
from tapledger.membership.identity import Presented
from tapledger.membership.registration import Joining, register_member
from tapledger.membership.shop import Shop
from tapledger.store import members
from tapledger.sync import transport
from tapledger.sync.client import CentralClient
from tapledger.sync.loop import SyncLoop
from tapledger.wire.codec import decode_event
from tapledger_central.keys import load_or_make
from tapledger_central.store import FILE_NAME, schema
from tapledger_central.store.postgres import make_engine
from tests.faults import books, forked
from tests.faults.books import Entry
from tests.faults.forked import Forked
from tests.postgres import APP, SUPERUSER, PostgresServer

MEMBERS = 10
SHOPS = ("north", "south")
LONGEST_S = 30.0
BREATH_S = 0.02


class SmallChain:
    """Made by ``small_chain``. Shops run as processes, or in this one between ``opened`` and its end."""

    def __init__(self, folder: Path, postgres: PostgresServer | None = None) -> None:
        self.folder = folder
        self._postgres = postgres
        self._looked_at = f"sqlite:///{folder / 'central' / FILE_NAME}"
        self._database_url = ""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.lines = {shop: FaultProxy(self.port) for shop in SHOPS}
        self.members: list[str] = []
        self.central = Forked(forked.central, folder / "central.toml")
        self.shops: dict[str, Forked] = {}

    def config(self, shop: str) -> Path:
        return self.folder / shop / "daemon.toml"

    async def start(self) -> None:
        """Start central, found the shops and let members join in the first of them."""
        for line in self.lines.values():
            await line.start()
        origins = json.dumps([line.url for line in self.lines.values()])
        text = f'data_folder = "central"\nlisten_port = {self.port}\norigins = {origins}\n'
        (self.folder / "central").mkdir(mode=0o700)
        if self._postgres is not None:
            self._database_url, self._looked_at = migrated(self._postgres)
            text += f"database_url = {json.dumps(self._database_url)}\n"
        (self.folder / "central.toml").write_text(text, encoding="utf-8")
        load_or_make(self.folder / "central", os.urandom)
        await self.central.start()
        await self.central.heard()
        for shop in SHOPS:
            home, url = self.folder / "central", self.lines[shop].url
            await seed.seed_shop(self.folder / shop, shop, 0, home, url, self._database_url)
        async with self.opened(SHOPS[0]) as (first, _):
            self.members = [await _join(first, number) for number in range(MEMBERS)]
        await self.settle()
        self.run_by(forked.shop)

    def run_by(self, work: Callable[..., None]) -> None:
        """Say what the processes of the shops are to be."""
        self.shops = {shop: Forked(work, self.config(shop), self.members) for shop in SHOPS}

    async def stop(self) -> None:
        for process in (*self.shops.values(), self.central):
            await process.kill()
        for line in self.lines.values():
            await line.close()

    @asynccontextmanager
    async def opened(self, name: str) -> AsyncIterator[tuple[Shop, Rounds]]:
        """Open a shop in this process, for as long as no process of its own runs."""
        configured = settings.read(self.config(name))
        shop = await open_shop(configured, SystemClock(), os.urandom)
        try:
            async with transport.http() as way:
                sync = forked.sync_of(shop, configured)
                yield shop, Rounds(sync, sync.client_of(way))
        finally:
            await shop.store.close()

    async def settle(self) -> list[list[int]]:
        """Sync both shops until nothing is left to tell or to hear; return the members' points in each."""
        async with self.opened(SHOPS[0]) as (first, one), self.opened(SHOPS[1]) as (second, other):
            async with asyncio.timeout(LONGEST_S):
                while not (await one.is_quiet() and await other.is_quiet()):
                    pass
            return [await self._points(shop) for shop in (first, second)]

    async def _points(self, shop: Shop) -> list[int]:
        def work(tx: Transaction) -> list[int]:
            found = [members.load(tx, member) for member in self.members]
            return [points(one.member, shop.clock.now()).shown for one in found if one is not None]

        return await shop.store.transact(work)

    def earned(self) -> list[int]:
        """Add up what the sales in both journals have given to each member."""
        given = Count[str | None]()
        for shop in SHOPS:
            for raw in books.raws(self.config(shop)):
                body = decode_event(raw).body
                given[body.member] += 0 if body.sale is None else body.sale.earned
        return [given[member] for member in self.members]

    def recorded(self) -> list[Entry]:
        return [entry for shop in SHOPS for entry in books.recorded(self.config(shop))]

    def held(self) -> list[Entry]:
        return books.held(self._looked_at)


def migrated(postgres: PostgresServer) -> tuple[str, str]:
    """Make a database; return its address for central, and for somebody who looks at all tenants."""
    database = postgres.database()
    engine = make_engine(database.owner)
    schema.migrate_postgres(engine, APP)
    engine.dispose()
    return database.app, postgres.url(SUPERUSER, database.name)


async def _join(shop: Shop, number: int) -> str:
    code = Presented("barcode", str(9_100_000_100 + number), 0, "test")
    joining = Joining(f"join-{number}", f"Member {number}", f"1380013{8000 + number}", (code,), seed.CASHIER)
    joined = await register_member(shop, joining)
    assert joined.event.body.member is not None
    return joined.event.body.member


class Rounds:
    """The shipped sync of a shop, one round after the other, without the waits between them."""

    def __init__(self, sync: SyncLoop, client: CentralClient) -> None:
        self.sync = sync
        self._client = client

    async def go(self) -> bool:
        return await self.sync.round(self._client)

    async def is_quiet(self) -> bool:
        """Go one round; tell whether there was nothing to do and nothing went wrong."""
        busy = await self.go()
        state = self.sync.state
        if state.problem is not None:
            await asyncio.sleep(BREATH_S)
        return not busy and state.problem is None and state.unsynced == 0


@asynccontextmanager
async def small_chain(folder: Path, postgres: PostgresServer | None = None) -> AsyncIterator[SmallChain]:
    """Yield a running chain; with a server, central's rows are in a database of its own there."""
    made = SmallChain(folder, postgres)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
