"""Stores of the first release, which kept lots, spend and redemptions in other words: nothing is lost."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tapledger.commands.verify import verify_shop
from tapledger.loyalty import tallies
from tapledger.loyalty.members import Member, fold, points, replace
from tapledger.membership.redemption import give_back_lapsed
from tapledger.store import keyring, members
from tapledger.wire.codec import decode_event
from tests.store.old.make import KNOWN
from tests.store.shops import START, Bench, HandClock
from tests.store.test_verify import settings

OLD = Path(__file__).with_name("old")
OWING = "owing-0002"
"""Made by that release: of 299 points another shop gave out 250, this one 100 before it knew."""
TODAY = START.date().toordinal()


@asynccontextmanager
async def opened(name: str, folder: Path) -> AsyncIterator[Bench]:
    shutil.copytree(OLD / name, folder)
    (folder / keyring.FILE_NAME).chmod(0o600)
    bench = Bench(folder, HandClock())
    await bench.open()
    try:
        yield bench
    finally:
        await bench.close()


async def stored(bench: Bench) -> Member:
    found = await bench.shop.store.transact(lambda tx: members.load(tx, KNOWN.member))
    assert found is not None
    return found.member


def folded(bench: Bench) -> Member:
    """Return the member as this shop's journal alone tells."""
    who: Member | None = None
    for (raw,) in bench.rows("SELECT raw FROM event ORDER BY epoch, seq"):
        body = decode_event(raw).body
        if body.member == KNOWN.member:
            who = fold(who, body)
    assert who is not None
    return who


@pytest.mark.parametrize("name", ["0001", "0002"])
async def test_its_events_fold_to_the_member_it_stored(name: str, tmp_path: Path) -> None:
    """But for spend: the state has one sum from before there were days, the events have it by day."""
    async with opened(name, tmp_path / "shop") as bench:
        old, new = await stored(bench), folded(bench)
    assert (old.earlier_spend_minor, old.tallies) == (29_900, {})
    assert new.tallies == {tallies.SPEND: {TODAY: 29_900}, tallies.SALES: {TODAY: 1}}
    assert replace(old, earlier_spend_minor=0) == replace(new, tallies={})


async def test_a_voucher_that_it_issued_gives_its_points_back(tmp_path: Path) -> None:
    async with opened("0002", tmp_path / "shop") as bench:
        (hold,) = (await stored(bench)).holds
        assert bench.rows("SELECT idx, hold FROM voucher") == [(hold.voucher, hold.id)]
        bench.clock.move((hold.until - START).total_seconds())
        assert await give_back_lapsed(bench.shop) == 1
        assert (await bench.points(KNOWN.member), (await stored(bench)).holds) == (299, ())
        assert (await stored(bench)).tallies == {}, "it was not counted, so nothing is taken back"
        assert await give_back_lapsed(bench.shop) == 0


async def test_debts_tier_and_spend_are_kept_and_go_on(tmp_path: Path) -> None:
    async with opened(OWING, tmp_path / "shop") as bench:
        who = await stored(bench)
        assert (who.tier, who.deficit, who.earlier_spend_minor) == ("silver", 51, 30_900)
        assert points(who, START) == points(replace(who, lots=()), START)
        assert (points(who, START).available, points(who, START).held) == (0, 100)
        assert await bench.shop.store.unsynced() == 2
        await bench.buy(KNOWN.member)
        after = await stored(bench)
        assert (after.deficit, points(after, START).available) == (39, 0), "12 points repay"
        await bench.buy(KNOWN.member, count=5)
        after = await stored(bench)
        assert (after.deficit, points(after, START).available) == (0, 21)
        assert (after.tier, after.earlier_spend_minor) == ("silver", 30_900)
        assert tallies.total(after.tallies, tallies.SPEND) == 7200
        result = await verify_shop(settings(bench), lambda count: None)
        assert (result.ok, result.events) == (True, 6)


async def test_a_store_that_is_opened_again_is_the_same(tmp_path: Path) -> None:
    async with opened(OWING, tmp_path / "shop") as bench:
        before = await stored(bench), bench.rows("SELECT * FROM event ORDER BY seq")
        await bench.restart()
        assert (await stored(bench), bench.rows("SELECT * FROM event ORDER BY seq")) == before
