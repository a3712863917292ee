"""SQLite as shop and central use it: one file, one connection, one writer, durable commits.

SQLite comes with sqlcipher3 (>= 3.53), not with Python: Debian 12's 3.40 can corrupt a WAL on reset
(docs/decisions/0003). Only ``store`` rooms import this module.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

import sqlalchemy as sa
import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy.pool import StaticPool

from tapledger.errors import Corrupt, Invalid, TapledgerError, Unavailable

T = TypeVar("T")

Transaction: TypeAlias = sa.Connection
"""An open transaction; rooms above ``store`` pass it on and never look inside."""

BUSY_TIMEOUT_MS = 5000
PRAGMAS: tuple[str, ...] = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    "cache_size=-16384",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
)
"""How every connection is set. A million members' rows lie all over the file, so there is more cache than
SQLite's own 2 MB."""
READING, WRITING = "BEGIN", "BEGIN IMMEDIATE"
NO_ROOM_BYTES = 1 << 20
"""With less than this free, a fault of the disk is told as a full disk: that can be helped."""
INSERTED_AT_ONCE = (64, 16, 4, 1)
"""Few sizes, so that the texts of ``insert`` are few and stay prepared."""
FULL, FAULT = "STORE_FULL", "STORE_FAULT"

# Of ``bytes`` alone, of all that is written down as it is, the driver looks each time for a way to adapt it,
# by two exceptions when there is none (docs/decisions/0023). Copying costs less.
sqlcipher.register_adapter(bytes, bytearray)


def first(tx: Transaction, query: str, *values: object) -> tuple[Any, ...] | None:
    """Return the first row of a query; None when there is none.

    Asked past SQLAlchemy, whose result object costs four times what the query does, for what every sale asks.
    """
    row: tuple[Any, ...] | None = _driver(tx).execute(query, values).fetchone()
    return row


def every(tx: Transaction, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Return all rows of a query; asked like ``first``."""
    rows: list[tuple[Any, ...]] = _driver(tx).execute(query, values).fetchall()
    return rows


def repeat(tx: Transaction, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Run a statement once for each row of values; asked like ``first``."""
    _driver(tx).executemany(statement, rows)


def insert(tx: Transaction, into: str, rows: Sequence[tuple[object, ...]], otherwise: str = "") -> None:
    """Insert rows by few statements; ``otherwise`` is what to do about those that are there.

    Each run of a statement lets go of the interpreter's lock and may have to wait for it: by ``repeat``, a
    page of members would do so hundreds of times.
    """
    if not rows:
        return
    marks = f"({', '.join('?' * len(rows[0]))})"
    execute, start = _driver(tx).execute, 0
    while start < len(rows):
        count = next(size for size in INSERTED_AT_ONCE if size <= len(rows) - start)
        values = itertools.chain.from_iterable(rows[start : start + count])
        execute(f"INSERT INTO {into} VALUES {', '.join([marks] * count)} {otherwise}", tuple(values))  # noqa: S608 - question marks only
        start += count


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


class Executor(Protocol):
    """Where the blocking work of a store runs; always one piece of work at a time, in order."""

    async def run(self, work: Callable[[], T]) -> T: ...

    def close(self) -> None: ...


class ThreadExecutor:
    """One thread of its own: the event loop never waits for the disk."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        self._pool.shutdown(wait=True)


class InlineExecutor:
    """No thread: work runs where it is called, so a simulation decides every interleaving."""

    async def run(self, work: Callable[[], T]) -> T:
        return work()

    def close(self) -> None:
        return None


class Database:
    """One SQLite file with one connection. ``transact`` is the only way in."""

    def __init__(self, engine: sa.Engine, begin: str, executor: Executor) -> None:
        self._engine = engine
        self._connection = engine.connect()
        self._begin = begin
        self._executor = executor
        self.on_rollback: Callable[[], None] = lambda: None
        """Called on the store's own thread after a transaction that did not commit."""
        self.make_room: Callable[[], bool] = lambda: False
        """Called there when the disk is full (``open``)."""
        self.on_commit: Callable[[], None] = lambda: None
        """Called there after each transaction that ended well."""
        self._asked = 0
        """Pieces of work that are not done; only the thread that asks counts."""

    @classmethod
    def open(
        cls,
        path: Path,
        migrations: Sequence[tuple[int, str]],
        executor: Executor,
        *,
        read_only: bool = False,
        make_room: Callable[[], bool] = lambda: False,
    ) -> Database:
        """Open or make the file and bring its schema up to date.

        Raises ``Corrupt`` when it is damaged, ``Unavailable`` for a fault of the disk. ``read_only`` makes
        and changes nothing and never keeps a running daemon waiting: each transaction is a snapshot.
        ``make_room`` is called when the disk is full and says whether it made room; then the same is tried
        once more, here and in ``transact``.
        """

        def prepare(connection: sa.Connection) -> None:
            _migrate(connection, path, migrations, read_only)

        return cls.prepared(path, prepare, executor, read_only=read_only, make_room=make_room)

    @classmethod
    def prepared(
        cls,
        path: Path,
        prepare: Callable[[sa.Connection], None],
        executor: Executor,
        *,
        read_only: bool = False,
        make_room: Callable[[], bool] = lambda: False,
    ) -> Database:
        """``open`` for a store with migrations of its own: ``prepare`` runs them in the first transaction."""
        if read_only and not path.is_file():
            raise Corrupt("STORE_UNREADABLE", path=str(path), why="there is no such file")
        try:
            engine = _open(path, prepare, read_only)
        except Unavailable as error:
            if error.code != FULL or not make_room():
                raise
            engine = _open(path, prepare, read_only)
        database = cls(engine, READING if read_only else WRITING, executor)
        database.make_room = make_room
        return database

    async def transact(self, work: Callable[[Transaction], T], *, lasting: bool = True) -> T:
        """Run ``work`` in one transaction and return what it returns, after the commit is on disk.

        Any exception rolls everything back and is raised here. Storage faults become ``Unavailable``, damage
        becomes ``Corrupt``. Without ``lasting`` nothing waits for the disk: a power cut may undo this commit,
        wholly, until the next that is lasting, and never one that is. For what can be had again.
        """
        self._asked += 1
        try:
            return await self._executor.run(lambda: self.transact_now(work, lasting=lasting))
        finally:
            self._asked -= 1

    @property
    def is_waited_for(self) -> bool:
        """Tell the work that is under way whether other work waits for its end."""
        return self._asked > 1

    def transact_now(self, work: Callable[[Transaction], T], *, lasting: bool = True) -> T:
        """``transact`` for callers that already are on the store's thread, or have no loop (CLI)."""
        try:
            if lasting:
                return self._transact(work)
            with self._hurried():
                return self._transact(work)
        except Unavailable as error:
            self.on_rollback()
            if error.code != FULL or not self.make_room():
                raise
        except BaseException:
            self.on_rollback()
            raise
        return self.transact_now(work, lasting=lasting)  # there is no room to be made a second time

    @contextmanager
    def _hurried(self) -> Iterator[None]:
        """Let commits not wait for the disk; the log stays in order, so the next lasting one keeps them."""
        execute = _driver(self._connection).execute
        with self.translated():
            (before,) = execute("PRAGMA synchronous").fetchone()
            execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            with self.translated():
                execute(f"PRAGMA synchronous={before}")

    def _transact(self, work: Callable[[Transaction], T]) -> T:
        with self.translated(), self._connection.begin() as transaction:
            _driver(self._connection).execute(self._begin)
            result = work(self._connection)
            if self._begin == READING:
                transaction.rollback()  # a commit would fail once more for a damaged page it met
        self.on_commit()
        return result

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise what goes wrong inside in the product's words."""
        try:
            yield
        except UnicodeEncodeError as error:  # half a character: JSON can say it, no file can hold it
            raise Invalid("TEXT_IMPOSSIBLE") from error
        except OverflowError as error:
            raise Invalid("AMOUNT_TOO_LARGE") from error
        except sa.exc.IntegrityError:
            raise  # a broken constraint is a mistake of the caller, not of the disk
        except (sa.exc.DatabaseError, sqlcipher.DatabaseError) as error:
            raise _fault(error, Path(str(self._engine.url.database))) from error

    async def close(self) -> None:
        await self._executor.run(self._dispose)
        self._executor.close()

    def _dispose(self) -> None:
        self._connection.close()
        self._engine.dispose()


def copy(tx: Transaction, path: Path, statement: str = "", *values: object) -> None:
    """Write all that a transaction sees into a file that is whole by itself; nobody waits for it meanwhile.

    ``statement`` is run in the copy.
    """
    target = sqlcipher.connect(str(path), isolation_level=None)
    try:
        _driver(tx).backup(target)
        target.execute("PRAGMA journal_mode=DELETE").fetchall()
        target.execute(statement, values)
    finally:
        target.close()


def look_into(path: Path, work: Callable[[Transaction], T]) -> T:
    """Return what ``work`` finds in a file that nobody writes; not a byte of it or beside it is changed.

    Raises ``Corrupt`` for what is no database or a damaged one.
    """
    place = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    engine = sa.create_engine(
        "sqlite://",
        module=sqlcipher,
        poolclass=StaticPool,
        hide_parameters=True,
        creator=lambda: sqlcipher.connect(place, uri=True, isolation_level=None, check_same_thread=False),
    )
    try:
        with engine.connect() as connection:
            return work(connection)
    except sa.exc.DatabaseError as error:
        raise Corrupt("STORE_UNREADABLE", path=str(path), why=str(error.orig)) from error
    finally:
        engine.dispose()


def _open(path: Path, prepare: Callable[[sa.Connection], None], read_only: bool) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}",
        module=sqlcipher,
        poolclass=StaticPool,
        hide_parameters=True,  # a traceback in a log must not show what rows hold
        connect_args={"check_same_thread": False},
    )
    # On the pool: a listener on the engine would make each statement look for more of them.
    sa.event.listen(engine.pool, "connect", _on_connect)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with engine.begin() as connection:
            connection.exec_driver_sql(READING if read_only else WRITING)
            prepare(connection)
            if read_only:
                connection.exec_driver_sql("PRAGMA query_only = ON")
        if not read_only:
            path.chmod(0o600)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, sa.exc.DatabaseError):
            raise _fault(error, path, opening=True) from error
        if isinstance(error, OSError):
            raise Unavailable(FAULT, why=str(error.strerror)) from error
        raise
    return engine


def _fault(error: Exception, path: Path, *, opening: bool = False) -> TapledgerError:
    """Name what SQLite says for what the caller must do: try again, make room, or call somebody.

    A statement that cannot be run ("no such table") is a mistake of ours, but damage in a file just opened.
    """
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", "")
    if not isinstance(cause, sqlcipher.OperationalError) or (opening and name == "SQLITE_ERROR"):
        return Corrupt("STORE_UNREADABLE", path=str(path), why=str(cause))
    # What cannot be made, or mapped into memory, for want of room has other names.
    if name == "SQLITE_FULL" or (name in {"SQLITE_IOERR", "SQLITE_CANTOPEN"} and _is_full(path.parent)):
        return Unavailable("STORE_FULL", path=str(path.parent))
    return Unavailable(FAULT, why=str(cause))


def _is_full(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < NO_ROOM_BYTES


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, so that reads and writes share one transaction
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").fetchall()


def read_migrations(folder: Traversable) -> list[tuple[int, str]]:
    """Return (number, SQL) of ``NNNN_what.sql`` files in order; they must count from 1 without a gap."""
    found = sorted(
        (int(match[1]), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if (match := re.fullmatch(r"(\d{4})_\w+\.sql", entry.name))
    )
    if [number for number, _ in found] != list(range(1, len(found) + 1)):
        raise AssertionError(f"migrations must count 1, 2, 3 …: {[number for number, _ in found]}")
    return found


def _migrate(
    connection: sa.Connection, path: Path, migrations: Sequence[tuple[int, str]], read_only: bool
) -> None:
    """Bring the schema up to date, all steps in one transaction; ``user_version`` counts the steps."""
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > len(migrations):
        raise Corrupt("STORE_NEWER", path=str(path), version=version, known=len(migrations))
    if read_only and version < len(migrations):
        raise Unavailable("STORE_OLDER", path=str(path), version=version, known=len(migrations))
    for number, script in migrations:
        if number > version:
            for statement in script.split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
            connection.exec_driver_sql(f"PRAGMA user_version = {number}")
