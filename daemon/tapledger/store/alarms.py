"""What staff should hear of, such as a lost card that somebody shows: the newest few hundred."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction

KEPT = 500


@dataclass(frozen=True, slots=True)
class Alarm:
    number: int
    at_ms: int
    code: str
    member: str
    evidence: str


def ring(tx: Transaction, at_ms: int, code: str, member: str, evidence: str) -> None:
    tx.exec_driver_sql(
        "INSERT INTO alarm (at_ms, code, member, evidence) VALUES (?, ?, ?, ?)",
        (at_ms, code, member, evidence),
    )
    tx.exec_driver_sql("DELETE FROM alarm WHERE number <= (SELECT max(number) FROM alarm) - ?", (KEPT,))


def newest(tx: Transaction, limit: int = KEPT) -> list[Alarm]:
    rows = tx.exec_driver_sql(
        "SELECT number, at_ms, code, member, evidence FROM alarm ORDER BY number DESC LIMIT ?", (limit,)
    )
    return [Alarm(*row) for row in rows]
