"""Central's rows in PostgreSQL: row-level security per tenant, a few connections, each used by one thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
import stamina
from psycopg import sql
from psycopg.types.array import ListBinaryDumper

from tapledger.errors import Corrupt, Denied, Invalid, Unavailable
from tapledger_central.store import schema
from tapledger_central.store.transaction import Transaction

T = TypeVar("T")

CONNECTIONS = 4
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 20_000
LOCK_TIMEOUT_MS = 10_000
IDLE_TIMEOUT_MS = 60_000
TCP_TIMEOUT_MS = 10_000
"""How long a server that does not answer any more is waited for."""
ATTEMPTS = 6
REPEATED_FOR_S = 10.0
ROLLED_BACK = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: PostgreSQL has rolled back, and asks to do it again."""
NOT_NOW = ("57P", "08", "25006", "53300")
"""How the codes of a server begin that is going, coming, not the primary any more, or full."""
WARNING = "01000"
"""Of a commit: its wait for the standby was cut short, so a failover may lose it."""

AS_ONE_TEXT = {"no_parameters": True}
_BEGIN = sql.SQL("BEGIN; SELECT set_config('tapledger.tenant', {}, true)")
"""The tenant until the transaction ends; both in one way to the server and back."""
_ROLE = sa.text(
    "SELECT rolsuper OR rolbypassrls OR EXISTS"
    " (SELECT FROM pg_tables WHERE schemaname = current_schema() AND tableowner = current_user)"
    " FROM pg_roles WHERE rolname = current_user"
)


class BinaryCursor(psycopg.Cursor[Any]):
    """Answers come as they are: as text, a byte of an event or a state is two characters on the way."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> BinaryCursor:
        # Several statements in one text are only understood by the protocol that answers in text.
        return super().execute(query, params, binary=params is not None, **options)


class _Again(Exception):
    """The transaction was surely not committed: the same work may succeed now."""


class PostgresStore:
    """One tenant in a PostgreSQL that other tenants and other centrals may share. Use ``open_postgres``."""

    def __init__(self, engine: sa.Engine, tenant: str, connections: int) -> None:
        self._engine = engine
        sa.event.listen(engine.pool, "connect", _for_rows)
        self._threads = ThreadPoolExecutor(connections, "central-store")
        self._begin = _BEGIN.format(sql.Literal(tenant)).as_string()
        self.tenant = tenant

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.transact_now, work)

    def transact_now(self, work: Callable[[Transaction], T]) -> T:
        """``transact`` for callers that have no loop."""
        try:
            for attempt in stamina.retry_context(
                on=_Again, attempts=ATTEMPTS, timeout=REPEATED_FOR_S, wait_initial=0.02, wait_max=1.0
            ):
                with attempt:
                    return self._once(work)
        except _Again as error:
            raise Unavailable("STORE_FAULT", why=str(error)) from error.__cause__
        raise AssertionError("stamina neither returned nor raised")

    def _once(self, work: Callable[[Transaction], T]) -> T:
        with _translated(), self._engine.connect() as connection, connection.begin() as transaction:
            said: list[str] = connection.info["said"]
            connection.exec_driver_sql(self._begin, execution_options=AS_ONE_TEXT)
            result = work(Transaction(connection, self.tenant))
            said.clear()
            _commit(transaction)
            if WARNING in said:
                connection.invalidate()
                raise Unavailable("STORE_FAULT", why="committed here, but perhaps not on the standby")
            return result

    async def close(self) -> None:
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._threads.shutdown(wait=True)  # a transaction under way ends and gives its connection back
        self._engine.dispose()


def _commit(transaction: sa.RootTransaction) -> None:
    """Commit; one whose answer got lost may have happened, so it is not repeated but told to the caller."""
    try:
        transaction.commit()
    except sa.exc.DBAPIError as error:
        if _code(error) in ROLLED_BACK:
            raise
        raise Unavailable("STORE_FAULT", why="the answer to a commit got lost") from error


async def open_postgres(url: str, tenant: str, connections: int = CONNECTIONS) -> PostgresStore:
    """Connect as the role of the application, which must not be able to see other tenants.

    Raises ``Unavailable`` STORE_NOT_MIGRATED until ``tapledger central migrate`` has run, ``Corrupt``
    STORE_NEWER for a schema of a later release, and ``Denied`` DATABASE_ROLE_UNSAFE for a role that
    row-level security does not bind.
    """
    engine = make_engine(url, connections)
    store = PostgresStore(engine, tenant, connections)
    try:
        await store.transact(lambda tx: _check(tx, engine.url.render_as_string()))
    except BaseException:
        await store.close()
        raise
    return store


def _check(tx: Transaction, where: str) -> None:
    schema.check_is_current(tx.connection, where)
    if tx.connection.execute(_ROLE).scalar_one():
        raise Denied("DATABASE_ROLE_UNSAFE", role=str(tx.connection.engine.url.username))


def migrate_to_latest(owner_url: str, role: str) -> str:
    """Bring the schema up to date as its owner and return its version (``schema.migrate_postgres``)."""
    engine = make_engine(owner_url)
    try:
        with _translated():
            return schema.migrate_postgres(engine, role)
    except _Again as error:
        raise Unavailable("STORE_FAULT", why=str(error)) from error.__cause__
    finally:
        engine.dispose()


def make_engine(url: str, connections: int = 1) -> sa.Engine:
    """Return an engine for a ``postgresql://`` address; nothing is connected yet."""
    try:
        address = sa.make_url(url).set(drivername="postgresql+psycopg")
    except sa.exc.ArgumentError as error:
        raise Invalid("SETTINGS_INVALID", path="", where="database_url", why="no database address") from error
    timeouts = {
        "statement_timeout": STATEMENT_TIMEOUT_MS,
        "lock_timeout": LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT_MS,
    }
    engine = sa.create_engine(
        address,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,  # a traceback in a log must not show what rows hold
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "tcp_user_timeout": TCP_TIMEOUT_MS,
            "options": " ".join(f"-c {name}={value}" for name, value in timeouts.items()),
        },
    )
    sa.event.listen(engine.pool, "connect", _on_connect)
    return engine


def _on_connect(connection: Any, record: Any) -> None:
    # As text, each byte of a column of events is several characters to write and to read.
    connection.adapters.register_dumper(list, ListBinaryDumper)
    said: list[str] = record.info.setdefault("said", [])
    said.clear()
    connection.add_notice_handler(lambda notice: said.append(notice.sqlstate or ""))


def _for_rows(connection: Any, record: Any) -> None:
    # The driver would say BEGIN alone, and wait for the answer, before the first statement.
    connection.autocommit = True
    connection.cursor_factory = BinaryCursor


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what goes wrong inside in the product's words, or ``_Again`` when it is worth another try."""
    try:
        yield
    except sa.exc.IntegrityError:
        raise  # a broken constraint is a mistake of the caller, not of the disk
    except sa.exc.DataError as error:
        raise Invalid("TEXT_IMPOSSIBLE") from error
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        code, why = _code(error), _why(error)
        if code.startswith("XX"):
            raise Corrupt("STORE_UNREADABLE", path="postgresql", why=why) from error
        is_lost = isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
        if is_lost or code in ROLLED_BACK or code.startswith(NOT_NOW) or not code:
            raise _Again(why) from error
        raise Unavailable("STORE_FAULT", why=why) from error


def _code(error: Exception) -> str:
    """Return the SQLSTATE; empty when the server said nothing, for it could not be reached."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _why(error: Exception) -> str:
    lines = str(getattr(error, "orig", error)).splitlines()
    return lines[0] if lines else type(error).__name__
