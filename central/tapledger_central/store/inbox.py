"""Stage one, keyed by node: heads of chains, events as they came, and batches kept as evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from tapledger.database import Transaction
from tapledger.wire.codec import GENESIS


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a node and epoch that central holds. ``hlc`` never falls along the chain."""

    seq: int
    hash: bytes
    hlc: int


@dataclass(frozen=True, slots=True)
class Filed:
    """One event in the inbox. ``verdict`` is empty, or the code of the reason why it is not applied."""

    node: str
    epoch: int
    seq: int
    hash: bytes
    hlc: int
    """The event's own, or that of an earlier event of its chain when that is later."""
    member: str | None
    verdict: str
    raw: bytes

    @property
    def order(self) -> tuple[int, str, int, int]:
        """Place among all events of all nodes (decisions R4)."""
        return (self.hlc, self.node, self.epoch, self.seq)


_HEAD = sa.text("SELECT seq, hash, hlc FROM head WHERE node = :node AND epoch = :epoch")
_SET_HEAD = sa.text(
    "INSERT INTO head VALUES (:node, :epoch, :seq, :hash, :hlc) ON CONFLICT (node, epoch)"
    " DO UPDATE SET seq = excluded.seq, hash = excluded.hash, hlc = excluded.hlc"
)
_HASHES = sa.text(
    "SELECT hash FROM inbox WHERE node = :node AND epoch = :epoch"
    " AND seq BETWEEN :first AND :last ORDER BY seq"
)
_ADD = sa.text(
    "INSERT INTO inbox VALUES (:node, :epoch, :seq, :hash, :hlc, :member, :verdict, :received_ms, :raw)"
)
_OF_MEMBER = sa.text(
    "SELECT node, epoch, seq, hash, hlc, member, verdict, raw FROM inbox WHERE member = :member"
    " ORDER BY hlc, node, epoch, seq"
)
_QUARANTINE = sa.text(
    "INSERT INTO quarantine VALUES (:node, :epoch, :first_seq, :head, :received_ms, :batch)"
    " ON CONFLICT DO NOTHING"
)
_QUARANTINED = sa.text("SELECT count(*) FROM quarantine WHERE node = :node")


def head(tx: Transaction, node: str, epoch: int) -> Head:
    row = tx.execute(_HEAD, {"node": node, "epoch": epoch}).first()
    return Head(0, GENESIS, 0) if row is None else Head(row[0], bytes(row[1]), row[2])


def hashes(tx: Transaction, node: str, epoch: int, first: int, last: int) -> list[bytes]:
    """Return the chain hashes of events ``first .. last``; seq 0 is the genesis."""
    rows = tx.execute(_HASHES, {"node": node, "epoch": epoch, "first": first, "last": last})
    found = [bytes(row[0]) for row in rows]
    return [GENESIS, *found] if first == 0 else found


def add(tx: Transaction, events: Iterable[Filed], received_ms: int) -> None:
    """Insert events that follow the head, and move it to the last of them."""
    rows = [
        {
            "node": event.node,
            "epoch": event.epoch,
            "seq": event.seq,
            "hash": event.hash,
            "hlc": event.hlc,
            "member": event.member,
            "verdict": event.verdict,
            "received_ms": received_ms,
            "raw": event.raw,
        }
        for event in events
    ]
    tx.execute(_ADD, rows)
    last = rows[-1]
    tx.execute(_SET_HEAD, {name: last[name] for name in ("node", "epoch", "seq", "hash", "hlc")})


def of_member(tx: Transaction, member: str) -> list[Filed]:
    """Return all events of a member in the order in which they count."""
    rows = tx.execute(_OF_MEMBER, {"member": member})
    return [Filed(r[0], r[1], r[2], bytes(r[3]), r[4], r[5], r[6], bytes(r[7])) for r in rows]


def quarantine(
    tx: Transaction, node: str, epoch: int, first_seq: int, head: bytes, batch: bytes, received_ms: int
) -> None:
    """Keep a signed batch as evidence; the same batch is kept once."""
    values = {"node": node, "epoch": epoch, "first_seq": first_seq, "head": head}
    tx.execute(_QUARANTINE, {**values, "batch": batch, "received_ms": received_ms})


def quarantined(tx: Transaction, node: str) -> int:
    return int(tx.execute(_QUARANTINED, {"node": node}).scalar_one())
