"""What was recorded of members here, for use cases that look back or look at everybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from tapledger.database import Transaction
from tapledger.loyalty.ledger import EventBody
from tapledger.store import names
from tapledger.store.journal import Recorded, reread
from tapledger.store.sales import CONFIRMED
from tapledger.wire.codec import decode_event

MAX_EVENTS = 10_000
"""Of one member: what an export holds at most."""


def recent(tx: Transaction, member: str, kind: str, limit: int) -> list[EventBody]:
    """Return a member's newest events of a kind that this node recorded, the newest first."""
    rows = tx.exec_driver_sql(
        "SELECT raw FROM event WHERE member = ? AND kind = ? ORDER BY epoch DESC, seq DESC LIMIT ?",
        (member, kind, limit),
    )
    return [decode_event(row[0]).body for row in rows]


def of_operation(tx: Transaction, op_key: str) -> EventBody | None:
    """Return what a command recorded here, by its idempotency key."""
    row = tx.exec_driver_sql(
        "SELECT e.raw FROM operation o JOIN event e USING (epoch, seq) WHERE o.op_key = ?", (op_key,)
    ).first()
    return None if row is None else decode_event(row[0]).body


def of_sale(tx: Transaction, sale: str) -> EventBody | None:
    """Return the event of a sale that this node made, also of one that waited for its payment first."""
    found = (of_operation(tx, key) for key in (sale, sale + CONFIRMED))
    return next((body for body in found if body is not None and body.kind == "sale"), None)


def at(tx: Transaction, epoch: int, seq: int) -> EventBody | None:
    """Return the event at a place of this node's chain."""
    row = tx.exec_driver_sql("SELECT raw FROM event WHERE epoch = ? AND seq = ?", (epoch, seq)).first()
    return None if row is None else decode_event(row[0]).body


def count(tx: Transaction) -> int:
    """Return how many events this node recorded."""
    return int(tx.exec_driver_sql("SELECT count(*) FROM event").scalar_one())


def undone_sales(tx: Transaction) -> frozenset[str]:
    """Return the sales of which everything came back."""
    rows = tx.exec_driver_sql("SELECT raw FROM event WHERE kind IN ('void', 'return')")
    returned = (decode_event(raw).body.returned for (raw,) in rows)
    return frozenset(one.sale for one in returned if one is not None and one.complete)


def everything(tx: Transaction) -> Iterator[EventBody]:
    """Yield all that this node recorded, from the first event to the last."""
    for (raw,) in tx.exec_driver_sql("SELECT raw FROM event ORDER BY epoch, seq"):
        yield decode_event(raw).body


def members_after(tx: Transaction, last: str, limit: int) -> list[str]:
    """Return the pseudonyms that follow one, in their order: pages of everybody this shop knows."""
    return names.members_after(tx, last, limit)


def newest_sales(tx: Transaction, limit: int) -> list[Recorded]:
    """Return the last sales that this node recorded, the newest first: for whoever has no receipt at hand."""
    rows = tx.exec_driver_sql(
        "SELECT raw, hash FROM event WHERE kind = 'sale' ORDER BY epoch DESC, seq DESC LIMIT ?", (limit,)
    )
    return [reread(*row) for row in rows]


def of_members(tx: Transaction, members: Sequence[str], limit: int = MAX_EVENTS) -> list[Recorded]:
    """Return the newest events of any of some members that this node recorded, the newest first."""
    rows = tx.exec_driver_sql(
        "SELECT raw, hash FROM event WHERE member IN (SELECT value FROM json_each(?))"
        " ORDER BY epoch DESC, seq DESC LIMIT ?",
        (msgspec.json.encode(members).decode(), limit),
    )
    return [reread(*row) for row in rows]
