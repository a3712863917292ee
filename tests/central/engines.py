"""Central's two engines for tests: its own SQLite file, and a PostgreSQL database of each test's own.

A conftest takes the fixtures with ``from tests.central.engines import database_url as database_url``, ...
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tapledger_central.store import schema
from tapledger_central.store.postgres import make_engine
from tests.postgres import APP, Database, PostgresServer

SQLITE, POSTGRESQL = "sqlite", "postgresql"


@pytest.fixture(scope="session")
def central_template(postgres_server: PostgresServer) -> str:
    """Name a database with central's schema, to copy for each test."""
    database = postgres_server.database()
    migrated(database)
    return database.name


def migrated(database: Database) -> str:
    """Bring a database up to date as ``tapledger central migrate`` does; return the schema's version."""
    engine = make_engine(database.owner)
    try:
        return schema.migrate_postgres(engine, APP)
    finally:
        engine.dispose()


@pytest.fixture
def postgres_central(postgres_server: PostgresServer, central_template: str) -> Iterator[Database]:
    """Yield a migrated database of the test's own."""
    database = postgres_server.database(central_template)
    try:
        yield database
    finally:
        postgres_server.drop(database)


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return what central is given to find its rows: once for each engine."""
    if request.param == SQLITE:
        return ""
    database: Database = request.getfixturevalue("postgres_central")
    return database.app
