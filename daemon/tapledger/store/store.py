"""The store as the rooms above see it: transactions, the journal, and what sync asks of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import IO, TypeVar

import structlog

from tapledger.database import Database, Executor, ThreadExecutor, Transaction, read_migrations
from tapledger.errors import Corrupt, Unavailable
from tapledger.store import backups, drawers, epochs, facts, lock, names, outbox, prints
from tapledger.store.checkpoints import Checkpoints, leave_log
from tapledger.store.fresh import Fresh
from tapledger.store.journal import Journal
from tapledger.store.keyring import Keyring
from tapledger.store.space import Space
from tapledger.wire.asking import Tail
from tapledger.wire.messages import MAX_BATCH_BYTES, MEMBER, FeedPage, FeedRow, LedgerEvent, Pending

log = structlog.get_logger("store")

FILE_NAME = "shop.db"
AGAIN_S = 1.0
"""How long a loop of the daemon waits for a disk that took nothing."""

T = TypeVar("T")


class Store:
    """One shop's SQLite file. ``transact`` runs a piece of work in one durable transaction."""

    def __init__(self, database: Database, keyring: Keyring, held: IO[bytes] | None, space: Space) -> None:
        self._database = database
        self._held = held
        self.space = space
        self.keyring = keyring
        self.journal = Journal(keyring.node, epochs.FIRST)
        self.told: set[str] = set()
        """Kinds of news that came since somebody looked (``wire.news``)."""
        self.on_restored: epochs.Projection = lambda tx, body: None
        """Told of each event that central gave back, in the transaction that writes it."""
        self._checkpoints: Checkpoints | None = None
        self._fresh = Fresh()
        self._quiet = 0
        """Pieces of pages since somebody waited for one."""
        database.on_rollback = self._rolled_back
        database.on_commit = self._committed

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

        One process may have it open; a second is refused with ``Unavailable``. A restore that was cut short
        is ended first. ``read_only`` does none of this: it looks at the store of a daemon that may be
        running. ``ballast_bytes`` of the disk are held for the ledger (``store.space``).
        """
        has_threads = executor is None  # who brings an executor decides what runs when
        executor = executor or ThreadExecutor("store")
        migrations = read_migrations(files("tapledger.store") / "migrations")
        space = Space(folder, ballast_bytes)
        held = None if read_only else lock.take(folder)
        try:
            if not read_only:
                await executor.run(lambda: backups.put_in_place(folder / FILE_NAME))
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
        try:
            if not read_only:
                await store.transact(lambda tx: _check(tx, folder / FILE_NAME))
                store._fresh = await store.transact(names.begin_writing)
                await store.transact(_recover)
                await executor.run(space.hold)
                if has_threads:
                    await store.transact(lambda tx: store._checkpoint_beside(tx, folder / FILE_NAME))
            await store.transact(store.journal.take_up)
        except BaseException:
            await store.close()
            raise
        return store

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        is_reader = self._held is None
        return await self._database.transact(names.reading(work) if is_reader else work)

    async def insist(self, work: Callable[[Transaction], T]) -> T:
        """Run what has happened already and must be written, again and again while the disk takes nothing.

        For the daemon's own loops; a person who asks for something is refused instead.
        """
        while True:
            try:
                return await self.transact(work)
            except Unavailable as error:
                log.warning("the disk takes nothing", code=error.code, data=error.data)
                await asyncio.sleep(AGAIN_S)

    def _checkpoint_beside(self, tx: Transaction, path: Path) -> None:
        leave_log(tx)
        self._checkpoints = Checkpoints(path)

    def _committed(self) -> None:
        self._fresh.committed()
        if self._checkpoints is not None:
            self._checkpoints.committed()

    def _rolled_back(self) -> None:
        self._fresh.rolled_back()
        self.journal.forget()

    async def close(self) -> None:
        if self._checkpoints is not None:
            await asyncio.to_thread(self._checkpoints.close)
        await self._database.close()
        if self._held is not None:
            self._held.close()

    # What sync needs (sync.ports.SyncStore).
    async def acknowledged(self) -> tuple[int, int]:
        return await self.transact(outbox.acknowledged)

    async def pending(
        self, limit: int, max_bytes: int = MAX_BATCH_BYTES, after: tuple[int, int] | None = None
    ) -> Pending | None:
        return await self.transact(lambda tx: outbox.pending(tx, limit, max_bytes, after))

    async def acknowledge(self, epoch: int, seq: int, hlc: int = 0) -> None:
        def work(tx: Transaction) -> None:
            outbox.set_acknowledged(tx, epoch, seq)
            outbox.hear(tx, hlc)

        # A power cut may undo it: central is sent the same again then, and has it.
        await self._database.transact(work, lasting=False)
        self.journal.heard = max(hlc, self.journal.heard)

    async def rewind(self, epoch: int, seq: int) -> None:
        await self.transact(lambda tx: outbox.set_acknowledged(tx, epoch, seq))

    async def send_again(self, held: Mapping[int, int]) -> bool:
        return await self.transact(lambda tx: outbox.send_again(tx, held))

    async def cursor(self) -> int:
        return await self.transact(outbox.cursor)

    async def apply_page(self, page: FeedPage) -> list[str]:
        # First: whoever spends what a page brings records it later than the page.
        self.journal.heard = max(page.hlc, self.journal.heard)
        start, is_whole = 0, False
        while not is_whole:
            take = functools.partial(self._apply_some, page=page, start=start)
            start = await self._database.transact(take, lasting=False)
            is_whole = start == len(page.rows)
        self.told |= {row.kind for row in page.rows} - {MEMBER}
        return [row.member for row in page.rows if row.has_state]

    def _apply_some(self, tx: Transaction, page: FeedPage, start: int) -> int:
        """Apply rows until somebody waits, or enough; return where those begin that are left."""
        left = 1 if self._quiet < outbox.QUIET_PIECES else outbox.MOST_PIECES

        def is_enough() -> bool:
            nonlocal left
            left -= 1
            self._quiet = 0 if self._database.is_waited_for else self._quiet + 1
            return not self._quiet or not left

        return outbox.apply_page(tx, page, self.keyring.node, start, is_enough)

    async def apply_row(self, row: FeedRow) -> None:
        """Take one row that came with an answer."""
        await self.transact(lambda tx: outbox.take_rows(tx, [row], self.keyring.node))

    async def hear_hub(self, event: LedgerEvent, raw: bytes) -> None:
        """Take what the shop's hub gave this node; whoever spends of it records it later."""
        self.journal.heard = max(event.hlc, self.journal.heard)
        await self.transact(lambda tx: outbox.hear_hub(tx, event, raw, self.keyring.node))

    async def start_over(self) -> None:
        await self.transact(outbox.start_over)

    async def erased(self) -> list[str]:
        return await self.transact(outbox.erased)

    async def erasure_told(self, members: list[str]) -> None:
        await self.transact(lambda tx: outbox.erasure_told(tx, members))

    async def heard(self, hlc: int) -> None:
        if hlc > self.journal.heard:
            await self.transact(lambda tx: outbox.hear(tx, hlc))
            self.journal.heard = hlc

    async def last_seq(self, epoch: int) -> int:
        return await self.transact(lambda tx: epochs.last_seq(tx, epoch))

    async def restore(self, tail: Tail) -> None:
        def put_back(tx: Transaction) -> None:
            epochs.restore(tx, self.keyring.node, tail, self.on_restored)
            self.journal.forget()

        await self.transact(put_back)

    async def begin_epoch(self, epoch: int) -> None:
        await self.transact(lambda tx: epochs.begin(tx, max(epoch, epochs.current(tx))))
        await self.transact(self.journal.take_up)

    async def stop_spending(self) -> None:
        await self.transact(lambda tx: epochs.stop(tx, epochs.ROLLED_BACK))

    async def was_rolled_back(self) -> bool:
        return await self.transact(epochs.stopped) == epochs.ROLLED_BACK

    async def in_place(self) -> None:
        if await self.transact(epochs.stopped):
            await self.transact(lambda tx: epochs.stop(tx, ""))

    async def unsynced(self) -> int:
        return await self.transact(outbox.unsynced)

    async def heard_from_central(self) -> dt.datetime | None:
        """Return when central last told something, for the stamp 'as of' after a restart without it."""
        return await self.transact(outbox.heard_at)

    async def fact(self, name: str) -> bytes | None:
        return await self.transact(lambda tx: facts.get(tx, name))


def _check(tx: Transaction, path: Path) -> None:
    """Raise ``Corrupt`` for a damaged file now, not when the page is needed: 1 s for a million members."""
    answer = str(tx.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    if answer != "ok":
        raise Corrupt("STORE_UNREADABLE", path=str(path), why=answer)


def _recover(tx: Transaction) -> None:
    prints.recover(tx)
    drawers.recover(tx)
