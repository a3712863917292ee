"""Opening a store: from nothing, from an earlier release, from a later one; and the keys beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tapledger.commands.verify import verify_shop
from tapledger.database import Database, InlineExecutor, Transaction, read_migrations
from tapledger.errors import Corrupt, Denied, Refused, Unavailable
from tapledger.store import keyring, members, outbox
from tapledger.store.store import FILE_NAME, Store
from tests.store.old.make import KNOWN
from tests.store.shops import Bench, HandClock, raw_connection
from tests.store.test_verify import settings

OLD = Path(__file__).with_name("old")


async def test_a_new_store_is_private_durable_and_of_the_newest_schema(bench: Bench) -> None:
    assert bench.rows("PRAGMA user_version") == [(len(read_migrations(MIGRATIONS)),)]
    assert bench.rows("PRAGMA journal_mode") == [("wal",)]
    assert await bench.shop.store.transact(lambda tx: tx.exec_driver_sql("PRAGMA synchronous").scalar()) == 2
    assert bench.database.stat().st_mode & 0o777 == 0o600
    strict = bench.rows("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
                        " AND NOT strict AND name NOT LIKE 'sqlite_%'")  # fmt: skip
    assert strict == []


MIGRATIONS = Path(keyring.__file__).with_name("migrations")


async def test_a_newer_store_is_refused_and_not_touched(tmp_path: Path) -> None:
    bench = Bench(tmp_path, HandClock())
    await bench.open()
    await bench.close()
    with raw_connection(bench.database) as connection:
        connection.execute("PRAGMA user_version = 9999")
    before = bench.database.read_bytes()
    for read_only in (False, True):
        with pytest.raises(Corrupt) as caught:
            await Store.open(tmp_path, keyring.load(tmp_path), read_only=read_only)
        assert caught.value.code == "STORE_NEWER"
        assert caught.value.data["version"] == 9999
    assert bench.database.read_bytes() == before


async def test_a_failing_migration_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    first = [(1, "CREATE TABLE a (x INTEGER) STRICT;\n")]
    await Database.open(path, first, InlineExecutor()).close()
    broken = [*first, (2, "CREATE TABLE b (x INTEGER) STRICT;\nINSERT INTO nowhere VALUES (1);\n")]
    with pytest.raises(Corrupt):
        Database.open(path, broken, InlineExecutor())
    with raw_connection(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchall() == [(1,)]
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("a",)]


async def test_looking_at_an_older_store_does_not_migrate_it(tmp_path: Path) -> None:
    with raw_connection(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 0")
        connection.execute("CREATE TABLE x (y)")
    with pytest.raises(Unavailable) as caught:
        await Store.open(tmp_path, keyring.make(bytes(keyring.RANDOMNESS)), read_only=True)
    assert caught.value.code == "STORE_OLDER"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
async def test_keys_that_others_can_reach_are_refused(bench: Bench, mode: int) -> None:
    (bench.folder / keyring.FILE_NAME).chmod(mode)
    with pytest.raises(Denied) as caught:
        keyring.load(bench.folder)
    assert caught.value.code == "KEY_FILE_EXPOSED"


async def test_missing_and_damaged_keys_are_told_apart(bench: Bench) -> None:
    keys = bench.folder / keyring.FILE_NAME
    whole = keys.read_bytes()
    for content, code in ((b"", "KEY_FILE_UNREADABLE"), (whole[:-9], "KEY_FILE_UNREADABLE"),
                          (b"\xff" * 99, "KEY_FILE_UNREADABLE")):  # fmt: skip
        keys.write_bytes(content)
        with pytest.raises(Corrupt) as caught:
            keyring.load(bench.folder)
        assert caught.value.code == code
    keys.unlink()
    with pytest.raises(Corrupt) as caught:
        keyring.load(bench.folder)
    assert caught.value.code == "KEYS_MISSING"


# ---- earlier releases ------------------------------------------------------------------------------------
def stores() -> list[str]:
    return sorted(path.name for path in OLD.iterdir() if path.is_dir() and path.name.startswith("0"))


RELEASED = (1, 2, 7)
"""Schemas that are in shops. A release adds its newest one here, and its store by tests/store/old/make.py."""


def test_every_released_schema_has_an_old_store() -> None:
    assert tuple(int(name) for name in stores()) == RELEASED


@pytest.mark.parametrize("name", stores())
async def test_a_released_migration_is_never_changed(name: str, tmp_path: Path) -> None:
    """A shop that is there has run it already: what it should have done too is the next one's work."""
    migrations = read_migrations(MIGRATIONS)[: int(name)]
    await Database.open(tmp_path / "new.db", migrations, InlineExecutor()).close()
    shutil.copyfile(OLD / name / FILE_NAME, tmp_path / "old.db")
    tables = "SELECT type, name, sql FROM sqlite_schema ORDER BY name"
    with raw_connection(tmp_path / "new.db") as new, raw_connection(tmp_path / "old.db") as old:
        assert new.execute(tables).fetchall() == old.execute(tables).fetchall()


@pytest.mark.parametrize("name", stores())
async def test_a_store_of_an_earlier_release_opens_with_all_it_holds(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(OLD / name, folder)
    (folder / keyring.FILE_NAME).chmod(0o600)
    bench = Bench(folder, HandClock(KNOWN.until))
    await bench.open()
    try:
        assert bench.rows("SELECT kind FROM event ORDER BY seq") == [(kind,) for kind in KNOWN.kinds]
        assert await bench.points(KNOWN.member) == KNOWN.points
        assert await bench.shop.store.unsynced() == len(KNOWN.kinds)
        assert await bench.shop.store.transact(members.count) == 1
        await bench.buy(KNOWN.member)
        assert await bench.points(KNOWN.member) == KNOWN.points + 12
        pending = await bench.shop.store.transact(lambda tx: outbox.pending(tx, 100))
        assert pending is not None and pending.profiles[0].member == KNOWN.member
        result = await verify_shop(settings(bench), lambda count: None)
        assert (result.ok, result.events) == (True, len(KNOWN.kinds) + 1)
    finally:
        await bench.close()


async def test_only_what_can_be_had_again_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    """NORMAL, for a page of the feed alone; whatever becomes of it, the next commit waits again."""
    database = Database.open(tmp_path / "one.db", [(1, "CREATE TABLE one (n INTEGER)")], InlineExecutor())

    def waits(tx: Transaction) -> bool:
        return bool(tx.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2)

    def fails(tx: Transaction) -> None:
        assert not waits(tx)
        raise Refused("NOT_NOW")

    try:
        assert not await database.transact(waits, lasting=False)
        assert await database.transact(waits)
        with pytest.raises(Refused):
            await database.transact(fails, lasting=False)
        assert await database.transact(waits)
    finally:
        await database.close()
