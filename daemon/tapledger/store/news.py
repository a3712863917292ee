"""What central tells beside members: the latest of each kind and key (``wire.news``)."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tapledger.database import Transaction, first
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


def one_of(tx: Transaction, kind: str, key: str, shape: type[T]) -> T | None:
    """Return the one with a key; None when there is none in this shape."""
    row = first(tx, "SELECT body FROM news WHERE kind = ? AND key = ?", kind, key)
    try:
        return None if row is None else msgspec.msgpack.decode(row[0], type=shape)
    except msgspec.DecodeError:
        return None


def all_of(tx: Transaction, kind: str, shape: type[T]) -> dict[str, T]:
    """Return everything of a kind by key; what a newer central says in a shape of its own is passed over."""
    found = {}
    for key, body in tx.exec_driver_sql("SELECT key, body FROM news WHERE kind = ? ORDER BY key", (kind,)):
        try:
            found[str(key)] = msgspec.msgpack.decode(body, type=shape)
        except msgspec.DecodeError:
            continue
    return found
