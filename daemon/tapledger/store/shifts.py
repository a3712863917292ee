"""The business days of this till and which part of its chain each has: closed ones never change."""

from __future__ import annotations

from collections.abc import Iterator

from tapledger.database import Transaction
from tapledger.loyalty.ledger import EventBody
from tapledger.wire.codec import decode_event

Place = tuple[int, int]
"""Epoch and seq of an event; a day has the events after its first place, up to its last."""
BEGINNING: Place = (0, 0)


def put(tx: Transaction, number: int, body: bytes) -> None:
    tx.exec_driver_sql(
        "INSERT INTO shift VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET body = excluded.body",
        (number, body),
    )


def newest(tx: Transaction) -> bytes | None:
    row = tx.exec_driver_sql("SELECT body FROM shift ORDER BY number DESC LIMIT 1").first()
    return None if row is None else bytes(row[0])


def get(tx: Transaction, number: int) -> bytes | None:
    row = tx.exec_driver_sql("SELECT body FROM shift WHERE number = ?", (number,)).first()
    return None if row is None else bytes(row[0])


def head(tx: Transaction) -> Place:
    """Return the place of the newest event."""
    row = tx.exec_driver_sql("SELECT epoch, seq FROM event ORDER BY epoch DESC, seq DESC LIMIT 1").first()
    return BEGINNING if row is None else (row[0], row[1])


def between(tx: Transaction, after: Place, upto: Place) -> Iterator[EventBody]:
    """Yield the events of a part of the chain."""
    rows = tx.exec_driver_sql(
        "SELECT raw FROM event WHERE (epoch, seq) > (?, ?) AND (epoch, seq) <= (?, ?) ORDER BY epoch, seq",
        (*after, *upto),
    )
    for (raw,) in rows:
        yield decode_event(raw).body


def place_of(tx: Transaction, op_key: str) -> Place | None:
    """Return where a command was recorded."""
    row = tx.exec_driver_sql("SELECT epoch, seq FROM operation WHERE op_key = ?", (op_key,)).first()
    return None if row is None else (row[0], row[1])
