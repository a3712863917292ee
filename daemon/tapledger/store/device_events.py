"""The durable ring of what devices reported: the newest of it, by number and by age.

What somebody has still to handle stays until it is old by both: a clock that is wrong takes no scan away.

``shown`` is for everybody who may look at the machine; ``box`` is personal (a card's number, a code): sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tapledger.database import Transaction

KEPT_ROWS = 10_000
KEPT_MS = 7 * 24 * 3600 * 1000
READ_MAX = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One event as it is stored; ``open`` until whoever it was for has handled it."""

    seq: int
    at_ms: int
    mono_s: float
    device: str
    class_: str
    type: str
    claim: str
    trace: str
    shown: str
    """JSON."""
    box: bytes | None
    open: bool


_COLUMNS = "seq, at_ms, mono_s, device, class, type, claim, trace, shown, box, open"


def next_seq(tx: Transaction) -> int:
    """Return the number of the next event; numbers are never given again."""
    row = tx.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'device_event'").first()
    return 1 if row is None else int(row[0]) + 1


def append(tx: Transaction, rows: Sequence[Row]) -> None:
    """Add events in their order, and let the oldest go."""
    for row in rows:
        tx.exec_driver_sql(
            f"INSERT INTO device_event ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (row.seq, row.at_ms, row.mono_s, row.device, row.class_, row.type, row.claim, row.trace,
             row.shown, row.box, int(row.open)),
        )  # fmt: skip
    too_far, too_old = rows[-1].seq - KEPT_ROWS, rows[-1].at_ms - KEPT_MS
    tx.exec_driver_sql(
        "DELETE FROM device_event WHERE seq <= ? AND (open = 0 OR at_ms < ?)", (too_far, too_old)
    )
    # Age has no index: looked at from the oldest on, mostly the first one is young enough.
    tx.exec_driver_sql(
        "DELETE FROM device_event WHERE open = 0"
        " AND seq < (SELECT seq FROM device_event WHERE at_ms >= ? ORDER BY seq LIMIT 1)",
        (too_old,),
    )


def settle(tx: Transaction, seqs: Sequence[int]) -> None:
    """Mark events as handled: they are never handed out again."""
    for seq in seqs:
        tx.exec_driver_sql("UPDATE device_event SET open = 0 WHERE seq = ? AND open = 1", (seq,))


def unhandled(tx: Transaction) -> list[Row]:
    """Return what nobody has handled, the oldest first."""
    rows = tx.exec_driver_sql(f"SELECT {_COLUMNS} FROM device_event WHERE open = 1 ORDER BY seq")  # noqa: S608
    return [_row(row) for row in rows]


def since(tx: Transaction, seq: int, limit: int = READ_MAX) -> list[Row]:
    """Return the events after ``seq`` in their order, at most ``limit``."""
    rows = tx.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM device_event WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608
        (seq, min(limit, READ_MAX)),
    )
    return [_row(row) for row in rows]


def newest(tx: Transaction, limit: int, device: str | None = None) -> list[Row]:
    """Return the newest events in their order, of one device or of all."""
    rows = tx.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM device_event WHERE ?1 IS NULL OR device = ?1"  # noqa: S608
        " ORDER BY seq DESC LIMIT ?2",
        (device, limit),
    )
    return [_row(row) for row in rows][::-1]


def _row(row: Sequence[object]) -> Row:
    *values, is_open = row
    return Row(*values, bool(is_open))  # type: ignore[arg-type, call-arg]
