"""The secret seeds of lotteries: sealed until the end, their commits public from the beginning."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction


@dataclass(frozen=True, slots=True)
class Seed:
    sealed: bytes
    commit: str
    revealed: bool


def get(tx: Transaction, lottery: str) -> Seed | None:
    row = tx.exec_driver_sql(
        "SELECT sealed, commit_hex, revealed FROM lottery_seed WHERE lottery = ?", (lottery,)
    ).first()
    return None if row is None else Seed(bytes(row[0]), row[1], bool(row[2]))


def add(tx: Transaction, lottery: str, sealed: bytes, commit: str) -> None:
    """Keep a new seed; a lottery has one for ever."""
    tx.exec_driver_sql("INSERT INTO lottery_seed VALUES (?, ?, ?, 0)", (lottery, sealed, commit))


def reveal(tx: Transaction, lottery: str) -> None:
    tx.exec_driver_sql("UPDATE lottery_seed SET revealed = 1 WHERE lottery = ?", (lottery,))
