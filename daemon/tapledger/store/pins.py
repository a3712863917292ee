"""Members' PINs at this shop: verifiers and how often a wrong one was typed."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction


@dataclass(frozen=True, slots=True)
class Pin:
    verifier: str
    wrong: int = 0
    """Since the last right one."""
    wrong_away: int = 0
    """Of them, while central was out of reach."""


def put(tx: Transaction, member: str, verifier: str) -> None:
    """Set a member's PIN; wrong tries of the one before are forgotten."""
    tx.exec_driver_sql(
        "INSERT INTO member_pin (member, verifier) VALUES (?, ?) ON CONFLICT (member) DO UPDATE SET"
        " verifier = excluded.verifier, wrong = 0, wrong_away = 0",
        (member, verifier),
    )


def get(tx: Transaction, member: str) -> Pin | None:
    row = tx.exec_driver_sql(
        "SELECT verifier, wrong, wrong_away FROM member_pin WHERE member = ?", (member,)
    ).first()
    return None if row is None else Pin(*row)


def forget(tx: Transaction, member: str) -> None:
    """Destroy a member's PIN."""
    tx.exec_driver_sql("DELETE FROM member_pin WHERE member = ?", (member,))


def tried(tx: Transaction, member: str, *, away: bool) -> None:
    """Count a try as wrong before it is looked at: whoever pulls the plug has used it up."""
    tx.exec_driver_sql(
        "UPDATE member_pin SET wrong = wrong + 1, wrong_away = wrong_away + ? WHERE member = ?",
        (int(away), member),
    )


def passed(tx: Transaction, member: str) -> None:
    tx.exec_driver_sql("UPDATE member_pin SET wrong = 0, wrong_away = 0 WHERE member = ?", (member,))
