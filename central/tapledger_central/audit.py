"""The public log: one list of all events, of which central signs checkpoints and proves every entry.

An event is entered some seconds after it was filed, by ``advance``, which a background job calls: intake
never waits for it. The log has its own dense order; a run of one chain is entered at a time, the one that has
waited longest first. Hashes are kept in tiles of 256, so that a proof reads two tiles for each 8 levels.
Why: docs/decisions/0017.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable

from tapledger.errors import Conflict, Corrupt, Invalid, NotFound, Unavailable
from tapledger.wire import checkpoints, merkle
from tapledger.wire.checkpoints import Checkpoint
from tapledger.wire.codec import GENESIS
from tapledger.wire.merkle import HASH_BYTES, Find, Frontier, Place
from tapledger.wire.proofs import Proof
from tapledger_central.classify import is_name
from tapledger_central.keys import CentralKeys
from tapledger_central.store import Transaction, log
from tapledger_central.store.log import Run, Signed

CHECKPOINT_ENTRIES = 1000
CHECKPOINT_EVERY_MS = 60_000
"""A checkpoint is signed after so many entries or, with any, after so long (decisions R2)."""
ALL_KEPT_DAYS = 8
"""Of older days, the last checkpoint is kept: the root of the day."""
CHAINS_AT_ONCE = 200
TILE_LEVELS = 8
TILE_HASHES = 1 << TILE_LEVELS

Tell = Callable[[str], None]
"""Is given the text of a checkpoint just signed, to tell every shop."""


def advance(tx: Transaction, keys: CentralKeys, now: dt.datetime, tell: Tell) -> bool:
    """Enter events that wait, at most up to the next checkpoint, and sign it when it is due.

    Returns whether events are left: call it again. Raises ``Corrupt`` when an event that was filed is gone.
    """
    frontier = log.lock(tx)
    last = log.last_checkpoint(tx) or Signed(0, 0, "")
    room = CHECKPOINT_ENTRIES - (frontier.size - last.size)
    more = _enter(tx, frontier, room)
    now_ms = int(now.timestamp() * 1000)
    news = frontier.size - last.size
    rested = not 0 <= now_ms - last.at_ms < CHECKPOINT_EVERY_MS
    if news >= CHECKPOINT_ENTRIES or (news and rested):
        checkpoint = Checkpoint(checkpoints.origin_of(keys.tenant), frontier.size, frontier.root())
        signed = Signed(frontier.size, now_ms, checkpoints.sign(checkpoint, keys.signing_key))
        day = now.astimezone(dt.UTC).toordinal()
        log.add_checkpoint(tx, signed, day, day - ALL_KEPT_DAYS)
        tell(signed.note)
    return more


def _enter(tx: Transaction, frontier: Frontier, room: int) -> bool:
    """Enter up to ``room`` events; return whether any are left."""
    before = frontier.size
    completed: list[tuple[Place, bytes]] = []
    for chain in log.waiting(tx, CHAINS_AT_ONCE):
        free = room - (frontier.size - before)
        if free <= 0:
            break
        last = min(chain.last_seq, chain.first_seq + free - 1)
        found = log.rows(tx, chain.node, chain.epoch, chain.first_seq, last)
        if [row.seq for row in found] != list(range(chain.first_seq, last + 1)):
            raise Corrupt("LOG_ENTRY_MISSING", node=chain.node, epoch=chain.epoch, seq=chain.first_seq)
        log.add_run(tx, Run(frontier.size, chain.node, chain.epoch, chain.first_seq, len(found)))
        for row in found:
            completed += frontier.append(merkle.leaf_hash(row.raw))
    if frontier.size > before:
        _extend_tiles(tx, completed)
        log.set_frontier(tx, frontier)
    return bool(log.waiting(tx, 1))


def _extend_tiles(tx: Transaction, completed: Iterable[tuple[Place, bytes]]) -> None:
    """Append the hashes that tiles keep, those of every eighth level, to theirs."""
    news: defaultdict[tuple[int, int], list[bytes]] = defaultdict(list)
    for (level, index), digest in completed:
        if level % TILE_LEVELS == 0:
            news[level // TILE_LEVELS, index // TILE_HASHES].append(digest)
    for (height, number), hashes in news.items():
        log.put_tile(tx, height, number, log.tile(tx, height, number) + b"".join(hashes))


def checkpoint(tx: Transaction) -> str:
    """Return the newest checkpoint; raise ``Unavailable`` before the first."""
    return _newest(tx).note


def consistency(tx: Transaction, old_size: int, new_size: int) -> list[bytes]:
    """Prove that the log of ``new_size`` entries begins with that of ``old_size``.

    Raises ``Invalid`` for sizes that cannot be, and ``Conflict`` LOG_SHORTER when the log never had so many.
    """
    if not 0 <= old_size <= new_size:
        raise Invalid("LOG_SIZES_INVALID")
    size = log.frontier(tx).size
    if new_size > size:
        raise Conflict("LOG_SHORTER", size=size)
    return merkle.consistency_proof(finder(tx), old_size, new_size)


def inclusion(tx: Transaction, node: str, epoch: int, seq: int) -> Proof:
    """Prove that an event is in the log, by the newest checkpoint.

    Raises ``NotFound`` for an event that central does not hold, and ``Unavailable`` for one that no
    checkpoint covers yet: ask again in a minute.
    """
    found = log.rows(tx, node, epoch, max(seq - 1, 1), seq) if is_name(node) else []
    if not found or found[-1].seq != seq:
        raise NotFound("LOG_ENTRY_UNKNOWN", node=node, epoch=epoch, seq=seq)
    newest, run = _newest(tx), log.run_of(tx, node, epoch, seq)
    if run is None or (index := run.position + seq - run.first_seq) >= newest.size:
        raise Unavailable("LOG_ENTRY_UNSIGNED")
    hashes = merkle.inclusion_proof(finder(tx), index, newest.size)
    previous = found[0].hash if seq > 1 else GENESIS
    return Proof(index, hashes, newest.note, previous, found[-1].raw)


def finder(tx: Transaction) -> Find:
    """Return what finds the hash of any complete subtree of the log, each tile read once."""
    tiles: dict[tuple[int, int], bytes] = {}

    def find(level: int, index: int) -> bytes:
        height, above = divmod(level, TILE_LEVELS)
        first = index << above
        place = (height, first // TILE_HASHES)
        if place not in tiles:
            tiles[place] = log.tile(tx, *place)
        start = first % TILE_HASHES * HASH_BYTES
        hashes = tiles[place][start : start + (HASH_BYTES << above)]
        if len(hashes) != HASH_BYTES << above:
            raise Corrupt("LOG_TILE_DAMAGED", height=height, number=place[1])
        return merkle.root(hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))

    return find


def _newest(tx: Transaction) -> Signed:
    newest = log.last_checkpoint(tx)
    if newest is None:
        raise Unavailable("LOG_UNSIGNED")
    return newest
