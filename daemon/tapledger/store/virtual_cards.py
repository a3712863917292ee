"""The secrets of virtual cards, sealed, and the last slot in which each was used."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction


@dataclass(frozen=True, slots=True)
class Sealed:
    member: str
    number: str
    sealed: bytes
    last_slot: int


def put(tx: Transaction, card: Sealed) -> None:
    """Keep a new card; the one that the member had before is gone."""
    tx.exec_driver_sql("DELETE FROM virtual_card WHERE member = ?", (card.member,))
    tx.exec_driver_sql(
        "INSERT INTO virtual_card VALUES (?, ?, ?, ?)",
        (card.number, card.member, card.sealed, card.last_slot),
    )


def find(tx: Transaction, number: str) -> Sealed | None:
    """Return a card by the index of its number."""
    row = tx.exec_driver_sql(
        "SELECT member, idx, sealed, last_slot FROM virtual_card WHERE idx = ?", (number,)
    ).first()
    return None if row is None else Sealed(row[0], row[1], bytes(row[2]), row[3])


def of_member(tx: Transaction, member: str) -> Sealed | None:
    row = tx.exec_driver_sql(
        "SELECT member, idx, sealed, last_slot FROM virtual_card WHERE member = ?", (member,)
    ).first()
    return None if row is None else Sealed(row[0], row[1], bytes(row[2]), row[3])


def use(tx: Transaction, number: str, slot: int) -> bool:
    """Take a slot of a card; False when it, or a later one, was taken before."""
    row = tx.exec_driver_sql(
        "UPDATE virtual_card SET last_slot = ? WHERE idx = ? AND last_slot < ? RETURNING idx",
        (slot, number, slot),
    ).first()
    return row is not None


def forget(tx: Transaction, member: str) -> None:
    tx.exec_driver_sql("DELETE FROM virtual_card WHERE member = ?", (member,))
