"""Vouchers that this shop issued, by the keyed hash of their code: what they hold, and until when."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.loyalty import tallies
from tapledger.loyalty.effects import Hold
from tapledger.store import claims

MAX_LAPSED = 500
"""Vouchers given back in one go; the next round takes the others."""


def open_(tx: Transaction, member: str, hold: Hold) -> None:
    tx.exec_driver_sql(
        "INSERT INTO voucher (idx, member, hold, reward, until_ms) VALUES (?, ?, ?, ?, ?)",
        (hold.voucher, member, hold.id, hold.reward, int(hold.until.timestamp() * 1000)),
    )


def move(tx: Transaction, member: str, hold: Hold) -> None:
    """Let the voucher of a hold be another member's: the one whom its holder became part of."""
    tx.exec_driver_sql("UPDATE voucher SET member = ? WHERE idx = ?", (member, hold.voucher))


def settle(tx: Transaction, hold: str, *, given_back: bool = False) -> None:
    """Mark a voucher as done with; one whose points went back is in stock again."""
    row = tx.exec_driver_sql(
        "UPDATE voucher SET until_ms = NULL WHERE hold = ? RETURNING reward", (hold,)
    ).first()
    if row is not None and given_back:
        claims.give_back(tx, tallies.of_reward(row[0]))


def find(tx: Transaction, index: str) -> tuple[str, str] | None:
    """Return (member, hold) of a voucher this shop issued."""
    row = tx.exec_driver_sql("SELECT member, hold FROM voucher WHERE idx = ?", (index,)).first()
    return None if row is None else (row[0], row[1])


def lapsed(tx: Transaction, now_ms: int) -> list[tuple[str, str]]:
    """Return (member, hold) of the vouchers that nobody handed in, the longest lapsed first."""
    rows = tx.exec_driver_sql(
        "SELECT member, hold FROM voucher WHERE until_ms <= ? ORDER BY until_ms LIMIT ?", (now_ms, MAX_LAPSED)
    )
    return [(row[0], row[1]) for row in rows]
