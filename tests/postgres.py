"""A PostgreSQL that belongs to the tests: its own folder, port and passwords, gone when the session is.

The fixtures are registered once, in ``tests/conftest.py``; nothing is started until a test asks for one.
A test that kills its server or needs the disk to be meant seriously makes a ``PostgresServer(fsync=True)``.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psycopg
import pytest
from psycopg import sql

MAJOR_MIN = 15
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
STARTS_MAX = 20
CONNECTIONS_MAX = 100
POLL_S = 0.02

SUPERUSER = "postgres"
OWNER = "tapledger_owner"
APP = "tapledger_app"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": str(CONNECTIONS_MAX),
    "shared_buffers": "64MB",
    "timezone": "UTC",
}
GIVE_WAY = ("could not bind", "is still in use")
"""What the log says while another program has the port, or while the killed server's backends still end."""
NOT_SYNCED = {"fsync": "off", "full_page_writes": "off"}


class PostgresMissing(Exception):
    """No PostgreSQL of a version that we promise to run on is installed."""


class PostgresDied(Exception):
    """The server ended before it was ready; the message is the end of its log."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of one test, as its two roles reach it: ``postgresql://`` addresses with passwords."""

    name: str
    owner: str
    app: str


def bin_folder() -> Path:
    """Return the folder of the newest installed PostgreSQL's programs, ``initdb`` among them."""
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    found.sort(key=lambda path: int(path.parent.name), reverse=True)
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        found.append(Path(answer.stdout.strip()))
    for folder in found:
        if (folder / "initdb").exists() and _major(folder) >= MAJOR_MIN:
            return folder
    raise PostgresMissing(f"no PostgreSQL >= {MAJOR_MIN}: apt-get install postgresql")


def _major(folder: Path) -> int:
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    return int(answer.stdout.split()[2].split(".")[0])


def as_database_user(at_parents_death: str = "QUIT") -> list[str]:
    """Return the words before a command that must not be root's, and that must not outlive its parent."""
    words = ["setpriv", "--pdeathsig", at_parents_death]
    if os.geteuid() == 0:
        words += [f"--reuid={SUPERUSER}", f"--regid={SUPERUSER}", "--clear-groups"]
    return words


def own_folder(prefix: str) -> Path:
    """Make an empty folder that the user of ``as_database_user`` owns and can reach."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if os.geteuid() == 0:
        entry = pwd.getpwnam(SUPERUSER)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    return folder


class PostgresServer:
    """One server of our own; a context manager that leaves nothing behind.

    ``fsync`` off is quick and survives a kill of the processes; a test that takes the disk away needs it on.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        self._settings = SETTINGS if fsync else SETTINGS | NOT_SYNCED
        self._programs = bin_folder()
        self._passwords = {role: secrets.token_urlsafe(18) for role in (SUPERUSER, OWNER, APP)}
        self._databases = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = own_folder("tapledger-postgres-")
        self.port = 0

    def __enter__(self) -> PostgresServer:
        try:
            self._initialize()
            self.start()
            for role in (OWNER, APP):
                self._execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                        sql.Identifier(role), sql.Literal(self._passwords[role])
                    )
                )
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the server and wait until it answers; a start after a kill keeps its port."""
        chosen = self.port
        for _ in range(STARTS_MAX):
            self.port = chosen or _free_port()
            if self._answers():
                return
        raise PostgresDied(f"no start in {STARTS_MAX} tries")

    def stop(self) -> None:
        """Stop the server as an operator would: connections are cut, the last checkpoint is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server without a warning."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Stop the server and remove all that it had."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self, template: str = "template1") -> Database:
        """Make a database that the owner's role owns: a copy of ``template``, which nobody may be using."""
        self._databases += 1
        name = f"test_{self._databases}"
        self._execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
            )
        )
        return Database(name, self.url(OWNER, name), self.url(APP, name))

    def drop(self, database: Database) -> None:
        """Remove a database, whoever is still connected."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database.name)))

    def url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self._passwords[role]}@127.0.0.1:{self.port}/{database}"

    def _initialize(self) -> None:
        passwords = self.folder / "password"
        passwords.touch(mode=0o600)
        passwords.write_text(self._passwords[SUPERUSER])
        shutil.chown(passwords, self.folder.owner(), self.folder.group())
        command = [*as_database_user(), f"{self._programs}/initdb", "-D", "data", "-U", SUPERUSER]
        options = ["-A", "scram-sha-256", "--pwfile=password", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        answer = subprocess.run(
            [*command, *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
        )
        passwords.unlink()
        if answer.returncode != 0:
            raise PostgresDied(answer.stderr)

    def _answers(self) -> bool:
        """Start on ``port`` and wait for an answer; return False where another try may do better."""
        options = [word for key, value in self._settings.items() for word in ("-c", f"{key}={value}")]
        command = [*as_database_user(), f"{self._programs}/postgres", "-D", "data", "-p", str(self.port)]
        log = self.folder / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._is_ready():
                return True
            time.sleep(POLL_S)
        self._end(signal.SIGKILL)
        said = log.read_text(errors="replace")
        if any(sentence in said for sentence in GIVE_WAY):
            return False
        raise PostgresDied(said)

    def _is_ready(self) -> bool:
        """Read what pg_ctl reads: the server's own word in its lock file."""
        try:
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        assert self._process is not None
        return lines[:1] == [str(self._process.pid)] and lines[7:] != [] and lines[7].strip() == "ready"

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Yield the session's server; without PostgreSQL it is skipped, but never with CI=true."""
    try:
        server = PostgresServer()
    except PostgresMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[Database]:
    """Yield a fresh database of the test's own."""
    database = postgres_server.database()
    try:
        yield database
    finally:
        postgres_server.drop(database)
