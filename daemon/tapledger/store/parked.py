"""Baskets that were put aside, whole and in their order."""

from __future__ import annotations

from tapledger.database import Transaction


def put(tx: Transaction, id_: str, at_ms: int, body: bytes) -> None:
    tx.exec_driver_sql("INSERT INTO parked VALUES (?, ?, ?)", (id_, at_ms, body))


def take(tx: Transaction, id_: str) -> bytes | None:
    """Take one out; None when somebody else was faster."""
    row = tx.exec_driver_sql("DELETE FROM parked WHERE id = ? RETURNING body", (id_,)).first()
    return None if row is None else bytes(row[0])


def everything(tx: Transaction) -> list[bytes]:
    """Return all, the longest waiting first."""
    return [bytes(row[0]) for row in tx.exec_driver_sql("SELECT body FROM parked ORDER BY at_ms, id")]
