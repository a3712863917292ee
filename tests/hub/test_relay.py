"""The hub hands questions on to central byte for byte, and nothing else to anybody."""

from __future__ import annotations

import asyncio
import os

import pytest
from yarl import URL

from tapledger.errors import Denied, Unavailable
from tapledger.hub import guard, hub, relay
from tapledger.sync import transport
from tapledger.sync.client import CentralClient
from tapledger.sync.signed import SignedLine
from tapledger.sync.transport import Received
from tapledger.wire import problems
from tapledger.wire.asking import ShareAsked, Shared, Taken
from tapledger.wire.codec import pack, unpack
from tapledger.wire.messages import MAX_BATCH_BYTES, Refusal
from tapledger.wire.requests import Request, sign_request
from tapledger_central.web.handlers import ROUTES
from tests.hub.branch import Branch


async def send(
    branch: Branch, method: str, target: str, body: bytes = b"", host: str = "", headers: object = None
) -> tuple[int, str]:
    """Ask the hub without any client of ours; return status and code of the refusal."""
    named = {"Host": host or URL(branch.world.address).authority, **(headers or {})}  # type: ignore[dict-item]
    url = URL(f"{branch.address}{target}", encoded=True)
    async with branch.world.session.request(method, url, data=body or None, headers=named) as response:
        return response.status, unpack(await response.read(), Refusal).code


async def test_news_that_is_waited_for_comes_through(branch: Branch) -> None:
    left, right = branch.kiosks
    assert left.office.sync.client is not None
    cursor = await left.node.store.cursor()
    branch.wire.handed_on.clear()
    waiting = asyncio.create_task(left.office.sync.client.feed(cursor, wait_s=25))
    await branch.wire.handed_on.wait()
    await right.node.sale("li", 500)
    await right.sync()
    page = await waiting
    assert [row.member for row in page.rows if row.state is not None] == ["li"]


async def test_a_batch_whose_answer_got_lost_counts_once(branch: Branch) -> None:
    left, _ = branch.kiosks
    await left.node.sale("li", 500)
    branch.wire.lose = 1
    await left.sync()
    assert getattr(left.office.state.problem, "code", "") == "CENTRAL_UNREACHABLE"
    await branch.sync()
    assert left.office.state.problem is None
    assert await left.member() == await branch.central()
    assert await left.node.points("li") == 1005 - 400


async def test_a_cut_line_is_told_as_such(branch: Branch) -> None:
    left, _ = branch.kiosks
    branch.wire.cut = True
    await left.sync()
    problem = left.office.state.problem
    assert isinstance(problem, Unavailable)
    assert problem.code == "CENTRAL_UNREACHABLE"


async def test_what_is_no_question_of_a_node_is_not_handed_on(branch: Branch) -> None:
    left, _ = branch.kiosks
    before = list(branch.wire.carried)
    for method, target in (
        ("POST", "/v1/enrol"),
        ("GET", "/v1/health"),
        ("GET", "/"),
        ("GET", "/openapi.json"),
        ("DELETE", "/v1/feed"),
        ("POST", "/v1/feed"),
        ("GET", f"/v1/nodes/{left.name}/leases"),
        ("GET", "/v1/nodes/../standing"),
        ("GET", f"/v1/nodes/{left.name}/standing/"),
        ("GET", f"/v1/nodes/{left.name}%2fx/standing"),
        ("GET", "/v1//feed"),
    ):
        assert await send(branch, method, target) == (404, "ROUTE_UNKNOWN"), target
    assert await send(branch, "GET", "/v1/feed", host="elsewhere.example") == (403, "HOST_WRONG")
    assert await send(branch, "GET", "/v1/feed?" + "x" * relay.MAX_ADDRESS) == (400, "MESSAGE_TOO_LARGE")
    assert branch.wire.carried == before


async def test_all_that_central_is_asked_is_handed_on() -> None:
    for route in ROUTES:
        path = route.path.replace("{node}", "k7m2p9qx")
        assert relay.ROUTES.fullmatch(f"{route.method} {path}"), path


async def test_bodies_have_a_limit(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    left, _ = branch.kiosks
    monkeypatch.setattr(hub, "MAX_BATCH_BYTES", 1000)
    before = list(branch.wire.carried)
    target = f"/v1/nodes/{left.name}/events"
    assert await send(branch, "POST", target, b"x" * 1001) == (400, "MESSAGE_TOO_LARGE")
    own = f"/v1/hubs/{branch.hub.name}/leases"
    assert await send(branch, "POST", own, b"x" * (hub.MAX_SMALL_BYTES + 1)) == (400, "MESSAGE_TOO_LARGE")
    assert branch.wire.carried == before
    assert hub.MAX_SMALL_BYTES < MAX_BATCH_BYTES


async def test_so_many_questions_at_once_and_no_more(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MAX_AT_ONCE", 0)
    assert await send(branch, "GET", "/v1/feed") == (503, "CENTRAL_BUSY")


async def test_a_cloned_kiosk_is_told_so_through_the_hub(branch: Branch) -> None:
    """Such a refusal is believed because central has signed it."""
    left, _ = branch.kiosks
    async with transport.http(branch.address) as way:
        asked = (way, left.settings.url, left.node.keyring, left.node.clock, os.urandom)
        first, second = (CentralClient(*asked, boot, through_hub=True) for boot in ("aa" * 16, "bb" * 16))
        await first.standing()
        branch.world.clock.move(200)
        await second.standing()
        branch.world.clock.move(200)
        with pytest.raises(Denied, match="NODE_CLONED"):
            await first.standing()


class Liar:
    """Somebody in the shop's network who answers in central's place."""

    async def exchange(self, *asked: object) -> Received:
        refusal = problems.refusal(Denied("NODE_SUSPENDED", status="revoked"))
        return Received(403, {}, pack(refusal))


async def test_a_refusal_that_central_did_not_sign_is_trouble_on_the_way(branch: Branch) -> None:
    left, _ = branch.kiosks
    keyring = left.node.keyring
    for proved in (True, False):
        asked = (Liar(), keyring, keyring.central_public_key, left.node.clock, os.urandom)
        line = SignedLine(*asked, proved_refusals=proved)
        with pytest.raises(Unavailable if proved else Denied) as error:
            await line.ask("GET", URL(branch.world.address), b"", Taken, 1)
        assert error.value.code == ("CENTRAL_UNREACHABLE" if proved else "NODE_SUSPENDED")


async def test_a_question_for_a_lease_is_good_once(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    left, _ = branch.kiosks
    target = f"/v1/hubs/{branch.hub.name}/leases"
    body = pack(ShareAsked(id="x", member="li", pool="points", amount=100))

    def signed(host: str = "") -> dict[str, str]:
        request = Request("POST", f"{host or branch.address}{target}")
        key, now = left.node.keyring.signing_key, left.node.clock.now()
        sign_request(request, body, left.name, key, now, os.urandom(8).hex())
        return request.headers

    own = URL(branch.address).authority
    headers = signed()
    url = URL(f"{branch.address}{target}")
    async with branch.world.session.post(url, data=body, headers=headers) as response:
        assert response.status == 200
        unpack(await response.read(), Shared)
    assert await send(branch, "POST", target, body, own, headers) == (403, "REQUEST_REPLAYED")
    other = signed("http://10.9.9.9:7380")
    assert await send(branch, "POST", target, body, own, other) == (403, "SIGNATURE_WRONG")
    assert await send(branch, "POST", target, body + b"x", own, signed()) == (403, "SIGNATURE_WRONG")
    assert await send(branch, "POST", target, body, own) == (403, "SIGNATURE_WRONG")
    elsewhere = "/v1/hubs/k7m2p9qx/leases"
    assert await send(branch, "POST", elsewhere, body, own, signed()) == (403, "NODE_WRONG")
    monkeypatch.setattr(guard, "MAX_NONCES", 1)
    assert await send(branch, "POST", target, body, own, signed()) == (503, "CENTRAL_BUSY")
    branch.world.clock.move(200)
    async with branch.world.session.post(url, data=body, headers=signed()) as response:
        assert response.status == 200, "what is over makes room"
    assert await branch.hub.leased() == 300, "asked again by its id, it is the same lease"


async def test_a_port_that_is_taken_is_tried_again(
    branch: Branch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from tests.hub.branch import whole

    monkeypatch.setattr(hub, "AGAIN_S", 0.0)
    taken = branch.serving.port
    settings = whole(branch.world.folder, branch.hub.settings, f"127.0.0.1:{taken}")
    late = hub.ShopHub(branch.hub.shop, settings, branch.hub.office.push, connect=branch.wire.open)
    listening = asyncio.Event()
    late.on_listening = listening.set
    task = asyncio.create_task(late.run())
    await asyncio.sleep(0)
    assert late.port == 0
    await branch.end_hub()
    await listening.wait()
    assert late.port == taken
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
