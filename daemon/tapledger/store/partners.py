"""Exchanges with partners that are on their way, and this shop's account with each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tapledger.database import Transaction

State = Literal["open", "sent", "released"]
MAX_OPEN = 200
"""Asked about in one go; the next round takes the others."""


@dataclass(frozen=True, slots=True)
class Sending:
    """Points that were set aside for a partner; ``open`` until it is known whether the partner has them."""

    key: str
    partner: str
    member: str
    theirs: str
    """Who the member is at the partner's."""
    taken: int
    given: int
    state: State


_COLUMNS = "key, partner, member, theirs, taken, given, state"


def add(tx: Transaction, one: Sending) -> None:
    values = (one.key, one.partner, one.member, one.theirs, one.taken, one.given, one.state)
    tx.exec_driver_sql("INSERT INTO partner_exchange VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def get(tx: Transaction, key: str) -> Sending | None:
    row = tx.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM partner_exchange WHERE key = ?",  # noqa: S608 - our own column names
        (key,),
    ).first()
    return None if row is None else Sending(*row)


def close(tx: Transaction, key: str, state: State) -> None:
    tx.exec_driver_sql("UPDATE partner_exchange SET state = ? WHERE key = ?", (state, key))


def still_open(tx: Transaction, partner: str) -> list[Sending]:
    rows = tx.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM partner_exchange WHERE partner = ? AND state = 'open'"  # noqa: S608
        " ORDER BY key LIMIT ?",
        (partner, MAX_OPEN),
    )
    return [Sending(*row) for row in rows]


def taking(partner: str, key: str) -> str:
    """Return the key under which a partner's points are credited here, or given up: once for ever."""
    return f"partner-in/{partner}/{key}"


def account(tx: Transaction, partner: str) -> int:
    """Return this shop's account with a partner, in its own points: what is set aside for it has left."""
    points = tx.exec_driver_sql("SELECT points FROM partner_account WHERE partner = ?", (partner,)).scalar()
    return int(points or 0)


def post(tx: Transaction, partner: str, points: int) -> None:
    tx.exec_driver_sql(
        "INSERT INTO partner_account VALUES (?, ?) ON CONFLICT (partner) DO UPDATE SET points = points + ?",
        (partner, points, points),
    )
