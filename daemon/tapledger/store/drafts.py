"""Open baskets, so that nothing scanned is lost when the daemon stops."""

from __future__ import annotations

from tapledger.database import Transaction


def save(tx: Transaction, till: str, body: bytes) -> None:
    tx.exec_driver_sql(
        "INSERT INTO draft VALUES (?, ?) ON CONFLICT (till) DO UPDATE SET body = excluded.body", (till, body)
    )


def load(tx: Transaction, till: str) -> bytes | None:
    row = tx.exec_driver_sql("SELECT body FROM draft WHERE till = ?", (till,)).first()
    return None if row is None else bytes(row[0])


def discard(tx: Transaction, till: str) -> None:
    tx.exec_driver_sql("DELETE FROM draft WHERE till = ?", (till,))
