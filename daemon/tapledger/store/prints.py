"""The print queue: a slip commits with what it proves, and has exactly one fate."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction

RECENT = 50


@dataclass(frozen=True, slots=True)
class Job:
    """One slip. States: queued, sending, printed, failed, unknown, expired."""

    id: str
    number: int
    kind: str
    document: bytes
    state: str
    reason: str
    evidence: str
    expires_ms: int


_COLUMNS = "id, number, kind, document, state, reason, evidence, expires_ms"


def enqueue(tx: Transaction, job: str, kind: str, document: bytes, expires_ms: int) -> None:
    """Add a slip to the queue; the same job id again is the same slip."""
    tx.exec_driver_sql(
        "INSERT INTO print_job VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM print_job), ?, ?,"
        " 'queued', '', '', ?) ON CONFLICT (id) DO NOTHING",
        (job, kind, document, expires_ms),
    )


def expire(tx: Transaction, now_ms: int) -> list[str]:
    """Give up queued slips that are past their time, and return them."""
    rows = tx.exec_driver_sql(
        "UPDATE print_job SET state = 'expired', reason = 'expired'"
        " WHERE state = 'queued' AND expires_ms <= ? RETURNING id",
        (now_ms,),
    )
    return [row[0] for row in rows]


def take_next(tx: Transaction) -> Job | None:
    """Mark the oldest queued slip as being sent and return it."""
    row = tx.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM print_job WHERE state = 'queued' ORDER BY number LIMIT 1"  # noqa: S608
    ).first()
    if row is None:
        return None
    settle(tx, row[0], "sending", "", "")
    return Job(row[0], row[1], row[2], bytes(row[3]), "sending", "", "", row[7])


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


def recover(tx: Transaction) -> int:
    """After a crash: a slip that was being sent may be on paper, so it is unknown and never sent again."""
    done = tx.exec_driver_sql(
        "UPDATE print_job SET state = 'unknown', reason = 'interrupted',"
        " evidence = 'the daemon stopped while sending' WHERE state = 'sending'"
    )
    return done.rowcount


def get(tx: Transaction, job: str) -> Job | None:
    row = tx.exec_driver_sql(f"SELECT {_COLUMNS} FROM print_job WHERE id = ?", (job,)).first()  # noqa: S608
    return None if row is None else Job(row[0], row[1], row[2], bytes(row[3]), *row[4:])


def recent(tx: Transaction) -> list[Job]:
    rows = tx.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM print_job ORDER BY number DESC LIMIT {RECENT}"  # noqa: S608
    )
    return [Job(row[0], row[1], row[2], bytes(row[3]), *row[4:]) for row in rows]
