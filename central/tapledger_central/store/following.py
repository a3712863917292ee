"""Up to where each chain's applied events were looked at, by each job that goes through all of them once."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from tapledger_central.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Unseen:
    """Applied events of a chain that were not looked at: those after ``after`` up to ``upto``."""

    node: str
    epoch: int
    after: int
    upto: int


class Seen:
    """What one job has looked at; ``table`` has a row for each chain."""

    def __init__(self, table: str) -> None:
        self._unseen = sa.text(
            f"SELECT h.node, h.epoch, coalesce(s.seq, 0), h.applied FROM head h LEFT JOIN {table} s"  # noqa: S608
            " ON s.tenant = h.tenant AND s.node = h.node AND s.epoch = h.epoch"
            " WHERE h.tenant = :tenant AND h.node != :but AND h.applied > coalesce(s.seq, 0)"
            " ORDER BY h.node, h.epoch LIMIT :limit"
        )
        self._upto = sa.text(
            f"SELECT seq FROM {table} WHERE tenant = :tenant AND node = :node AND epoch = :epoch"  # noqa: S608
        )
        self._set = sa.text(
            f"INSERT INTO {table} VALUES (:tenant, :node, :epoch, :seq)"  # noqa: S608
            " ON CONFLICT (tenant, node, epoch) DO UPDATE SET seq = excluded.seq"
        )

    def unseen(self, tx: Transaction, but: str, limit: int) -> list[Unseen]:
        """Return chains with events that were not looked at, but for those of one node."""
        return [Unseen(*row) for row in tx.execute(self._unseen, {"but": but, "limit": limit})]

    def upto(self, tx: Transaction, chain: Unseen) -> int:
        """Return the last seq of a chain that was looked at by now."""
        values = {"node": chain.node, "epoch": chain.epoch}
        return int(tx.execute(self._upto, values).scalar() or 0)

    def set(self, tx: Transaction, chain: Unseen) -> None:
        """Note that a chain was looked at up to ``upto``."""
        tx.execute(self._set, {"node": chain.node, "epoch": chain.epoch, "seq": chain.upto})


FOR_LEASES, FOR_STOCK = Seen("lease_seen"), Seen("stock_seen")
