"""A backup brought back: nothing that can be had again is lost, and nothing is spent twice (0018)."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from tapledger import settings
from tapledger.clock import SystemClock
from tapledger.commands.backing_up import Plan, back_up, plan_restore, restore
from tapledger.errors import Refused
from tapledger.lab.seed import CASHIER, TOWEL
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.members import points
from tapledger.membership.identity import Presented
from tapledger.membership.redemption import RewardCommand, hold_reward
from tapledger.membership.sale import SaleCommand, record_sale
from tapledger.membership.shop import Shop
from tapledger.store import epochs, members
from tapledger.store.store import FILE_NAME
from tests.faults import books
from tests.faults.small_chain import LONGEST_S, Rounds, SmallChain, small_chain
from tests.store.shops import raw_connection

NORTH, SOUTH = "north", "south"
CLOCK = SystemClock()
CARD = Presented("card", "9100000100", 1, "test")


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[SmallChain]:
    async with small_chain(tmp_path) as made:
        yield made


async def sell(shop: Shop, member: str) -> None:
    """A hundred points."""
    line = structs.replace(shop.catalogue.find(TOWEL).line(1000, "en"), unit_minor=10_000)
    sale = SaleCommand(
        secrets.token_hex(8), "till", (line,), (Tender("card", 10_000),), CASHIER, "en", member, CARD
    )
    await record_sale(shop, sale)


async def redeem(shop: Shop, member: str) -> None:
    """Eighty points."""
    await hold_reward(shop, RewardCommand(secrets.token_hex(8), member, CARD, "coffee", "en"))


async def points_of(shop: Shop, member: str) -> int:
    stored = await shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None
    return points(stored.member, shop.clock.now()).shown


async def quiet(rounds: Rounds) -> None:
    async with asyncio.timeout(LONGEST_S):
        while not await rounds.is_quiet():
            pass


class Yesterday:
    """Shop north with a backup from before its last sales and a redemption, all of which central has."""

    def __init__(self, chain: SmallChain) -> None:
        self.chain = chain
        self.member = chain.members[0]
        self.settings = settings.read(chain.config(NORTH))
        self.database = self.settings.store.folder / FILE_NAME
        self.backup = chain.folder / "disk" / "north.db"

    async def happen(self) -> None:
        async with self.chain.opened(NORTH) as (shop, rounds):
            for _ in range(5):
                await sell(shop, self.member)
            await quiet(rounds)
            await back_up(self.settings, self.backup, CLOCK)
            for _ in range(3):
                await sell(shop, self.member)
            await redeem(shop, self.member)
            await quiet(rounds)
            self.then = await points_of(shop, self.member)
        self.recorded = len(books.raws(self.chain.config(NORTH)))

    def lose_disk(self) -> None:
        for file in self.database.parent.glob(f"{FILE_NAME}*"):
            file.unlink()

    async def restore(self) -> Plan:
        return await restore(self.settings, self.backup, CLOCK)


@pytest.fixture
async def yesterday(chain: SmallChain) -> Yesterday:
    made = Yesterday(chain)
    await made.happen()
    return made


async def test_a_restored_shop_earns_at_once_and_spends_after_central_was_asked(yesterday: Yesterday) -> None:
    chain, member = yesterday.chain, yesterday.member
    yesterday.lose_disk()
    plan = await yesterday.restore()
    assert (plan.later, plan.waits_for_central) == (None, True)
    async with chain.opened(NORTH) as (shop, rounds):
        await sell(shop, member)
        with pytest.raises(Refused, match=epochs.ROLLED_BACK):
            await redeem(shop, member)
    async with chain.opened(NORTH) as (shop, rounds):
        with pytest.raises(Refused, match=epochs.ROLLED_BACK):
            await redeem(shop, member)
        await quiet(rounds)
        earned = await points_of(shop, member) - yesterday.then
        assert earned == 100, "one sale, and all that was lost is back"
        assert shop.store.journal.epoch == plan.epoch, "what was begun at the restore goes on"
        await redeem(shop, member)
        await quiet(rounds)
    assert len(books.raws(chain.config(NORTH))) == yesterday.recorded + 2
    assert sorted(chain.held()) == sorted(chain.recorded())
    here, there = await chain.settle()
    assert here == there


async def test_without_a_restore_the_same_disk_spends_again_and_forks(yesterday: Yesterday) -> None:
    """The broken twin: the file alone is put back, so nothing says that it is old."""
    yesterday.lose_disk()
    shutil.copy(yesterday.backup, yesterday.database)
    async with yesterday.chain.opened(NORTH) as (shop, rounds):
        await redeem(shop, yesterday.member)
        await rounds.go()
        assert rounds.sync.state.push_problem is not None
        assert rounds.sync.state.push_problem.code == "FORK"


async def test_a_restore_that_begins_no_epoch_forks(
    yesterday: Yesterday, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other twin: what is earned before central was asked takes numbers that are used."""
    monkeypatch.setattr(epochs, "begin", lambda tx, epoch: None)
    yesterday.lose_disk()
    await yesterday.restore()
    monkeypatch.undo()
    async with yesterday.chain.opened(NORTH) as (shop, rounds):
        await sell(shop, yesterday.member)
        await rounds.go()
        assert rounds.sync.state.push_problem is not None
        assert rounds.sync.state.push_problem.code == "FORK"


def damage(path: Path) -> None:
    """Overwrite the first page: SQLite reads nothing of the file any more."""
    with raw_connection(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.write(bytes(4096))


async def test_what_a_damaged_ledger_had_not_sent_comes_along(yesterday: Yesterday) -> None:
    chain = yesterday.chain
    async with chain.opened(NORTH) as (shop, _):
        for _ in range(2):
            await sell(shop, yesterday.member)
    before = books.raws(chain.config(NORTH))
    damage(yesterday.database)
    foreseen = await plan_restore(yesterday.settings, yesterday.backup, CLOCK)
    plan = await yesterday.restore()
    assert plan.later is not None
    assert foreseen.later is not None
    assert (
        (plan.later.follows, plan.later.others) == (6, 0) == (foreseen.later.follows, foreseen.later.others)
    )
    assert books.raws(chain.config(NORTH)) == before
    assert plan.aside is not None
    assert plan.aside.exists()
    async with chain.opened(NORTH) as (shop, rounds):
        await quiet(rounds)
        assert await points_of(shop, yesterday.member) == yesterday.then + 2 * 100
    assert sorted(chain.held()) == sorted(chain.recorded())
