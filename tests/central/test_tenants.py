"""Row-level security in PostgreSQL: one tenant never sees, changes or guesses another's rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tapledger.errors import Denied, Unavailable
from tapledger_central.store import nodes, open_store, schema
from tapledger_central.store.postgres import PostgresStore, make_engine, open_postgres
from tests.central.engines import migrated
from tests.postgres import SUPERUSER, Database, PostgresServer

SAMPLES = {"text": "'x'", "bigint": "1", "bytea": r"'\x01'"}
AS_TENANT = sa.text("SELECT set_config('tapledger.tenant', :tenant, true)")


@contextmanager
def engine_of(url: str) -> Iterator[sa.Engine]:
    engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def tables_of(connection: sa.Connection) -> list[str]:
    return [table for table in schema.tables(connection) if table != "alembic_version"]


def fill(connection: sa.Connection, table: str, tenant: str) -> None:
    """Insert a row with something in every column."""
    names, values = ["tenant"], [f"'{tenant}'"]
    for column in sa.inspect(connection).get_columns(table):
        if column["name"] != "tenant":
            names.append(column["name"])
            sample = SAMPLES[str(column["type"]).lower()]
            values.append("'active'" if column["name"] == "status" else sample)
    connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(values)})")


def test_for_every_table_and_verb_a_tenant_gets_none_of_anothers_rows(postgres_central: Database) -> None:
    with engine_of(postgres_central.app) as engine, engine.connect() as connection:
        run = connection.exec_driver_sql
        tables = tables_of(connection)
        assert len(tables) >= 15
        for table in tables:
            for tenant in ("a", "b"):
                connection.execute(AS_TENANT, {"tenant": tenant})
                fill(connection, table, tenant)  # the same keys twice: no tenant learns of the other's
            connection.execute(AS_TENANT, {"tenant": "a"})
            assert run(f"SELECT count(*) FROM {table} WHERE tenant = 'b'").scalar_one() == 0, table
            assert run(f"SELECT count(*) FROM {table}").scalar_one() == 1, table
            assert run(f"UPDATE {table} SET tenant = tenant WHERE tenant = 'b'").rowcount == 0, table
            assert run(f"DELETE FROM {table} WHERE tenant = 'b'").rowcount == 0, table
            with connection.begin_nested() as tried:
                with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
                    run(f"UPDATE {table} SET tenant = 'b'")
                tried.rollback()
            with connection.begin_nested() as tried:
                with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
                    fill(connection, table, "b")
                tried.rollback()
            connection.execute(AS_TENANT, {"tenant": "b"})
            assert run(f"SELECT count(*) FROM {table}").scalar_one() == 1, "b still has its own"
            connection.rollback()


def test_no_table_is_without_forced_row_level_security(postgres_central: Database) -> None:
    with engine_of(postgres_central.owner) as engine, engine.connect() as connection:
        assert schema.unprotected(connection) == []
        for bad in ("", "ALTER TABLE bad ENABLE ROW LEVEL SECURITY"):
            connection.exec_driver_sql("CREATE TABLE bad (tenant TEXT)")
            connection.exec_driver_sql(bad or "SELECT 1")
            assert schema.unprotected(connection) == ["bad"], "enabled is not forced: its owner would see all"
            connection.rollback()


def test_pitfall_1_the_owner_is_bound_too(postgres_central: Database) -> None:
    with engine_of(postgres_central.owner) as engine, engine.connect() as connection:
        connection.execute(AS_TENANT, {"tenant": "a"})
        fill(connection, "node", "a")
        connection.execute(AS_TENANT, {"tenant": "b"})
        assert connection.exec_driver_sql("SELECT count(*) FROM node").scalar_one() == 0
        connection.rollback()


def test_pitfall_2_there_is_no_view_that_reads_with_its_owners_eyes(postgres_central: Database) -> None:
    with engine_of(postgres_central.owner) as engine, engine.connect() as connection:
        assert sa.inspect(connection).get_view_names() == []


async def test_pitfall_4_a_connection_that_is_used_again_knows_no_tenant(postgres_central: Database) -> None:
    store = await open_postgres(postgres_central.app, "a", connections=1)
    try:
        await store.transact(lambda tx: nodes.add(tx, "n", "North", "till", bytes(32), 0))
        with store._engine.connect() as connection:
            kept = connection.exec_driver_sql("SELECT current_setting('tapledger.tenant', true)").scalar_one()
            assert kept in (None, "")
            # Pitfalls 3 and 5: what is left is '', and that is nobody: no error, no row.
            assert connection.exec_driver_sql("SELECT count(*) FROM node").scalar_one() == 0
        other = PostgresStore(store._engine, "b", 1)
        assert await other.transact(lambda tx: nodes.find(tx, "n")) is None
        await other.transact(lambda tx: nodes.add(tx, "n", "South", "till", bytes(32), 0))
        other._threads.shutdown()
        found = await store.transact(lambda tx: nodes.find(tx, "n"))
        assert found is not None and found.shop == "North"
    finally:
        await store.close()


async def test_a_role_that_sees_everybody_is_refused(
    postgres_server: PostgresServer, postgres_central: Database, tmp_path: Path
) -> None:
    for url in (postgres_central.owner, postgres_server.url(SUPERUSER, postgres_central.name)):
        with pytest.raises(Denied, match="DATABASE_ROLE_UNSAFE"):
            await open_store(tmp_path, "a", url)


async def test_an_older_schema_asks_to_be_migrated(postgres_url: Database, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="STORE_NOT_MIGRATED"):
        await open_store(tmp_path, "a", postgres_url.app)
    assert migrated(postgres_url) == migrated(postgres_url) == schema.LATEST
    store = await open_store(tmp_path, "a", postgres_url.app)
    await store.close()
