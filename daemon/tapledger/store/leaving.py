"""Members who cancelled here, until their time to come back is over."""

from __future__ import annotations

import datetime as dt

from tapledger.database import Transaction

MAX_LAPSED = 500
"""Memberships that lapse in one go; the next round takes the others."""


def note(tx: Transaction, member: str, until: dt.datetime | None) -> None:
    """Remember when a member's window closes; None when they did not leave, or it has lapsed."""
    tx.exec_driver_sql("DELETE FROM leaving WHERE member = ?", (member,))
    if until is not None:
        values = (member, int(until.timestamp() * 1000))
        tx.exec_driver_sql("INSERT INTO leaving VALUES (?, ?)", values)


def closed(tx: Transaction, now_ms: int) -> list[str]:
    """Return the members whose window has closed, the longest closed first."""
    rows = tx.exec_driver_sql(
        "SELECT member FROM leaving WHERE until_ms <= ? ORDER BY until_ms LIMIT ?", (now_ms, MAX_LAPSED)
    )
    return [row[0] for row in rows]
