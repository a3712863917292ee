"""Moves what is committed from SQLite's log into its file, beside the writer: nobody at a till waits for it.

SQLite does it in a commit by default, 1,000 pages and two waits for the disk at a time. Here a thread with a
connection of its own does; should it fall behind, SQLite does the rest in a commit after all, so that the log
has an end. Nothing is less safe: what is committed is in the log, and the log goes before the file.
"""

from __future__ import annotations

import threading
from pathlib import Path

import sqlcipher3.dbapi2 as sqlcipher

from tapledger.database import Transaction

DUE_PAGES = 200
"""So many pages in the log are moved. The log is synced first, so that a sale waits for little of it: moving
more at a time is cheaper in all, and a commit beside it slower."""
LOG_PAGES = 4000
"""With so many, 16 MB, a commit moves what is left."""
KEPT_BYTES = 4 * 1024 * 1024
"""What a log that was moved keeps of its room on the disk."""
LOOK_EVERY = 4
"""Commits between two looks."""


class Checkpoints:
    """Looks after the log of one file until ``close``; ``committed`` is called after each commit."""

    def __init__(self, path: Path) -> None:
        place = f"{path.resolve().as_uri()}?mode=rw"  # never a new file where the store's was taken away
        self._connection = sqlcipher.connect(place, uri=True, isolation_level=None, check_same_thread=False)
        self._commits = 0
        self._woken = threading.Event()
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def committed(self) -> None:
        self._commits += 1
        if self._commits % LOOK_EVERY == 0:
            self._woken.set()

    def close(self) -> None:
        self._ends = True
        self._woken.set()
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while True:
            self._woken.wait()
            self._woken.clear()
            if self._ends:
                return
            try:
                self._look()
            except sqlcipher.DatabaseError:
                continue  # full, or failing: whoever writes meets it, too, and says so

    def _look(self) -> None:
        _, pages, moved = self._connection.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
        if pages - moved >= DUE_PAGES:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def leave_log(tx: Transaction) -> None:
    """Let the commits of a writer leave the log to somebody else, up to a size."""
    tx.exec_driver_sql(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
    tx.exec_driver_sql(f"PRAGMA journal_size_limit={KEPT_BYTES}")
