"""The append-only journal: seals events into a hash chain and keeps the projections in step.

The journal is the outbox (docs/decisions/0001). An event, its operation key, the projections and a print job
commit together or not at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DatabaseError

from tapledger.database import Transaction, first
from tapledger.errors import Conflict, Invalid, Refused
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.ledger import is_balanced, linked
from tapledger.store import epochs, members, outbox, sales
from tapledger.wire.codec import GENESIS, decode_event, encode_event, link
from tapledger.wire.messages import EVENT_VERSION, LedgerEvent
from tapledger.wire.proofs import RECEIPT_HASH_DIGITS


@dataclass(frozen=True, slots=True)
class Operation:
    """What makes a command the same command when it comes again: its key and the hash of its input."""

    key: str
    input_hash: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the journal."""

    event: LedgerEvent
    raw: bytes
    """Its bytes as they were sealed; they are never encoded again."""
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


def reread(raw: bytes, digest: bytes) -> Recorded:
    """Return an event that was recorded before, from its row."""
    return Recorded(decode_event(raw), bytes(raw), bytes(digest), replayed=True)


@dataclass(frozen=True, slots=True)
class Head:
    seq: int
    hash: bytes
    hlc: int


class Journal:
    """Writes events of one node and epoch; nobody else does (``store.lock``)."""

    def __init__(self, node: str, epoch: int) -> None:
        self.node = node
        self.epoch = epoch
        self._head: Head | None = None
        self.heard = 0
        """The latest hybrid clock that central has told: what is recorded from now on is later."""

    def take_up(self, tx: Transaction) -> None:
        """Go on where this disk stopped: in its epoch, later than all that was heard."""
        self.epoch, self._head = epochs.current(tx), None
        self.heard = max(self.heard, outbox.heard_hlc(tx))

    def find(self, tx: Transaction, operation: Operation) -> Recorded | None:
        """Return what an operation recorded earlier; raise ``Conflict`` when its input was another."""
        row = first(
            tx,
            "SELECT o.input_hash, e.raw, e.hash FROM operation o JOIN event e USING (epoch, seq)"
            " WHERE o.op_key = ?",
            operation.key,
        )
        if row is None:
            return None
        if bytes(row[0]) != operation.input_hash:
            raise Conflict("IDEMPOTENCY_MISMATCH", op_key=operation.key)
        return reread(row[1], row[2])

    def append(
        self, tx: Transaction, operation: Operation, decision: Decision, event_id: str, now: dt.datetime
    ) -> Recorded:
        """Seal and write one decision. The caller has asked ``find`` in the same transaction."""
        body = decision.body
        if not is_balanced(body.lines):
            raise AssertionError(f"unbalanced {body.kind}")
        head = self.head(tx)
        event = LedgerEvent(
            v=EVENT_VERSION,
            id=event_id,
            node=self.node,
            epoch=self.epoch,
            seq=head.seq + 1,
            hlc=next_hlc(max(head.hlc, self.heard), now),
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
        sales.record(tx, event)
        if decision.after is not None:
            _claim_credentials(tx, decision)
            members.record(tx, decision.after, body)
        self._head = Head(event.seq, digest, event.hlc)
        return Recorded(event, raw, digest, replayed=False)

    def newest(self, tx: Transaction, kind: str, member: str | None = None) -> Recorded | None:
        """Return the last event of a kind; with ``member``, of that member."""
        row = tx.exec_driver_sql(
            "SELECT raw, hash FROM event WHERE kind = ?1 AND (?2 IS NULL OR member = ?2)"
            " ORDER BY epoch DESC, seq DESC LIMIT 1",
            (kind, member),
        ).first()
        return None if row is None else reread(*row)

    def all_of(self, tx: Transaction, kind: str) -> Iterator[Recorded]:
        """Yield this node's events of a kind from the first to the last."""
        rows = tx.exec_driver_sql("SELECT raw, hash FROM event WHERE kind = ? ORDER BY epoch, seq", (kind,))
        for raw, digest in rows:
            yield reread(raw, digest)

    def forget(self) -> None:
        """A transaction was rolled back: what it appended is not there."""
        self._head = None

    def head(self, tx: Transaction) -> Head:
        """Return where the chain ends."""
        if self._head is None:
            self._head = self._read_head(tx)
        return self._head

    def _read_head(self, tx: Transaction) -> Head:
        row = tx.exec_driver_sql(
            "SELECT seq, hash, raw FROM event WHERE epoch = ? ORDER BY seq DESC LIMIT 1", (self.epoch,)
        ).first()
        if row is None:
            return Head(0, GENESIS, 0)
        return Head(row[0], bytes(row[1]), decode_event(row[2]).hlc)


def _claim_credentials(tx: Transaction, decision: Decision) -> None:
    for credential in linked(decision.body):
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
    checked = 0
    for epoch, last in _epochs(tx):
        expected, previous = 1, GENESIS
        try:
            for row in _as_they_lie(tx, epoch):
                why = _fault(node, epoch, expected, previous, row)
                if why:
                    break
                expected, previous, checked = expected + 1, bytes(row[1]), checked + 1
                yield checked
            else:
                why = "missing" if last >= expected else ""
        except DatabaseError:
            why = "unreadable"
        if why:
            yield Broken(epoch, expected, why)


_ROWS = (
    "SELECT rowid, seq, hash, CAST(kind AS BLOB), CAST(member AS BLOB), raw FROM event NOT INDEXED"
    " WHERE epoch = ? AND rowid > ? ORDER BY rowid"
)
"""The rows themselves in the order in which they were written: an index holds copies of their columns, and
text is read as bytes, because damaged text cannot be decoded."""


def _as_they_lie(tx: Transaction, epoch: int) -> Iterator[Sequence[Any]]:
    last = 0
    try:
        for rowid, *row in tx.exec_driver_sql(_ROWS, (epoch, 0)):
            last = rowid
            yield row
    except DatabaseError:
        # The driver reads a row ahead: the one before the damage has not been seen yet, and is whole.
        for _, *row in tx.exec_driver_sql(f"{_ROWS} LIMIT 1", (epoch, last)):
            yield row
        raise


def _epochs(tx: Transaction) -> list[tuple[int, int]]:
    """Return each epoch with the last seq that must be there.

    The operations and what central has confirmed give away events that were cut off the end.
    """
    rows = tx.exec_driver_sql(
        "SELECT DISTINCT epoch, 0 FROM event NOT INDEXED WHERE typeof(epoch) = 'integer'"
        " UNION ALL SELECT epoch, max(seq) FROM operation GROUP BY epoch"
    )
    last: dict[int, int] = {}
    for epoch, seq in (*rows, outbox.acknowledged(tx)):
        last[epoch] = max(seq, last.get(epoch, 0))
    return sorted(last.items())


def _fault(node: str, epoch: int, expected: int, previous: bytes, row: Sequence[Any]) -> str:
    """Say in one word how a row contradicts the chain; empty when it does not."""
    seq, digest, kind, member, raw = row
    if seq != expected:
        return "missing"
    if not isinstance(raw, bytes) or link(previous, raw) != digest:
        return "hash"
    try:
        event = decode_event(raw)
    except Invalid:
        return "unreadable"
    if (event.node, event.epoch, event.seq) != (node, epoch, seq):
        return "place"
    if (event.body.kind.encode(), (event.body.member or "").encode()) != (kind, member or b""):
        return "index"
    return "" if is_balanced(event.body.lines) else "balance"


def check_file(tx: Transaction) -> str:
    """Return what SQLite finds wrong with the file beyond what ``verify`` reads; empty when nothing is."""
    answer = str(tx.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
    return "" if answer == "ok" else answer
