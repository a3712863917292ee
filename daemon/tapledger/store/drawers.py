"""The cash drawer of each cash sale, on the row of its slip: due, kicking, opened or failed.

That it is being kicked is on disk before it is, so no crash ever kicks twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction


@dataclass(frozen=True, slots=True)
class Kick:
    job: str
    due_ms: int
    """When the sale's slip expires; how old the kick is follows from it."""


def take_next(tx: Transaction) -> Kick | None:
    """Take the oldest kick that is due, for ever: it is tried once."""
    row = tx.exec_driver_sql(
        "UPDATE print_job SET drawer = 'kicking' WHERE id ="
        " (SELECT id FROM print_job WHERE drawer = 'due' ORDER BY number LIMIT 1) RETURNING id, expires_ms"
    ).first()
    return None if row is None else Kick(row[0], row[1])


def settle(tx: Transaction, job: str, state: str) -> None:
    tx.exec_driver_sql("UPDATE print_job SET drawer = ? WHERE id = ?", (state, job))


def recover(tx: Transaction) -> None:
    """After a crash: what was not kicked by then is not kicked any more, whoever stands there now."""
    tx.exec_driver_sql("UPDATE print_job SET drawer = 'failed' WHERE drawer IN ('due', 'kicking')")
