"""Who may talk to central: enrolment codes, nodes with their shops and starts, and nonces already seen."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from tapledger.wire.messages import EVERYWHERE
from tapledger_central.store.transaction import Row, Transaction

ACTIVE, QUARANTINED, REVOKED = "active", "quarantined", "revoked"
SEEN_EVERY_MS = 5000
"""How exactly it is kept when a node was last heard."""
BOOTS_KEPT_MS = 400 * 24 * 3600 * 1000
"""How long a start of a node is remembered; one from before is as new."""

MOVED = -1
"""In place of the purge that a node has seen: it reads another scope's feed than its cursor is of."""


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code as it is kept: by its hash, for one shop."""

    shop: str
    expires_ms: int
    tries_left: int
    used_by: str | None


@dataclass(frozen=True, slots=True)
class Node:
    node: str
    shop: str
    name: str
    public_key: bytes
    status: str
    last_seen_ms: int = 0
    scope: str = EVERYWHERE
    """The part of the chain whose news it follows: its shop's region."""


_ADD_CODE = sa.text("INSERT INTO enrolment_code VALUES (:tenant, :hash, :shop, :expires_ms, :tries, NULL)")
_FORGET_CODES = sa.text("DELETE FROM enrolment_code WHERE tenant = :tenant AND expires_ms < :before_ms")
_FIND_CODE = sa.text(
    "SELECT shop, expires_ms, tries_left, used_by FROM enrolment_code WHERE tenant = :tenant AND hash = :hash"
)
_USE_CODE = sa.text(
    "UPDATE enrolment_code SET used_by = :node"
    " WHERE tenant = :tenant AND hash = :hash AND (used_by IS NULL OR used_by = :node)"
)
_COUNT_WRONG_TRY = sa.text(
    "UPDATE enrolment_code SET tries_left = tries_left - 1"
    " WHERE tenant = :tenant AND used_by IS NULL AND tries_left > 0 AND expires_ms > :now_ms"
)
_NODE = (
    "SELECT n.node, n.shop, n.name, n.public_key, n.status, n.last_seen_ms, coalesce(s.scope, :everywhere)"
    " FROM node n LEFT JOIN shop s ON s.tenant = n.tenant AND s.shop = n.shop WHERE n.tenant = :tenant"
)
_FIND_NODE = sa.text(f"{_NODE} AND n.node = :node")
_ALL_NODES = sa.text(f"{_NODE} ORDER BY n.shop, n.name, n.node")
_OF_SHOP = sa.text(f"{_NODE} AND n.shop = :shop ORDER BY n.node")
_ADD_NODE = sa.text(
    "INSERT INTO node VALUES (:tenant, :node, :shop, :name, :public_key, 'active', :now_ms, 0, 0)"
)
_MOVE_NODE = sa.text("UPDATE node SET shop = :shop, name = :name WHERE tenant = :tenant AND node = :node")
_SET_STATUS = sa.text(
    "UPDATE node SET status = :status WHERE tenant = :tenant AND node = :node"
    " AND NOT (status = 'revoked' AND CAST(:status AS text) = 'quarantined')"
)
_SEEN = sa.text(
    "UPDATE node SET last_seen_ms = :now_ms"
    " WHERE tenant = :tenant AND node = :node AND last_seen_ms < :now_ms - :every_ms"
)
_PURGE_SEEN = sa.text("SELECT purge_seen FROM node WHERE tenant = :tenant AND node = :node")
_SET_PURGE_SEEN = sa.text("UPDATE node SET purge_seen = :version WHERE tenant = :tenant AND node = :node")
_BEGIN_AGAIN = sa.text("UPDATE node SET purge_seen = :moved WHERE tenant = :tenant AND shop = :shop")
_SET_SCOPE = sa.text(
    "INSERT INTO shop VALUES (:tenant, :shop, :scope)"
    " ON CONFLICT (tenant, shop) DO UPDATE SET scope = excluded.scope"
)
_BOOT = sa.text(
    "SELECT max(since_ms), max(CASE WHEN boot = :boot THEN since_ms END) FROM boot"
    " WHERE tenant = :tenant AND node = :node"
)
_ADD_BOOT = sa.text("INSERT INTO boot VALUES (:tenant, :node, :boot, :since_ms) ON CONFLICT DO NOTHING")
_FORGET_BOOTS = sa.text("DELETE FROM boot WHERE tenant = :tenant AND node = :node AND since_ms < :before_ms")
_FORGET_NONCES = sa.text("DELETE FROM nonce WHERE tenant = :tenant AND node = :node AND expires_ms < :now_ms")
_TAKE_NONCE = sa.text("INSERT INTO nonce VALUES (:tenant, :node, :nonce, :expires_ms) ON CONFLICT DO NOTHING")


def add_code(tx: Transaction, code_hash: bytes, shop: str, expires_ms: int, tries: int) -> None:
    tx.execute(_ADD_CODE, {"hash": code_hash, "shop": shop, "expires_ms": expires_ms, "tries": tries})


def forget_codes(tx: Transaction, before_ms: int) -> None:
    tx.execute(_FORGET_CODES, {"before_ms": before_ms})


def find_code(tx: Transaction, code_hash: bytes) -> Code | None:
    row = tx.execute(_FIND_CODE, {"hash": code_hash}).first()
    return None if row is None else Code(*row)


def use_code(tx: Transaction, code_hash: bytes, node: str) -> bool:
    """Give a code to a node; return False when another node has just taken it."""
    return tx.execute(_USE_CODE, {"hash": code_hash, "node": node}).rowcount == 1


def count_wrong_try(tx: Transaction, now_ms: int) -> None:
    """Take one try from every open code: a wrong code does not say which one it was meant to be."""
    tx.execute(_COUNT_WRONG_TRY, {"now_ms": now_ms})


def find(tx: Transaction, node: str) -> Node | None:
    row = tx.execute(_FIND_NODE, {"node": node, "everywhere": EVERYWHERE}).first()
    return None if row is None else _node(row)


def scope_of(tx: Transaction, node: str) -> str:
    """Return the part of the chain that a node belongs to."""
    known = find(tx, node)
    return EVERYWHERE if known is None else known.scope


def everyone(tx: Transaction) -> list[Node]:
    """Return all nodes, by shop and name."""
    return [_node(row) for row in tx.execute(_ALL_NODES, {"everywhere": EVERYWHERE})]


def of_shop(tx: Transaction, shop: str) -> list[Node]:
    return [_node(row) for row in tx.execute(_OF_SHOP, {"shop": shop, "everywhere": EVERYWHERE})]


def _node(row: Row) -> Node:
    return Node(row[0], row[1], row[2], bytes(row[3]), row[4], row[5], row[6])


def add(tx: Transaction, node: str, shop: str, name: str, public_key: bytes, now_ms: int) -> None:
    values = {"node": node, "shop": shop, "name": name, "public_key": public_key, "now_ms": now_ms}
    tx.execute(_ADD_NODE, values)


def move(tx: Transaction, node: str, shop: str, name: str) -> None:
    """Give a known node another shop and name; its key and its status stay."""
    tx.execute(_MOVE_NODE, {"node": node, "shop": shop, "name": name})


def set_status(tx: Transaction, node: str, status: str) -> bool:
    """Make a node ``active``, ``quarantined`` or ``revoked``; return False when there is none.

    One that is revoked stays so whatever is found of it.
    """
    return tx.execute(_SET_STATUS, {"node": node, "status": status}).rowcount > 0


def seen(tx: Transaction, node: str, now_ms: int) -> None:
    """Note that a node was heard, at most once every few seconds."""
    tx.execute(_SEEN, {"node": node, "now_ms": now_ms, "every_ms": SEEN_EVERY_MS})


def set_scope(tx: Transaction, shop: str, scope: str) -> None:
    """Put a shop into a region: its nodes follow that scope's feed, from its beginning."""
    tx.execute(_SET_SCOPE, {"shop": shop, "scope": scope})
    tx.execute(_BEGIN_AGAIN, {"shop": shop, "moved": MOVED})


def heard_boot(tx: Transaction, node: str, boot: str, signed_ms: int, slack_ms: int) -> bool:
    """Remember a start of a node, and when it first signed anything; return False when an earlier start signs
    again after a later one has begun: a disk was cloned.

    What an earlier start had signed before may still be on its way. ``slack_ms``: how far clocks may differ.
    """
    row = tx.execute(_BOOT, {"node": node, "boot": boot}).one()
    newest_ms, since_ms = row[0] or 0, row[1]
    if since_ms is not None:
        return bool(since_ms == newest_ms or signed_ms <= newest_ms + slack_ms)
    # Requests say whole seconds: of two starts in one, the one that is heard later counts as the later.
    since_ms = newest_ms + 1 if signed_ms // 1000 == newest_ms // 1000 else signed_ms
    tx.execute(_ADD_BOOT, {"node": node, "boot": boot, "since_ms": since_ms})
    tx.execute(_FORGET_BOOTS, {"node": node, "before_ms": signed_ms - BOOTS_KEPT_MS})
    return True


def purge_seen(tx: Transaction, node: str) -> int:
    """Return which purge of tombstones had been before the node began to read its feed; or ``MOVED``."""
    return int(tx.execute(_PURGE_SEEN, {"node": node}).scalar() or 0)


def set_purge_seen(tx: Transaction, node: str, version: int) -> None:
    tx.execute(_SET_PURGE_SEEN, {"node": node, "version": version})


def take_nonce(tx: Transaction, node: str, nonce: str, expires_ms: int, now_ms: int) -> bool:
    """Remember a nonce for its life; tell whether it is new."""
    tx.execute(_FORGET_NONCES, {"node": node, "now_ms": now_ms})
    taken = tx.execute(_TAKE_NONCE, {"node": node, "nonce": nonce, "expires_ms": expires_ms})
    return taken.rowcount == 1
