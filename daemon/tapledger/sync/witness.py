"""The shop as a witness: central must not change what it has signed, nor sign two truths.

Each shop keeps the newest checkpoint that it has seen and takes a newer one only with the proof that the log
behind the old one is still its beginning. So whoever rewrites central's past is caught by every shop that was
there (docs/decisions/0017).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Protocol, TypeVar

from tapledger.database import Transaction
from tapledger.errors import Conflict, TapledgerError
from tapledger.store import news, witnessing
from tapledger.store.keyring import Keyring
from tapledger.wire import checkpoints, merkle
from tapledger.wire.checkpoints import Checkpoint
from tapledger.wire.news import CheckpointNews
from tapledger.wire.proofs import LogConsistency

T = TypeVar("T")

UNPROVABLE = frozenset({"LOG_PROOF_WRONG", "LOG_SHORTER"})
"""What comes when there is no proof; anything else may be asked again."""


class Store(Protocol):
    @property
    def keyring(self) -> Keyring: ...

    async def transact(self, work: Callable[[Transaction], T]) -> T: ...


class Prover(Protocol):
    async def consistency(self, old_size: int, new_size: int) -> LogConsistency: ...


async def witness_news(store: Store, client: Prover, now: dt.datetime) -> None:
    """Do ``witness`` for the checkpoint that the feed told last, once; raise what it raises."""
    told = await store.transact(lambda tx: news.all_of(tx, "checkpoint", CheckpointNews))
    for checkpoint in told.values():
        if checkpoint.text != await store.transact(witnessing.seen):
            await witness(store, client, checkpoint.text, now)
    await check_not_forked(store)


async def witness(store: Store, client: Prover, checkpoint: str, now: dt.datetime) -> None:
    """Take a checkpoint that central tells, once it is proved to follow the one seen before.

    Raises ``Denied`` CHECKPOINT_FORGED when it is not signed by central, ``Conflict`` CENTRAL_FORKED when it
    contradicts the one seen: both are kept, the alarm has rung, and it is raised ever after until somebody
    begins anew. Whatever else the question for the proof raises is raised here: ask again later.
    """
    seen_note = await store.transact(witnessing.seen)
    await check_not_forked(store)
    told = _read(store, checkpoint)
    seen = _read(store, seen_note) if seen_note else None
    if seen is not None and not await _follows(client, seen, told):
        evidence = f"{_short(seen)} {_short(told)}"
        at_ms = int(now.timestamp() * 1000)
        await store.transact(lambda tx: witnessing.ring_fork(tx, at_ms, checkpoint, evidence))
        await check_not_forked(store)
    if seen is None or told.size > seen.size:
        await store.transact(lambda tx: witnessing.see(tx, checkpoint))


async def check_not_forked(store: Store) -> None:
    """Raise ``Conflict`` CENTRAL_FORKED when this shop has seen central contradict itself."""
    if await store.transact(witnessing.fork):
        raise Conflict("CENTRAL_FORKED")


async def _follows(client: Prover, seen: Checkpoint, told: Checkpoint) -> bool:
    """Tell whether one of two checkpoints is the beginning of the other; one told late may be the older."""
    if seen.size == told.size:
        return seen.root == told.root
    old, new = sorted((seen, told), key=lambda one: one.size)
    try:
        proof = await client.consistency(old.size, new.size)
        merkle.verify_consistency(old.size, old.root, new.size, new.root, proof.hashes)
    except TapledgerError as error:
        if error.code in UNPROVABLE:
            return False
        raise
    return True


def _read(store: Store, note: str) -> Checkpoint:
    return checkpoints.read(
        note, checkpoints.origin_of(store.keyring.tenant), store.keyring.central_public_key
    )


def _short(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.size}:{checkpoint.root.hex()[:16]}"
