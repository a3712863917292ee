"""What central does when PostgreSQL says "again", goes away, or has committed on one disk only."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator
from functools import partial

import psycopg
import pytest
import sqlalchemy as sa

from tapledger.errors import Unavailable
from tapledger_central.store import Transaction, nodes, postgres
from tapledger_central.store.postgres import PostgresStore, open_postgres
from tests.postgres import SUPERUSER, Database, PostgresServer


@pytest.fixture
async def store(postgres_central: Database) -> AsyncIterator[PostgresStore]:
    opened = await open_postgres(postgres_central.app, "tenant")
    try:
        yield opened
    finally:
        await opened.close()


def add(tx: Transaction, name: str) -> None:
    nodes.add(tx, name, "North", "till", bytes(32), 0)


async def names(store: PostgresStore) -> list[str]:
    return [node.node for node in await store.transact(nodes.everyone)]


async def test_a_deadlock_is_run_again_and_both_come_through(store: PostgresStore) -> None:
    for name in "ab":
        await store.transact(partial(add, name=name))
    both_hold_one = threading.Barrier(2)
    runs: list[str] = []

    def work(tx: Transaction, order: str) -> None:
        runs.append(order)
        nodes.set_status(tx, order[0], nodes.QUARANTINED)
        if len(runs) <= 2:
            both_hold_one.wait(10)
        nodes.set_status(tx, order[1], nodes.REVOKED)

    await asyncio.gather(*(store.transact(lambda tx, order=order: work(tx, order)) for order in ("ab", "ba")))  # type: ignore[misc]
    assert len(runs) == 3, "one was rolled back and run once more"


async def test_a_connection_that_is_cut_in_the_middle_is_made_again(
    store: PostgresStore, postgres_server: PostgresServer, postgres_central: Database
) -> None:
    runs = []

    def work(tx: Transaction) -> None:
        runs.append(1)
        add(tx, "n")
        if len(runs) == 1:
            pid = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with psycopg.connect(postgres_server.url(SUPERUSER, "postgres"), autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
        tx.connection.exec_driver_sql("SELECT 1")

    await store.transact(work)
    assert (len(runs), await names(store)) == (2, ["n"])


async def test_a_commit_whose_answer_is_lost_is_not_run_again(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have happened: only the caller knows whether the same may be asked twice."""
    runs = []
    commit = sa.RootTransaction.commit

    def cut(transaction: sa.RootTransaction) -> None:
        commit(transaction)
        raise sa.exc.OperationalError("COMMIT", {}, psycopg.OperationalError("lost"))

    def work(tx: Transaction) -> None:
        runs.append(1)
        add(tx, "n")

    with monkeypatch.context() as patched:
        patched.setattr(sa.RootTransaction, "commit", cut)
        with pytest.raises(Unavailable, match="STORE_FAULT"):
            await store.transact(work)
    assert (len(runs), await names(store)) == (1, ["n"])


async def test_a_commit_that_did_not_reach_the_standby_is_not_acknowledged(
    postgres_server: PostgresServer, postgres_central: Database, store: PostgresStore
) -> None:
    """The server waits for a standby that is not there; whoever cuts that wait short gets "success"."""
    admin_url = postgres_server.url(SUPERUSER, "postgres")
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        admin.execute("SELECT pg_reload_conf()")
        try:
            numbers = itertools.count()
            begun = asyncio.create_task(store.transact(lambda tx: add(tx, f"n{next(numbers)}")))
            query = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = %s"
            async with asyncio.timeout(20):
                while not (waiting := admin.execute(query, (postgres_central.name,)).fetchone()):
                    await asyncio.sleep(0.01)
                    if begun.done():  # its connection had not heard of the new setting yet
                        begun = asyncio.create_task(store.transact(lambda tx: add(tx, f"n{next(numbers)}")))
            admin.execute("SELECT pg_cancel_backend(%s)", (waiting[0],))
            with pytest.raises(Unavailable, match="standby"):
                await begun
        finally:
            admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
            admin.execute("SELECT pg_reload_conf()")


async def test_a_server_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "REPEATED_FOR_S", 0.1)
    with pytest.raises(Unavailable, match="STORE_FAULT"):
        await open_postgres("postgresql://nobody@127.0.0.1:9/none", "tenant")
