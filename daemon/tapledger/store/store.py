"""The store as the rooms above see it: transactions, the journal, and what sync asks of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import IO, TypeVar

from tapledger.database import Database, Executor, ThreadExecutor, Transaction, read_migrations
from tapledger.store import drawers, facts, lock, outbox, prints
from tapledger.store.journal import Journal
from tapledger.store.keyring import Keyring
from tapledger.store.space import Space
from tapledger.wire.messages import FeedPage, Pending

FILE_NAME = "shop.db"
FIRST_EPOCH = 1

T = TypeVar("T")


class Store:
    """One shop's SQLite file. ``transact`` runs a piece of work in one durable transaction."""

    def __init__(self, database: Database, keyring: Keyring, held: IO[bytes] | None, space: Space) -> None:
        self._database = database
        self._held = held
        self.space = space
        self.keyring = keyring
        self.journal = Journal(keyring.node, FIRST_EPOCH)
        database.on_rollback = self.journal.forget

    @classmethod
    async def open(
        cls,
        folder: Path,
        keyring: Keyring,
        executor: Executor | None = None,
        *,
        read_only: bool = False,
        ballast_bytes: int = 0,
    ) -> Store:
        """Open the file, migrate it, and settle what was at the printer when the daemon stopped.

        One process may have it open; a second is refused with ``Unavailable``. ``read_only`` does none of
        this: it looks at the store of a daemon that may be running. ``ballast_bytes`` of the disk are held
        for the ledger (``store.space``).
        """
        executor = executor or ThreadExecutor("store")
        migrations = read_migrations(files("tapledger.store") / "migrations")
        space = Space(folder, ballast_bytes)
        held = None if read_only else lock.take(folder)
        try:
            database = await executor.run(
                lambda: Database.open(
                    folder / FILE_NAME,
                    migrations,
                    executor,
                    read_only=read_only,
                    make_room=(lambda: False) if read_only else space.give_up,
                )
            )
        except BaseException:
            if held is not None:
                held.close()
            raise
        store = cls(database, keyring, held, space)
        if not read_only:
            await store.transact(_recover)
            await executor.run(space.hold)
        return store

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        return await self._database.transact(work)

    async def close(self) -> None:
        await self._database.close()
        if self._held is not None:
            self._held.close()

    # What sync needs (sync.ports.SyncStore).
    async def pending(self, limit: int) -> Pending | None:
        return await self.transact(lambda tx: outbox.pending(tx, limit))

    async def acknowledge(self, epoch: int, seq: int) -> None:
        await self.transact(lambda tx: outbox.set_acknowledged(tx, epoch, seq))

    async def rewind(self, epoch: int, seq: int) -> None:
        await self.transact(lambda tx: outbox.set_acknowledged(tx, epoch, seq))

    async def cursor(self) -> int:
        return await self.transact(outbox.cursor)

    async def apply_page(self, page: FeedPage) -> list[str]:
        return await self.transact(lambda tx: outbox.apply_page(tx, page, self.keyring.node))

    async def unsynced(self) -> int:
        return await self.transact(outbox.unsynced)

    async def heard_from_central(self) -> dt.datetime | None:
        """Return when central last told something, for the stamp 'as of' after a restart without it."""
        return await self.transact(outbox.heard_at)

    async def fact(self, name: str) -> bytes | None:
        return await self.transact(lambda tx: facts.get(tx, name))


def _recover(tx: Transaction) -> None:
    prints.recover(tx)
    drawers.recover(tx)
