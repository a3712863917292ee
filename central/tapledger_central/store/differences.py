"""Reads the list of what was recorded and does not fit; ``members.list_differences`` adds to it."""

from __future__ import annotations

import sqlalchemy as sa

from tapledger.wire.news import DifferenceNews
from tapledger_central.store.transaction import Transaction

_SINCE = sa.text(
    "SELECT code, node, epoch, seq, detail, coalesce(member, ''), found_ms FROM difference"
    " WHERE tenant = :tenant AND found_ms >= :since_ms ORDER BY found_ms DESC, node, epoch, seq, code, detail"
    " LIMIT :limit"
)
_COUNTS = sa.text("SELECT code, count(*) FROM difference WHERE tenant = :tenant GROUP BY code ORDER BY code")


def since(tx: Transaction, since_ms: int, limit: int) -> list[DifferenceNews]:
    """Return what was found from an instant on, the newest first."""
    names = DifferenceNews.__struct_fields__
    rows = tx.execute(_SINCE, {"since_ms": since_ms, "limit": limit})
    return [DifferenceNews(**dict(zip(names, row, strict=True))) for row in rows]


def counts(tx: Transaction) -> dict[str, int]:
    """Return how many of each code there are."""
    return {row[0]: row[1] for row in tx.execute(_COUNTS)}
