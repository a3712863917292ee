"""The print queue: a slip commits with what it proves, and has exactly one fate."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tapledger.database import Transaction

RECENT = 50
COPIES_MAX = 2
"""A slip that was cut short is printed again so often by itself; then a person has to look."""
INTERRUPTED = "interrupted"
"""The daemon stopped while a slip was on its way."""
CANNOT_SAY = "cannot_say"
"""Why a slip is unknown: all of it was sent without a fault to a printer that never says whether one came
out, and the operator wants nobody to be asked each time."""
UNDONE = "undone"
"""What the slip is of was taken back: it must never come out."""


@dataclass(frozen=True, slots=True)
class Job:
    """One slip. States: queued, sending, waiting_device, printed, failed, unknown, expired."""

    id: str
    number: int
    kind: str
    document: bytes
    state: str
    reason: str
    evidence: str
    expires_ms: int
    copies: int = 0
    """How often it was begun again; what comes out then says that it is a copy."""
    word: str = ""
    """Who said by hand what became of it, or asked for it again, and when."""
    drawer: str = ""
    """Of a cash sale: what became of the cash drawer (``store.drawers``)."""


_COLUMNS = "id, number, kind, document, state, reason, evidence, expires_ms, copies, word, drawer"


def enqueue(
    tx: Transaction, job: str, kind: str, document: bytes, expires_ms: int, *, drawer: bool = False
) -> None:
    """Add a slip to the queue; the same job id again is the same slip. ``drawer`` opens it too, once."""
    tx.exec_driver_sql(
        f"INSERT INTO print_job ({_COLUMNS})"  # noqa: S608
        " VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM print_job), ?, ?,"
        " 'queued', '', '', ?, 0, '', ?) ON CONFLICT (id) DO NOTHING",
        (job, kind, document, expires_ms, "due" if drawer else ""),
    )


def expire(tx: Transaction, now_ms: int) -> list[str]:
    """Give up queued slips that are past their time, and return them. Of one that had been begun nobody
    knows what is on paper."""
    rows = tx.exec_driver_sql(
        "UPDATE print_job SET state = CASE copies WHEN 0 THEN 'expired' ELSE 'unknown' END,"
        " reason = CASE copies WHEN 0 THEN 'expired' ELSE reason END"
        " WHERE state = 'queued' AND expires_ms <= ? RETURNING id",
        (now_ms,),
    )
    return [row[0] for row in rows]


def take_next(tx: Transaction) -> Job | None:
    """Mark the oldest queued slip as being sent and return it."""
    oldest = "SELECT id FROM print_job WHERE state = 'queued' ORDER BY number LIMIT 1"
    row = tx.exec_driver_sql(
        "UPDATE print_job SET state = 'sending', reason = '', evidence = ''"  # noqa: S608
        f" WHERE id = ({oldest}) RETURNING {_COLUMNS}"
    ).first()
    return None if row is None else _job(row)


def mark_sent(tx: Transaction, job: str) -> bool:
    """Say that all of a slip was handed over and only the printer's word is missing; False when it came."""
    query = "UPDATE print_job SET state = 'waiting_device' WHERE id = ? AND state = 'sending'"
    return bool(tx.exec_driver_sql(query, (job,)).rowcount)


def mark_waiting(tx: Transaction) -> list[str]:
    """Give queued slips the reason that no printer is ready; return those that had none before."""
    rows = tx.exec_driver_sql(
        "UPDATE print_job SET reason = 'printer_not_ready'"
        " WHERE state = 'queued' AND reason = '' RETURNING id"
    )
    return [row[0] for row in rows]


def settle(tx: Transaction, job: str, state: str, reason: str, evidence: str) -> None:
    tx.exec_driver_sql(
        "UPDATE print_job SET state = ?, reason = ?, evidence = ? WHERE id = ?",
        (state, reason, evidence, job),
    )


def copy(tx: Transaction, job: str, reason: str, evidence: str) -> bool:
    """Queue a slip that was cut short once more, as a copy; False when it was begun too often for that."""
    done = tx.exec_driver_sql(
        "UPDATE print_job SET state = 'queued', copies = copies + 1, reason = ?, evidence = ?"
        " WHERE id = ? AND copies < ? AND state IN ('sending', 'waiting_device')",
        (reason, evidence, job, COPIES_MAX),
    )
    return bool(done.rowcount)


def recover(tx: Transaction) -> None:
    """After a crash: a slip that was on its way may be on paper, in part or whole, so it is printed again as
    a copy while that makes sense; then nobody knows."""
    found = tx.exec_driver_sql("SELECT id FROM print_job WHERE state IN ('sending', 'waiting_device')")
    for (job,) in found.fetchall():
        evidence = "the daemon stopped while sending"
        if not copy(tx, job, INTERRUPTED, evidence):
            settle(tx, job, "unknown", INTERRUPTED, evidence)


def answer(tx: Transaction, job: str, word: str) -> bool:
    """Take a person's word that an unknown slip came out; False when it is not unknown."""
    done = tx.exec_driver_sql(
        "UPDATE print_job SET state = 'printed', reason = '', word = ? WHERE id = ? AND state = 'unknown'",
        (word, job),
    )
    return bool(done.rowcount)


def ask_again(tx: Transaction, job: str, word: str, expires_ms: int) -> bool:
    """Queue a slip anew because a person wants it; one that may be on paper comes out as a copy.

    False when it is on its way, or was taken back.
    """
    done = tx.exec_driver_sql(
        "UPDATE print_job SET copies = copies + (state IN ('printed', 'unknown')), state = 'queued',"
        " reason = '', evidence = '', word = ?, expires_ms = ? WHERE id = ?"
        " AND state IN ('printed', 'failed', 'unknown', 'expired') AND reason <> ?",
        (word, expires_ms, job, UNDONE),
    )
    return bool(done.rowcount)


def get(tx: Transaction, job: str) -> Job | None:
    row = tx.exec_driver_sql(f"SELECT {_COLUMNS} FROM print_job WHERE id = ?", (job,)).first()  # noqa: S608
    return None if row is None else _job(row)


def recent(tx: Transaction) -> list[Job]:
    rows = tx.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM print_job ORDER BY number DESC LIMIT {RECENT}"  # noqa: S608
    )
    return [_job(row) for row in rows]


def unknown(tx: Transaction, since_ms: int) -> list[Job]:
    """Return the slips that wait for a person's word, the newest first, unless they expired before then.
    Of those that are ``CANNOT_SAY`` nobody is asked."""
    rows = tx.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM print_job WHERE state = 'unknown' AND reason <> ?"  # noqa: S608
        f" AND expires_ms > ? ORDER BY number DESC LIMIT {RECENT}",
        (CANNOT_SAY, since_ms),
    )
    return [_job(row) for row in rows]


def _job(row: Collection[object]) -> Job:
    job, number, kind, document, *rest = row
    return Job(job, number, kind, bytes(document), *rest)  # type: ignore[arg-type, call-overload]
