"""One-time codes: one shop, one use, ten minutes, five tries."""

from __future__ import annotations

import asyncio
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from yarl import URL

from tapledger.errors import Denied, Invalid, TapledgerError
from tapledger.sync.client import ANSWER_DEADLINE_S
from tapledger.sync.enrol import enrol
from tapledger.sync.signed import read
from tapledger.wire import signing
from tapledger.wire.codec import pack
from tapledger.wire.messages import Enrol, Enrolled
from tests.central.chains import held, run_sql
from tests.central.world import World


async def try_code(world: World, code: str, key: Ed25519PrivateKey | None = None) -> Enrolled:
    key = key or Ed25519PrivateKey.generate()
    return await enrol(world.way, world.address, code, key, "till 1")


async def test_a_code_makes_a_node_that_knows_its_tenant(world: World) -> None:
    key = Ed25519PrivateKey.generate()
    typed = (await world.central.enrolment_code("North")).lower()
    answer = await try_code(world, f" {typed[:4]}-{typed[4:]} ", key)
    keys = world.central.keys
    assert answer.node == signing.node_id(key.public_key().public_bytes_raw())
    assert answer.central_public_key == keys.public_key
    assert answer.token_keys == keys.token_keys
    assert list(answer.token_keys.values()) != [keys.public_key], "cards and words are signed by two keys"
    assert (answer.index_key, answer.profile_key) == (keys.index_key, keys.profile_key)
    (row,) = (await held(world.central))["node"]
    assert (row["node"], row["shop"], row["name"]) == (answer.node, "North", "till 1")


async def test_the_code_itself_is_not_stored(world: World) -> None:
    code = await world.central.enrolment_code("North")
    assert await run_sql(world.central, "SELECT 1")
    for path in (world.folder / "central").iterdir():
        assert code.encode() not in path.read_bytes()


async def test_a_code_is_for_one_node(world: World) -> None:
    code = await world.central.enrolment_code("North")
    await try_code(world, code)
    with pytest.raises(Denied, match="ENROL_CODE_USED"):
        await try_code(world, code)
    assert len((await held(world.central))["node"]) == 1


async def test_a_lost_answer_may_be_asked_for_again_by_the_same_node(world: World) -> None:
    code, key = await world.central.enrolment_code("North"), Ed25519PrivateKey.generate()
    assert await try_code(world, code, key) == await try_code(world, code, key)
    world.clock.move(601)
    with pytest.raises(Denied, match="ENROL_CODE_EXPIRED"):
        await try_code(world, code, key)


async def test_a_code_lives_ten_minutes(world: World) -> None:
    early, late = [await world.central.enrolment_code("North") for _ in range(2)]
    world.clock.move(599)
    await try_code(world, early)
    world.clock.move(1)
    with pytest.raises(Denied, match="ENROL_CODE_EXPIRED"):
        await try_code(world, late)


async def test_of_two_devices_with_one_code_one_wins(world: World) -> None:
    code = await world.central.enrolment_code("North")
    results = await asyncio.gather(*(try_code(world, code) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(one, Enrolled) for one in results) == 1
    assert {one.code for one in results if isinstance(one, TapledgerError)} == {"ENROL_CODE_USED"}
    assert len((await held(world.central))["node"]) == 1


async def test_five_wrong_tries_close_every_open_code(world: World) -> None:
    code = await world.central.enrolment_code("North")
    wrong = "0" * 8 if code != "0" * 8 else "1" * 8
    for _ in range(4):
        with pytest.raises(Denied, match="ENROL_CODE_WRONG"):
            await try_code(world, wrong)
    spare = await world.central.enrolment_code("South")
    with pytest.raises(Denied, match="ENROL_CODE_WRONG"):
        await try_code(world, wrong)
    with pytest.raises(Denied, match="ENROL_CODE_LOCKED"):
        await try_code(world, code)
    await try_code(world, spare)


async def test_every_refused_code_looks_the_same(world: World) -> None:
    code, key = await world.central.enrolment_code("North"), Ed25519PrivateKey.generate()
    await try_code(world, code)
    seen = []
    for one in (code, "00000000"):
        with pytest.raises(Denied) as refused:
            await try_code(world, one, key)
        seen.append(refused.value.data)
    assert seen == [{}, {}]


async def test_a_key_that_is_not_proved_is_refused_and_takes_no_try(world: World) -> None:
    code = await world.central.enrolment_code("North")
    public_key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    message = Enrol(code=code, public_key=public_key, name="till", proof=os.urandom(64))
    url = URL(world.address) / "v1/enrol"
    for _ in range(6):
        with pytest.raises(Denied, match="SIGNATURE_WRONG"):
            read(await world.way.exchange("POST", url, {}, pack(message), ANSWER_DEADLINE_S), Enrolled)
    await try_code(world, code)


@pytest.mark.parametrize("name", ["", "   ", "a\x1bb", "x" * 61, "a\u202eb"])
async def test_a_name_that_cannot_be_shown_is_refused(world: World, name: str) -> None:
    code = await world.central.enrolment_code("North")
    with pytest.raises(Invalid):
        await enrol(world.way, world.address, code, Ed25519PrivateKey.generate(), name)
    with pytest.raises(Invalid, match="NODE_NAME_INVALID"):
        await world.central.enrolment_code(name)
    assert (await held(world.central))["node"] == []


@pytest.mark.parametrize("code", ["", "1234567", "123456789", "1234-56U8", "１２３４５６７８"])
async def test_a_mistyped_code_never_leaves_the_shop(world: World, code: str) -> None:
    with pytest.raises(Invalid, match="ENROL_CODE_MISTYPED"):
        await enrol(world.way, "http://127.0.0.1:9", code, Ed25519PrivateKey.generate(), "till")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://central.example", "CENTRAL_URL_INSECURE"),
        ("ftp://127.0.0.1", "CENTRAL_URL_INVALID"),
        ("127.0.0.1:7400", "CENTRAL_URL_INVALID"),
        ("https://user@central.example", "CENTRAL_URL_INVALID"),
        ("http://[::1", "CENTRAL_URL_INVALID"),
    ],
)
async def test_keys_do_not_travel_in_the_open(world: World, url: str, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        await enrol(world.way, url, "12345678", Ed25519PrivateKey.generate(), "till")
