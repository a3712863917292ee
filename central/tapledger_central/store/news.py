"""The feed: the latest of each thing that shops know of, numbered densely within its scope, as it changed.

Numbers are given under the scope's row lock, so none appears behind a cursor that has passed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from tapledger.wire.messages import EVERYWHERE
from tapledger_central.store.transaction import Transaction

DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True)
class Item:
    """What a row of the feed says. Of a member, ``body`` is the state; the last three are theirs only."""

    kind: str
    key: str
    body: bytes
    only_for: str | None = None
    """The one node that it is told to; None is everybody."""
    gone: bool = False
    erased: bool = False
    settled: bytes | None = None
    digest: str | None = None
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """How far a scope is: its last version, the last that a purged tombstone had, the last clock heard."""

    version: int
    purged: int
    hlc: int


_MAKE = sa.text("INSERT INTO scope VALUES (:tenant, :scope, 0, 0, 0) ON CONFLICT DO NOTHING")
_LOCK = sa.text(
    "UPDATE scope SET version = version WHERE tenant = :tenant AND scope = :scope RETURNING version"
)
_TRY_LOCK = sa.text(
    "SELECT version FROM scope WHERE tenant = :tenant AND scope = :scope FOR UPDATE SKIP LOCKED"
)
_RAISE = sa.text(
    "UPDATE scope SET version = version + :count, hlc = CASE WHEN hlc < :hlc THEN :hlc ELSE hlc END"
    " WHERE tenant = :tenant AND scope = :scope RETURNING version"
)
_SCOPE = sa.text("SELECT version, purged, hlc FROM scope WHERE tenant = :tenant AND scope = :scope")
_VERSIONS = sa.text("SELECT scope, version FROM scope WHERE tenant = :tenant")
_PUT = sa.text(
    "INSERT INTO feed VALUES (:tenant, :scope, :kind, :key, :version, :only_for, :gone, :erased, :changed_ms,"
    " :body, :settled, :digest, :sealed) ON CONFLICT (tenant, scope, kind, key) DO UPDATE SET"
    " version = excluded.version, only_for = excluded.only_for, gone = excluded.gone,"
    " erased = excluded.erased, changed_ms = excluded.changed_ms, body = excluded.body,"
    " settled = excluded.settled, digest = excluded.digest, sealed = excluded.sealed"
)
_AFTER = (
    " FROM feed WHERE tenant = :tenant AND scope = :scope AND version > :cursor"
    " AND (only_for IS NULL OR only_for = :node)"
)
_OF_KIND = " AND kind = :kind"
"""In a text of its own: of ``kind = coalesce(:kind, kind)`` PostgreSQL believes that one row in 200
is so, and reads and sorts all members for every page."""
_SHOWN = "SELECT version, kind, key, gone, body, settled, digest, sealed"
_PAGE = sa.text(f"{_SHOWN}{_AFTER} ORDER BY version LIMIT :limit")
_PAGE_OF_KIND = sa.text(f"{_SHOWN}{_AFTER}{_OF_KIND} ORDER BY version LIMIT :limit")
_HAS_MORE = sa.text(f"SELECT 1{_AFTER} LIMIT 1")
_HAS_MORE_OF_KIND = sa.text(f"SELECT 1{_AFTER}{_OF_KIND} LIMIT 1")
_ERASED = sa.text(
    "SELECT key FROM feed WHERE tenant = :tenant AND scope = :scope AND erased = 1 AND version > :cursor"
    " ORDER BY version LIMIT :limit"
)
_LAST_OLD = sa.text(
    "SELECT coalesce(max(version), 0) FROM feed"
    " WHERE tenant = :tenant AND scope = :scope AND gone = 1 AND changed_ms < :before_ms"
)
_PURGE = sa.text(
    "DELETE FROM feed WHERE tenant = :tenant AND scope = :scope AND gone = 1 AND changed_ms < :before_ms"
)
_PURGED = sa.text(
    "UPDATE scope SET purged = CASE WHEN purged < :version THEN :version ELSE purged END"
    " WHERE tenant = :tenant AND scope = :scope"
)
_TOLD = sa.text(
    "SELECT body FROM feed WHERE tenant = :tenant AND scope = :scope AND kind = :kind AND key = :key"
    " AND gone = 0 AND kind <> 'member'"
)
"""As an index of its own says it: there are few of these beside a million members."""
_RULES = sa.text(
    "SELECT kind, key, body, only_for FROM feed WHERE tenant = :tenant AND scope = :scope"
    " AND gone = 0 AND kind <> 'member' ORDER BY version"
)


def lock(tx: Transaction, scope: str = EVERYWHERE) -> None:
    """Wait until nobody else changes a scope; ``EVERYWHERE`` is also what folding of members waits for."""
    tx.execute(_MAKE, {"scope": scope})
    tx.execute(_LOCK, {"scope": scope}).one()


def try_lock(tx: Transaction) -> bool:
    """Do what ``lock`` does for ``EVERYWHERE``, or return False at once while somebody has it."""
    tx.execute(_MAKE, {"scope": EVERYWHERE})
    return not tx.is_postgresql or tx.execute(_TRY_LOCK, {"scope": EVERYWHERE}).first() is not None


def publish(tx: Transaction, scope: str, items: Sequence[Item], changed_ms: int, hlc: int = 0) -> list[int]:
    """Tell things under the next versions of a scope, in this order; return the versions."""
    if not items:
        return []
    tx.execute(_MAKE, {"scope": scope})
    last = int(tx.execute(_RAISE, {"scope": scope, "count": len(items), "hlc": hlc}).scalar_one())
    versions = list(range(last - len(items) + 1, last + 1))
    rows = [
        {
            "scope": scope,
            "kind": item.kind,
            "key": item.key,
            "version": version,
            "only_for": item.only_for,
            "gone": int(item.gone),
            "erased": int(item.erased),
            "changed_ms": changed_ms,
            "body": item.body,
            "settled": item.settled,
            "digest": item.digest,
            "sealed": item.sealed,
        }
        for version, item in zip(versions, items, strict=True)
    ]
    tx.execute(_PUT, sorted(rows, key=lambda row: (str(row["kind"]), str(row["key"]))))
    return versions


def publish_everywhere(tx: Transaction, item: Item, changed_ms: int) -> None:
    """Tell a thing in every scope. Under the lock under which regions are made, so that none is left out."""
    lock(tx)
    for scope in sorted(versions(tx)):
        publish(tx, scope, [item], changed_ms)


def retract(
    tx: Transaction, scope: str, kind: str, key: str, changed_ms: int, only_for: str | None = None
) -> None:
    """Tell that a thing is no more; the tombstone is kept until ``purge``."""
    publish(tx, scope, [Item(kind, key, b"", only_for=only_for, gone=True)], changed_ms)


def scope_of(tx: Transaction, scope: str) -> Scope:
    row = tx.execute(_SCOPE, {"scope": scope}).first()
    return Scope(0, 0, 0) if row is None else Scope(*row)


def versions(tx: Transaction) -> dict[str, int]:
    """Return the last version of every scope."""
    return {row[0]: row[1] for row in tx.execute(_VERSIONS)}


def told(tx: Transaction, scope: str, kind: str, key: str) -> bytes | None:
    """Return what the feed says of one thing beside members; None when it says nothing."""
    row = tx.execute(_TOLD, {"scope": scope, "kind": kind, "key": key}).first()
    return None if row is None else bytes(row[0])


def rules(tx: Transaction, scope: str) -> list[Item]:
    """Return everything that the feed says beside members, as it changed."""
    rows = tx.execute(_RULES, {"scope": scope})
    return [Item(kind, key, bytes(body), only_for) for kind, key, body, only_for in rows]


def page(
    tx: Transaction, scope: str, node: str, cursor: int, limit: int, max_bytes: int, kind: str | None = None
) -> tuple[list[tuple[int, Item]], bool]:
    """Return the next (version, item) for a node, so many and so large at most; and whether there are more.

    With a ``kind``, nothing else is told.
    """
    found: list[tuple[int, Item]] = []
    size = 0
    values = {"scope": scope, "node": node, "cursor": cursor, "limit": limit + 1, "kind": kind}
    with tx.execute(_PAGE if kind is None else _PAGE_OF_KIND, values) as rows:
        for version, what, key, gone, body, settled, digest, sealed in rows:
            size += len(body) + len(settled or b"") + len(sealed or b"")
            if found and (len(found) == limit or size > max_bytes):
                return found, True
            item = Item(what, key, body, gone=bool(gone), settled=settled, digest=digest, sealed=sealed)
            found.append((version, item))
    return found, False


def has_more(tx: Transaction, scope: str, node: str, cursor: int, kind: str | None = None) -> bool:
    values = {"scope": scope, "node": node, "cursor": cursor, "kind": kind}
    return tx.execute(_HAS_MORE if kind is None else _HAS_MORE_OF_KIND, values).first() is not None


def erased(tx: Transaction, scope: str, cursor: int, limit: int) -> list[str]:
    """Return members who were erased after a version."""
    rows = tx.execute(_ERASED, {"scope": scope, "cursor": cursor, "limit": limit})
    return [row[0] for row in rows]


def purge(tx: Transaction, scope: str, before_ms: int) -> int:
    """Forget tombstones from before an instant; return how many. An erased member's row stays for ever."""
    version = int(tx.execute(_LAST_OLD, {"scope": scope, "before_ms": before_ms}).scalar_one())
    if not version:
        return 0
    lock(tx, scope)
    count = tx.execute(_PURGE, {"scope": scope, "before_ms": before_ms}).rowcount
    tx.execute(_PURGED, {"scope": scope, "version": version})
    return count
