"""A disk that was rolled back gets its own events again before anything is spent (decisions R23)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from tapledger.errors import Corrupt
from tapledger.loyalty.members import Member
from tapledger.settings import CentralSettings
from tapledger.store import epochs
from tapledger.store.store import Store
from tapledger.sync.client import CentralClient
from tapledger.sync.loop import REFUSED_WAIT_S, SyncLoop
from tapledger.sync.placing import take_place
from tapledger.wire.asking import Standing, Tail
from tapledger_central.store import inbox
from tests.central.world import ShopNode, World


class Rewound:
    """A shop whose disk can be put back to where it was."""

    def __init__(self, world: World, shop: ShopNode, folder: Path) -> None:
        self.world, self.shop, self.folder = world, shop, folder
        self._copy = folder.with_name(folder.name + "-copy")

    async def remember(self) -> None:
        await self.shop.store.close()
        shutil.copytree(self.folder, self._copy)
        await self._open()

    async def rewind(self) -> None:
        await self.shop.store.close()
        shutil.rmtree(self.folder)
        shutil.copytree(self._copy, self.folder)
        await self._open()

    async def _open(self) -> None:
        self.shop.store = await Store.open(self.folder, self.shop.keyring)

    async def place(self) -> bool:
        return await take_place(self.shop.store, self.shop.client)

    async def stopped(self) -> str:
        return await self.shop.store.transact(epochs.stopped)


@pytest.fixture
async def rewound(world: World) -> Rewound:
    shop = await world.shop("first")
    made = Rewound(world, shop, world.folder / "first")
    await shop.join("m-1")
    await shop.sale("m-1", 50_000)
    await shop.push()
    await made.remember()
    return made


async def test_a_whole_disk_is_in_its_place(rewound: Rewound) -> None:
    assert not await rewound.place()
    assert (await rewound.stopped(), rewound.shop.store.journal.epoch) == ("", 1)


async def test_what_a_rolled_back_disk_lost_comes_back_and_a_new_epoch_begins(rewound: Rewound) -> None:
    shop = rewound.shop
    await shop.redeem("m-1")
    await shop.sale("m-1", 7_000)
    await shop.push()
    then: Member | None = await shop.member("m-1")
    head = await shop.store.transact(lambda tx: epochs.hash_of(tx, 1, 4))
    await rewound.rewind()
    assert await shop.points("m-1") == 500
    assert await rewound.place()
    assert await shop.member("m-1") == then
    assert await shop.store.transact(lambda tx: epochs.hash_of(tx, 1, 4)) == head
    assert (shop.store.journal.epoch, await shop.store.unsynced(), await rewound.stopped()) == (2, 0, "")
    await shop.sale("m-1", 1_000)
    assert await shop.push() == 1
    await shop.pull()
    assert await shop.points("m-1") == 500 - 100 + 70 + 10
    assert not await rewound.place(), "once is enough"


async def test_nothing_is_spent_until_the_tail_is_back_and_over_a_restart(rewound: Rewound) -> None:
    await rewound.shop.sale("m-1", 7_000)
    await rewound.shop.push()
    await rewound.rewind()
    shop = rewound.shop

    class Cut(CentralClient):
        async def tail(self, epoch: int, after: int) -> Tail:
            raise Corrupt("TAIL_BROKEN", epoch=epoch, seq=after)

    cut = Cut(rewound.world.way, rewound.world.address, shop.keyring, shop.clock, os.urandom)
    with pytest.raises(Corrupt, match="TAIL_BROKEN"):
        await take_place(shop.store, cut)
    assert await rewound.stopped() == epochs.ROLLED_BACK
    await shop.store.close()
    shop.store = await Store.open(rewound.folder, shop.keyring)
    assert await rewound.stopped() == epochs.ROLLED_BACK
    assert await rewound.place()
    assert await rewound.stopped() == ""


async def test_a_disk_that_was_cut_off_before_its_new_epoch_begins_it_the_next_time(rewound: Rewound) -> None:
    await rewound.shop.sale("m-1", 7_000)
    await rewound.shop.push()
    await rewound.rewind()
    store = rewound.shop.store

    async def power_cut(epoch: int) -> None:
        raise RuntimeError("the power is gone")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "begin_epoch", power_cut)
        with pytest.raises(RuntimeError):
            await rewound.place()
    assert (await store.last_seq(1), await rewound.stopped()) == (3, epochs.ROLLED_BACK)
    assert not await rewound.place(), "nothing is lost any more"
    assert (store.journal.epoch, await rewound.stopped()) == (2, "")


async def test_a_tail_that_does_not_follow_is_refused_and_changes_nothing(rewound: Rewound) -> None:
    await rewound.shop.sale("m-1", 7_000)
    await rewound.shop.push()
    await rewound.rewind()
    shop = rewound.shop

    class Liar:
        async def standing(self) -> Standing:
            return await shop.client.standing()

        async def tail(self, epoch: int, after: int) -> Tail:
            tail = await shop.client.tail(epoch, after)
            bent = tail.raws[0].replace(b"cash", b"card")
            return msgspec.structs.replace(tail, raws=[bent])

    with pytest.raises(Corrupt, match="TAIL_BROKEN"):
        await take_place(shop.store, Liar())
    assert await rewound.stopped() == epochs.ROLLED_BACK
    assert await shop.store.last_seq(1) == 2


async def test_events_made_on_a_rolled_back_disk_before_it_asked_are_a_fork(rewound: Rewound) -> None:
    """Both sides are kept, and a person has to look: nothing here may guess which is true."""
    shop = rewound.shop
    await shop.sale("m-1", 7_000)
    await shop.push()
    await rewound.rewind()
    await shop.sale("m-1", 9_000)
    await shop.sale("m-1", 9_000)
    loop = SyncLoop(
        shop.store, shop.keyring, CentralSettings(url=rewound.world.address), shop.clock, os.urandom
    )
    await loop.round(shop.client)
    assert loop.state.push_problem is not None
    assert loop.state.push_problem.code == "FORK"


async def test_what_a_rolled_back_disk_recorded_before_it_asked_is_evidence_at_central(
    rewound: Rewound,
) -> None:
    """It has fewer events than central and others: there is no place for it, and nothing of it is lost."""
    shop, central = rewound.shop, rewound.world.central
    await shop.sale("m-1", 7_000)
    await shop.sale("m-1", 7_000)
    await shop.push()
    await rewound.rewind()
    await shop.sale("m-1", 9_000)
    loop = SyncLoop(
        shop.store, shop.keyring, CentralSettings(url=rewound.world.address), shop.clock, os.urandom
    )
    await loop.round(shop.client)
    assert loop.state.push_problem is not None
    assert loop.state.push_problem.code == "FORK"
    node = shop.keyring.node
    assert await central.store.transact(lambda tx: inbox.quarantined(tx, node)[0]) == 1
    await shop.sale("m-1", 9_000)
    shop.clock.move(REFUSED_WAIT_S + 1)
    await loop.round(shop.client)
    assert loop.state.push_problem.code == "NODE_SUSPENDED"
    assert await central.store.transact(lambda tx: inbox.quarantined(tx, node)[0]) == 2


async def test_the_clock_that_central_tells_is_taken_over(rewound: Rewound) -> None:
    shop = rewound.shop
    ahead = shop.store.journal.heard + (3600_000 << 16)
    await shop.store.heard(ahead)
    await shop.sale("m-1", 1_000)
    head = await shop.store.transact(shop.store.journal.head)
    assert head.hlc == ahead + 1
    await shop.store.close()
    shop.store = await Store.open(rewound.folder, shop.keyring)
    assert shop.store.journal.heard == ahead
