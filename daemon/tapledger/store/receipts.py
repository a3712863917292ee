"""The newest sales of this node, for whoever has no receipt at hand."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.store.journal import Recorded
from tapledger.wire.codec import decode_event


def newest_sales(tx: Transaction, limit: int) -> list[Recorded]:
    """Return the last sales that this node recorded, the newest first."""
    rows = tx.exec_driver_sql(
        "SELECT raw, hash FROM event WHERE kind = 'sale' ORDER BY epoch DESC, seq DESC LIMIT ?", (limit,)
    )
    return [Recorded(decode_event(raw), bytes(raw), bytes(digest), replayed=True) for raw, digest in rows]
