"""Releases two behind to one ahead work together; what is older or newer is refused by name."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
import zstandard
from yarl import URL

from tapledger.errors import Invalid, Unavailable
from tapledger.sync.client import CentralClient
from tapledger.sync.transport import Received
from tapledger.wire import signing
from tapledger.wire.codec import decode_event, encode_event
from tapledger.wire.messages import NEWEST_READ, OLDEST_READ, LedgerEvent, Refusal
from tapledger.wire.requests import Request, sign_request
from tapledger_central.store import nodes
from tests.central.chains import Chain, earn, held, join
from tests.central.world import ShopNode, World
from tests.wire.golden import make_messages


# ---- a node of release 1 ---------------------------------------------------------------------------------
class AnswerV1(msgspec.Struct):
    ack: int
    v: int = 1


class RowV1(msgspec.Struct):
    version: int
    member: str
    state: dict[str, Any]
    settled: dict[str, int]


class PageV1(msgspec.Struct):
    rows: list[RowV1]
    cursor: int
    more: bool
    at: dt.datetime
    v: int = 1


async def ask_as_release_1(world: World, method: str, target: str, body: bytes = b"") -> bytes:
    """Ask as release 1 did: no boot and no version in the address, and the answer's signature is not read."""
    request, packed = Request(method, world.address + target), zstandard.compress(body) if body else b""
    now, nonce = world.clock.now(), os.urandom(16).hex()
    sign_request(request, packed, make_messages.NODE, make_messages.KEY, now, nonce)
    received = await world.way.exchange(method, URL(request.url), request.headers, packed, 20)
    plain = zstandard.decompress(received.body, max_output_size=1 << 20)
    assert received.status == 200, plain
    return plain


async def test_a_node_of_release_1_pushes_and_pulls(world: World) -> None:
    other = await world.shop("other")
    await other.join("m-2")
    await other.push()
    key = make_messages.KEY.public_key().public_bytes_raw()
    add = world.central.store.transact
    await add(lambda tx: nodes.add(tx, make_messages.NODE, "old", "till", key, 0))
    batch, target = make_messages.read()["batch-1"], f"/v1/nodes/{make_messages.NODE}/events"
    for _ in range(2):  # the reply was lost
        answer = await ask_as_release_1(world, "POST", target, batch)
        assert msgspec.msgpack.decode(answer, type=AnswerV1).ack == len(make_messages.V1)
    told: dict[str, RowV1] = {}
    cursor, more = 0, True
    while more:
        plain = await ask_as_release_1(world, "GET", f"/v1/feed?cursor={cursor}&limit=1")
        page = msgspec.msgpack.decode(plain, type=PageV1)
        told |= {row.member: row for row in page.rows}
        cursor, more = page.cursor, page.more
    assert set(told) == {"m-1", "m-2"}, "members only: release 1 knows no other row"
    assert told["m-1"].settled == {f"{make_messages.NODE}/1": 7}


# ---- a central that is newer -----------------------------------------------------------------------------
class Newer:
    """A line behind which central is of another version."""

    def __init__(self, world: World, change: Callable[[dict[str, Any]], None]) -> None:
        self.world = world
        self.change = change

    async def exchange(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Received:
        received = await self.world.way.exchange(method, url, headers, body, timeout_s)
        said = msgspec.msgpack.decode(zstandard.decompress(received.body, max_output_size=1 << 20))
        self.change(said)
        answer = zstandard.compress(msgspec.msgpack.encode(said))
        nonce = headers["Signature-Input"].partition('nonce="')[2].partition('"')[0]
        statement = signing.answer_statement(nonce, received.status, answer)
        signature = signing.sign(self.world.central.keys.signing_key, statement).hex()
        return Received(received.status, {"tapledger-answer": signature}, answer)


async def shop_of(world: World, change: Callable[[dict[str, Any]], None]) -> ShopNode:
    shop = await world.shop("first")
    shop.client = CentralClient(Newer(world, change), world.address, shop.keyring, shop.clock, os.urandom)
    return shop


def of_tomorrow(said: dict[str, Any]) -> None:
    said |= {"v": NEWEST_READ, "of tomorrow": [1]}
    if "ack" in said:
        said["verdicts"] = [{"seq": 1, "verdict": "postponed", "why": "MOON", "until": 5}]
    for row in said.get("rows", ()):
        row["colour"] = "blue"
        if row.get("kind", "member") != "member":
            row |= {"kind": "of tomorrow", "body": b"\xc1"}


async def test_a_node_works_with_a_central_of_the_next_version(world: World) -> None:
    shop, other = await shop_of(world, of_tomorrow), await world.shop("other")
    await other.join("m-2")
    await other.sale("m-2", 900)
    await other.push()
    await shop.join("m-1")
    assert await shop.push() == 1
    await shop.pull()
    assert await shop.points("m-2") == 9
    assert await shop.store.unsynced() == 0
    assert (await shop.client.standing()).heads[0].seq == 1


@pytest.mark.parametrize("v", [OLDEST_READ - 1, NEWEST_READ + 1])
async def test_a_central_too_far_away_is_not_understood(world: World, v: int) -> None:
    shop = await shop_of(world, lambda said: said.update(v=v))
    await shop.join("m-1")
    for asking in (shop.push(), shop.pull(), shop.client.standing()):
        with pytest.raises(Unavailable, match="CENTRAL_ANSWER_UNREADABLE"):
            await asking
    assert (await shop.store.unsynced(), await shop.store.cursor()) == (1, 0)


# ---- a node that is newer --------------------------------------------------------------------------------
async def refused(world: World, shop: ShopNode, method: str, target: str, said: dict[str, Any]) -> str:
    """Ask with a message of any shape; return the code of the refusal, or nothing."""
    body = zstandard.compress(msgspec.msgpack.encode(said)) if said else b""
    request = Request(method, world.address + target)
    key, now = shop.keyring.signing_key, shop.clock.now()
    sign_request(request, body, shop.keyring.node, key, now, os.urandom(16).hex())
    received = await world.way.exchange(method, URL(request.url), request.headers, body, 20)
    if received.status == 200:
        return ""
    plain = zstandard.decompress(received.body, max_output_size=1 << 20)
    return msgspec.msgpack.decode(plain, type=Refusal).code


@pytest.mark.parametrize("v", range(OLDEST_READ - 1, NEWEST_READ + 2))
async def test_central_takes_messages_two_behind_to_one_ahead(world: World, v: int) -> None:
    shop = await world.shop("first")
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "card-1"))
    batch = msgspec.msgpack.decode(msgspec.msgpack.encode(chain.batch()))
    of_node = f"/v1/nodes/{shop.keyring.node}/"
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", of_node + "events", batch),
        ("POST", of_node + "telemetry", {"reports": []}),
        ("POST", of_node + "erasures", {"members": ["m-9"]}),
        ("POST", of_node + "leases", {"id": "l", "member": "nobody", "pool": "points", "amount": 1}),
        ("GET", f"/v1/feed?v={v}", {}),
    ]
    known = OLDEST_READ <= v <= NEWEST_READ
    for method, target, said in asked:
        code = await refused(world, shop, method, target, {**said, "v": v, "of tomorrow": 1} if said else {})
        assert (code != "VERSION_UNKNOWN") == known, target
        assert not known or code in ("", "MEMBER_UNKNOWN"), target


async def test_events_of_tomorrow_hold_up_nobody(world: World) -> None:
    """A kind that is not known is applied; an effect that is not, is kept, listed and told to its node."""
    shop = await world.shop("first")
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "card-1"))
    chain.add(earn("m-1", 5, kind="teleport"))
    event = decode_event(chain.copy().add(earn("m-1", 100)))
    chain.add_raw(with_effect(event, {"type": "levitate", "height": 3}))
    chain.add(earn("m-1", 7))
    answer = await shop.client.send(chain.batch())
    assert answer.ack == 4
    assert [(one.seq, one.verdict, one.why) for one in answer.verdicts] == [
        (3, "quarantined", "EVENT_UNREADABLE")
    ]
    found = await held(world.central)
    assert {row["code"] for row in found["difference"]} == {"EVENT_UNREADABLE", "EVENT_KIND_UNKNOWN"}
    await shop.pull()
    world.clock.move(86_400)
    assert await shop.points("m-1") == 12


def with_effect(event: LedgerEvent, effect: dict[str, Any]) -> bytes:
    fields = msgspec.msgpack.decode(encode_event(event))
    fields["body"]["effects"].append(effect)
    return msgspec.msgpack.encode(fields)


async def test_an_unknown_version_is_named_with_the_newest_that_is_known(world: World) -> None:
    shop = await world.shop("first")
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "card-1"))
    with pytest.raises(Invalid, match="VERSION_UNKNOWN") as refusal:
        await shop.client.send(msgspec.structs.replace(chain.batch(), v=NEWEST_READ + 1))
    assert refusal.value.data == {"version": NEWEST_READ + 1, "known": NEWEST_READ}
