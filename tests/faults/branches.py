"""Head office on the cluster, and branches that push to it: what a branch was told stays, once.

A branch is a node's chain of signed batches over HTTP; between it and the database stand the real central
process and HAProxy.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tapledger.clock import SystemClock
from tapledger.errors import Unavailable
from tapledger.store import keyring as keyrings
from tapledger.sync.client import CentralClient
from tapledger.sync.enrol import enrol
from tapledger.sync.transport import http
from tapledger.wire.codec import GENESIS, link
from tapledger_central.app import Central, open_central
from tapledger_central.store import Transaction, members
from tests.central.chains import Chain, earn, join
from tests.faults.cluster import Cluster
from tests.postgres import APP, OWNER

DATABASE = "tapledger"
COMMAND = [sys.executable, "-c", "from tapledger_central.cli import central; central()"]
BRANCHES = 4
EARNS = 4
"""Events of a batch after the one that makes its member."""
BREATH_S = 0.05
"""Between two batches of a branch: together 400 events a second, which is what 8,000 busy tills make."""
RETRY_S = 0.05
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Ack:
    """One answered batch; times are monotonic seconds at the branch."""

    sent_s: float
    acked_s: float


class Office:
    """Central as an operator would run it on the cluster (docs/central-operations.md)."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self._folder = folder / "central"
        self._cluster = cluster
        self._url = ""
        self._process: subprocess.Popen[str]
        self.address = ""

    def open(self) -> None:
        passwords = {OWNER: secrets.token_hex(24), APP: secrets.token_hex(24)}
        with psycopg.connect(self._cluster.url(), autocommit=True) as connection:
            for role, password in passwords.items():
                statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER} ENCODING 'UTF8' TEMPLATE template0")
        owner, self._url = (
            f"postgresql://{role}:{passwords[role]}@127.0.0.1:5000/{DATABASE}" for role in (OWNER, APP)
        )
        settings = {
            "data_folder": "data",
            "database_url": self._url,
            "database_owner_url": owner,
            "database_role": APP,
            "listen_port": 0,
        }
        self._folder.mkdir()
        config = self._folder / "central.toml"
        config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
        with (self._folder.parent / "central.log").open("wb") as log:
            subprocess.run([*COMMAND, "migrate", "--config", str(config)], stdout=log, stderr=log, check=True)
            words = [*COMMAND, "run", "--config", str(config), "--json"]
            self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        self.address = str(json.loads(self._process.stdout.readline())["address"])

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE_S)

    def codes(self, count: int) -> list[str]:
        """Return one-time codes for so many branches."""

        async def make() -> list[str]:
            async with self._opened() as central:
                return [await central.enrolment_code("North") for _ in range(count)]

        return asyncio.run(make())

    def credits(self, names: list[str]) -> list[int]:
        """Return how many credits each member has, when all that was filed is applied."""

        def read(tx: Transaction) -> list[int]:
            found = [members.load(tx, name) for name in names]
            return [0 if one is None else len(one.state.lots) for one in found]

        async def ask() -> list[int]:
            async with self._opened() as central, asyncio.timeout(PATIENCE_S):
                while not await central.caught_up():
                    pass
                return await central.store.transact(read)

        return asyncio.run(ask())

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Central]:
        """Open the same central as the process, without serving."""
        central = await open_central(self._folder / "data", database_url=self._url)
        try:
            yield central
        finally:
            await central.close()


class Branch:
    """One node: its chain, its line to central, and how far central has vouched for it."""

    def __init__(self, chain: Chain, client: CentralClient) -> None:
        self.chain = chain
        self.client = client
        self.members: list[str] = []
        self.acked = 0

    def record(self) -> int:
        """Add a member and its purchases to the chain; return the first new seq."""
        first = len(self.chain.raws) + 1
        member = f"{self.chain.keyring.node[:8]}-{first}"
        self.chain.add(join(member, f"card-{member}"))
        for minute in range(EARNS):
            self.chain.add(earn(member, 1, minute + 1))
        self.members.append(member)
        return first


class Branches:
    """Several branches that push one batch after the other, a failed one again, until they are stopped."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._codes = office.codes(BRANCHES)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stopping = False
        self._pushing: asyncio.Task[None]
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.branches: list[Branch] = []
        self.acks: list[Ack] = []

    @property
    def acked(self) -> int:
        """Events that central has vouched for."""
        return sum(branch.acked for branch in self.branches)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)

    def stop(self) -> None:
        """Let each have the answer to its last batch; raise what none of them should have met."""
        self._stopping = True
        self._join()

    def abandon(self) -> None:
        """Stop where they are, answered or not."""
        self._loop.call_soon_threadsafe(self._pushing.cancel)
        self._join()

    def back_after(self, moment_s: float) -> float | None:
        """Return when the first batch sent after ``moment_s`` was answered; None while there is none."""
        return min((ack.acked_s for ack in list(self.acks) if ack.sent_s > moment_s), default=None)

    def _join(self) -> None:
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def _run(self) -> None:
        self._pushing = self._loop.create_task(self._push_all())
        try:
            self._loop.run_until_complete(self._pushing)
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self._fault = error
        finally:
            self._loop.close()
            self._ready.set()

    async def _push_all(self) -> None:
        async with http() as way:
            for code in self._codes:
                keyring = keyrings.make(os.urandom(96))
                answer = await enrol(way, self._office.address, code, keyring.signing_key, "till")
                keyring = keyring.with_enrolment(answer)
                client = CentralClient(way, self._office.address, keyring, SystemClock(), os.urandom)
                self.branches.append(Branch(Chain(keyring), client))
            self._ready.set()
            await asyncio.gather(*(self._push(branch) for branch in self.branches))

    async def _push(self, branch: Branch) -> None:
        while not self._stopping:
            batch = branch.chain.batch(branch.record())
            while branch.acked < len(branch.chain.raws):
                sent_s = time.monotonic()
                try:
                    branch.acked = (await branch.client.send(batch)).ack
                except Unavailable:
                    await asyncio.sleep(RETRY_S)
                else:
                    self.acks.append(Ack(sent_s, time.monotonic()))
            await asyncio.sleep(BREATH_S)


@dataclass(frozen=True, slots=True)
class Found:
    """What one host has of a branch's chain."""

    events: int
    is_whole: bool


def found(branch: Branch, url: str) -> Found:
    """Read a branch's events where ``url`` leads and hold them against what it sent."""
    query = "SELECT seq, raw, hash FROM inbox WHERE node = %s ORDER BY seq"
    with psycopg.connect(url) as connection:
        rows = connection.execute(query, [branch.chain.keyring.node]).fetchall()
    last = GENESIS
    whole = [seq for seq, _, _ in rows] == list(range(1, len(rows) + 1))
    for (_, raw, digest), sent in zip(rows, branch.chain.raws, strict=False):
        last = link(last, sent)
        whole = whole and (bytes(raw), bytes(digest)) == (sent, last)
    return Found(len(rows), whole)
