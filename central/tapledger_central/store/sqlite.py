"""Central's rows in one SQLite file: one tenant, one connection, one writer, durable commits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tapledger.database import Database, Executor
from tapledger_central.store import schema
from tapledger_central.store.transaction import Transaction

T = TypeVar("T")


class SqliteStore:
    """The embedded engine: for a demo and for chains of about twenty shops. Use ``open_sqlite``."""

    def __init__(self, database: Database, tenant: str) -> None:
        self._database = database
        self.tenant = tenant

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        return await self._database.transact(lambda connection: work(Transaction(connection, self.tenant)))

    async def close(self) -> None:
        await self._database.close()


async def open_sqlite(path: Path, tenant: str, executor: Executor) -> SqliteStore:
    """Open or make the file and bring its schema up to date; raise ``Corrupt`` when damaged or newer."""

    def work() -> Database:
        return Database.prepared(
            path, lambda connection: schema.upgrade(connection, str(path), tenant), executor
        )

    return SqliteStore(await executor.run(work), tenant)
