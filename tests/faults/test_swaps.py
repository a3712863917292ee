"""A ledger of a lone shop swapped for its backup: whole, or as it was, whenever the power goes."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import secrets
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tapledger import settings
from tapledger.app import open_shop
from tapledger.clock import SystemClock
from tapledger.commands.backing_up import back_up, plan_restore, restore
from tapledger.errors import TapledgerError
from tapledger.floor.safekeeping import Safekeeping
from tapledger.lab.seed import CASHIER, TOWEL
from tapledger.loyalty.facts import Tender
from tapledger.membership.sale import SaleCommand, record_sale
from tapledger.membership.shop import Shop
from tapledger.store import backups, epochs, keyring
from tapledger.store.store import FILE_NAME, Store
from tests.faults import books
from tests.faults.lone_shop import found_shop
from tests.store.shops import HandClock, raw_connection

CLOCK = SystemClock()


@pytest.fixture
async def lone(tmp_path: Path) -> settings.Settings:
    """A shop without a central, with a member."""
    await found_shop(tmp_path / "shop", ballast_mb=0)
    return settings.read(tmp_path / "shop" / "daemon.toml")


async def sales(lone: settings.Settings, count: int) -> None:
    shop = await open_shop(lone, CLOCK, os.urandom)
    try:
        for _ in range(count):
            await sell_to_nobody(shop)
    finally:
        await shop.store.close()


async def sell_to_nobody(shop: Shop) -> None:
    line = shop.catalogue.find(TOWEL).line(1000, "en")
    tender = Tender("cash", line.unit_minor)
    await record_sale(shop, SaleCommand(secrets.token_hex(8), "till", (line,), (tender,), CASHIER, "en"))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


async def test_a_backup_is_whole_while_the_shop_sells(lone: settings.Settings, tmp_path: Path) -> None:
    shop = await open_shop(lone, CLOCK, os.urandom)
    held = []
    try:
        for number in range(4):
            _, one = await asyncio.gather(
                sell_to_nobody(shop), back_up(lone, tmp_path / "disk" / f"{number}.db", CLOCK)
            )
            held.append(one)
    finally:
        await shop.store.close()
    for number, one in enumerate(held):
        path = tmp_path / "disk" / f"{number}.db"
        assert number + 1 <= one.events <= number + 2, "before the sale or after it"
        assert backups.read(path, one.node) == one
        assert path.stat().st_mode & 0o777 == 0o600
    assert not [name for name in files(tmp_path / "disk") if name.startswith(".")]


async def test_a_dry_run_says_what_comes_along_and_changes_nothing(
    lone: settings.Settings, tmp_path: Path
) -> None:
    backup = tmp_path / "a.db"
    await sales(lone, 2)
    await back_up(lone, backup, CLOCK)
    await sales(lone, 3)
    before, copy = files(lone.store.folder), backup.read_bytes()
    plan = await plan_restore(lone, backup, CLOCK)
    assert (plan.held.events, plan.waits_for_central) == (3, False)
    assert plan.later is not None
    assert (plan.later.follows, plan.later.others) == (3, 0)
    assert (files(lone.store.folder), backup.read_bytes()) == (before, copy)
    done = await restore(lone, backup, CLOCK)
    assert done.epoch > 1, "no receipt's number is given twice"
    assert len(books.raws(lone.store.folder / "daemon.toml")) == 6
    await sales(lone, 1)
    assert await books.chain_is_whole(lone.store.folder / "daemon.toml")


async def test_what_does_not_follow_the_backup_stays_aside(lone: settings.Settings, tmp_path: Path) -> None:
    backup, database = tmp_path / "a.db", lone.store.folder / FILE_NAME
    await back_up(lone, backup, CLOCK)
    await sales(lone, 2)
    await back_up(lone, tmp_path / "b.db", CLOCK)
    shutil.copy(backup, database)
    await sales(lone, 3)
    plan = await restore(lone, tmp_path / "b.db", CLOCK)
    assert plan.later is not None
    assert (plan.later.follows, plan.later.others) == (0, 1), "two have numbers that the backup has, too"
    assert plan.aside is not None
    with raw_connection(plan.aside) as connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (4,)


async def sell_and_be_killed(lone: settings.Settings) -> None:
    """Leave a shop's files as kill -9 does: what was sold last is in the log."""
    shop = await open_shop(lone, CLOCK, os.urandom)
    for _ in range(3):
        await sell_to_nobody(shop)
    killed = files(lone.store.folder)
    await shop.store.close()
    for name, content in killed.items():
        (lone.store.folder / name).write_bytes(content)


@pytest.mark.parametrize("step", range(6))
async def test_a_swap_that_is_cut_short_is_ended_at_the_next_start(
    lone: settings.Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The old ledger has a log of its own, as after kill -9: it must not be applied to the new one."""
    backup, folder = tmp_path / "a.db", lone.store.folder
    await sales(lone, 1)
    await back_up(lone, backup, CLOCK)
    node = keyring.load(folder).node
    await sell_and_be_killed(lone)
    assert (folder / f"{FILE_NAME}-wal").stat().st_size > 0
    prepared = folder / "prepared"
    shutil.copy(backup, prepared)
    backups.make_ready(prepared, folder / FILE_NAME, 7)
    left = step

    def cut(do: Callable[..., None]) -> Callable[..., None]:
        def run(*values: object, **named: object) -> None:
            nonlocal left
            if not left:
                raise PowerCut
            left -= 1
            do(*values, **named)

        return run

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", cut(os.link))
        patched.setattr(Path, "unlink", cut(Path.unlink))
        patched.setattr(Path, "rename", cut(Path.rename))
        try:
            backups.put_in_place(folder / FILE_NAME)
        except PowerCut:
            assert step < STEPS
        else:
            assert step == STEPS
    store = await Store.open(folder, keyring.load(folder))
    await store.close()
    assert len(books.raws(folder / "daemon.toml")) == 2
    assert await books.chain_is_whole(folder / "daemon.toml")
    with raw_connection(folder / f"{FILE_NAME}.aside-7") as connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (5,), node


STEPS = 5
"""Two links, two logs that go, one name."""


class PowerCut(Exception):
    """Nothing more is done."""


async def test_a_log_left_behind_would_spoil_the_new_ledger(lone: settings.Settings, tmp_path: Path) -> None:
    """The broken twin of the swap: the file is replaced and the old one's log stays."""
    backup, folder = tmp_path / "a.db", lone.store.folder
    await back_up(lone, backup, CLOCK)
    await sell_and_be_killed(lone)
    shutil.copy(backup, folder / FILE_NAME)
    assert len(books.raws(folder / "daemon.toml")) != 1


async def refused(work: Coroutine[Any, Any, object]) -> str:
    with pytest.raises(TapledgerError) as caught:
        await work
    return caught.value.code


async def test_what_cannot_be_restored_is_refused_and_nothing_changes(
    lone: settings.Settings, tmp_path: Path
) -> None:
    backup, folder = tmp_path / "a.db", lone.store.folder
    await sales(lone, 60)
    await back_up(lone, backup, CLOCK)
    before = files(folder)

    content = bytearray(backup.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40_000] = bytes(40_000)
    (tmp_path / "damaged.db").write_bytes(content)
    (tmp_path / "other.db").write_bytes(b"a shopping list")
    with raw_connection(Path(shutil.copy(backup, tmp_path / "bent.db"))) as connection:
        connection.execute("UPDATE event SET raw = CAST(replace(raw, 'cash', 'card') AS BLOB) WHERE seq = 3")
    await found_shop(tmp_path / "second", ballast_mb=0)
    second = settings.read(tmp_path / "second" / "daemon.toml")
    await back_up(second, tmp_path / "second.db", CLOCK)

    assert await refused(restore(lone, tmp_path / "damaged.db", CLOCK)) in {
        "BACKUP_DAMAGED",
        "STORE_UNREADABLE",
    }
    assert await refused(restore(lone, tmp_path / "other.db", CLOCK)) == "STORE_UNREADABLE"
    assert await refused(restore(lone, tmp_path / "bent.db", CLOCK)) == "BACKUP_DAMAGED"
    assert await refused(restore(lone, tmp_path / "second.db", CLOCK)) == "BACKUP_OF_ANOTHER"
    assert await refused(restore(lone, tmp_path / "none.db", CLOCK)) == "BACKUP_MISSING"
    early = HandClock(CLOCK.now() - dt.timedelta(days=1))
    assert await refused(restore(lone, backup, early)) == "CLOCK_BEHIND"
    assert await refused(back_up(lone, folder / FILE_NAME, CLOCK)) == "BACKUP_PLACE"
    assert {name: files(folder)[name] for name in before} == before
    shop = await open_shop(lone, CLOCK, os.urandom)
    try:
        assert await refused(restore(lone, backup, CLOCK)) == "STORE_IN_USE"
    finally:
        await shop.store.close()


def test_the_epoch_of_a_restore_is_later_than_all_that_is_known() -> None:
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    first = epochs.after_restore([1], now)
    assert first == (now - epochs.BEGINNING).total_seconds() / 60
    assert epochs.after_restore([1, first], now) == first + 1
    later = epochs.after_restore([1], now + dt.timedelta(minutes=2))
    assert later > epochs.after_restore([1, first], now), "the same backup again, when nothing else is known"


async def test_the_daemon_makes_backups_by_itself_and_keeps_the_newest(
    lone: settings.Settings, tmp_path: Path
) -> None:
    clock = HandClock()
    chosen = settings.BackupSettings(folder=str(tmp_path / "disk"), every_hours=2, keep=2)
    keeping = Safekeeping(lone.store.folder, keyring.load(lone.store.folder), chosen, clock)
    assert keeping.wait_s() == 0
    made = []
    for _ in range(3):
        made.append(await keeping.make())
        clock.move(3600)
    assert keeping.wait_s() == 3600
    assert sorted((tmp_path / "disk").iterdir()) == made[1:]
    clock.move(7 * 3600)
    assert keeping.wait_s() == 0, "one was missed"
    clock.move(-30 * 3600)
    assert keeping.wait_s() == 2 * 3600, "the clock was put back"
