"""The schema's version: brought up to date by alembic, with the same steps on SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tapledger.errors import Corrupt, Unavailable

FOLDER = Path(__file__).parent / "migrations"
LATEST = max(path.name[1:5] for path in (FOLDER / "versions").glob("v[0-9]*.py"))
"""The last step: files are named after theirs."""
MIGRATING = 7_400_001
"""Key of PostgreSQL's advisory lock while the schema changes."""
SQLITE_VERSION = 1000
"""``user_version`` of a file that alembic keeps: releases before it refuse to open it."""

_UNPROTECTED = sa.text(
    "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace"
    " AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'"
    " AND NOT (c.relrowsecurity AND c.relforcerowsecurity"
    " AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)) ORDER BY c.relname"
)

TENANT = "nullif(current_setting('tapledger.tenant', true), '')"
"""The tenant of the transaction; nothing where none is set, so that nobody sees anything by mistake."""


def upgrade(connection: sa.Connection, where: str, tenant: str = "") -> None:
    """Run the steps that are missing, all in the open transaction.

    ``tenant`` gets the rows of a file from before there were tenants. Raises ``Corrupt`` STORE_NEWER.
    """
    if _is_current(connection, where):
        return
    from alembic import command  # takes half a second to load
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes.update(connection=connection, tenant=tenant)
    command.upgrade(config, "head")


def check_is_current(connection: sa.Connection, where: str) -> None:
    """Raise ``Unavailable`` STORE_NOT_MIGRATED for an older schema, ``Corrupt`` for a newer one."""
    if not _is_current(connection, where):
        raise Unavailable("STORE_NOT_MIGRATED", path=where, version=version(connection), known=LATEST)


def version(connection: sa.Connection) -> str:
    """Return the last step that was done; ``0000`` before the first."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return "0000"
    return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or "0000")


def _is_current(connection: sa.Connection, where: str) -> bool:
    found = version(connection)
    if found > LATEST:
        raise Corrupt("STORE_NEWER", path=where, version=found, known=LATEST)
    return found == LATEST


def migrate_postgres(engine: sa.Engine, role: str) -> str:
    """Bring the schema up to date as its owner, and let the application's role use it; return the version.

    The role is made when there is none: without a password, so that an operator decides how it signs in.
    """
    where = engine.url.render_as_string()
    name = engine.dialect.identifier_preparer.quote_identifier(role)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        known = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role")
        if connection.execute(known, {"role": role}).first() is None:
            connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
        upgrade(connection, where)
        for table in tables(connection):
            verbs = "SELECT" if table == "alembic_version" else "SELECT, INSERT, UPDATE, DELETE"
            connection.exec_driver_sql(f"GRANT {verbs} ON {table} TO {name}")
        return version(connection)


def tables(connection: sa.Connection) -> list[str]:
    return sorted(sa.inspect(connection).get_table_names())


def unprotected(connection: sa.Connection) -> list[str]:
    """Return tables in PostgreSQL that have a tenant and do not hide its rows from others."""
    if connection.dialect.name != "postgresql":
        return []
    return [row[0] for row in connection.execute(_UNPROTECTED)]


def create(operations: Any, table: str, columns: str) -> None:
    """Make a table of tenants' rows on either engine; ``columns`` say ``BYTES`` and ``INTEGER``."""
    words = f"CREATE TABLE {table} (tenant TEXT NOT NULL,{columns})"
    if operations.get_bind().dialect.name == "postgresql":
        operations.execute(words.replace("BYTES", "BYTEA").replace("INTEGER", "BIGINT"))
        protect(operations, table)
    else:
        operations.execute(words.replace("BYTES", "BLOB") + " STRICT")


def protect(operations: Any, table: str) -> None:
    """Let each tenant see and write only its own rows of a new table, its owner included."""
    operations.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    operations.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    operations.execute(
        f"CREATE POLICY tenant ON {table} USING (tenant = {TENANT}) WITH CHECK (tenant = {TENANT})"
    )
