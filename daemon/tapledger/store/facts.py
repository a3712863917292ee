"""Single values that the store remembers by name."""

from __future__ import annotations

from tapledger.database import Transaction, first


def get(tx: Transaction, name: str) -> bytes | None:
    row = first(tx, "SELECT value FROM fact WHERE name = ?", name)
    return None if row is None else bytes(row[0])


def put(tx: Transaction, name: str, value: bytes) -> None:
    first(
        tx,
        "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        *(name, value),
    )


def drop(tx: Transaction, name: str) -> None:
    tx.exec_driver_sql("DELETE FROM fact WHERE name = ?", (name,))
