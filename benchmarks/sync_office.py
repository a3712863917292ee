"""A central to measure: PostgreSQL with every commit on the disk, and the shipped process on top of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger.clock import SystemClock
from tapledger.store import keyring as keyrings
from tapledger.store.keyring import Keyring
from tapledger.wire.signing import node_id
from tapledger_central.app import open_central
from tapledger_central.keys import CentralKeys, load_or_make
from tapledger_central.store import Transaction, nodes, schema
from tapledger_central.store.postgres import make_engine
from tests.postgres import APP, Database, PostgresServer

START_S, STOP_S = 30.0, 10.0
COMMAND = ("-c", "from tapledger_central.cli import central; central()")


@dataclass(frozen=True, slots=True)
class Office:
    """A running central, and its process; ``database_pid`` is the one that all of PostgreSQL's come from."""

    address: str
    keys: CentralKeys
    database: Database
    folder: Path
    pid: int
    database_pid: int

    async def enrol(self, keys: Sequence[Ed25519PrivateKey]) -> list[Keyring]:
        """Let central know nodes, past the codes that a technician would type; return their keyrings."""
        made = [self._keyring(key) for key in keys]
        central = await open_central(self.folder / "data", database_url=self.database.app)
        now_ms = int(SystemClock().now().timestamp() * 1000)
        try:
            await central.store.transact(lambda tx: _add(tx, keys, now_ms))
        finally:
            await central.close()
        return made

    def _keyring(self, key: Ed25519PrivateKey) -> Keyring:
        seed = key.private_bytes_raw()
        fresh = keyrings.make(seed + bytes(keyrings.RANDOMNESS - len(seed)))
        assert fresh.node == node_id(key.public_key().public_bytes_raw())
        return Keyring(
            node=fresh.node,
            private_key=seed,
            index_key=self.keys.index_key,
            profile_key=self.keys.profile_key,
            tenant=self.keys.tenant,
            central_public_key=self.keys.public_key,
            token_keys=self.keys.token_keys,
        )

    def memory_kib(self) -> int:
        """Return what the process has in memory now."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def cpu_s(self) -> float:
        """Return the CPU time that the process has used."""
        return cpu_s(self.pid)

    def database_cpu_s(self) -> float:
        """Return the CPU time that the database's processes have used, those that ended included."""
        children = Path(f"/proc/{self.database_pid}/task/{self.database_pid}/children").read_text().split()
        return cpu_s(self.database_pid, ended=True) + sum(cpu_s(int(pid)) for pid in children)


def cpu_s(pid: int, *, ended: bool = False) -> float:
    """Return the CPU time of a process; with ``ended``, that of its children that are gone as well."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11 : 15 if ended else 13])) / os.sysconf("SC_CLK_TCK")


def _add(tx: Transaction, keys: Sequence[Ed25519PrivateKey], now_ms: int) -> None:
    for key in keys:
        public = key.public_key().public_bytes_raw()
        node = node_id(public)
        nodes.add(tx, node, node, node, public, now_ms)


def _pid_of(server: PostgresServer) -> int:
    return int((server.folder / "data" / "postmaster.pid").read_text().split()[0])


def _prepare(folder: Path, database: Database) -> Path:
    """Make the schema and central's settings; return where these are."""
    engine = make_engine(database.owner)
    try:
        schema.migrate_postgres(engine, APP)
    finally:
        engine.dispose()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "central.toml"
    config.write_text(f'data_folder = "data"\nlisten_port = 0\ndatabase_url = {json.dumps(database.app)}\n')
    return config


@asynccontextmanager
async def opened(server: PostgresServer, folder: Path) -> AsyncIterator[Office]:
    """Run a central of its own on a new database; both are gone afterwards."""
    database = server.database()
    config = _prepare(folder, database)
    keys = load_or_make(folder / "data", os.urandom)
    with (folder / "central.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", sys.executable, *COMMAND),
            *("run", "--config", str(config), "--json"),
            stdout=PIPE,
            stderr=log,
        )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"central did not start: {(folder / 'central.log').read_text()[-1000:]}")
        yield Office(str(json.loads(line)["address"]), keys, database, folder, process.pid, _pid_of(server))
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        server.drop(database)
