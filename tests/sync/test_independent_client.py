"""docs/sync-protocol.md is enough: a client that was written from it works with a real central."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cryptography.exceptions import InvalidSignature

from tapledger.clock import SystemClock
from tapledger_central.app import open_central, serving
from tapledger_central.settings import CentralSettings
from tests.sync import another_client
from tests.sync.another_client import AnotherClient, RefusedByCentral

JOINED = [
    {"type": "link", "credential": {"kind": "card", "index": "index-1", "min_level": 1}},
    {"type": "tier", "tier": "base"},
]


@pytest.fixture
async def client(tmp_path: Path, database_url: str) -> AsyncIterator[AnotherClient]:
    """An enrolled client whose clock is a day slow."""
    central = await open_central(tmp_path / "central", SystemClock(), database_url=database_url)
    try:
        settings = CentralSettings(data_folder=tmp_path, listen_port=0)
        async with serving(central, settings) as address, aiohttp.ClientSession() as session:
            made = AnotherClient(session, address, clock_s=-86_400)
            await made.enrol(await central.enrolment_code("shop"), "another")
            yield made
    finally:
        await central.close()


def test_it_knows_nothing_of_tapledger() -> None:
    source = Path(another_client.__file__).read_text("utf-8")
    names = [
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    ]
    assert not [name for name in names if name is None or name.startswith(("tapledger", "tests"))]
    lines = [line for line in source.splitlines() if line.strip()]
    assert len(lines) < 150, "it is about a hundred lines, or the protocol has become too much"


async def test_a_client_written_from_the_page_does_all_that_a_shop_does(client: AnotherClient) -> None:
    client.record("join", "m-1", effects=JOINED)
    for points in range(1, 11):
        client.earn("m-1", points)
    assert await client.push(1) == 11
    await client.pull()
    assert sum(lot["remaining"] for lot in client.members["m-1"]["lots"]) == 55
    (head,) = await client.standing()
    assert (head["epoch"], head["seq"], head["hash"]) == (1, 11, client.hashes[-1])

    leased = await client.lease("lease-1", "m-1", 30)
    assert (leased["granted"], leased["available"]) == (30, 25)
    again = await client.lease("lease-1", "m-1", 30)
    assert (again["granted"], again["available"]) == (30, 25), "the same id is one lease"
    (lease,) = again["row"]["state"]["leases"]
    assert (lease["node"], sum(take["points"] for take in lease["taken"])) == (client.node, 30)


async def test_it_gets_over_lost_replies_and_gaps(client: AnotherClient) -> None:
    client.record("join", "m-1", effects=JOINED)
    assert await client.push(1) == 1  # and the reply is lost:
    client.earn("m-1", 7)
    assert await client.push(1) == 2
    client.earn("m-1", 8)
    client.earn("m-1", 9)
    with pytest.raises(RefusedByCentral) as refused:
        await client.push(4)
    assert (refused.value.status, refused.value.code, refused.value.data["need"]) == (409, "GAP", 3)
    assert await client.push(3) == 4
    tail = await client.ask("GET", f"/v1/nodes/{client.node}/events?epoch=1&after=2")
    assert (tail["raws"], tail["head"]) == (client.raws[2:], client.hashes[-1])
    await client.pull()
    assert sum(lot["remaining"] for lot in client.members["m-1"]["lots"]) == 24


async def test_it_believes_nobody_but_central(client: AnotherClient) -> None:
    await client.standing()
    client.central = client.public
    with pytest.raises(InvalidSignature):
        await client.standing()
