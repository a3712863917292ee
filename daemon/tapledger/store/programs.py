"""The versions of the programme that this shop was given, and since when each was in use."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.database import Transaction


@dataclass(frozen=True, slots=True)
class Kept:
    """A version as it was given. ``content`` is what counts, with its calendars; ``text`` is the file."""

    version: str
    digest: bytes
    content: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Use:
    version: str
    since: dt.datetime


def find(tx: Transaction, version: str) -> Kept | None:
    row = tx.exec_driver_sql(
        "SELECT version, digest, content, text FROM program WHERE version = ?", (version,)
    ).first()
    return None if row is None else Kept(row[0], bytes(row[1]), bytes(row[2]), row[3])


def keep(tx: Transaction, kept: Kept) -> None:
    """Keep a version; one that was never in use may be replaced."""
    tx.exec_driver_sql(
        "INSERT INTO program VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (version) DO UPDATE SET digest = ?2, content = ?3, text = ?4",
        (kept.version, kept.digest, kept.content, kept.text),
    )


def uses(tx: Transaction) -> list[Use]:
    """Return when each version came into use, the first first; the last ones may be still to come."""
    rows = tx.exec_driver_sql("SELECT version, since_ms FROM program_use ORDER BY since_ms")
    return [Use(row[0], dt.datetime.fromtimestamp(row[1] / 1000, dt.UTC)) for row in rows]


def use(tx: Transaction, version: str, since: dt.datetime) -> None:
    """Write down that a version is in use from an instant on."""
    tx.exec_driver_sql(
        "INSERT INTO program_use VALUES (?1, ?2) ON CONFLICT (since_ms) DO UPDATE SET version = ?2",
        (_ms(since), version),
    )


def forget_uses_after(tx: Transaction, now: dt.datetime) -> None:
    """Take back what was to come into use after an instant."""
    tx.exec_driver_sql("DELETE FROM program_use WHERE since_ms > ?", (_ms(now),))


def _ms(at: dt.datetime) -> int:
    return int(at.timestamp() * 1000)
