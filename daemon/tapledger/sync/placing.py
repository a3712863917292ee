"""Find out whether this disk is the one that central knows; one that was rolled back gets its events again.

A restored backup or a cloned card is the commonest accident in the field. Its chain is shorter than central's
copy: whatever was given out meanwhile would be given out again, so nothing is spent until the tail is back;
what is recorded afterwards belongs to a new epoch (decisions R23). Where central itself was restored, it has
less than it has acknowledged, and gets that again.
"""

from __future__ import annotations

from typing import Protocol

import structlog

from tapledger.errors import Corrupt
from tapledger.sync.ports import SyncStore
from tapledger.wire.asking import ChainHead, Standing, Tail

_log = structlog.get_logger("sync")


class Register(Protocol):
    async def standing(self) -> Standing: ...

    async def tail(self, epoch: int, after: int) -> Tail: ...


async def take_place(store: SyncStore, register: Register) -> bool:
    """Bring this node's journal up to what central holds of it; return whether it had lost something.

    Raises ``Corrupt`` TAIL_BROKEN when what central sends does not follow what is here: then this disk holds
    other events under the same numbers, and a person has to look at it.
    """
    standing = await register.standing()
    await store.heard(standing.hlc)
    lost = [head for head in standing.heads if await store.last_seq(head.epoch) < head.seq]
    if lost:
        await store.stop_spending()
        for head in sorted(lost, key=lambda head: head.epoch):
            await _fetch(store, register, head)
    elif await store.send_again({head.epoch: head.seq for head in standing.heads}):
        _log.warning("central has less than it had; what it lost is sent again")
    if await store.was_rolled_back():  # perhaps it was cut short here the last time
        await store.begin_epoch(max((head.epoch for head in standing.heads), default=0) + 1)
    await store.in_place()
    return bool(lost)


async def _fetch(store: SyncStore, register: Register, head: ChainHead) -> None:
    while (after := await store.last_seq(head.epoch)) < head.seq:
        tail = await register.tail(head.epoch, after)
        is_last = after + len(tail.raws) >= head.seq
        if (tail.epoch, tail.first_seq) != (head.epoch, after + 1) or (is_last and tail.head != head.hash):
            raise Corrupt("TAIL_BROKEN", epoch=head.epoch, seq=after + 1)
        await store.restore(tail)
