"""Send central what this node has recorded, in order, until it has all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tapledger.clock import Clock
from tapledger.errors import Conflict, Unavailable
from tapledger.store.keyring import Keyring
from tapledger.sync.ports import SyncStore
from tapledger.wire import signing
from tapledger.wire.messages import MAX_BATCH_EVENTS, Batch, BatchAnswer

TARGET_BYTES = 384 * 1024
"""Of events in one batch: central takes many at once with less work for each."""
LEAST_BYTES = 16 * 1024
QUICK_S = 2.0
"""A large batch that took less says that the line bears more; its deadline is ten times that."""


class Uplink(Protocol):
    async def send(self, batch: Batch) -> BatchAnswer: ...


class Load:
    """How much goes into a batch on this line: half as much after one that did not get through, twice as much
    after a quick one. A line on which every large batch runs out of time would never carry anything."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.target_bytes = TARGET_BYTES

    def on(self, uplink: Uplink) -> Uplink:
        """Return a line that sends over another, and learn from how that ends."""
        return _Watched(uplink, self)

    async def send(self, uplink: Uplink, batch: Batch) -> BatchAnswer:
        began_s = self._clock.monotonic_s()
        try:
            answer = await uplink.send(batch)
        except Unavailable:
            self.target_bytes = max(LEAST_BYTES, self.target_bytes // 2)
            raise
        # That a small batch was quick says nothing of a large one.
        is_large = sum(map(len, batch.raws)) > self.target_bytes // 2 or len(batch.raws) == MAX_BATCH_EVENTS
        if is_large and self._clock.monotonic_s() - began_s < QUICK_S:
            self.target_bytes = min(TARGET_BYTES, self.target_bytes * 2)
        return answer


@dataclass(frozen=True, slots=True)
class _Watched:
    uplink: Uplink
    load: Load

    async def send(self, batch: Batch) -> BatchAnswer:
        return await self.load.send(self.uplink, batch)


async def push_once(
    store: SyncStore, uplink: Uplink, keyring: Keyring, target_bytes: int = TARGET_BYTES
) -> int:
    """Send the next batch, if any, of about so many bytes; return how many events central has taken.

    When central misses earlier events the store is rewound, so that the next call sends those. Every other
    refusal is raised and leaves the events where they are: still to be sent.
    """
    pending = await store.pending(MAX_BATCH_EVENTS, target_bytes)
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
