"""What was recorded of members here, for use cases that look back or look at everybody."""

from __future__ import annotations

from collections.abc import Iterator

from tapledger.database import Transaction
from tapledger.loyalty.ledger import EventBody
from tapledger.wire.codec import decode_event


def recent(tx: Transaction, member: str, kind: str, limit: int) -> list[EventBody]:
    """Return a member's newest events of a kind that this node recorded, the newest first."""
    rows = tx.exec_driver_sql(
        "SELECT raw FROM event WHERE member = ? AND kind = ? ORDER BY epoch DESC, seq DESC LIMIT ?",
        (member, kind, limit),
    )
    return [decode_event(row[0]).body for row in rows]


def everything(tx: Transaction) -> Iterator[EventBody]:
    """Yield all that this node recorded, from the first event to the last."""
    for (raw,) in tx.exec_driver_sql("SELECT raw FROM event ORDER BY epoch, seq"):
        yield decode_event(raw).body


def members_after(tx: Transaction, last: str, limit: int) -> list[str]:
    """Return the pseudonyms that follow one, in their order: pages of everybody this shop knows."""
    rows = tx.exec_driver_sql("SELECT id FROM member WHERE id > ? ORDER BY id LIMIT ?", (last, limit))
    return [row[0] for row in rows]
