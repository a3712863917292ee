"""A shop of several tills whose limited stock a real central divides, on either engine."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tapledger.errors import Refused
from tapledger.loyalty.program import Program, Reward
from tapledger.loyalty.program.people import Gain, Lottery, Prize
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership import stock
from tapledger.membership.shop import Shop
from tapledger.store import claims, news
from tapledger.store import keyring as keyrings
from tapledger.sync.enrol import enrol
from tapledger.wire.news import AllotmentNews, ProgramNews
from tapledger_central import telling
from tapledger_central.allotting import Allotting
from tapledger_central.store import allotments
from tests.central.chains import held
from tests.central.world import World
from tests.sync.test_offline_rights import RULES, Till

CUP, CAR = "reward/cup", "prize/wheel/car"
WHEEL = Lottery(
    "wheel",
    {"en": "Wheel"},
    1,
    [
        Prize("car", {"en": "Car"}, 999_999, Gain(entitlement="car"), stock=4),
        Prize("thanks", {"en": "Thanks"}, 1, Gain(points=1)),
    ],
    "thanks",
)


def program(stock: int | None = 10, version: str = "1") -> Program:
    return msgspec.structs.replace(
        RULES,
        version=version,
        rewards=[Reward("cup", {"en": "Cup"}, 1, stock=stock)],
        lotteries=[WHEEL],
        unsettled_points=100_000,
        offline=msgspec.structs.replace(RULES.offline, node_points=100_000),
    )


@dataclass
class Branch:
    """One shop's tills, and the central that divides its stock."""

    world: World
    stock: Allotting
    tills: list[Till] = field(default_factory=list)

    async def add(self, shop: str = "North") -> Till:
        """Enrol one more computer, which knows the rules."""
        fresh = keyrings.make(os.urandom(96))
        name = f"till-{len(self.tills)}"
        code = await self.world.central.enrolment_code(shop)
        answer = await enrol(self.world.way, self.world.address, code, fresh.signing_key, name)
        node = await self.world.open_shop(name, fresh.with_enrolment(answer), self.world.clock)
        self.tills.append(
            Till(node, Shop(node.store, program(), Catalogue({}), node.clock, os.urandom, name, "en"))
        )
        return self.tills[-1]

    async def tell(self, told: Program) -> None:
        """Let head office tell a programme; the tills use it at once."""
        content = msgspec.json.encode(told, order="sorted")
        item = ProgramNews(version=told.version, content=content, text="")
        now = self.world.clock.now()
        await self.world.central.store.transact(lambda tx: telling.program(tx, item, now))
        for till in self.tills:
            till.shop.program = told

    async def sync(self, *tills: Till) -> None:
        """Let tills say what they gave out, central divide, and them hear of it; twice, so that what is asked
        back of one reaches another."""
        for _ in range(2):
            for till in tills or self.tills:
                await till.node.push()
            assert await self.world.central.caught_up()
            await self.stock.share_out()
            for till in tills or self.tills:
                await till.node.pull()
                await stock.give_back(till.shop)

    async def sums(self) -> dict[str, tuple[int, int]]:
        """Return what is allotted and used of each key, in all; and that each computer heard just that."""
        found = await self.world.central.store.transact(allotments.everything)
        sums: dict[str, tuple[int, int]] = {}
        for one in found:
            allotted, used = sums.get(one.key, (0, 0))
            sums[one.key] = (allotted + one.slice.allotted, used + one.slice.used)
        return sums

    async def differences(self) -> list[tuple[str, str]]:
        return [(one["code"], one["detail"]) for one in (await held(self.world.central))["difference"]]


async def branch(world: World, count: int, told: Program | None = None) -> Branch:
    """Open a shop of so many tills that all know a rich member, and hold what central gave them."""
    central = world.central
    made = Branch(world, Allotting(central.store, central.keys, world.clock, os.urandom, central.watch.tell))
    for _ in range(count):
        await made.add()
    await made.tills[0].node.join("li")
    await made.tills[0].node.sale("li", 1_000_000)
    await made.tell(told or program())
    await made.sync()
    await made.sync()
    return made


async def cups(till: Till, most: int = 100) -> int:
    """Take cups at a till until it has no more, or so many; return how many it gave out."""
    for count in range(most):
        try:
            await till.redeem("cup")
        except Refused as error:
            assert error.code == "OUT_OF_STOCK"
            return count
    return most


async def allotted(till: Till, key: str = CUP) -> int:
    node = till.node.keyring.node
    told = await till.node.store.transact(lambda tx: news.one_of(tx, "allotment", node, AllotmentNews))
    return 0 if told is None else told.limits.get(key, 0)


async def asked(till: Till, key: str = CUP) -> int:
    """Return what a till is asked to have given back in all; 0 once central has it."""
    node = till.node.keyring.node

    def work(tx: Any) -> int:
        told = news.one_of(tx, "allotment", node, AllotmentNews)
        return 0 if told is None else told.back.get(key, 0)

    return await till.node.store.transact(work)


async def left(till: Till, key: str = CUP) -> int:
    """Return how many a till can give out by itself."""
    found = await till.node.store.transact(lambda tx: stock.left(tx, till.shop, {key: 1000}))
    return found[key] or 0


async def used(till: Till, key: str = CUP) -> int:
    return (await till.node.store.transact(lambda tx: claims.used(tx, key))).get(key, 0)
