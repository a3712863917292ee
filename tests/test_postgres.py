"""The tests' own PostgreSQL: private, quick, and gone with the session that started it."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests import postgres
from tests.postgres import APP, OWNER, Database, PostgresServer

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 30.0


def test_a_test_has_a_database_and_two_roles_of_its_own(
    postgres_server: PostgresServer, postgres_url: Database
) -> None:
    other = postgres_server.database()
    try:
        with psycopg.connect(postgres_url.owner) as owner, psycopg.connect(other.owner) as elsewhere:
            owner.execute("CREATE TABLE seen (id bigint PRIMARY KEY)")
            assert owner.execute("SELECT current_user").fetchone() == (OWNER,)
            with pytest.raises(psycopg.errors.UndefinedTable):
                elsewhere.execute("TABLE seen")
        with psycopg.connect(postgres_url.app) as app:
            assert app.execute("SELECT current_user").fetchone() == (APP,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute("CREATE TABLE mine (id bigint)")
    finally:
        postgres_server.drop(other)


@pytest.mark.parametrize("role", [OWNER, APP])
def test_neither_role_stands_above_row_level_security(postgres_url: Database, role: str) -> None:
    with psycopg.connect(postgres_url.owner) as connection:
        question = "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = %s"
        assert connection.execute(question, [role]).fetchone() == (False,)


def test_a_template_is_copied(postgres_server: PostgresServer, postgres_url: Database) -> None:
    with psycopg.connect(postgres_url.owner) as owner:
        owner.execute("CREATE TABLE seen (id bigint PRIMARY KEY)")
    copy = postgres_server.database(template=postgres_url.name)
    with psycopg.connect(copy.owner) as owner:
        assert owner.execute("SELECT count(*) FROM seen").fetchone() == (0,)
    postgres_server.drop(copy)


def test_nobody_enters_without_the_password(postgres_server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host="127.0.0.1", port=postgres_server.port, user="postgres", dbname="postgres")


def test_a_taken_port_is_given_way_and_a_kill_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        offers = [taken.getsockname()[1], postgres._free_port()]
        free = offers[1]
        monkeypatch.setattr(postgres, "_free_port", lambda: offers.pop(0))
        with PostgresServer(fsync=True) as server:
            assert (server.port, offers) == (free, [])
            database = server.database()
            with psycopg.connect(database.owner) as owner:
                assert owner.execute("SHOW fsync").fetchone() == ("on",)
                owner.execute("CREATE TABLE seen AS SELECT 7 AS id")
            server.kill()
            server.start()
            with psycopg.connect(database.owner) as owner:
                assert owner.execute("SELECT id FROM seen").fetchone() == (7,)
    assert not server.folder.exists()


def test_a_killed_session_leaves_no_server() -> None:
    """A session that cannot clean up takes its server with it."""
    program = (
        "from tests.postgres import PostgresServer\n"
        "with PostgresServer() as server: print(server.folder, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as session:
        assert session.stdout is not None
        folder = Path(session.stdout.readline().strip())
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        watched = os.pidfd_open(pid)
        session.kill()
        session.communicate(timeout=PATIENCE_S)
    try:
        ended, _, _ = select.select([watched], [], [], PATIENCE_S)
        assert ended, "the server outlived its session"
    finally:
        os.close(watched)
        shutil.rmtree(folder)
