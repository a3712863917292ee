"""Who may talk to central: enrolment codes, nodes, and the nonces of requests already seen."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from tapledger.database import Transaction

ACTIVE, QUARANTINED = "active", "quarantined"


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


_ADD_CODE = sa.text("INSERT INTO enrolment_code VALUES (:hash, :shop, :expires_ms, :tries, NULL)")
_FORGET_CODES = sa.text("DELETE FROM enrolment_code WHERE expires_ms < :before_ms")
_FIND_CODE = sa.text("SELECT shop, expires_ms, tries_left, used_by FROM enrolment_code WHERE hash = :hash")
_USE_CODE = sa.text("UPDATE enrolment_code SET used_by = :node WHERE hash = :hash AND used_by IS NULL")
_COUNT_WRONG_TRY = sa.text(
    "UPDATE enrolment_code SET tries_left = tries_left - 1"
    " WHERE used_by IS NULL AND tries_left > 0 AND expires_ms > :now_ms"
)
_FIND_NODE = sa.text("SELECT node, shop, name, public_key, status FROM node WHERE node = :node")
_ADD_NODE = sa.text("INSERT INTO node VALUES (:node, :shop, :name, :public_key, 'active', :now_ms)")
_MOVE_NODE = sa.text("UPDATE node SET shop = :shop, name = :name WHERE node = :node")
_SET_STATUS = sa.text("UPDATE node SET status = :status WHERE node = :node")
_FORGET_NONCES = sa.text("DELETE FROM nonce WHERE expires_ms < :now_ms")
_TAKE_NONCE = sa.text("INSERT INTO nonce VALUES (:node, :nonce, :expires_ms) ON CONFLICT DO NOTHING")


def add_code(tx: Transaction, code_hash: bytes, shop: str, expires_ms: int, tries: int) -> None:
    tx.execute(_ADD_CODE, {"hash": code_hash, "shop": shop, "expires_ms": expires_ms, "tries": tries})


def forget_codes(tx: Transaction, before_ms: int) -> None:
    """Remove codes that ran out before an instant."""
    tx.execute(_FORGET_CODES, {"before_ms": before_ms})


def find_code(tx: Transaction, code_hash: bytes) -> Code | None:
    row = tx.execute(_FIND_CODE, {"hash": code_hash}).first()
    return None if row is None else Code(*row)


def use_code(tx: Transaction, code_hash: bytes, node: str) -> None:
    tx.execute(_USE_CODE, {"hash": code_hash, "node": node})


def count_wrong_try(tx: Transaction, now_ms: int) -> None:
    """Take one try from every open code: a wrong code does not say which one it was meant to be."""
    tx.execute(_COUNT_WRONG_TRY, {"now_ms": now_ms})


def find(tx: Transaction, node: str) -> Node | None:
    row = tx.execute(_FIND_NODE, {"node": node}).first()
    return None if row is None else Node(row[0], row[1], row[2], bytes(row[3]), row[4])


def add(tx: Transaction, node: str, shop: str, name: str, public_key: bytes, now_ms: int) -> None:
    values = {"node": node, "shop": shop, "name": name, "public_key": public_key, "now_ms": now_ms}
    tx.execute(_ADD_NODE, values)


def move(tx: Transaction, node: str, shop: str, name: str) -> None:
    """Give a known node another shop and name; its key and its status stay."""
    tx.execute(_MOVE_NODE, {"node": node, "shop": shop, "name": name})


def set_status(tx: Transaction, node: str, status: str) -> None:
    tx.execute(_SET_STATUS, {"node": node, "status": status})


def take_nonce(tx: Transaction, node: str, nonce: str, expires_ms: int, now_ms: int) -> bool:
    """Remember a nonce for its life; tell whether it is new."""
    tx.execute(_FORGET_NONCES, {"now_ms": now_ms})
    taken = tx.execute(_TAKE_NONCE, {"node": node, "nonce": nonce, "expires_ms": expires_ms})
    return taken.rowcount == 1
