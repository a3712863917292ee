"""Three database hosts and a router in a network namespace of their own, configured by ``config/ha``.

Each "host" is an address of the namespace's loopback, so ports and everything else are as documented; only
addresses, folders, secrets and ``SECONDS`` differ from what an operator fills in.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import Any

import psycopg

from tests.postgres import as_database_user, bin_folder

CONFIG = Path(__file__).resolve().parents[2] / "config" / "ha"
HOSTS = {"db1": "127.0.0.11", "db2": "127.0.0.12", "db3": "127.0.0.13"}
ROUTER = "127.0.0.1"
SECONDS = {"TTL_S": "6", "LOOP_WAIT_S": "1", "RETRY_TIMEOUT_S": "2"}
SILENCE_S = 2.0
"""A Patroni that is not held says something each second."""
PATIENCE_S = 60.0
POLL_S = 0.1
ASK_TIMEOUT_S = 1.5
ANY_LAG_BYTES = 1 << 30


class Cluster:
    """etcd, Patroni and PostgreSQL on three hosts, and HAProxy before them; run only inside the namespace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._secrets = {key: secrets.token_hex(24) for key in _site() if key.endswith("_PASSWORD")}
        self._programs: dict[str, subprocess.Popen[bytes]] = {}

    # ---- up and down -------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start everything and return when a commit would be answered: a primary with a standby in step."""
        for host in HOSTS:
            for template in ("etcd.env", "patroni.yml"):
                self._render(template, host)
            self._launch(f"etcd-{host}", ["etcd"], _variables(self.folder / host / "etcd.env"))
            self.start_patroni(host)
        self._render("haproxy.cfg", "router")
        self._launch("haproxy", ["haproxy", "-db", "-f", str(self.folder / "router" / "haproxy.cfg")])
        self.until(self.in_step, "no standby in step")

    def start_patroni(self, host: str) -> None:
        self._launch(f"patroni-{host}", ["patroni", str(self.folder / host / "patroni.yml")])

    def kill(self, host: str) -> None:
        """End a host's Patroni and PostgreSQL at once: kill -9, no goodbye to anybody."""
        patroni = self._programs.pop(f"patroni-{host}")
        postmaster = self._postmaster(host)
        # A backend that outlives its postmaster may answer once more; on a dead host none would.
        for pid in (patroni.pid, postmaster, *_children(postmaster)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        patroni.wait()

    def freeze(self, host: str) -> list[int]:
        """Stop a primary's PostgreSQL and Patroni where they are; return whom ``thaw`` has to wake.

        PostgreSQL first: Patroni has then read that it is in office, and waits for an answer before it says
        so again. Woken, it goes on from there, however long ago that was. It is the first in the list.
        """
        postmaster = self._postmaster(host)
        os.kill(postmaster, signal.SIGSTOP)
        frozen = [postmaster, *_children(postmaster)]
        for pid in frozen[1:]:
            os.kill(pid, signal.SIGSTOP)
        self._until_silent(self.folder / f"patroni-{host}.log")
        patroni = self._programs[f"patroni-{host}"].pid
        os.kill(patroni, signal.SIGSTOP)
        return [patroni, *frozen]

    def freeze_walsenders(self, host: str) -> None:
        """Stop what sends a primary's log to its standbys, and nothing else of it."""
        for pid in _children(self._postmaster(host)):
            if b"walsender" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGSTOP)

    @staticmethod
    def thaw(frozen: list[int]) -> None:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)

    # ---- what Patroni says -------------------------------------------------------------------------------
    def members(self) -> dict[str, dict[str, Any]]:
        """Return the cluster as the first host that answers sees it; empty if none does."""
        for address in HOSTS.values():
            try:
                answer = self._ask(address, "GET", "/cluster")
            except OSError:
                continue
            return {member["name"]: member for member in answer["members"]}
        return {}

    def primary(self) -> str | None:
        return next((name for name, member in self.members().items() if member["role"] == "leader"), None)

    def in_step(self) -> bool:
        return any(member["role"] == "sync_standby" for member in self.members().values())

    def follows(self, host: str) -> bool:
        """Tell whether the primary sends its log to a host; /cluster calls a dead one running for a while."""
        primary = self.primary()
        if primary in (None, host):
            return False
        query = "SELECT count(*) FROM pg_stat_replication WHERE application_name = %s AND state = 'streaming'"
        try:
            with psycopg.connect(self.url(primary)) as connection:
                return connection.execute(query, [host]).fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    def caught_up(self) -> bool:
        """Tell whether both standbys have replayed all that the primary has written."""
        query = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()"
        with psycopg.connect(self.url(self.primary())) as connection:
            return connection.execute(query).fetchone() == (len(HOSTS) - 1,)

    def holds_back(self, host: str) -> bool:
        """Tell whether a commit on a host is written there and waits for a standby."""
        query = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        with psycopg.connect(self.url(host)) as connection:
            return connection.execute(query).fetchone() == (True,)

    def give_up_synchrony(self) -> None:
        """Let commits wait for nobody and a standby that is behind be promoted; return when it is so."""
        primary = self.primary()
        assert primary is not None
        change = {
            "synchronous_mode": False,
            "synchronous_mode_strict": False,
            "maximum_lag_on_failover": ANY_LAG_BYTES,
        }
        self._ask(HOSTS[primary], "PATCH", "/config", change)
        self.until(lambda: not self._standby_names(primary), "commits still wait")

    def rewound(self, host: str) -> bool:
        """Tell whether a host had to take back what it alone had written."""
        return "pg_rewind exit code=0" in (self.folder / f"patroni-{host}.log").read_text()

    # ---- SQL ---------------------------------------------------------------------------------------------
    def url(self, host: str | None = None, database: str = "postgres") -> str:
        """Return the superuser's address at the router, or past it at one host."""
        place = f"{ROUTER}:5000" if host is None else f"{HOSTS[host]}:5432"
        password = self._secrets["SUPERUSER_PASSWORD"]
        return f"postgresql://postgres:{password}@{place}/{database}?connect_timeout=2"

    def until(self, holds: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, f"{complaint}: {self.members()}"
            time.sleep(POLL_S)

    # ---- inside ------------------------------------------------------------------------------------------
    @staticmethod
    def _until_silent(log: Path) -> None:
        size, since_s = -1, time.monotonic()
        while time.monotonic() < since_s + SILENCE_S:
            if log.stat().st_size != size:
                size, since_s = log.stat().st_size, time.monotonic()
            time.sleep(POLL_S)

    def _standby_names(self, host: str) -> str:
        with psycopg.connect(self.url(host)) as connection:
            row = connection.execute("SHOW synchronous_standby_names").fetchone()
        return "" if row is None else str(row[0])

    def _render(self, template: str, host: str) -> None:
        state = self.folder / host
        state.mkdir(exist_ok=True)
        ours = {
            "NODE": host,
            "ADDRESS": HOSTS.get(host, ROUTER),
            "NETWORK": "127.0.0.0/8",
            "ROUTER_ADDRESS": ROUTER,
            "ETCD_FOLDER": str(state / "etcd"),
            "STATE_FOLDER": str(state),
            "SOCKET_FOLDER": str(state),
            "BIN_FOLDER": str(bin_folder()),
            **{host.upper(): address for host, address in HOSTS.items()},
            **SECONDS,
            **self._secrets,
        }
        assert ours.keys() == _site().keys(), "config/ha/site.env names other values than the test fills in"
        target = state / template
        target.touch(mode=0o600)
        target.write_text(Template((CONFIG / template).read_text()).substitute(ours))
        for path in (state, target):
            os.chown(path, self.folder.stat().st_uid, self.folder.stat().st_gid)

    def _launch(self, name: str, words: list[str], variables: dict[str, str] | None = None) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._programs[name] = subprocess.Popen(
                [*as_database_user("KILL"), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder), **(variables or {})},
            )

    def _postmaster(self, host: str) -> int:
        return int((self.folder / host / "data" / "postmaster.pid").read_text().splitlines()[0])

    def _ask(self, address: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(f"http://{address}:8008{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
            login = base64.b64encode(f"patroni:{self._secrets['API_PASSWORD']}".encode())
            request.add_header("Authorization", f"Basic {login.decode()}")
        with urllib.request.urlopen(request, timeout=ASK_TIMEOUT_S) as answer:
            return json.load(answer)


def _site() -> dict[str, str]:
    return _variables(CONFIG / "site.env")


def _variables(path: Path) -> dict[str, str]:
    """Read a file of ``NAME=value`` lines."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
