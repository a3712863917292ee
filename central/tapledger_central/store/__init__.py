"""Central's store: the only room here that speaks SQL. Work is done in transactions that rooms pass on."""

from __future__ import annotations

from pathlib import Path

from tapledger.database import Executor, ThreadExecutor
from tapledger_central.store.transaction import CentralStore, Transaction

__all__ = ["CentralStore", "Executor", "ThreadExecutor", "Transaction", "open_store"]

FILE_NAME = "central.db"


async def open_store(
    folder: Path, tenant: str, database_url: str = "", executor: Executor | None = None
) -> CentralStore:
    """Open the rows of a tenant: in PostgreSQL when there is an address, else in central's own file."""
    if database_url:
        from tapledger_central.store.postgres import open_postgres

        return await open_postgres(database_url, tenant)
    from tapledger_central.store.sqlite import open_sqlite

    return await open_sqlite(folder / FILE_NAME, tenant, executor or ThreadExecutor("central-store"))
