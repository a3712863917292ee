"""The leases that this node holds, and when each is to be closed: what it may spend of is in the members."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.loyalty.members import Member

AT_ONCE = 0


def note(tx: Transaction, state: Member, node: str) -> None:
    """Remember a member's leases of this node: to be closed at their end, or at once when they are recalled,
    or the member in whose name they stand is part of another now (X4)."""
    for lease in state.leases:
        if lease.node == node:
            gone = lease.recalled or lease.alias or state.merged_into
            close_ms = AT_ONCE if gone else int(lease.until.timestamp() * 1000)
            tx.exec_driver_sql(
                "INSERT INTO lease VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET close_ms = excluded.close_ms",
                (lease.id, lease.alias or state.id, close_ms),
            )


def due(tx: Transaction, now_ms: int, limit: int) -> list[tuple[str, str]]:
    """Return (lease, member) of those that are to be closed, those that are asked for first."""
    rows = tx.exec_driver_sql(
        "SELECT id, member FROM lease WHERE close_ms <= ? ORDER BY close_ms, id LIMIT ?", (now_ms, limit)
    )
    return [(row[0], row[1]) for row in rows]


def forget(tx: Transaction, lease: str) -> None:
    tx.exec_driver_sql("DELETE FROM lease WHERE id = ?", (lease,))


def holders(tx: Transaction) -> list[str]:
    """Return the members of whom this node holds leases."""
    return [row[0] for row in tx.exec_driver_sql("SELECT DISTINCT member FROM lease ORDER BY member")]
