"""Tell a node where central holds its chains, and give back what its disk has lost (decisions R23)."""

from __future__ import annotations

import datetime as dt

from tapledger.errors import NotFound
from tapledger.wire.asking import ChainHead, Standing, Tail
from tapledger.wire.messages import MAX_BATCH_EVENTS
from tapledger_central.store import CentralStore, Transaction, inbox
from tapledger_central.store.nodes import Node


async def standing(store: CentralStore, node: Node, now: dt.datetime) -> Standing:
    """Return the heads of all of a node's chains, and central's clocks."""

    def read(tx: Transaction) -> Standing:
        heads = [
            ChainHead(epoch=epoch, seq=seq, hash=digest) for epoch, seq, digest in inbox.heads(tx, node.node)
        ]
        return Standing(heads=heads, hlc=inbox.latest(tx), at=now)

    return await store.transact(read)


async def tail(store: CentralStore, node: Node, epoch: int, after: int) -> Tail:
    """Return a node's own events that follow ``after``, as many as a batch may hold.

    Raises ``NotFound`` EVENTS_UNKNOWN when there are none.
    """
    filed = await store.transact(lambda tx: inbox.events(tx, node.node, epoch, after, MAX_BATCH_EVENTS))
    if not filed:
        raise NotFound("EVENTS_UNKNOWN", epoch=epoch, seq=after + 1)
    return Tail(
        epoch=epoch,
        first_seq=after + 1,
        raws=[event.raw for event in filed],
        head=filed[-1].hash,
    )
