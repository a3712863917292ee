"""A shop in which everything has happened once, and every try on it is taken back afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tapledger.database import Transaction
from tapledger.lab.partner import PartnerBooks
from tapledger.lab.scenario.world import World
from tapledger.loyalty.effects import CouponIssued, Held
from tapledger.loyalty.facts import Tender
from tapledger.membership import coupons, lottery, merging, pending, sale, stored_value
from tapledger.membership.cards import block_card
from tapledger.membership.grants import GrantCommand, grant_points
from tapledger.membership.identity import Presented, index
from tapledger.membership.redemption import RewardCommand, hold_reward
from tapledger.membership.registration import Joining, link_credential, register_member
from tapledger.membership.sale import SaleCommand
from tapledger.membership.shop import Shop
from tapledger.store import names
from tapledger.store.store import Store
from tests.lives.life import scenario
from tests.lives.rules import BOTTLE, TEA, TOWEL, table

T = TypeVar("T")
LANGUAGE = "en"


class Sandbox:
    """A store of which every change can be undone: transactions run inside one that is never committed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection = store._database._connection
        self._is_inside = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        if not self._is_inside:
            return await self._store.transact(work)
        try:
            with self._store._database.translated(), self._connection.begin_nested():
                return work(self._connection)
        except BaseException:
            self._forget(self._connection)
            raise

    def __enter__(self) -> Sandbox:
        self._outer = self._connection.begin()
        self._connection.exec_driver_sql("BEGIN IMMEDIATE")
        self._is_inside = True
        return self

    def __exit__(self, *_: object) -> None:
        self._is_inside = False
        self._outer.rollback()
        self._store._database.transact_now(self._forget)

    def _forget(self, tx: Transaction) -> None:
        """Let the store not remember what its file does not say any more."""
        self._store.journal.forget()
        self._store._fresh = names.begin_writing(tx)


class Ground:
    """One shop with three members: ``mine`` has something of everything, ``other`` sent them."""

    def __init__(self, folder: Path) -> None:
        self.world = World(scenario("limits", ("A",), table()), folder)
        self.partner = PartnerBooks()
        self.mine = self.other = self.spare = self.gone = ""
        self.coupon = self.voucher = self.hold = self.commit = self.receipt = self.index = self.lost = ""

    @property
    def shop(self) -> Shop:
        (place,) = self.world.places.values()
        return place.shop

    async def open(self) -> None:
        await self.world.open()
        names = []
        for number in range(4):
            card = Presented("card", f"card-{number}", 2, "test")
            asked = Joining(f"join-{number}", "Guest", f"1380000{number:04}", (card,), "s-1")
            recorded = await register_member(self.shop, asked)
            assert recorded.event.body.member is not None
            names.append(recorded.event.body.member)
            self.world.clock.instant += dt.timedelta(minutes=1)
        self.other, self.mine, self.spare, self.gone = names
        await merging.merge_members(self.shop, "merge-gone", self.gone, self.other, "s-1")
        self.index = index(self.shop, "card", "card-1")
        self.lost = index(self.shop, "card", "lost")
        await link_credential(self.shop, "link", self.mine, Presented("card", "lost", 2, "test"), "s-1")
        await block_card(self.shop, "block", self.mine, self.lost, "lost", "s-1")
        await grant_points(self.shop, GrantCommand("grant", self.mine, 1000, "test", "s-1"))
        paid = (Tender("cash", 20_000),)
        top_up = stored_value.TopUpCommand("top-up", self.mine, self.card, 20_000, paid, "s-1", LANGUAGE)
        await stored_value.top_up(self.shop, top_up)
        await sale.record_sale(self.shop, self.sale("sale"))
        recorded = await sale.record_sale(self.shop, self.sale("sale-of-nobody", member=None, presented=None))
        self.receipt = recorded.receipt
        await pending.record_pending(self.shop, self.sale("waiting"))
        given = await coupons.issue_coupon(self.shop, "coupon", self.mine, "fifth", "test", "s-1")
        self.coupon = next(x.coupon.id for x in given.event.body.effects if isinstance(x, CouponIssued))
        for reward in ("room", "seat"):
            await hold_reward(self.shop, self.reward(f"reward-{reward}", reward))
        held = await hold_reward(self.shop, self.reward("reward-tea", "tea"))
        self.voucher = held.voucher
        self.hold = next(one.hold.id for one in held.recorded.event.body.effects if isinstance(one, Held))
        self.commit = (await lottery.publish(self.shop, "wheel")).commit
        self.shop.store = Sandbox(self.shop.store)  # type: ignore[assignment]

    def sandbox(self) -> Sandbox:
        """Return the store as something to enter: what happens inside is undone."""
        assert isinstance(self.shop.store, Sandbox)
        return self.shop.store

    async def close(self) -> None:
        self.shop.store = self.shop.store._store  # type: ignore[attr-defined]
        await self.world.close()

    @property
    def card(self) -> Presented:
        return Presented("card", "card-1", 2, "test")

    def sale(self, id_: str, **changes: Any) -> SaleCommand:
        found = self.shop.catalogue.find
        bought = ((TOWEL, 2000), (TEA, 1000), (BOTTLE, 1000))
        lines = tuple(found(sku).line(milli, LANGUAGE) for sku, milli in bought)
        asked: dict[str, Any] = {
            "till": "till",
            "lines": lines,
            "tenders": (Tender("cash", 5000),),
            "staff": "s-1",
            "language": LANGUAGE,
            "member": self.mine,
            "presented": self.card,
        }
        return SaleCommand(id=id_, **{**asked, **changes})

    def reward(self, key: str, reward: str) -> RewardCommand:
        return RewardCommand(key, self.mine, self.card, reward, LANGUAGE, "s-1")
