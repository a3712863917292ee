"""The public log: which event stands where in it, its hashes in tiles, and the checkpoints signed of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from tapledger.wire.merkle import Frontier
from tapledger_central.store.transaction import Transaction

RUNS_READ = 500


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive events of one chain that stand one after the other in the log, from ``position`` on."""

    position: int
    node: str
    epoch: int
    first_seq: int
    count: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Events of one chain that are filed and not in the log yet."""

    node: str
    epoch: int
    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class Chain:
    """A node's chain: up to which seq it is in the log, and where it ends."""

    node: str
    epoch: int
    logged: int
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """One event as the inbox has it."""

    seq: int
    hash: bytes
    member: str | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that was signed at an instant."""

    size: int
    at_ms: int
    note: str


_MAKE = sa.text(
    "INSERT INTO log_head (tenant, frontier) VALUES (:tenant, :empty) ON CONFLICT (tenant) DO NOTHING"
)
_LOCK = sa.text("UPDATE log_head SET frontier = frontier WHERE tenant = :tenant RETURNING frontier")
_FRONTIER = sa.text("SELECT frontier FROM log_head WHERE tenant = :tenant")
_SET_FRONTIER = sa.text("UPDATE log_head SET frontier = :frontier WHERE tenant = :tenant")
_TILE = sa.text(
    "SELECT hashes FROM log_tile WHERE tenant = :tenant AND height = :height AND number = :number"
)
_PUT_TILE = sa.text(
    "INSERT INTO log_tile (tenant, height, number, hashes) VALUES (:tenant, :height, :number, :hashes)"
    " ON CONFLICT (tenant, height, number) DO UPDATE SET hashes = excluded.hashes"
)
_WAITING = sa.text(
    "SELECT h.node, h.epoch, coalesce(c.seq, 0) + 1, h.seq FROM head h"
    " LEFT JOIN log_chain c ON c.tenant = h.tenant AND c.node = h.node AND c.epoch = h.epoch"
    " LEFT JOIN inbox i ON i.tenant = h.tenant AND i.node = h.node AND i.epoch = h.epoch"
    " AND i.seq = coalesce(c.seq, 0) + 1"
    " WHERE h.tenant = :tenant AND h.seq > coalesce(c.seq, 0)"
    " ORDER BY coalesce(i.received_ms, 0), h.node, h.epoch LIMIT :limit"
)
_CHAINS = sa.text(
    "SELECT h.node, h.epoch, coalesce(c.seq, 0), h.seq, h.hash FROM head h"
    " LEFT JOIN log_chain c ON c.tenant = h.tenant AND c.node = h.node AND c.epoch = h.epoch"
    " WHERE h.tenant = :tenant ORDER BY h.node, h.epoch"
)
_ADD_RUN = sa.text(
    "INSERT INTO log_run (tenant, position, node, epoch, first_seq, entries)"
    " VALUES (:tenant, :position, :node, :epoch, :first_seq, :count)"
)
_SET_CHAIN = sa.text(
    "INSERT INTO log_chain (tenant, node, epoch, seq) VALUES (:tenant, :node, :epoch, :seq)"
    " ON CONFLICT (tenant, node, epoch) DO UPDATE SET seq = excluded.seq"
)
_RUNS = sa.text(
    "SELECT position, node, epoch, first_seq, entries FROM log_run"
    " WHERE tenant = :tenant AND position > :after ORDER BY position LIMIT :limit"
)
_RUN_OF = sa.text(
    "SELECT position, node, epoch, first_seq, entries FROM log_run"
    " WHERE tenant = :tenant AND node = :node AND epoch = :epoch AND first_seq <= :seq"
    " ORDER BY first_seq DESC LIMIT 1"
)
_ROWS = sa.text(
    "SELECT seq, hash, member, raw FROM inbox WHERE tenant = :tenant AND node = :node AND epoch = :epoch"
    " AND seq BETWEEN :first AND :last ORDER BY seq"
)
_STRAYS = sa.text(
    "SELECT i.node, i.epoch, i.seq FROM inbox i"
    " LEFT JOIN head h ON h.tenant = i.tenant AND h.node = i.node AND h.epoch = i.epoch"
    " WHERE i.tenant = :tenant AND (h.seq IS NULL OR i.seq > h.seq OR i.seq < 1)"
    " ORDER BY i.node, i.epoch, i.seq LIMIT 1"
)
_CHECKPOINTS = sa.text("SELECT size, at_ms, note FROM log_checkpoint WHERE tenant = :tenant ORDER BY size")
_LAST_CHECKPOINT = sa.text(
    "SELECT size, at_ms, note FROM log_checkpoint WHERE tenant = :tenant ORDER BY size DESC LIMIT 1"
)
_ADD_CHECKPOINT = sa.text(
    "INSERT INTO log_checkpoint (tenant, size, day, at_ms, note) VALUES (:tenant, :size, :day, :at_ms, :note)"
)
_THIN = sa.text(
    "DELETE FROM log_checkpoint WHERE tenant = :tenant AND day < :before AND size NOT IN"
    " (SELECT max(size) FROM log_checkpoint WHERE tenant = :tenant AND day < :before GROUP BY day)"
)


def lock(tx: Transaction) -> Frontier:
    """Wait until nobody else enters anything; return where the log ends."""
    tx.execute(_MAKE, {"empty": Frontier().to_bytes()})
    return Frontier.from_bytes(bytes(tx.execute(_LOCK).scalar_one()))


def frontier(tx: Transaction) -> Frontier:
    """Return where the log ends; raise ``Corrupt`` when that is not readable."""
    row = tx.execute(_FRONTIER).first()
    return Frontier() if row is None else Frontier.from_bytes(bytes(row[0]))


def set_frontier(tx: Transaction, frontier: Frontier) -> None:
    tx.execute(_SET_FRONTIER, {"frontier": frontier.to_bytes()})


def tile(tx: Transaction, height: int, number: int) -> bytes:
    """Return the hashes of a tile, one after the other; empty when there is none."""
    row = tx.execute(_TILE, {"height": height, "number": number}).first()
    return b"" if row is None else bytes(row[0])


def put_tile(tx: Transaction, height: int, number: int, hashes: bytes) -> None:
    tx.execute(_PUT_TILE, {"height": height, "number": number, "hashes": hashes})


def waiting(tx: Transaction, limit: int) -> list[Waiting]:
    """Return chains with events that are not in the log; the one that has waited longest comes first."""
    return [Waiting(*row) for row in tx.execute(_WAITING, {"limit": limit})]


def chains(tx: Transaction) -> list[Chain]:
    return [Chain(row[0], row[1], row[2], row[3], bytes(row[4])) for row in tx.execute(_CHAINS)]


def add_run(tx: Transaction, run: Run) -> None:
    """Enter a run; the chain is in the log up to its end then."""
    place = {"node": run.node, "epoch": run.epoch}
    values = {"position": run.position, "first_seq": run.first_seq, "count": run.count}
    tx.execute(_ADD_RUN, {**place, **values})
    tx.execute(_SET_CHAIN, {**place, "seq": run.first_seq + run.count - 1})


def runs(tx: Transaction) -> Iterator[Run]:
    """Yield all runs in their order."""
    after = -1
    while found := [Run(*row) for row in tx.execute(_RUNS, {"after": after, "limit": RUNS_READ})]:
        yield from found
        after = found[-1].position


def run_of(tx: Transaction, node: str, epoch: int, seq: int) -> Run | None:
    """Return the run in which an event is; None while it is not in the log."""
    row = tx.execute(_RUN_OF, {"node": node, "epoch": epoch, "seq": seq}).first()
    run = None if row is None else Run(*row)
    return run if run and seq < run.first_seq + run.count else None


def rows(tx: Transaction, node: str, epoch: int, first: int, last: int) -> list[Row]:
    """Return events ``first .. last`` of a chain as the inbox has them."""
    found = tx.execute(_ROWS, {"node": node, "epoch": epoch, "first": first, "last": last})
    return [Row(row[0], bytes(row[1]), row[2], bytes(row[3])) for row in found]


def stray(tx: Transaction) -> tuple[str, int, int] | None:
    """Return the first event in the inbox that is in no chain: nobody filed it."""
    row = tx.execute(_STRAYS).first()
    return None if row is None else (row[0], row[1], row[2])


def checkpoints(tx: Transaction) -> list[Signed]:
    return [Signed(*row) for row in tx.execute(_CHECKPOINTS)]


def last_checkpoint(tx: Transaction) -> Signed | None:
    row = tx.execute(_LAST_CHECKPOINT).first()
    return None if row is None else Signed(*row)


def add_checkpoint(tx: Transaction, signed: Signed, day: int, thin_before: int) -> None:
    """Keep a checkpoint; of days before ``thin_before`` only the last one stays, which is the day's root."""
    values = {"size": signed.size, "day": day, "at_ms": signed.at_ms, "note": signed.note}
    tx.execute(_ADD_CHECKPOINT, values)
    tx.execute(_THIN, {"before": thin_before})
