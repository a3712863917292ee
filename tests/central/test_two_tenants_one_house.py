"""Two tenants by two hosts, on one PostgreSQL and one socket: no node of one is anybody to the other."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from yarl import URL

from tapledger.errors import Denied, Unavailable
from tapledger.store import keyring as keyrings
from tapledger.store.keyring import Keyring
from tapledger.sync.client import CentralClient
from tapledger.sync.enrol import enrol
from tapledger.sync.transport import HttpTransport, Received, open_session
from tapledger.wire.asking import LeaseAsked
from tapledger_central.app import Central, open_central
from tapledger_central.web.handlers import Handlers
from tapledger_central.web.server import build_app
from tests.central.chains import Chain, earn, join
from tests.central.world import HandClock
from tests.postgres import Database

ORIGINS = {"a": "https://a.test", "b": "https://b.test"}


class Proxied:
    """What stands before central and ends TLS: it passes the host on that was asked for."""

    def __init__(self, inner: HttpTransport, port: int) -> None:
        self._inner = inner
        self._port = port

    async def exchange(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Received:
        behind = url.with_scheme("http").with_host("127.0.0.1").with_port(self._port)
        headers = {**headers, "Host": url.host_port_subcomponent or ""}
        return await self._inner.exchange(method, behind, headers, body, timeout_s)


class House:
    """Two tenants under one roof."""

    def __init__(self, way: Proxied, centrals: dict[str, Central], clock: HandClock) -> None:
        self.way = way
        self.centrals = centrals
        self.clock = clock

    async def enrolled(self, tenant: str) -> Keyring:
        fresh = keyrings.make(os.urandom(96))
        code = await self.centrals[tenant].enrolment_code("shop")
        answer = await enrol(self.way, ORIGINS[tenant], code, fresh.signing_key, "till")
        return fresh.with_enrolment(answer)

    def client(self, keyring: Keyring, tenant: str) -> CentralClient:
        return CentralClient(self.way, ORIGINS[tenant], keyring, self.clock, os.urandom)


@pytest.fixture
async def house(postgres_central: Database, tmp_path: Path) -> AsyncIterator[House]:
    clock = HandClock()
    async with AsyncExitStack() as stack:
        centrals = {}
        for name in ORIGINS:
            centrals[name] = await open_central(tmp_path / name, clock, database_url=postgres_central.app)
            stack.push_async_callback(centrals[name].close)
        tenants = [Handlers(central, [ORIGINS[name]]) for name, central in centrals.items()]
        runner = web.AppRunner(build_app(tenants), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        session = await stack.enter_async_context(open_session())
        yield House(Proxied(HttpTransport(session), port), centrals, clock)


async def test_a_node_of_one_tenant_is_nobody_to_the_other(house: House) -> None:
    ours = await house.enrolled("a")
    there = house.client(ours, "b")
    chain = Chain(ours)
    chain.add(join("m-1", "card-1"))
    with pytest.raises(Denied, match="NODE_UNKNOWN"):
        await there.send(chain.batch())
    for asking in (
        there.feed(0),
        there.standing(),
        there.tail(1, 0),
        there.lease(LeaseAsked(id="l", member="m-1", pool="points", amount=1)),
        there.erased(["m-1"]),
        there.consistency(0, 0),
    ):
        with pytest.raises(Denied, match="NODE_UNKNOWN"):
            await asking


async def test_no_row_of_one_tenant_is_ever_told_by_the_other(house: House) -> None:
    """Both have a member, a card and a lease of the same names."""
    keyrings_of = {tenant: await house.enrolled(tenant) for tenant in ORIGINS}
    for number, (tenant, keyring) in enumerate(keyrings_of.items(), 1):
        chain, client = Chain(keyring), house.client(keyring, tenant)
        chain.add(join("m-1", "card-1"))
        chain.add(earn("m-1", 100 * number))
        assert (await client.send(chain.batch())).ack == 2
    house.clock.move(86_400)
    for number, (tenant, keyring) in enumerate(keyrings_of.items(), 1):
        client = house.client(keyring, tenant)
        page = await client.feed(0)
        (state,) = [row.state for row in page.rows if row.state is not None]
        assert [lot.amount for lot in state.lots] == [100 * number]
        known = {row.key for row in page.rows if row.kind == "node"}
        assert known == {keyring.node}
        leased = await client.lease(LeaseAsked(id="l", member="m-1", pool="points", amount=60))
        assert leased.granted == 60
        assert len((await client.standing()).heads) == 1


async def test_an_answer_of_the_other_tenant_is_not_believed(house: House) -> None:
    """Somebody who sends our requests next door: it is another key that signs there."""
    ours = await house.enrolled("a")
    theirs = (await house.enrolled("b")).central_public_key
    mistaken = msgspec.structs.replace(ours, central_public_key=theirs)
    with pytest.raises(Unavailable, match="CENTRAL_ANSWER_UNPROVED"):
        await house.client(mistaken, "a").standing()
