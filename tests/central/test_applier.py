"""Stage two: what is filed is applied once, by one process at a time; nothing blocks what is behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tapledger.errors import Corrupt
from tapledger.loyalty import members as rules
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.members import replace
from tapledger.store import keyring as keyrings
from tapledger_central.app import Central
from tapledger_central.applier import FEW_EVENTS, Applier
from tapledger_central.apply import MAX_EVENTS, apply_next
from tapledger_central.check import Report, check
from tapledger_central.keys import load_or_make
from tapledger_central.store import nodes, open_store
from tapledger_central.store.nodes import Node
from tests.central.chains import Chain, earn, held, join, run_sql
from tests.central.world import HandClock, World

KEYRINGS = [keyrings.make(bytes([seed]) * 96) for seed in (1, 2)]


@pytest.fixture
async def centrals(tmp_path: Path, database_url: str) -> AsyncIterator[list[Central]]:
    """Yield central as two processes run it on one PostgreSQL; on SQLite there is only one."""
    keys = load_or_make(tmp_path, bytes)
    opened = []
    for _ in range(2 if database_url else 1):
        store = await open_store(tmp_path, keys.tenant, database_url)
        opened.append(Central(store, keys, HandClock(), bytes))
    try:
        for keyring in KEYRINGS:
            key = keyring.signing_key.public_key().public_bytes_raw()
            enrolled = partial(nodes.add, node=keyring.node, shop="N", name="till", public_key=key, now_ms=0)
            await opened[0].store.transact(enrolled)
        yield opened
    finally:
        for central in opened:
            await central.close()


async def node_of(central: Central, chain: Chain) -> Node:
    found = await central.store.transact(lambda tx: nodes.find(tx, chain.keyring.node))
    assert found is not None
    return found


async def send(central: Central, chain: Chain, first: int = 1) -> None:
    await central.take(await node_of(central, chain), chain.batch(first))


async def balance(central: Central, member: str = "m-1") -> int:
    from tapledger_central.store import members

    found = await central.store.transact(lambda tx: members.load(tx, member))
    return 0 if found is None else sum(lot.remaining for lot in found.state.lots)


async def test_what_is_filed_is_applied_once_by_however_many_processes(centrals: list[Central]) -> None:
    chains = [Chain(keyring) for keyring in KEYRINGS]
    for number, chain in enumerate(chains):
        chain.add(join("m-1", f"card-{number}"))
        for minute in range(1, 30):
            chain.add(earn("m-1", 1, minute))
        await send(centrals[-number], chain)
    assert await balance(centrals[0]) == 0, "filing applies nothing"
    appliers = [Applier(central.store, central.clock) for central in centrals * 2]
    assert all(await asyncio.gather(*(one.caught_up(20) for one in appliers)))
    assert await balance(centrals[0]) == 58
    before = await held(centrals[0])
    await run_sql(centrals[0], "UPDATE head SET applied = 3" if len(centrals) == 1 else "SELECT 1")
    assert await centrals[0].caught_up()
    assert (await held(centrals[0]))["member"] == before["member"], "what a state has, it has"


def broken() -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a rule that nobody foresaw")

    return fail


async def test_an_event_that_no_rule_survives_blocks_nobody(
    centrals: list[Central], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rules.APPLY, Tallied, broken())
    central, chain = centrals[0], Chain(KEYRINGS[0])
    chain.add(join("m-1", "card-1"))
    for place in range(1, 6):
        effect = (Tallied("spend", 1, place),) if place in (2, 4) else ()
        body = earn("m-1", 10**place, place)
        chain.add(replace(body, effects=(*body.effects, *effect)))
    await send(central, chain)
    assert await central.caught_up(20)
    assert await balance(central) == 101010
    kept = await held(central)
    assert [(row["seq"], row["code"]) for row in kept["difference"]] == [
        (3, "EVENT_IMPOSSIBLE"),
        (5, "EVENT_IMPOSSIBLE"),
    ]
    assert [row["verdict"] for row in kept["inbox"]].count("EVENT_IMPOSSIBLE") == 2
    told = [(row["key"], row["only_for"]) for row in kept["feed"] if row["kind"] == "difference"]
    assert [only_for for _, only_for in told] == [chain.keyring.node] * 2
    assert (await check(central.store, central.keys, everybody=True)).faults == []


@pytest.mark.parametrize("name", ["nul\0byte", "x" * 3000])
async def test_a_name_that_no_key_can_hold_blocks_nobody(centrals: list[Central], name: str) -> None:
    central, chain = centrals[0], Chain(KEYRINGS[0])
    chain.add(join(name, "card-1"))
    chain.add(join("m-1", name))
    chain.add(join("m-1", "card-2"))
    chain.add(earn("m-1", 7))
    await send(central, chain)
    assert await central.caught_up(20)
    assert await balance(central) == 7
    assert [row["seq"] for row in (await held(central))["difference"]] == [1, 2]


async def test_a_background_job_applies_without_being_asked(world: World) -> None:
    shop = await world.shop("first")
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "card-1"))
    come = world.central.watch.next()
    await shop.client.send(chain.batch())
    async with asyncio.timeout(20):
        await come.wait()
    page = await shop.client.feed(0)
    assert [row.member for row in page.rows if row.kind == "member"] == ["m-1"]


async def test_a_chain_that_the_store_fails_at_keeps_no_other_from_its_turn(
    centrals: list[Central], monkeypatch: pytest.MonkeyPatch
) -> None:
    central, chains = centrals[0], [Chain(keyring) for keyring in KEYRINGS]
    for number, chain in enumerate(chains):
        chain.add(join(f"m-{number}", f"card-{number}"))
        chain.add(earn(f"m-{number}", 7))
        await send(central, chain)
    first, second = sorted(chains, key=lambda chain: chain.keyring.node)
    tried: list[str] = []

    def failing(tx: Any, node: str, *rest: Any) -> int:
        tried.append(node)
        if node == first.keyring.node and tried.count(node) == 1:
            raise Corrupt("STORE_UNREADABLE", path="", why="one page")
        return apply_next(tx, node, *rest)

    monkeypatch.setattr("tapledger_central.applier.apply_next", failing)
    done = asyncio.Event()
    job = asyncio.create_task(Applier(central.store, central.clock, done.set).run())
    async with asyncio.timeout(20):
        await done.wait()
        assert tried[:2] == [first.keyring.node, second.keyring.node]
        assert await balance(central, f"m-{chains.index(second)}") == 7
        done.clear()
        while await balance(central, f"m-{chains.index(first)}") != 7:  # in the next round
            await done.wait()
            done.clear()
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


async def test_many_chains_that_always_fail_keep_no_other_from_its_turn(
    centrals: list[Central], monkeypatch: pytest.MonkeyPatch
) -> None:
    central = centrals[0]
    chains = [Chain(keyrings.make(bytes([seed]) * 96)) for seed in range(3, 12)]
    for number, chain in enumerate(chains):
        key = chain.keyring.signing_key.public_key().public_bytes_raw()
        add = partial(nodes.add, node=chain.keyring.node, shop="N", name="till", public_key=key, now_ms=0)
        await central.store.transact(add)
        chain.add(join(f"m-{number}", f"card-{number}"))
        await send(central, chain)
    healthy = max(chain.keyring.node for chain in chains)

    def failing(tx: Any, node: str, *rest: Any) -> int:
        if node != healthy:
            raise Corrupt("STORE_UNREADABLE", path="", why="its page")
        return apply_next(tx, node, *rest)

    monkeypatch.setattr("tapledger_central.applier.apply_next", failing)
    done = asyncio.Event()
    one = Applier(central.store, central.clock, done.set)
    job = asyncio.create_task(one.run())
    async with asyncio.timeout(20):
        while not done.is_set():
            one.wake()  # instead of a second between two rounds
            await central.store.transact(lambda tx: None)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


async def test_who_asks_for_a_lease_waits_for_what_they_sent_themselves(centrals: list[Central]) -> None:
    central, chains = centrals[0], [Chain(keyring) for keyring in KEYRINGS]
    for number, chain in enumerate(chains):
        chain.add(join(f"m-{number}", f"card-{number}"))
        chain.add(earn(f"m-{number}", 7))
        await send(central, chain)
    assert await central.caught_up(20, chains[1].keyring.node)
    assert (await balance(central, "m-0"), await balance(central, "m-1")) == (0, 7)
    assert await central.caught_up(20)
    assert await balance(central, "m-0") == 7


# ---- check -----------------------------------------------------------------------------------------------
DAMAGE = {
    "hash": "UPDATE inbox SET raw = (SELECT raw FROM inbox WHERE seq = 1) WHERE seq = 2",
    "gap": "DELETE FROM inbox WHERE seq = 2",
    "head": "UPDATE head SET seq = 9",
    "state": "UPDATE member SET state = (SELECT state FROM member WHERE member = 'm-2') WHERE member = 'm-1'",
}


@pytest.mark.parametrize("what", [*DAMAGE, ""])
async def test_check_finds_what_does_not_fit(centrals: list[Central], what: str) -> None:
    central, chain = centrals[0], Chain(KEYRINGS[0])
    chain.add(join("m-1", "card-1"))
    chain.add(earn("m-1", 7))
    chain.add(join("m-2", "card-2"))
    await send(central, chain)
    assert await central.caught_up(20)
    if what:
        tenant = f"SELECT set_config('tapledger.tenant', '{central.keys.tenant}', true)"
        await run_sql(central, *([tenant] if len(centrals) > 1 else []), DAMAGE[what])
    report: Report = await check(central.store, central.keys, everybody=True)
    assert what in [fault.what for fault in report.faults] or not what
    assert what or (report.chains, report.events, report.members, report.faults) == (1, 3, 2, [])


@pytest.mark.parametrize(("earned", "limit"), [(150, FEW_EVENTS), (5, MAX_EVENTS)])
async def test_between_the_batches_of_a_backlog_little_is_applied_at_once(
    centrals: list[Central], monkeypatch: pytest.MonkeyPatch, earned: int, limit: int
) -> None:
    """The next one comes at once and waits beside what is applied; after a sale, none does."""
    central, chain, limits = centrals[0], Chain(KEYRINGS[0]), list[int]()

    def seen(*some: Any) -> int:
        limits.append(some[-1])
        return apply_next(*some)

    monkeypatch.setattr("tapledger_central.applier.apply_next", seen)
    chain.add(join("m-1", "card-1"))
    for minute in range(1, 1 + earned):
        chain.add(earn("m-1", 1, minute % 60))
    await send(central, chain)
    assert await central.applier.caught_up(20)
    assert set(limits) == {limit} and await balance(central) == earned
    chain.add(earn("m-1", 1, 59))
    await send(central, chain, first=len(chain.raws))
    assert isinstance(central.clock, HandClock)
    central.clock.move(seconds=1)
    assert await central.applier.caught_up(20)
    assert limits[-1] == MAX_EVENTS
