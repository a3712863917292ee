"""Leases as they were granted, and whom each node sees."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from tapledger_central.store.following import Unseen
from tapledger_central.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Granted:
    lease: str
    member: str
    """In whose name it stands, for ever."""
    node: str
    pool: str
    amount: int
    granted_ms: int


_COLUMNS = "SELECT lease, member, node, pool, amount, granted_ms FROM lease WHERE tenant = :tenant"
_ADD = sa.text("INSERT INTO lease VALUES (:tenant, :lease, :member, :node, :pool, :amount, :granted_ms)")
_FIND = sa.text(f"{_COLUMNS} AND lease = :lease")
_COUNT = sa.text(
    "SELECT count(*) FROM lease WHERE tenant = :tenant AND node = :node AND granted_ms > :since_ms"
)
_WHO = sa.text(
    "SELECT member, max(seq) FROM inbox WHERE tenant = :tenant AND node = :node AND epoch = :epoch"
    " AND seq > :after AND seq <= :upto AND verdict = '' AND member IS NOT NULL"
    " GROUP BY member ORDER BY max(seq)"
)
_AFTER = sa.text(
    f"{_COLUMNS} AND lease > :after AND node = coalesce(CAST(:node AS text), node)"
    " ORDER BY lease LIMIT :limit"
)


def add(tx: Transaction, granted: Granted) -> None:
    values = {"lease": granted.lease, "member": granted.member, "node": granted.node, "pool": granted.pool}
    tx.execute(_ADD, {**values, "amount": granted.amount, "granted_ms": granted.granted_ms})


def find(tx: Transaction, lease: str) -> Granted | None:
    row = tx.execute(_FIND, {"lease": lease}).first()
    return None if row is None else Granted(*row)


def after(tx: Transaction, lease: str, limit: int, node: str | None = None) -> list[Granted]:
    """Return the next leases that were ever granted, closed or not, by their ids; only a node's with one."""
    return [Granted(*row) for row in tx.execute(_AFTER, {"after": lease, "node": node, "limit": limit})]


def count_since(tx: Transaction, node: str, since_ms: int) -> int:
    """Return how many leases a node was granted after an instant."""
    return int(tx.execute(_COUNT, {"node": node, "since_ms": since_ms}).scalar_one())


def members_in(tx: Transaction, chain: Unseen) -> list[str]:
    """Return whom events are about, each once."""
    values = {"node": chain.node, "epoch": chain.epoch, "after": chain.after, "upto": chain.upto}
    return [row[0] for row in tx.execute(_WHO, values)]
