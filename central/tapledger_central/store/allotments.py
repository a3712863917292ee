"""How much of limited stock each computer may give out and has given out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from tapledger.loyalty.rewards.allotting import Slice
from tapledger_central.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Allotment:
    shop: str
    node: str
    key: str
    slice: Slice
    returned: int
    """Pieces that it gave back, in all."""


_USE = sa.text(
    "INSERT INTO stock_used VALUES (:tenant, :node, :key, :count)"
    " ON CONFLICT (tenant, node, key) DO UPDATE SET used = stock_used.used + excluded.used"
)
_ADD_HOLD = sa.text("INSERT INTO stock_hold VALUES (:tenant, :node, :hold, :key) ON CONFLICT DO NOTHING")
_TAKE_HOLD = sa.text(
    "DELETE FROM stock_hold WHERE tenant = :tenant AND node = :node AND hold = :hold RETURNING key"
)
_USED_IN = sa.text(
    "SELECT coalesce(sum(u.used), 0) FROM node n JOIN stock_used u ON u.tenant = n.tenant AND u.node = n.node"
    " WHERE n.tenant = :tenant AND n.shop = :shop AND u.key = :key"
)
_ALL = sa.text(
    "SELECT a.shop, a.node, a.key, a.granted, coalesce(u.used, 0), a.asked, a.returned"
    " FROM allotment a LEFT JOIN stock_used u ON u.tenant = a.tenant AND u.node = a.node AND u.key = a.key"
    " WHERE a.tenant = :tenant AND a.shop = coalesce(CAST(:shop AS text), a.shop)"
    " AND a.node = coalesce(CAST(:node AS text), a.node) ORDER BY a.shop, a.node, a.key"
)
_USED = sa.text(
    "SELECT u.node, u.key, u.used FROM node n JOIN stock_used u ON u.tenant = n.tenant AND u.node = n.node"
    " WHERE n.tenant = :tenant AND n.shop = :shop"
)
_SET = sa.text(
    "INSERT INTO allotment VALUES (:tenant, :node, :shop, :key, :allotted, 0, :asked)"
    " ON CONFLICT (tenant, node, shop, key) DO UPDATE SET"
    " granted = excluded.granted + allotment.returned, asked = excluded.asked"
)
_GIVE_BACK = sa.text(
    "UPDATE allotment SET returned = returned + :count, asked = CASE WHEN asked > :count"
    " THEN asked - :count ELSE 0 END"
    " WHERE tenant = :tenant AND node = :node AND shop = :shop AND key = :key"
)


def use(tx: Transaction, node: str, key: str, count: int) -> None:
    """Count pieces that a node has given out; below 0 they came back."""
    tx.execute(_USE, {"node": node, "key": key, "count": count})


def add_hold(tx: Transaction, node: str, hold: str, key: str) -> None:
    """Remember whose voucher it is: its piece comes back there alone."""
    tx.execute(_ADD_HOLD, {"node": node, "hold": hold, "key": key})


def take_hold(tx: Transaction, node: str, hold: str) -> str | None:
    """Forget a voucher of a node and return its key; None for one of another node's."""
    return tx.execute(_TAKE_HOLD, {"node": node, "hold": hold}).scalar()


def used_in(tx: Transaction, shop: str, key: str) -> int:
    """Return how many the computers of a shop have given out."""
    return int(tx.execute(_USED_IN, {"shop": shop, "key": key}).scalar_one())


def everything(tx: Transaction, shop: str | None = None, node: str | None = None) -> list[Allotment]:
    """Return the allotments: all, or those of one shop or node."""
    rows = tx.execute(_ALL, {"shop": shop, "node": node})
    return [
        Allotment(where, at, key, Slice(granted - returned, count, asked), returned)
        for where, at, key, granted, count, asked, returned in rows
    ]


def used(tx: Transaction, shop: str) -> dict[tuple[str, str], int]:
    """Return what a shop's computers have given out, by (node, key)."""
    return {(row[0], row[1]): row[2] for row in tx.execute(_USED, {"shop": shop})}


def put(tx: Transaction, shop: str, key: str, slices: Mapping[str, Slice]) -> None:
    """Write the slices of a key by node."""
    rows = [
        {"shop": shop, "key": key, "node": node, "allotted": one.allotted, "asked": one.asked}
        for node, one in sorted(slices.items())
    ]
    if rows:
        tx.execute(_SET, rows)


def give_back(tx: Transaction, shop: str, node: str, key: str, count: int) -> None:
    """Take back what a node has returned of its allotment; without one there is nothing to take."""
    tx.execute(_GIVE_BACK, {"shop": shop, "node": node, "key": key, "count": count})
