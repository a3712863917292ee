"""Central taking events in: the shipped process on PostgreSQL, nodes' signed batches, beside bare inserts."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
import psycopg

from benchmarks import sync_floors, sync_workload
from benchmarks.sync_floors import Inserted
from benchmarks.sync_office import Office
from benchmarks.sync_workload import Chain
from tapledger.clock import SystemClock
from tapledger.store.keyring import Keyring
from tapledger.sync.client import CentralClient
from tapledger.sync.pusher import TARGET_BYTES
from tapledger.sync.transport import HttpTransport
from tapledger.wire.messages import MAX_BATCH_EVENTS, Batch

IN_FLIGHT = sync_floors.CONNECTIONS
"""Nodes that send at the same time."""
TURNS = 5
"""Bare inserts and batches after each other, so many times."""
APPLIED_S = 300.0
"""Longest wait until everything taken is also applied."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What central took: how many events in how long, how long each batch took to be acknowledged, the CPU
    time of its process and of the database's meanwhile, and after how long everything was applied as well."""

    events: int
    elapsed_s: float
    batch_ms: list[float]
    cpu_s: float
    database_cpu_s: float
    applied_s: float
    floor: Inserted
    batch_events: int

    @property
    def per_s(self) -> float:
        return self.events / self.elapsed_s

    @property
    def per_cpu_s(self) -> float:
        """Events for each second of CPU that central and its database took; the senders are not of them."""
        return self.events / (self.cpu_s + self.database_cpu_s)


def batch_size(raws: Sequence[bytes]) -> int:
    """Return how many such events a shop puts into a batch."""
    return min(MAX_BATCH_EVENTS, TARGET_BYTES * len(raws) // sum(map(len, raws)))


async def measure(office: Office, nodes: int) -> Ingested:
    """Let so many nodes send a whole tape each, and insert the same rows barely: in turns, so that what else
    the machine does falls on both."""
    tape = sync_workload.tape()
    chains = [sync_workload.chain(tape, number) for number in range(nodes)]
    keyrings = await office.enrol([chain.key for chain in chains])
    turns = [
        await _turn(office, chains[start::TURNS], keyrings[start::TURNS], batch_size(tape))
        for start in range(min(TURNS, nodes))
    ]
    _check(office, chains)
    return together(turns)


def together(turns: Sequence[Ingested]) -> Ingested:
    """Return all turns as one."""
    floors = [one.floor for one in turns]
    return Ingested(
        events=sum(one.events for one in turns),
        elapsed_s=sum(one.elapsed_s for one in turns),
        batch_ms=[ms for one in turns for ms in one.batch_ms],
        cpu_s=sum(one.cpu_s for one in turns),
        database_cpu_s=sum(one.database_cpu_s for one in turns),
        applied_s=sum(one.applied_s for one in turns),
        floor=Inserted(
            rows=sum(one.rows for one in floors),
            elapsed_s=sum(one.elapsed_s for one in floors),
            batch_ms=[ms for one in floors for ms in one.batch_ms],
            cpu_s=sum(one.cpu_s for one in floors),
        ),
        batch_events=turns[0].batch_events,
    )


async def _turn(office: Office, chains: Sequence[Chain], keyrings: Sequence[Keyring], size: int) -> Ingested:
    columns = [sync_floors.columns(chain, size) for chain in chains]
    floor = await asyncio.to_thread(sync_floors.insert, office.database.owner, columns, office.database_cpu_s)
    prepared = [(ring, list(chain.batches(size))) for ring, chain in zip(keyrings, chains, strict=True)]
    del columns
    cpu_s, database_cpu_s, began_s = office.cpu_s(), office.database_cpu_s(), time.perf_counter()
    times = await _send_all(office, prepared)
    elapsed_s = time.perf_counter() - began_s
    cpu_s, database_cpu_s = office.cpu_s() - cpu_s, office.database_cpu_s() - database_cpu_s
    await asyncio.to_thread(wait_until_applied, office)
    applied_s = time.perf_counter() - began_s
    events = sum(len(chain.raws) for chain in chains)
    return Ingested(events, elapsed_s, times, cpu_s, database_cpu_s, applied_s, floor, size)


async def _send_all(office: Office, prepared: Sequence[tuple[Keyring, list[Batch]]]) -> list[float]:
    waiting = iter(prepared)
    times: list[float] = []

    async def sender(client: aiohttp.ClientSession) -> None:
        for ring, batches in waiting:
            central = CentralClient(HttpTransport(client), office.address, ring, SystemClock(), os.urandom)
            for batch in batches:
                began_s = time.perf_counter()
                await central.send(batch)
                times.append((time.perf_counter() - began_s) * 1000)

    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(aiohttp.ClientSession()) for _ in range(IN_FLIGHT)]
        await asyncio.gather(*(sender(session) for session in sessions))
    return times


def wait_until_applied(office: Office) -> None:
    """Return once central has applied all that it has filed; raise ``TimeoutError`` when it does not."""
    deadline_s = time.monotonic() + APPLIED_S
    with psycopg.connect(office.database.app, autocommit=True) as connection:
        connection.execute("SELECT set_config('tapledger.tenant', %s, false)", (office.keys.tenant,))
        while time.monotonic() < deadline_s:
            row = connection.execute("SELECT count(*) FROM head WHERE applied < seq").fetchone()
            if row == (0,):
                return
            time.sleep(0.05)  # another process applies; nobody tells this one but its rows
    raise TimeoutError("central does not apply what it has filed")


def _check(office: Office, chains: Sequence[Chain]) -> None:
    """Every event is held once, in its place, as good."""
    with psycopg.connect(office.database.app) as connection:
        connection.execute("SELECT set_config('tapledger.tenant', %s, false)", (office.keys.tenant,))
        held = connection.execute(
            "SELECT node, count(*), max(seq), count(*) FILTER (WHERE verdict <> '') FROM inbox GROUP BY node"
        ).fetchall()
    wanted = {(chain.node, len(chain.raws), len(chain.raws), 0) for chain in chains}
    if not wanted <= set(held):
        raise AssertionError("central does not hold what was sent")
