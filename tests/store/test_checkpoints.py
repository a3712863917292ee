"""The log is moved into the file beside the writer, whatever happens to one try."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher

from tapledger.database import InlineExecutor, Transaction
from tapledger.store import checkpoints, facts
from tapledger.store.checkpoints import Checkpoints
from tapledger.store.store import FILE_NAME
from tests.store.shops import Bench, HandClock

LONG_S = 30.0


class Looks:
    """Counts what the thread beside did, and lets the first tries fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failing: int = 0) -> None:
        monkeypatch.setattr(checkpoints, "DUE_PAGES", 5)
        monkeypatch.setattr(checkpoints, "LOOK_EVERY", 1)
        self.moved, self.failed = threading.Event(), 0
        real = Checkpoints._look

        def look(beside: Checkpoints) -> None:
            if self.failed < failing:
                self.failed += 1
                raise sqlcipher.OperationalError("disk I/O error")
            real(beside)
            _, _, moved = beside._connection.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
            if moved:
                self.moved.set()

        monkeypatch.setattr(Checkpoints, "_look", look)


async def write_until_moved(bench: Bench, looks: Looks) -> int:
    """Commit until something was moved; return how many commits that took."""
    for number in range(10_000):
        value = b"%d" % number * 2000
        await bench.shop.store.transact(lambda tx, value=value: facts.put(tx, "long", value))  # type: ignore[misc]
        if looks.moved.is_set():
            return number
    assert looks.moved.wait(LONG_S)
    return 10_000


def logs(bench: Bench) -> list[Path]:
    return list(bench.folder.glob("*-wal"))


def log_limit(tx: Transaction) -> int:
    return int(tx.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one())


@pytest.mark.parametrize("failing", [0, 3])
async def test_the_log_is_moved_beside_the_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    looks = Looks(monkeypatch, failing)
    bench = Bench(tmp_path, HandClock())
    await bench.open()
    try:
        assert await bench.shop.store.transact(log_limit) == checkpoints.LOG_PAGES, "no commit has to do it"
        await write_until_moved(bench, looks)
        assert looks.failed == failing
    finally:
        await bench.close()
    assert logs(bench) == [], "the last to close moves the rest"


async def test_who_brings_an_executor_has_no_thread_beside(tmp_path: Path) -> None:
    bench = Bench(tmp_path, HandClock())
    await bench.open(InlineExecutor())
    try:
        assert bench.shop.store._checkpoints is None
        assert await bench.shop.store.transact(log_limit) == 1000
    finally:
        await bench.close()


def test_a_file_that_was_taken_away_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(sqlcipher.OperationalError):
        Checkpoints(tmp_path / FILE_NAME)
    assert list(tmp_path.iterdir()) == []
