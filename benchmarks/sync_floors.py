"""What sync is held against: bare inserts, a bare answer over HTTP, a bare commit; in the same run."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import sqlcipher3.dbapi2 as sqlcipher
from aiohttp import web
from psycopg.types.array import ListBinaryDumper

from benchmarks.sync_workload import Chain
from tapledger.database import PRAGMAS
from tapledger.wire.codec import GENESIS, decode_event, link

CONNECTIONS = 3
"""Senders at a time, of bare rows as of batches. On two cores, with two a little less is taken in all; with
four a little more, and each batch waits for one more."""
ECHO_BYTES = 16 * 1024

Columns = tuple[str, list[Any]]
"""A node and the columns of one batch of its events."""

_TABLE = "CREATE TABLE floor_inbox (LIKE inbox INCLUDING ALL)"
_INSERT = (
    "INSERT INTO floor_inbox SELECT %s, %s, 1, e.seq, e.hash, e.hlc, e.member, e.verdict, %s, e.raw"
    " FROM unnest(CAST(%s AS bigint[]), CAST(%s AS bytea[]), CAST(%s AS bigint[]), CAST(%s AS text[]),"
    " CAST(%s AS text[]), CAST(%s AS bytea[])) AS e (seq, hash, hlc, member, verdict, raw)"
)


@dataclass(frozen=True, slots=True)
class Inserted:
    """Bare inserts: how many rows in how long, how long each batch took until it was durable, and the CPU
    time of who inserted and of the database."""

    rows: int
    elapsed_s: float
    batch_ms: list[float]
    cpu_s: float

    @property
    def per_s(self) -> float:
        return self.rows / self.elapsed_s

    @property
    def per_cpu_s(self) -> float:
        return self.rows / self.cpu_s


def columns(chain: Chain, size: int) -> list[Columns]:
    """Return a chain's batches as central would file them."""
    found: list[Columns] = []
    head = GENESIS
    for start in range(0, len(chain.raws), size):
        rows = []
        for place, raw in enumerate(chain.raws[start : start + size], start + 1):
            head = link(head, raw)
            event = decode_event(raw)
            rows.append((place, head, event.hlc, event.body.member, "", raw))
        found.append((chain.node, [list(column) for column in zip(*rows, strict=True)]))
    return found


def insert(url: str, chains: Sequence[list[Columns]], database_cpu_s: Callable[[], float]) -> Inserted:
    """Insert all batches, each in a durable transaction, into a twin of central's inbox; then drop it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLE)
    times: list[float] = []
    ready = threading.Barrier(CONNECTIONS + 1)
    threads = [
        threading.Thread(target=_insert, args=(url, chains[number::CONNECTIONS], ready, times))
        for number in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    ready.wait()
    began_s, cpu_s = time.perf_counter(), time.process_time() + database_cpu_s()
    for thread in threads:
        thread.join()
    elapsed_s = time.perf_counter() - began_s
    cpu_s = time.process_time() + database_cpu_s() - cpu_s
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT count(*) FROM floor_inbox").fetchone()
        connection.execute("DROP TABLE floor_inbox")
    assert row is not None
    return Inserted(row[0], elapsed_s, times, cpu_s)


def _insert(url: str, chains: Sequence[list[Columns]], ready: threading.Barrier, times: list[float]) -> None:
    with psycopg.connect(url) as connection:
        connection.adapters.register_dumper(list, ListBinaryDumper)
        connection.execute("SELECT 1")
        ready.wait()
        for turn in range(max(map(len, chains), default=0)):
            for chain in chains:
                if turn < len(chain):
                    node, arrays = chain[turn]
                    began_s = time.perf_counter()
                    connection.execute(_INSERT, ("floor", node, 1_777_777_777_777, *arrays))
                    connection.commit()
                    times.append((time.perf_counter() - began_s) * 1000)


async def echo_ms(count: int) -> list[float]:
    """Return how long a bare aiohttp answer takes over loopback, in this process: one after the other."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        return await _ask(url, count)
    finally:
        await runner.cleanup()


async def _ask(url: str, count: int) -> list[float]:
    body, times = os.urandom(ECHO_BYTES), []
    async with aiohttp.ClientSession() as session:
        for _ in range(count):
            began_s = time.perf_counter()
            async with session.post(url, data=body) as response:
                await response.read()
            times.append((time.perf_counter() - began_s) * 1000)
    return times


def commit_ms(folder: Path, raws: Sequence[bytes]) -> list[float]:
    """Return how long a bare commit of each event takes, with the pragmas of a shop's store."""
    connection = sqlcipher.connect(folder / "floor.db", isolation_level=None)
    times = []
    try:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, raw BLOB NOT NULL) STRICT")
        for raw in raws:
            began_s = time.perf_counter()
            connection.execute("INSERT INTO event (raw) VALUES (?)", (raw,))
            times.append((time.perf_counter() - began_s) * 1000)
    finally:
        connection.close()
    return times
