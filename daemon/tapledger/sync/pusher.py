"""Send central what this node has recorded, in order, until it has all of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from tapledger.clock import Clock
from tapledger.errors import Conflict, Unavailable
from tapledger.store.keyring import Keyring
from tapledger.sync.ports import SyncStore
from tapledger.wire import signing
from tapledger.wire.messages import MAX_BATCH_EVENTS, Batch, BatchAnswer, Pending

TARGET_BYTES = 768 * 1024
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


class Pusher:
    """Sends one batch after the other; while one is on its way, the next is read."""

    def __init__(self, store: SyncStore, keyring: Keyring) -> None:
        self._store = store
        self._keyring = keyring
        self._ahead: Pending | None = None
        self._follows = (0, 0)
        """The (epoch, seq) after which ``_ahead`` was read."""

    async def once(self, uplink: Uplink, target_bytes: int = TARGET_BYTES) -> int:
        """Send the next batch, if any, of about so many bytes; return how many events central has taken.

        When central misses earlier events the store is rewound, so that the next call sends those. Every
        other refusal is raised and leaves the events where they are: still to be sent.
        """
        pending = await self._next(target_bytes)
        if pending is None:
            return 0
        last = (pending.epoch, pending.first_seq + len(pending.raws) - 1)
        answer, ahead = await asyncio.gather(
            uplink.send(self._batch(pending)),
            self._store.pending(MAX_BATCH_EVENTS, target_bytes, last),
            return_exceptions=True,
        )
        if isinstance(answer, Conflict) and answer.code == "GAP":
            need = answer.data.get("need")
            if isinstance(need, int) and 0 < need < pending.first_seq:
                await self._store.rewind(pending.epoch, need - 1)
                return 0
        if isinstance(answer, BaseException):
            raise answer
        if answer.ack < last[1]:
            raise Unavailable("CENTRAL_ANSWER_UNREADABLE", ack=answer.ack)
        # Never more than was sent: if central holds events that this disk has lost, the next new one has to
        # meet them there and be told FORK, instead of counting as sent.
        await self._store.acknowledge(*last, answer.hlc)
        if not isinstance(ahead, BaseException):  # else it is read again, and says then what is wrong
            self._ahead, self._follows = ahead, last
        return len(pending.raws)

    async def _next(self, target_bytes: int) -> Pending | None:
        """Return what comes after all that is acknowledged: what was read ahead, if it still is that."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and await self._store.acknowledged() == self._follows:
            return ahead
        return await self._store.pending(MAX_BATCH_EVENTS, target_bytes)

    def _batch(self, pending: Pending) -> Batch:
        node, count = self._keyring.node, len(pending.raws)
        statement = signing.batch_statement(node, pending.epoch, pending.first_seq, count, pending.head)
        return Batch(
            node=node,
            epoch=pending.epoch,
            first_seq=pending.first_seq,
            raws=pending.raws,
            head=pending.head,
            signature=signing.sign(self._keyring.signing_key, statement),
            profiles=pending.profiles,
        )
