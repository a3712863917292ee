"""What is limited at this shop and how much of it is used: stock, totals of coupons, things that happen once.

Each claim is one conditional statement on one row, written before anything else of its transaction: of any
number of tries exactly as many succeed as the limit allows (loyalty.md sections 2 and 3.8).
"""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.loyalty.coupons.claiming import ONCE, Claim


def take(tx: Transaction, key: str, limit: int | None, count: int = 1) -> bool:
    """Use up ``count`` of a key; False, with nothing changed, when that is more than its limit."""
    row = tx.exec_driver_sql(
        "INSERT INTO claim (key, used) SELECT ?1, ?2 WHERE ?3 IS NULL OR ?2 <= ?3"
        " ON CONFLICT (key) DO UPDATE SET used = used + ?2 WHERE ?3 IS NULL OR used + ?2 <= ?3"
        " RETURNING used",
        (key, count, limit),
    ).first()
    return row is not None


def once(tx: Transaction, key: str) -> bool:
    """Take what can be had once for ever, such as the points of a receipt; False when it is taken."""
    return take(tx, key, ONCE)


def settle(tx: Transaction, claim: Claim) -> bool:
    """Take or give back what an event claims; False when there is not so much left."""
    if claim.count < 0:
        if not claim.mark or _forget(tx, claim.mark):
            give_back(tx, claim.key, -claim.count)
        return True
    if claim.mark and not once(tx, claim.mark):
        return True
    return take(tx, claim.key, claim.limit, claim.count)


def _forget(tx: Transaction, mark: str) -> bool:
    return tx.exec_driver_sql("DELETE FROM claim WHERE key = ?", (mark,)).rowcount > 0


def give_back(tx: Transaction, key: str, count: int = 1) -> None:
    """Make ``count`` of a key free again; what was never taken stays so."""
    tx.exec_driver_sql("UPDATE claim SET used = max(0, used - ?2) WHERE key = ?1", (key, count))


def used(tx: Transaction, prefix: str) -> dict[str, int]:
    """Return how much is used of the keys that begin so."""
    rows = tx.exec_driver_sql(
        "SELECT key, used FROM claim WHERE key >= ?1 AND key < ?1 || char(1114111)", (prefix,)
    )
    return {row[0]: row[1] for row in rows}


def left(tx: Transaction, key: str, limit: int | None) -> int | None:
    """Return how many of a key are left; None is without limit."""
    if limit is None:
        return None
    taken = tx.exec_driver_sql("SELECT used FROM claim WHERE key = ?", (key,)).scalar()
    return limit - (taken or 0)
