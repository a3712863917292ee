"""A whole shop on a real store, with a clock that stands still until it is moved.

A conftest takes the fixtures with ``from tests.store.shops import bench as bench``.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlcipher3.dbapi2 as sqlite3

from tapledger.database import Executor, Transaction, every
from tapledger.loyalty import program as programs
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.members import points
from tapledger.loyalty.sales import catalogue
from tapledger.membership.identity import Presented
from tapledger.membership.redemption import Redeemed, RewardCommand, hold_reward
from tapledger.membership.registration import Joining, register_member
from tapledger.membership.sale import SaleCommand, record_sale
from tapledger.membership.shop import Shop
from tapledger.store import keyring as keyrings
from tapledger.store import members
from tapledger.store.fresh import CREDENTIAL
from tapledger.store.journal import Recorded
from tapledger.store.keys import Key
from tapledger.store.store import FILE_NAME, Store

START = dt.datetime(2026, 5, 4, 9, 0, tzinfo=dt.UTC)
PROGRAM: dict[str, Any] = {
    "version": "1",
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "tiers": [
        {"id": "base", "name": {"en": "Base", "zh-Hans": "普通"}, "from_spend_minor": 0, "earn_points": 1,
         "earn_per_minor": 100},
    ],
    "rewards": [
        {"id": "tea", "title": {"en": "Tea", "zh-Hans": "茶"}, "cost_points": 100},
        {"id": "cup", "title": {"en": "Cup", "zh-Hans": "杯"}, "cost_points": 10, "stock": 3},
    ],
    "trust": {"l1_points_per_day": 100_000, "l2_points_per_day": 100_000},
    "unsettled_points": 100_000,
}  # fmt: skip
CATALOGUE = (
    "sku,name,name_en,price,tax,category,flags\n"
    "6901234567908,毛巾,Towel,12.00,13.00,home,\n"
    "6901234567946,耳机,Earphones,299.00,13.00,phone,\n"
)
TOWEL, EARPHONES = "6901234567908", "6901234567946"


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


class Bench:
    """One shop in a folder, and the everyday things that happen in it."""

    def __init__(self, folder: Path, clock: HandClock) -> None:
        self.folder = folder
        self.clock = clock
        self.shop: Shop
        self._is_open = False
        self._count = 0

    async def open(self, executor: Executor | None = None, ballast_bytes: int = 0) -> None:
        if not (self.folder / keyrings.FILE_NAME).exists():
            keyrings.create(self.folder, keyrings.make(os.urandom(keyrings.RANDOMNESS)))
        store = await Store.open(
            self.folder, keyrings.load(self.folder), executor, ballast_bytes=ballast_bytes
        )
        articles = catalogue.read(CATALOGUE.splitlines(), "CNY")
        self._is_open = True
        self.shop = Shop(store, programs.load(PROGRAM), articles, self.clock, os.urandom, "Tea Hill", "en")

    async def close(self) -> None:
        if self._is_open:
            self._is_open = False
            await self.shop.store.close()

    async def restart(self, executor: Executor | None = None) -> None:
        await self.close()
        await self.open(executor)

    @property
    def database(self) -> Path:
        return self.folder / FILE_NAME

    async def listen(self) -> list[str]:
        """Return a list that grows by every statement the store is given from now on, values and all."""
        said: list[str] = []

        def work(tx: Transaction) -> None:
            driver: Any = tx.connection.driver_connection
            driver.set_trace_callback(lambda text: None if text.startswith("--") else said.append(text))

        await self.shop.store.transact(work)
        said.clear()  # of the COMMIT that was under way
        return said

    def key(self) -> str:
        self._count += 1
        return f"key-{self._count}-{os.urandom(4).hex()}"

    async def join(self, name: str, *cards: Presented, phone: str = "") -> str:
        """Make a member and return the pseudonym."""
        recorded = await register_member(self.shop, Joining(self.key(), name, phone, cards, "s-1"))
        assert recorded.event.body.member is not None
        return recorded.event.body.member

    async def buy(self, member: str | None, sku: str = TOWEL, count: int = 1) -> Recorded:
        return await record_sale(self.shop, self.sale(member, sku, count))

    def sale(self, member: str | None, sku: str = TOWEL, count: int = 1, key: str = "") -> SaleCommand:
        line = self.shop.catalogue.find(sku).line(count * 1000, "en")
        return SaleCommand(
            id=key or self.key(),
            till="till-1",
            lines=(line,),
            tenders=(Tender("cash", line.unit_minor * count),),
            staff="s-1",
            language="en",
            member=member,
            presented=None if member is None else card("any"),
        )

    async def redeem(self, member: str, reward: str = "tea", level: int = 1, key: str = "") -> Redeemed:
        command = RewardCommand(key or self.key(), member, card("any", level), reward, "en")
        return await hold_reward(self.shop, command)

    async def points(self, member: str) -> int:
        stored = await self.shop.store.transact(lambda tx: members.load(tx, member))
        return 0 if stored is None else points(stored.member, self.clock.now()).available

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read the file as somebody else would."""
        with raw_connection(self.database) as connection:
            found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
            return found

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return everything that is stored, to compare before and after."""
        names = [name for (name,) in self.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: self.rows(f"SELECT * FROM {name} ORDER BY 1, 2") for name in names}


def card(value: str, level: int = 1) -> Presented:
    return Presented("card", value, level, "test")


def cards_named(tx: Transaction) -> set[Key]:
    """Return every credential that names a member, filed or only noted."""
    noted = (
        name
        for (packed,) in every(tx, "SELECT names FROM name_log")
        for name in msgspec.msgpack.decode(packed)
    )
    filed = {key for (key,) in every(tx, "SELECT key FROM name WHERE kind = ?", CREDENTIAL)}
    return filed | {key for kind, key, *_ in noted if kind == CREDENTIAL}


@contextmanager
def raw_connection(path: Path) -> Iterator[Any]:
    """A second connection that knows nothing of the product; its statements commit at the end.

    By the product's own SQLite: two libraries in one process undo each other's locks.
    """
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        with connection:
            yield connection


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path / "shop", HandClock())
    await made.open()
    yield made
    await made.close()
