"""How long it takes until another shop has a change: pushed by one node, waited for by another."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from benchmarks import sync_workload
from benchmarks.sync_office import Office
from benchmarks.sync_shop import client_of
from tapledger.store.store import Store
from tapledger.sync.puller import Puller, pull_once
from tapledger.wire.codec import decode_event

WRITER, READER = 2 * 10**6, 2 * 10**6 + 1
WAIT_S = 20
PATIENCE_S = 60.0


async def measure(office: Office, folder: Path, changes: int) -> list[float]:
    """Return for each change how long it took from its sending until it is in the other shop's store, in ms.

    The reader holds a long poll open, as an online shop does.
    """
    chain = sync_workload.chain(sync_workload.tape(changes, changes), WRITER)
    writing, reading = await office.enrol([chain.key, sync_workload.key_of(READER)])
    store = await Store.open(folder, reading)
    arrived: dict[str, asyncio.Future[None]] = {}
    try:
        async with client_of(office, writing) as writer, client_of(office, reading) as reader:
            await pull_once(store, reader)

            async def listen() -> None:
                while True:
                    members, _ = await Puller(store).take(reader, WAIT_S)
                    for member in members:
                        if (waiting := arrived.get(member)) is not None and not waiting.done():
                            waiting.set_result(None)

            listening = asyncio.create_task(listen())
            times = []
            try:
                for raw, batch in zip(chain.raws, chain.batches(1), strict=True):
                    member = decode_event(raw).body.member
                    if member is not None:
                        arrived[member] = asyncio.get_running_loop().create_future()
                    began_s = time.perf_counter()
                    await writer.send(batch)
                    if member is not None:
                        async with asyncio.timeout(PATIENCE_S):
                            await arrived[member]
                        times.append((time.perf_counter() - began_s) * 1000)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
        return times
    finally:
        await store.close()
