"""Who works here: ids, names, roles and the hashes of their PINs."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    role: str
    pin_hash: str


def add(tx: Transaction, person: Person) -> None:
    tx.exec_driver_sql(
        "INSERT INTO staff VALUES (?, ?, ?, ?)", (person.id, person.name, person.role, person.pin_hash)
    )


def get(tx: Transaction, id_: str) -> Person | None:
    row = tx.exec_driver_sql("SELECT id, name, role, pin_hash FROM staff WHERE id = ?", (id_,)).first()
    return None if row is None else Person(*row)


def everyone(tx: Transaction) -> list[Person]:
    return [
        Person(*row) for row in tx.exec_driver_sql("SELECT id, name, role, pin_hash FROM staff ORDER BY name")
    ]


def give_card(tx: Transaction, credential: str, staff: str) -> None:
    """Let a card stand for one of the staff; ``credential`` is its index."""
    tx.exec_driver_sql(
        "INSERT INTO staff_card VALUES (?, ?) ON CONFLICT (credential) DO UPDATE SET staff = excluded.staff",
        (credential, staff),
    )


def take_cards(tx: Transaction, staff: str) -> int:
    """Take all their cards away from one of the staff; return how many."""
    return int(tx.exec_driver_sql("DELETE FROM staff_card WHERE staff = ?", (staff,)).rowcount)


def holder(tx: Transaction, credential: str) -> Person | None:
    """Return whose card it is, by its index."""
    row = tx.exec_driver_sql("SELECT staff FROM staff_card WHERE credential = ?", (credential,)).first()
    return None if row is None else get(tx, row[0])
