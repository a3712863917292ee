"""A chain comes back at once: so many kiosks with a day's backlog each, all against one central."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass

import aiohttp
import psycopg

from benchmarks import sync_workload
from benchmarks.sync_ingest import batch_size
from benchmarks.sync_office import Office
from tapledger.clock import SystemClock
from tapledger.errors import TapledgerError, Unavailable
from tapledger.store.keyring import Keyring
from tapledger.sync.client import CentralClient
from tapledger.sync.loop import pause_s
from tapledger.sync.transport import HttpTransport

FIRST = 3 * 10**6
LOOK_S = 0.5
BUSY_PAUSE_S = 1.0
MAX_TRIES = 60


@dataclass(frozen=True, slots=True)
class Storm:
    """What came of it. ``busy`` counts answers that sent a kiosk away for now, ``refused`` kiosks that gave
    up; ``memory_kib`` is the most that central's process had."""

    sent: int
    held: int
    drained_s: list[float]
    busy: int
    refused: int
    memory_kib: int


class _Crowd:
    """The kiosks: each sends its batches one after the other, and comes again when central is busy."""

    def __init__(self, office: Office, events: int) -> None:
        self._office = office
        self._tape = sync_workload.tape(events)
        self._size = batch_size(self._tape)
        self._began_s = time.perf_counter()
        self.drained_s: list[float] = []
        self.busy = 0
        self.refused = 0

    async def drain(self, session: aiohttp.ClientSession, number: int, ring: Keyring) -> None:
        client = CentralClient(HttpTransport(session), self._office.address, ring, SystemClock(), os.urandom)
        for batch in sync_workload.batches(self._tape, number, ring.signing_key, self._size):
            for tries in range(MAX_TRIES):
                try:
                    await client.send(batch)
                    break
                except Unavailable:
                    self.busy += 1
                    jitter = int.from_bytes(os.urandom(2), "big") / 0xFFFF
                    await asyncio.sleep(pause_s(tries + 1, BUSY_PAUSE_S, jitter))
                except TapledgerError:
                    self.refused += 1
                    return
            else:
                self.refused += 1
                return
        self.drained_s.append(time.perf_counter() - self._began_s)


async def measure(office: Office, kiosks: int, events: int) -> Storm:
    """Let them all come back at the same moment and wait until each has told everything."""
    rings = await office.enrol([sync_workload.key_of(FIRST + number) for number in range(kiosks)])
    crowd = _Crowd(office, events)
    most = 0

    async def look() -> None:
        nonlocal most
        while True:
            most = max(most, office.memory_kib())
            await asyncio.sleep(LOOK_S)

    looking = asyncio.create_task(look())
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(
                *(crowd.drain(session, FIRST + number, ring) for number, ring in enumerate(rings))
            )
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    return Storm(
        kiosks * events,
        _held(office, [ring.node for ring in rings]),
        crowd.drained_s,
        crowd.busy,
        crowd.refused,
        most,
    )


def _held(office: Office, nodes: list[str]) -> int:
    """Return how many events of these nodes central holds."""
    with psycopg.connect(office.database.app) as connection:
        connection.execute("SELECT set_config('tapledger.tenant', %s, false)", (office.keys.tenant,))
        row = connection.execute("SELECT count(*) FROM inbox WHERE node = ANY(%s)", (nodes,)).fetchone()
    assert row is not None
    return int(row[0])
