"""Central's store: the only room here that speaks SQL. Work is done in transactions that rooms pass on."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from tapledger.database import Database, Executor, ThreadExecutor, Transaction, read_migrations

__all__ = ["Database", "Executor", "ThreadExecutor", "Transaction", "open_store"]

FILE_NAME = "central.db"


async def open_store(folder: Path, executor: Executor | None = None) -> Database:
    """Open or make central's file and bring its schema up to date."""
    executor = executor or ThreadExecutor("central-store")
    migrations = read_migrations(files("tapledger_central.store") / "migrations")
    return await executor.run(lambda: Database.open(folder / FILE_NAME, migrations, executor))
