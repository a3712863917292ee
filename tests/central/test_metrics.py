"""Figures for Prometheus over a real socket: what was asked, what is behind, what it may cost; no names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tapledger.errors import Unavailable
from tapledger.loyalty.effects import POINTS
from tapledger_central.app import serving
from tapledger_central.settings import CentralSettings
from tapledger_central.store import Transaction, members, nodes
from tapledger_central.store.members import Difference
from tapledger_central.web.metrics import Metrics, metrics_served
from tests.central.chains import Chain, earn, join
from tests.central.test_leases import chain
from tests.central.world import World

EVENTS = "/v1/nodes/{node}/events"
Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def at(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return f"tapledger_central_{name}", frozenset(labels.items())


class Scraper:
    """Prometheus, as far as this test is concerned."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def text(self) -> str:
        async with self._session.get(self.url) as answer:
            assert (answer.status, answer.content_type) == (200, "text/plain")
            return await answer.text()

    async def read(self) -> Figures:
        found = text_string_to_metric_families(await self.text())
        return {
            (one.name, frozenset(one.labels.items())): one.value for family in found for one in family.samples
        }


@pytest.fixture
async def scraper(world: World) -> AsyncIterator[Scraper]:
    """Serve the world's central once more, counted, beside its page of figures."""
    async with AsyncExitStack() as stack:
        metrics = Metrics(world.central)
        settings = CentralSettings(data_folder=world.folder, listen_port=0)
        world.address = await stack.enter_async_context(serving(world.central, settings, metrics))
        url = await stack.enter_async_context(metrics_served(metrics, 0))
        yield Scraper(world.session, url)


async def test_requests_batches_and_events_are_counted(world: World, scraper: Scraper) -> None:
    shop = await world.shop("here")
    events = Chain(shop.keyring)
    events.add(join("m-1", "card-1"))
    events.add(earn("m-1", 5))
    before = await scraper.read()
    await shop.client.send(events.batch())
    assert await world.central.caught_up()
    for path, status in (("/v1/feed", 403), ("/v1/nodes/someone/events", 403), ("/etc/m-1", 404)):
        async with world.session.get(f"{world.address}{path}") as answer:
            assert answer.status == status
    after = await scraper.read()
    grown = {key: value - before.get(key, 0) for key, value in after.items()}
    assert grown[at("requests_total", method="POST", route=EVENTS, status="200")] == 1
    assert grown[at("requests_total", method="GET", route=EVENTS, status="403")] == 1
    assert grown[at("requests_total", method="GET", route="/v1/feed", status="403")] == 1
    assert grown[at("requests_total", method="GET", route="other", status="404")] == 1
    assert grown[at("batch_seconds_count")] == 1
    assert grown[at("events_filed_total")] == 2
    assert after[at("events_behind")] == 0
    assert after[at("nodes", status="active")] == 1 and after[at("nodes", status="revoked")] == 0
    assert after[at("nodes_offline")] == 0


async def test_what_is_behind_waiting_and_at_risk_is_told(world: World, scraper: Scraper) -> None:
    made = await chain(world, 2, 600)
    lost, _ = made.tills
    assert lost.shop.permits is not None
    await lost.shop.permits.ask("li", POINTS, 200)
    assert (await scraper.read())[at("leases_outstanding")] == 1
    found = Difference("HAD_TWICE", lost.node.keyring.node, 1, 1, member="li")
    await world.central.store.transact(lambda tx: members.list_differences(tx, [found], 0))
    node = await world.central.store.transact(lambda tx: nodes.find(tx, lost.node.keyring.node))
    assert node is not None
    asked = asyncio.Event()
    world.central.watch.on_wait = asked.set
    cursor = (await world.central.page(node, 0, 2000)).cursor
    waiting = asyncio.create_task(world.central.news(node, cursor, 25))
    async with asyncio.timeout(10):
        await asked.wait()
    now = await scraper.read()
    assert now[at("waiting_polls")] == 1
    assert now[at("differences", code="HAD_TWICE")] == 1
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    world.clock.move(3600)
    later = await scraper.read()
    assert (later[at("nodes_offline")], later[at("waiting_polls")]) == (2, 0)
    assert later[at("worst_case_points")] == (await world.central.leases.exposure()).points > 0


async def test_no_label_names_anybody(world: World, scraper: Scraper) -> None:
    made = await chain(world, 1, 600)
    await made.sync()
    text = await scraper.text()
    secret = ["li", "shop-0", made.tills[0].node.keyring.node, world.central.keys.tenant]
    values = {value for family in text_string_to_metric_families(text) for one in family.samples
              for value in one.labels.values()}  # fmt: skip
    assert values.isdisjoint(secret) and "active" in values


async def test_a_database_that_is_away_is_told_and_counted(
    world: World, scraper: Scraper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(tx: Transaction) -> None:
        raise Unavailable("STORE_FAULT", why="away")

    monkeypatch.setattr("tapledger_central.web.metrics.inbox.totals", broken)
    first, second = await scraper.read(), await scraper.read()
    assert (first[at("database_reachable")], at("events_behind") in first) == (0, False)
    grown = second[at("database_errors_total", code="STORE_FAULT")]
    assert grown == first[at("database_errors_total", code="STORE_FAULT")] + 1
    monkeypatch.undo()
    assert (await scraper.read())[at("database_reachable")] == 1


async def test_it_is_for_this_machine_alone_and_off_unless_wanted(world: World, scraper: Scraper) -> None:
    assert scraper.url.startswith("http://127.0.0.1:")
    async with world.session.get(scraper.url, headers={"Host": "evil.test"}) as answer:
        assert answer.status == 403
    async with world.session.get(f"{world.address}/metrics") as answer:
        assert answer.status == 404, "a proxy before central leads nobody here"
    assert CentralSettings(data_folder=world.folder).metrics_port == 0
