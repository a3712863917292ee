"""A shop with a hub and two kiosks: real stores, a real hub and a real central on sockets of their own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from yarl import URL

from tapledger.errors import Refused, Unavailable
from tapledger.floor.head_office import HeadOffice
from tapledger.floor.nearby import NearbyHub
from tapledger.hub.hub import ShopHub
from tapledger.loyalty import escrow
from tapledger.loyalty.effects import POINTS
from tapledger.loyalty.members import Member
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership.redemption import RewardCommand, hold_reward
from tapledger.membership.shop import Shop
from tapledger.settings import (
    CentralSettings,
    FilesSettings,
    HubSettings,
    Settings,
    ShopSettings,
    StoreSettings,
)
from tapledger.store import keyring as keyrings
from tapledger.sync import transport
from tapledger.sync.enrol import enrol
from tapledger.sync.transport import Received, Transport
from tapledger_central.store import members as central_members
from tests.central.world import HandClock, ShopNode, World
from tests.sync.test_offline_rights import CARD, RULES

PROGRAM = msgspec.structs.replace(RULES, unsettled_points=100)


class Wire:
    """The hub's line to central: it can be cut, and it can lose answers."""

    def __init__(self) -> None:
        self.cut = False
        self.lose = 0
        self.carried: list[str] = []
        self.handed_on = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Transport]:
        async with transport.http(connections=64) as way:
            self._way = way
            yield self

    async def exchange(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Received:
        if self.cut:
            raise Unavailable("CENTRAL_UNREACHABLE", why="cut")
        self.carried.append(f"{method} {url.path}")
        self.handed_on.set()
        received = await self._way.exchange(method, url, headers, body, timeout_s)
        if self.lose:
            self.lose -= 1
            raise Unavailable("CENTRAL_UNREACHABLE", why="lost")
        return received


@dataclass
class Box:
    """One computer of the shop."""

    node: ShopNode
    shop: Shop
    office: HeadOffice
    settings: CentralSettings

    @property
    def name(self) -> str:
        return self.node.keyring.node

    async def sync(self) -> None:
        """Push and pull until there is no more, as far as it goes."""
        assert self.office.sync.client is not None
        while await self.office.sync.round(self.office.sync.client):
            pass

    async def sync_directly(self) -> None:
        await self.node.push()
        await self.node.pull()

    async def redeem(self, reward: str, member: str = "li") -> None:
        await hold_reward(self.shop, RewardCommand(os.urandom(4).hex(), member, CARD, reward, "en"))

    async def refused(self, reward: str) -> str:
        with pytest.raises(Refused) as error:
            await self.redeem(reward)
        return error.value.code

    async def member(self) -> Member:
        state = await self.node.member("li")
        assert state is not None
        return state

    async def leased(self) -> int:
        """Return what this box holds on lease, as it knows it itself."""
        return escrow.everything(
            [one for one in (await self.member()).leases if one.node == self.name], POINTS
        )


@dataclass
class Branch:
    world: World
    wire: Wire
    hub: Box
    serving: ShopHub
    kiosks: list[Box] = field(default_factory=list)
    stop_hub: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.serving.port}"

    async def sync(self) -> None:
        for _ in range(2):
            for box in (self.hub, *self.kiosks):
                await box.sync()
                assert await self.world.central.caught_up()

    async def central(self) -> Member:
        assert await self.world.central.caught_up()
        found = await self.world.central.store.transact(lambda tx: central_members.load(tx, "li"))
        assert found is not None
        return found.state

    async def leave(self) -> None:
        """Cut the line to central, and let everybody find out."""
        self.wire.cut = True
        for box in (self.hub, *self.kiosks):
            await box.sync()
            assert not box.shop.online

    async def end_hub(self) -> None:
        assert self.stop_hub is not None
        self.stop_hub.cancel()
        await asyncio.gather(self.stop_hub, return_exceptions=True)


async def node_of(world: World, shop: str, name: str, clock: HandClock | None = None) -> ShopNode:
    """Enrol another computer of a shop, with central itself."""
    fresh = keyrings.make(os.urandom(96))
    code = await world.central.enrolment_code(shop)
    answer = await enrol(world.way, world.address, code, fresh.signing_key, name)
    return await world.open_shop(name, fresh.with_enrolment(answer), clock or world.clock)


def shop_of(node: ShopNode, name: str) -> Shop:
    return Shop(node.store, PROGRAM, Catalogue({}), node.clock, os.urandom, name, "en")


def whole(folder: Path, central: CentralSettings, listen: str = "") -> Settings:
    return Settings(
        shop=ShopSettings(name="shop"),
        store=StoreSettings(folder=folder),
        files=FilesSettings(program=folder, catalogue=folder),
        central=central,
        hub=HubSettings(listen=listen),
    )


async def kiosk_of(made: Branch, stack: AsyncExitStack, node: ShopNode) -> Box:
    settings = CentralSettings(url=made.world.address, hub=made.address, hub_node=made.hub.name)
    shop = shop_of(node, "kiosk")
    office = HeadOffice(shop, settings, node.clock)
    way = await stack.enter_async_context(transport.http(settings.hub))
    office.sync.client = office.sync.client_of(way)
    shop.hub = NearbyHub(shop, settings, await stack.enter_async_context(transport.http()))
    return Box(node, shop, office, settings)


@asynccontextmanager
async def opened(world: World) -> AsyncIterator[Branch]:
    """Open a shop of three whose hub has a member with 1000 points, 400 of them on lease."""
    async with AsyncExitStack() as stack:
        wire, node = Wire(), await node_of(world, "shop", "hub")
        central = CentralSettings(url=world.address)
        shop = shop_of(node, "hub")
        office = HeadOffice(shop, central, world.clock, wire.open)
        office.sync.client = office.sync.client_of(await stack.enter_async_context(wire.open()))
        hub = Box(node, shop, office, central)
        settings, listening = whole(world.folder, central, "127.0.0.1:0"), asyncio.Event()
        serving = ShopHub(shop, settings, office.push, connect=wire.open)
        serving.on_listening = listening.set
        made = Branch(world, wire, hub, serving)
        made.stop_hub = asyncio.create_task(serving.run())
        stack.push_async_callback(made.end_hub)
        await listening.wait()
        for name in ("left", "right"):
            made.kiosks.append(await kiosk_of(made, stack, await node_of(world, "shop", name)))
        await node.join("li")
        await node.sale("li", 1000 * 100)
        await made.sync()
        assert hub.shop.permits is not None
        await hub.shop.permits.ask("li", POINTS, 400)
        await made.sync()
        yield made


@pytest.fixture
async def branch(world: World) -> AsyncIterator[Branch]:
    async with opened(world) as made:
        yield made
