"""What nodes told about themselves, the newest of each kind; and which members they have erased."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from tapledger.wire.asking import Report
from tapledger_central.store.transaction import Transaction

KEPT = 500
"""Reports of one kind that are kept of a node."""

_ADD = sa.text(
    "INSERT INTO report VALUES (:tenant, :node, :kind, :at_ms, :received_ms, :body) ON CONFLICT DO NOTHING"
)
_THIN = sa.text(
    "DELETE FROM report WHERE tenant = :tenant AND node = :node AND kind = :kind AND at_ms <= ("
    "SELECT at_ms FROM report WHERE tenant = :tenant AND node = :node AND kind = :kind"
    " ORDER BY at_ms DESC LIMIT 1 OFFSET :kept)"
)
_NEWEST = sa.text(
    "SELECT at_ms, body FROM report WHERE tenant = :tenant AND node = :node AND kind = :kind"
    " ORDER BY at_ms DESC LIMIT 1"
)
_COUNT = sa.text("SELECT count(*) FROM report WHERE tenant = :tenant AND node = :node")
_ERASED = sa.text("INSERT INTO erasure VALUES (:tenant, :member, :node, :told_ms) ON CONFLICT DO NOTHING")
_ERASED_AT = sa.text("SELECT node FROM erasure WHERE tenant = :tenant AND member = :member ORDER BY node")


def add(tx: Transaction, node: str, reports: Sequence[Report], received_ms: int) -> None:
    """Keep reports; the same one is kept once, and old ones make room."""
    rows = [
        {
            "node": node,
            "kind": one.kind,
            "at_ms": one.at_ms,
            "received_ms": received_ms,
            "body": one.body,
        }
        for one in reports
    ]
    if rows:
        tx.execute(_ADD, rows)
    for kind in sorted({one.kind for one in reports}):
        tx.execute(_THIN, {"node": node, "kind": kind, "kept": KEPT})


def newest(tx: Transaction, node: str, kind: str) -> tuple[int, bytes] | None:
    """Return when a node last told something of a kind, and what."""
    row = tx.execute(_NEWEST, {"node": node, "kind": kind}).first()
    return None if row is None else (row[0], bytes(row[1]))


def count(tx: Transaction, node: str) -> int:
    """Return how many reports of a node are kept."""
    return int(tx.execute(_COUNT, {"node": node}).scalar_one())


def erased(tx: Transaction, node: str, members: Sequence[str], told_ms: int) -> None:
    """Keep a node's receipt: what names these members is destroyed there."""
    if members:
        tx.execute(
            _ERASED, [{"member": member, "node": node, "told_ms": told_ms} for member in sorted(members)]
        )


def erased_at(tx: Transaction, member: str) -> list[str]:
    """Return the nodes that have destroyed what names a member."""
    return [row[0] for row in tx.execute(_ERASED_AT, {"member": member})]
