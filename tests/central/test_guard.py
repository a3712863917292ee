"""What stands before central's routes: host, size, signature, nonce and clock."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable

import aiohttp
import pytest
import zstandard
from yarl import URL

from tapledger import incoming
from tapledger.errors import Denied, Invalid, Unavailable
from tapledger.store import keyring as keyrings
from tapledger.sync.client import CentralClient
from tapledger.wire import requests
from tapledger.wire.codec import pack, unpack
from tapledger.wire.messages import MAX_BATCH_BYTES, Batch, BatchAnswer, FeedPage, Refusal
from tapledger.wire.requests import Request, sign_request
from tapledger_central.store import inbox, nodes
from tapledger_central.web import guard
from tests.central.chains import Chain, earn, held, join
from tests.central.world import HandClock, ShopNode, World


async def ask(
    world: World,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    async with world.session.request(
        method, URL(world.address + path), data=io.BytesIO(body) if body else None, headers=headers
    ) as response:
        return response.status, await response.read()


async def refusal(world: World, method: str, path: str, *more: bytes | dict[str, str]) -> str:
    body = next((one for one in more if isinstance(one, bytes)), b"")
    headers = next((one for one in more if isinstance(one, dict)), None)
    status, answer = await ask(world, method, path, body, headers)
    assert status >= 400
    return unpack(answer, Refusal).code


def headers_for(shop: ShopNode, url: str, body: bytes = b"", method: str = "GET") -> dict[str, str]:
    request = Request(method, url)
    nonce = os.urandom(16).hex()
    sign_request(request, body, shop.keyring.node, shop.keyring.signing_key, shop.clock.now(), nonce)
    return request.headers


def batch_of(shop: ShopNode) -> Batch:
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "card-1"))
    chain.add(earn("m-1", 7))
    return chain.batch()


async def test_health_is_open_and_says_nothing_else(world: World) -> None:
    async with world.session.get(world.address + "/v1/health") as response:
        assert await response.json() == {"status": "ok", "protocol": 2}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "ROUTE_UNKNOWN"),
        ("GET", "/v1/feed/../../etc/passwd", 404, "ROUTE_UNKNOWN"),
        ("DELETE", "/v1/feed", 405, "METHOD_WRONG"),
        ("GET", "/v1/feed", 403, "SIGNATURE_WRONG"),
        ("POST", "/v1/nodes/somebody/events", 403, "SIGNATURE_WRONG"),
    ],
)
async def test_other_requests_are_refused_in_our_shape(
    world: World, method: str, path: str, status: int, code: str
) -> None:
    got, answer = await ask(world, method, path)
    assert (got, unpack(answer, Refusal).code) == (status, code)


async def test_a_request_for_another_host_is_refused(world: World) -> None:
    assert await refusal(world, "GET", "/v1/health", {"Host": "evil.test"}) == "HOST_WRONG"
    assert await refusal(world, "GET", "/v1/health", {"Host": "127.0.0.1"}) == "HOST_WRONG"


async def test_a_signed_request_is_good_once(world: World) -> None:
    shop = await world.shop("first")
    path = "/v1/feed?cursor=0&limit=10"
    headers = headers_for(shop, world.address + path)
    assert (await ask(world, "GET", path, headers=headers))[0] == 200
    for _ in range(2):
        assert await refusal(world, "GET", path, headers) == "REQUEST_REPLAYED"


async def test_a_replay_after_its_life_is_too_late(world: World) -> None:
    """Central forgets a nonce only when its signature has run out, by its own clock."""
    shop = await world.shop("first")
    path = "/v1/feed?cursor=0&limit=10"
    headers = headers_for(shop, world.address + path)
    assert (await ask(world, "GET", path, headers=headers))[0] == 200
    world.clock.move(89)
    assert await refusal(world, "GET", path, headers) == "REQUEST_REPLAYED"
    world.clock.move(2)
    assert await refusal(world, "GET", path, headers) == "CLOCK_OFF"
    await shop.client.feed(0)
    assert await refusal(world, "GET", path, headers) == "CLOCK_OFF"


INPUT, SIGNATURE = "Signature-Input", "Signature"
Headers = dict[str, str]
BENT: dict[str, Callable[[Headers], Headers]] = {
    "signature": lambda h: {**h, SIGNATURE: h[SIGNATURE][:12] + "AAAA" + h[SIGNATURE][16:]},
    "created": lambda h: {**h, INPUT: h[INPUT].replace("created=", "created=1")},
    "life": lambda h: {**h, INPUT: h[INPUT].replace("expires=1", "expires=2")},
    "nonce": lambda h: {**h, INPUT: h[INPUT].replace("nonce=", "tag2=")},
    "method not covered": lambda h: {**h, INPUT: h[INPUT].replace('"@method" ', "")},
    "nothing covered": lambda h: {**h, INPUT: "sig=()"},
    "garbage": lambda h: {**h, INPUT: "\"' garbage"},
    "no input": lambda h: {SIGNATURE: h[SIGNATURE]},
    "digest of no body": lambda h: {**h, "Content-Digest": "sha-256=:AAAA:"},
}


@pytest.mark.parametrize("bent", BENT)
async def test_a_bent_signature_is_refused(world: World, bent: str) -> None:
    shop = await world.shop("first")
    path = "/v1/feed?cursor=0&limit=10"
    headers = BENT[bent](headers_for(shop, world.address + path))
    assert await refusal(world, "GET", path, headers) == "SIGNATURE_WRONG"
    assert (await held(world.central))["member"] == []


async def test_a_signature_is_for_one_target_method_and_body(world: World) -> None:
    shop = await world.shop("first")
    body, path = pack(batch_of(shop)), f"/v1/nodes/{shop.keyring.node}/events"
    headers = headers_for(shop, world.address + path, body, "POST")
    assert await refusal(world, "POST", path, body + b"x", headers) == "SIGNATURE_WRONG"
    assert await refusal(world, "POST", path + "?x=1", body, headers) == "SIGNATURE_WRONG"
    without_body = headers_for(shop, world.address + path, b"", "POST")
    assert await refusal(world, "POST", path, body, without_body) == "SIGNATURE_WRONG"
    status, answer = await ask(world, "POST", path, body, headers)
    assert (status, unpack(answer, BatchAnswer).ack) == (200, 2)


async def test_a_node_cannot_upload_for_another(world: World) -> None:
    shop, other = await world.shop("first"), await world.shop("second")
    body, path = pack(batch_of(other)), f"/v1/nodes/{other.keyring.node}/events"
    headers = headers_for(shop, world.address + path, body, "POST")
    assert await refusal(world, "POST", path, body, headers) == "NODE_WRONG"
    assert (await held(world.central))["inbox"] == []


async def test_a_stranger_is_refused(world: World) -> None:
    keyring = keyrings.make(os.urandom(96))
    client = CentralClient(world.way, world.address, keyring, world.clock, os.urandom)
    with pytest.raises(Denied, match="NODE_UNKNOWN"):
        await client.feed(0)


async def test_a_wrong_clock_is_told_the_time_and_signs_once_more(world: World) -> None:
    slow = HandClock()
    slow.move(-86_400)
    shop = await world.shop("first", slow)
    assert isinstance(await shop.client.feed(0), FeedPage)
    assert (await shop.client.send(batch_of(shop))).ack == 2
    assert shop.clock.now() == slow.now(), "the shop's own clock is not touched"


async def test_time_from_somebody_else_is_not_believed(world: World) -> None:
    slow = HandClock()
    slow.move(-86_400)
    shop = await world.shop("first", slow)
    stranger = shop.keyring.central_public_key[::-1]
    keyring = keyrings.Keyring(
        node=shop.keyring.node,
        private_key=shop.keyring.private_key,
        index_key=b"",
        profile_key=b"",
        central_public_key=stranger,
    )
    client = CentralClient(world.way, world.address, keyring, slow, os.urandom)
    with pytest.raises(Denied, match="CLOCK_OFF"):
        await client.feed(0)


async def post(world: World, shop: ShopNode, body: bytes) -> str:
    path = f"/v1/nodes/{shop.keyring.node}/events"
    headers = headers_for(shop, world.address + path, body, "POST")
    return await refusal(world, "POST", path, body, headers)


async def test_what_is_too_large_is_refused_before_it_is_unpacked(world: World) -> None:
    shop = await world.shop("first")
    bomb = zstandard.compress(bytes(64 * 1024 * 1024))
    silent_bomb = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(64 * 1024 * 1024))
    assert len(bomb) < 10_000
    assert await post(world, shop, bomb) == "MESSAGE_TOO_LARGE"
    assert await post(world, shop, silent_bomb) == "MESSAGE_UNREADABLE"
    assert await post(world, shop, bytes(MAX_BATCH_BYTES + 1)) == "MESSAGE_TOO_LARGE"

    async def endless() -> object:  # no Content-Length to go by
        for _ in range(MAX_BATCH_BYTES // 65_536 + 2):
            yield bytes(65_536)

    async with world.session.post(
        f"{world.address}/v1/nodes/{shop.keyring.node}/events", data=endless()
    ) as response:
        assert unpack(await response.read(), Refusal).code == "MESSAGE_TOO_LARGE"
    assert await refusal(world, "POST", "/v1/enrol", bytes(5000)) == "MESSAGE_TOO_LARGE"
    assert (await held(world.central))["inbox"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        zstandard.compress(b"\xc1"),
        zstandard.compress(b"\x91" * 300_000),
        zstandard.compress(b"\x81\xa4node\xa2\xff\xfe"),
        zstandard.compress(b"\x80") + zstandard.compress(b"\x80"),
    ],
)
async def test_what_is_no_batch_is_refused(world: World, body: bytes) -> None:
    shop = await world.shop("first")
    assert await post(world, shop, body) == "MESSAGE_UNREADABLE"


async def test_a_compressed_body_is_not_unpacked_by_http(world: World) -> None:
    headers = {"Content-Encoding": "deflate"}
    async with aiohttp.ClientSession() as session:
        body = b"x\x9c\x03\x00\x00\x00\x00\x01"
        async with session.post(world.address + "/v1/enrol", data=body, headers=headers) as response:
            assert unpack(await response.read(), Refusal).code == "MESSAGE_UNREADABLE"


async def test_more_requests_than_it_can_hold_are_told_to_come_later() -> None:
    """Those that work have their places, the next waits for one, and who comes after that is sent away."""
    admission, order = guard.Admission(at_once=1, waiting=1), []

    async def work(name: str) -> None:
        async with admission.slot():
            order.append(name)

    async with admission.slot():
        waiting = asyncio.create_task(work("second"))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="CENTRAL_BUSY") as refused:
            await work("third")
        assert refused.value.data["retry_after_s"] == guard.RETRY_AFTER_S
        order.append("first")
    await waiting
    assert order == ["first", "second"]


async def test_a_body_that_never_comes_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "BODY_DEADLINE_S", 0.01)
    host = URL(world.address).authority
    reader, writer = await asyncio.open_connection("127.0.0.1", URL(world.address).port)
    writer.write(f"POST /v1/enrol HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 503 " in head.splitlines()[0]
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert unpack(await reader.readexactly(length), Refusal).code == "BODY_TOO_SLOW"
    writer.close()
    await writer.wait_closed()


async def ask_as(shop: ShopNode, world: World, boot: str) -> None:
    await CentralClient(world.way, world.address, shop.keyring, shop.clock, os.urandom, boot).standing()


async def test_a_start_that_asks_again_after_a_later_one_gives_a_clone_away(world: World) -> None:
    shop = await world.shop("first")
    await ask_as(shop, world, "aa")
    world.clock.move(300)
    await ask_as(shop, world, "bb")
    world.clock.move(300)
    await ask_as(shop, world, "bb")
    with pytest.raises(Denied, match="NODE_CLONED"):
        await ask_as(shop, world, "aa")
    with pytest.raises(Denied, match=r"NODE_CLONED|NODE_SUSPENDED"):
        await ask_as(shop, world, "bb")
    assert [row["code"] for row in (await held(world.central))["difference"]] == ["NODE_CLONED"]


async def test_what_a_clone_recorded_is_kept_as_evidence(world: World) -> None:
    shop = await world.shop("first")
    await ask_as(shop, world, "aa")
    world.clock.move(300)
    await ask_as(shop, world, "bb")
    world.clock.move(300)
    await shop.join("m-1")
    node = shop.keyring.node
    shop.client = CentralClient(world.way, world.address, shop.keyring, shop.clock, os.urandom, "aa")
    with pytest.raises(Denied, match="NODE_SUSPENDED"):
        await shop.push()
    assert await world.central.store.transact(lambda tx: inbox.quarantined(tx, node)[0]) == 1
    with pytest.raises(Denied, match="NODE_CLONED"):
        await ask_as(shop, world, "aa")


async def test_of_two_clones_started_in_one_second_one_is_found_out(world: World) -> None:
    """The power came back for both at once."""
    shop = await world.shop("first")
    for boot in ("cc", "aa", "bb"):
        await ask_as(shop, world, boot)
    world.clock.move(300)
    await ask_as(shop, world, "bb")
    with pytest.raises(Denied, match="NODE_CLONED"):
        await ask_as(shop, world, "aa")


async def test_what_an_earlier_start_had_signed_before_is_no_clone(world: World) -> None:
    """It was on its way when the daemon was started again; and a reboot is nothing."""
    shop = await world.shop("first")
    for boot in ("aa", "bb", "aa", "cc"):
        world.clock.move(10)
        await ask_as(shop, world, boot)
    assert (await held(world.central))["difference"] == []


@pytest.mark.parametrize("boot", ["AA", "x", "a" * 33])
async def test_a_start_that_cannot_be_one_is_refused(world: World, boot: str) -> None:
    shop = await world.shop("first")
    with pytest.raises(Invalid, match="BOOT_INVALID"):
        await ask_as(shop, world, boot)


async def test_a_fault_of_ours_is_told_as_one_and_the_next_request_is_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await world.shop("first")

    def broken(*_: object) -> None:
        raise RuntimeError("ours")

    with monkeypatch.context() as patch:
        patch.setattr("tapledger_central.placing.standing", broken)
        with pytest.raises(Unavailable, match="CENTRAL_FAULT"):
            await shop.client.standing()
    assert (await shop.client.standing()).heads == []


async def test_a_batch_that_comes_again_on_the_way_is_taken_as_the_same(world: World) -> None:
    """Its nonce is not remembered: it changes nothing the second time, and spares central a commit."""
    shop = await world.shop("first")
    path, body = f"/v1/nodes/{shop.keyring.node}/events", pack(batch_of(shop))
    headers = headers_for(shop, world.address + path, body, "POST")
    for _ in range(3):
        status, answer = await ask(world, "POST", path, body, headers)
        assert status == 200, unpack(answer, Refusal)
        assert unpack(answer, BatchAnswer).ack == 2
    assert len((await held(world.central))["inbox"]) == 2


async def test_a_node_that_is_revoked_after_it_was_met_is_known_as_such(world: World) -> None:
    shop = await world.shop("first")
    batch = batch_of(shop)
    assert (await shop.client.send(batch)).ack == 2
    name = shop.keyring.node
    await world.central.store.transact(lambda tx: nodes.set_status(tx, name, nodes.REVOKED))
    with pytest.raises(Denied, match="NODE_SUSPENDED"):
        await shop.client.send(batch)


async def test_what_our_own_client_signs_never_needs_the_general_parser(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would still be let in, many times as slowly (docs/decisions/0024)."""

    def judged(*_: object) -> None:
        raise AssertionError("not in our own form")

    shop = await world.shop("north")
    await shop.join("m-1")
    monkeypatch.setattr(requests, "_verified_by_library", judged)
    await shop.push()
    await shop.pull()
    assert await shop.client.standing()
