"""What is known of the paper in each printer; ``devices.paper_forecast`` reads and writes the body."""

from __future__ import annotations

from tapledger.database import Transaction


def get(tx: Transaction, printer: str) -> bytes | None:
    row = tx.exec_driver_sql("SELECT body FROM paper_roll WHERE printer = ?", (printer,)).first()
    return None if row is None else bytes(row[0])


def put(tx: Transaction, printer: str, body: bytes) -> None:
    tx.exec_driver_sql(
        "INSERT INTO paper_roll VALUES (?, ?) ON CONFLICT (printer) DO UPDATE SET body = excluded.body",
        (printer, body),
    )
