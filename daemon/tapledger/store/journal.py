"""The append-only journal: seals events into a hash chain and keeps the projections in step.

The journal is the outbox (docs/decisions/0001). An event, its operation key, the projections and a print job
commit together or not at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.errors import Conflict, Refused
from tapledger.loyalty.engine import Decision
from tapledger.loyalty.ledger import is_balanced
from tapledger.store import members
from tapledger.wire.codec import GENESIS, decode_event, encode_event, link
from tapledger.wire.messages import LedgerEvent

RECEIPT_HASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Operation:
    """What makes a command the same command when it comes again: its key and the hash of its input."""

    key: str
    input_hash: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the journal."""

    event: LedgerEvent
    hash: bytes
    replayed: bool
    """True when this operation had been recorded before; nothing was written now."""

    @property
    def receipt(self) -> str:
        """node-epoch-seq, as printed (decisions R2)."""
        return f"{self.event.node}-{self.event.epoch}-{self.event.seq}"

    @property
    def proof(self) -> str:
        return self.hash.hex()[:RECEIPT_HASH_DIGITS]


@dataclass(frozen=True, slots=True)
class Head:
    seq: int
    hash: bytes
    hlc: int


class Journal:
    """Writes events of one node and epoch. ``new_id`` makes UUIDv7 strings from an instant."""

    def __init__(self, node: str, epoch: int) -> None:
        self.node = node
        self.epoch = epoch

    def find(self, tx: Transaction, operation: Operation) -> Recorded | None:
        """Return what an operation recorded earlier; raise ``Conflict`` when its input was another."""
        row = tx.exec_driver_sql(
            "SELECT o.input_hash, e.raw, e.hash FROM operation o JOIN event e USING (epoch, seq)"
            " WHERE o.op_key = ?",
            (operation.key,),
        ).first()
        if row is None:
            return None
        if bytes(row[0]) != operation.input_hash:
            raise Conflict("IDEMPOTENCY_MISMATCH", op_key=operation.key)
        return Recorded(decode_event(row[1]), bytes(row[2]), replayed=True)

    def append(
        self, tx: Transaction, operation: Operation, decision: Decision, event_id: str, now: dt.datetime
    ) -> Recorded:
        """Seal and write one decision. The caller has asked ``find`` in the same transaction."""
        body = decision.body
        if not is_balanced(body.lines):
            raise AssertionError(f"unbalanced {body.kind}")
        head = self.head(tx)
        event = LedgerEvent(
            id=event_id,
            node=self.node,
            epoch=self.epoch,
            seq=head.seq + 1,
            hlc=next_hlc(head.hlc, now),
            body=body,
        )
        raw = encode_event(event)
        digest = link(head.hash, raw)
        tx.exec_driver_sql(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
            (self.epoch, event.seq, digest, body.kind, body.member, raw),
        )
        tx.exec_driver_sql(
            "INSERT INTO operation VALUES (?, ?, ?, ?)",
            (operation.key, operation.input_hash, self.epoch, event.seq),
        )
        if decision.after is not None:
            _claim_credentials(tx, decision)
            members.record(tx, decision.after, body)
        return Recorded(event, digest, replayed=False)

    def newest(self, tx: Transaction, kind: str) -> Recorded | None:
        """Return the last event of a kind."""
        row = tx.exec_driver_sql(
            "SELECT raw, hash FROM event WHERE kind = ? ORDER BY epoch DESC, seq DESC LIMIT 1", (kind,)
        ).first()
        return None if row is None else Recorded(decode_event(row[0]), bytes(row[1]), replayed=True)

    def head(self, tx: Transaction) -> Head:
        row = tx.exec_driver_sql(
            "SELECT seq, hash, raw FROM event WHERE epoch = ? ORDER BY seq DESC LIMIT 1", (self.epoch,)
        ).first()
        if row is None:
            return Head(0, GENESIS, 0)
        return Head(row[0], bytes(row[1]), decode_event(row[2]).hlc)


def _claim_credentials(tx: Transaction, decision: Decision) -> None:
    for credential in decision.body.credentials:
        owner = members.owner(tx, credential.index)
        if owner is not None and owner.member != decision.body.member:
            raise Refused("CREDENTIAL_TAKEN")


def next_hlc(last: int, now: dt.datetime) -> int:
    """Return a hybrid logical clock later than ``last``: 48 bits of milliseconds, 16 bits of counter."""
    wall = int(now.timestamp() * 1000) << 16
    return max(wall, last + 1)


@dataclass(frozen=True, slots=True)
class Broken:
    """The first event that contradicts the chain, and how."""

    epoch: int
    seq: int
    why: str


def verify(tx: Transaction, node: str) -> Iterator[Broken | int]:
    """Walk the whole journal; yield a count as progress and at most one ``Broken`` per epoch."""
    epochs = [row[0] for row in tx.exec_driver_sql("SELECT DISTINCT epoch FROM event ORDER BY epoch")]
    checked = 0
    for epoch in epochs:
        expected, previous = 1, GENESIS
        rows = tx.exec_driver_sql(
            "SELECT seq, hash, kind, member, raw FROM event WHERE epoch = ? ORDER BY seq", (epoch,)
        )
        for seq, digest, kind, member, raw in rows:
            why = _fault(node, epoch, expected, previous, (seq, bytes(digest), kind, member, bytes(raw)))
            if why:
                yield Broken(epoch, expected if why == "missing" else seq, why)
                break
            expected, previous, checked = seq + 1, bytes(digest), checked + 1
            yield checked
        else:
            yield from _beyond_head(tx, epoch, expected)


def _fault(
    node: str, epoch: int, expected: int, previous: bytes, row: tuple[int, bytes, str, str | None, bytes]
) -> str:
    seq, digest, kind, member, raw = row
    if seq != expected:
        return "missing"
    if link(previous, raw) != digest:
        return "hash"
    event = decode_event(raw)
    if (event.node, event.epoch, event.seq) != (node, epoch, seq):
        return "place"
    if (event.body.kind, event.body.member) != (kind, member):
        return "index"
    return "" if is_balanced(event.body.lines) else "balance"


def _beyond_head(tx: Transaction, epoch: int, expected: int) -> Iterator[Broken]:
    """The operations table knows the last seq too: it gives away events cut off the end."""
    last = tx.exec_driver_sql("SELECT max(seq) FROM operation WHERE epoch = ?", (epoch,)).scalar_one()
    if last is not None and last >= expected:
        yield Broken(epoch, expected, "missing")
