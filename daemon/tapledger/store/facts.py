"""Single values that the store remembers by name."""

from __future__ import annotations

from tapledger.database import Transaction


def get(tx: Transaction, name: str) -> bytes | None:
    row = tx.exec_driver_sql("SELECT value FROM fact WHERE name = ?", (name,)).first()
    return None if row is None else bytes(row[0])


def put(tx: Transaction, name: str, value: bytes) -> None:
    tx.exec_driver_sql(
        "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def drop(tx: Transaction, name: str) -> None:
    tx.exec_driver_sql("DELETE FROM fact WHERE name = ?", (name,))
