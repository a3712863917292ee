"""When something of a member falls due: for those who joined here, so that one shop alone writes it.

Whatever changes a member makes them due at once; ``membership.night`` then looks and says when to look again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from tapledger.database import Transaction, every, first

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MS = dt.timedelta(milliseconds=1)


def joined(tx: Transaction, member: str) -> None:
    """Look after a member's dates from now on: they joined at this shop."""
    tx.exec_driver_sql("INSERT INTO due VALUES (?, 0) ON CONFLICT (member) DO NOTHING", (member,))


def is_joined_here(tx: Transaction, member: str) -> bool:
    return first(tx, "SELECT 1 FROM due WHERE member = ?", member) is not None


def changed(tx: Transaction, member: str) -> None:
    """Look at a member again soon, if their dates are looked after here."""
    first(tx, "UPDATE due SET at_ms = 0 WHERE member = ? AND at_ms IS NOT 0", member)


def all_changed(tx: Transaction, members: Sequence[str]) -> None:
    """``changed`` for many."""
    if not members:
        return
    names = msgspec.json.encode(members).decode()
    query = "UPDATE due SET at_ms = 0 WHERE member IN (SELECT value FROM json_each(?)) AND at_ms IS NOT 0"
    every(tx, query, names)


def later(tx: Transaction, member: str, at: dt.datetime | None) -> None:
    """Look at a member again then, never a moment before; None is not before they change."""
    at_ms = None if at is None else -((_EPOCH - at) // _MS)  # rounded up
    tx.exec_driver_sql("UPDATE due SET at_ms = ? WHERE member = ?", (at_ms, member))


def page(tx: Transaction, now_ms: int, limit: int) -> list[str]:
    """Return the members who are due, the longest due first."""
    rows = tx.exec_driver_sql(
        "SELECT member FROM due WHERE at_ms <= ? ORDER BY at_ms, member LIMIT ?", (now_ms, limit)
    )
    return [row[0] for row in rows]
