"""Central under power cuts: it files batches in its own file and says so, and a start finds them all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tapledger.database import InlineExecutor
from tapledger.errors import Corrupt
from tapledger.store import keyring
from tapledger.wire.codec import GENESIS, link
from tapledger_central import intake
from tapledger_central.store import FILE_NAME, Transaction, inbox, nodes, open_store
from tests.central.chains import Chain, earn, join
from tests.central.world import START
from tests.faults.power.found import Found, Promise

TENANT = "power"
BATCH = 3
MANY = 10_000


async def file_batches(folder: Path, batches: int, tell: Callable[[int, bytes], None]) -> None:
    """Take one node's batches, one after the other; ``tell`` what the node is told of each."""
    keys = keyring.make(os.urandom(keyring.RANDOMNESS))
    chain = Chain(keys)
    chain.add(join("m-1", "card of m-1"))
    store = await open_store(folder, TENANT)
    public_key = keys.signing_key.public_key().public_bytes_raw()
    await store.transact(lambda tx: nodes.add(tx, keys.node, "shop", "Shop", public_key, 0))
    (node,) = await store.transact(nodes.everyone)
    for number in range(batches):
        first = number * BATCH + 1
        while len(chain.raws) < first + BATCH - 1:
            chain.add(earn("m-1", 10, len(chain.raws)))
        answer = await intake.take(store, node, chain.batch(first), START)
        tell(answer.ack, chain.hashes[answer.ack])
    await store.close()


async def look(folder: Path, promise: Promise) -> Found:
    """Start central's store on what is there, and look at what is filed."""
    if not (folder / FILE_NAME).exists():
        return Found.LOST if promise.seq else Found.WHOLE
    try:
        store = await open_store(folder, TENANT, executor=InlineExecutor())
        try:
            return await store.transact(lambda tx: _look(tx, promise))
        finally:
            await store.close()
    except Corrupt:
        return Found.DAMAGED


def _look(tx: Transaction, promise: Promise) -> Found:
    hashes = [GENESIS]
    for node in nodes.everyone(tx):
        for place, event in enumerate(inbox.events(tx, node.node, 1, 0, MANY), 1):
            hashes.append(link(hashes[-1], event.raw))
            if event.seq != place or event.hash != hashes[-1]:
                return Found.DAMAGED
        if inbox.heads(tx, node.node) != ([(1, len(hashes) - 1, hashes[-1])] if hashes[1:] else []):
            return Found.HALF
    if promise.seq >= len(hashes) or (promise.seq and hashes[promise.seq].hex() != promise.hash):
        return Found.LOST
    return Found.WHOLE
