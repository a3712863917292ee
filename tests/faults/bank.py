"""Writers that note every acknowledged row at their own end and repeat a failed one under the same number."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.errors import Diagnostic

WRITERS = 4
RETRY_S = 0.05
COMMITTED_HERE_ONLY = "01000"
"""The notice on a commit that stopped waiting for its standby: it may be lost, so it does not count."""


@dataclass(frozen=True, slots=True)
class Ack:
    """One answered write; times are monotonic seconds at the client."""

    writer: int
    number: int
    sent_s: float
    acked_s: float


def acknowledged(
    connection: psycopg.Connection, statement: sql.Composed | sql.SQL, values: list[int]
) -> bool:
    """Run one autocommitted statement; return whether the server vouched for it. Raises psycopg.Error."""
    notices: list[str | None] = []

    def note(diagnostic: Diagnostic) -> None:
        notices.append(diagnostic.sqlstate)

    connection.add_notice_handler(note)
    try:
        connection.execute(statement, values)
    finally:
        connection.remove_notice_handler(note)
    return COMMITTED_HERE_ONLY not in notices


class Bank:
    """A table of (writer, number), written through the router by several threads at once."""

    def __init__(self, url: str, table: str = "bank") -> None:
        self._url = url
        self._table = sql.Identifier(table)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(writer,), daemon=True) for writer in range(WRITERS)
        ]
        self.acks: list[Ack] = []

    def start(self) -> None:
        columns = "(writer int, number int, PRIMARY KEY (writer, number))"
        with psycopg.connect(self._url) as connection:
            connection.execute(sql.SQL("CREATE TABLE {} " + columns).format(self._table))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def back_after(self, moment_s: float) -> float | None:
        """Return when the first write sent after ``moment_s`` was answered; None while there is none."""
        return min((ack.acked_s for ack in list(self.acks) if ack.sent_s > moment_s), default=None)

    def contents(self, url: str) -> frozenset[tuple[int, int]]:
        """Return all rows as the server at ``url`` has them."""
        with psycopg.connect(url) as connection:
            rows = connection.execute(sql.SQL("SELECT writer, number FROM {}").format(self._table))
            return frozenset((writer, number) for writer, number in rows)

    def lost(self, url: str) -> int:
        """Count the acknowledged rows that are not there."""
        return len({(ack.writer, ack.number) for ack in self.acks} - self.contents(url))

    def _write(self, writer: int) -> None:
        statement = sql.SQL("INSERT INTO {} VALUES (%s, %s) ON CONFLICT DO NOTHING").format(self._table)
        number = 0
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    while not self._stopping.is_set():
                        sent_s = time.monotonic()
                        if not acknowledged(connection, statement, [writer, number]):
                            break
                        self.acks.append(Ack(writer, number, sent_s, time.monotonic()))
                        number += 1
            except psycopg.Error:
                self._stopping.wait(RETRY_S)
