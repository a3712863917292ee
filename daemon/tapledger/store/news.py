"""What central tells beside members: the latest of each kind and key (``wire.news``)."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tapledger.database import Transaction
from tapledger.wire.messages import FeedRow

T = TypeVar("T", bound=msgspec.Struct)


def take(tx: Transaction, row: FeedRow) -> None:
    """Keep a row of the feed, or forget what it says is gone."""
    if row.gone:
        tx.exec_driver_sql("DELETE FROM news WHERE kind = ? AND key = ?", (row.kind, row.key))
        return
    tx.exec_driver_sql(
        "INSERT INTO news VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
        (row.kind, row.key, row.body),
    )


def all_of(tx: Transaction, kind: str, shape: type[T]) -> dict[str, T]:
    """Return everything of a kind by key; what a newer central says in a shape of its own is passed over."""
    found = {}
    for key, body in tx.exec_driver_sql("SELECT key, body FROM news WHERE kind = ? ORDER BY key", (kind,)):
        try:
            found[str(key)] = msgspec.msgpack.decode(body, type=shape)
        except msgspec.DecodeError:
            continue
    return found
