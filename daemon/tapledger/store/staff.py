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
