"""Send central what this node has recorded, in order, until it has all of it."""

from __future__ import annotations

from typing import Protocol

from tapledger.errors import Conflict, Unavailable
from tapledger.store.keyring import Keyring
from tapledger.sync.ports import SyncStore
from tapledger.wire import signing
from tapledger.wire.messages import MAX_BATCH_EVENTS, Batch, BatchAnswer

TARGET_BYTES = 256 * 1024
"""A batch is kept about this small, so that one fits through a slow line well inside its deadline."""


class Uplink(Protocol):
    async def send(self, batch: Batch) -> BatchAnswer: ...


async def push_once(store: SyncStore, uplink: Uplink, keyring: Keyring) -> int:
    """Send the next batch, if any; return how many events central has taken.

    When central misses earlier events the store is rewound, so that the next call sends those. Every other
    refusal is raised and leaves the events where they are: still to be sent.
    """
    pending = await store.pending(MAX_BATCH_EVENTS, TARGET_BYTES)
    if pending is None:
        return 0
    count = len(pending.raws)
    statement = signing.batch_statement(keyring.node, pending.epoch, pending.first_seq, count, pending.head)
    batch = Batch(
        node=keyring.node,
        epoch=pending.epoch,
        first_seq=pending.first_seq,
        raws=pending.raws,
        head=pending.head,
        signature=signing.sign(keyring.signing_key, statement),
        profiles=pending.profiles,
    )
    try:
        answer = await uplink.send(batch)
    except Conflict as error:
        need = error.data.get("need")
        if error.code != "GAP" or not isinstance(need, int) or not 0 < need < pending.first_seq:
            raise
        await store.rewind(pending.epoch, need - 1)
        return 0
    last_seq = pending.first_seq + count - 1
    if answer.ack < last_seq:
        raise Unavailable("CENTRAL_ANSWER_UNREADABLE", ack=answer.ack)
    # Never more than was sent: if central holds events that this disk has lost, the next new one has to meet
    # them there and be told FORK, instead of counting as sent.
    await store.acknowledge(pending.epoch, last_seq, answer.hlc)
    return count
