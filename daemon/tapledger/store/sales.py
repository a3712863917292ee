"""Sales of this node: what came of each later, and which wait for a payment.

A sale is found by the operation that recorded it (``history.of_sale``), so selling writes nothing for it;
only what comes back is noted here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import msgspec

from tapledger.database import Transaction
from tapledger.loyalty.ledger import EventBody
from tapledger.wire.codec import decode_event
from tapledger.wire.messages import LedgerEvent

CONFIRMED = "/confirmed"
"""Ends the key of the operation that completed a sale which had waited for its payment."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(EventBody).decode


def record(tx: Transaction, event: LedgerEvent) -> None:
    """Note what comes back of a sale, or is added to it afterwards."""
    body = event.body
    if body.returned is not None:
        sale = body.returned.sale
    elif body.kind == "late_credit" and body.sale is not None:
        sale = body.sale.id
    else:
        return
    if sale:
        tx.exec_driver_sql("INSERT INTO sale_change VALUES (?, ?, ?)", (sale, event.epoch, event.seq))


def changes(tx: Transaction, sale: str) -> list[EventBody]:
    """Return what came back of a sale or was added to it, in that order."""
    rows = tx.exec_driver_sql(
        "SELECT e.raw FROM sale_change c JOIN event e USING (epoch, seq) WHERE c.sale = ?"
        " ORDER BY c.epoch, c.seq",
        (sale,),
    )
    return [decode_event(raw).body for (raw,) in rows]


# ---- waiting for a payment --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Pending:
    """A sale whose tender has not been confirmed, and the event that it will be."""

    id: str
    at: dt.datetime
    till: str
    language: str
    body: EventBody


def keep_pending(tx: Transaction, pending: Pending) -> None:
    tx.exec_driver_sql(
        "INSERT INTO pending_sale VALUES (?, ?, ?, ?, ?)",
        (
            pending.id,
            int(pending.at.timestamp() * 1000),
            pending.till,
            pending.language,
            _encode(pending.body),
        ),
    )


def pending(tx: Transaction, sale: str) -> Pending | None:
    row = tx.exec_driver_sql(f"SELECT {_PENDING} FROM pending_sale WHERE id = ?", (sale,)).first()  # noqa: S608
    return None if row is None else _read(*row)


def unresolved(tx: Transaction) -> list[Pending]:
    """Return every sale that waits, the longest waiting first."""
    rows = tx.exec_driver_sql(f"SELECT {_PENDING} FROM pending_sale ORDER BY at_ms, id")  # noqa: S608
    return [_read(*row) for row in rows]


def resolve(tx: Transaction, sale: str) -> None:
    tx.exec_driver_sql("DELETE FROM pending_sale WHERE id = ?", (sale,))


_PENDING = "id, at_ms, till, language, body"


def _read(id_: str, at_ms: int, till: str, language: str, body: bytes) -> Pending:
    return Pending(id_, dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC), till, language, _decode(body))
