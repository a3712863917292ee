"""Members kept in few bytes are the same members, whatever they have and whoever wrote them."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks import state_dictionary, sync_workload
from tapledger.database import Database, Transaction
from tapledger.loyalty.effects import Credential
from tapledger.loyalty.members import Member
from tapledger.store import history, keys, members, outbox, states
from tapledger.store import people as people_store
from tapledger.store.members import Told
from tapledger.store.outbox import PIECE_ROWS
from tapledger.wire.messages import FeedPage, FeedRow, SealedProfile
from tests.store.old.make import KNOWN
from tests.store.shops import START, Bench, card, cards_named
from tests.store.test_first_release import opened

UUID = "019df237-3e80-75b1-a522-4a58b791f1d8"
HASH = "c54cfb0bfb4d9ef24d3a8a7a3d9ba7b5"


def people(count: int) -> list[Member]:
    kinds = sync_workload.archetypes(50, seed=5)
    return [msgspec.msgpack.decode(raw, type=Member) for raw in sync_workload.members(kinds, 0, count)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        UUID,
        UUID.upper(),
        UUID.replace("-", ""),
        HASH,
        HASH.upper(),
        "g" * 32,
        UUID[1:] + "-",
        " " * 32,
        "01-9df237-3e80-75b1-a522-4a58b791f1d8",
        "-" * 36,
        "é" * 36,
        "019df237-3e80-75b1-a522-4a58b791f1 8",
    ],
)
def test_a_key_leads_back_to_its_text(text: str) -> None:
    assert keys.uuid_of(keys.of_uuid(text)) == text
    as_hash = keys.of_hash(text)
    assert (as_hash if isinstance(as_hash, str) else as_hash.hex()) == text


def test_what_has_a_short_form_is_kept_so() -> None:
    assert (len(keys.of_uuid(UUID)), len(keys.of_hash(HASH))) == (16, 16)
    assert isinstance(keys.of_uuid(UUID), bytes) and isinstance(keys.of_hash(HASH), bytes)


def test_a_state_is_read_as_it_was_written() -> None:
    everything = [msgspec.msgpack.decode(raw, type=Member) for raw in state_dictionary.samples()[:16]]
    for member in [*people(50), *everything, Member(id="ann", joined_at=START)]:
        assert states.read(member.id, states.write(member)) == member


def test_states_are_small_and_those_of_earlier_releases_are_read() -> None:
    for member in people(20):
        plain = msgspec.msgpack.encode(member)
        assert states.read(member.id, plain) == member
        assert len(states.write(member)) < len(plain) / 2


@pytest.mark.parametrize("named", ["", "ann", UUID, "é" * 18, "x" * 300])
def test_a_state_that_came_encoded_is_kept_like_one_that_is_written(named: str) -> None:
    for known in people(30):
        member = msgspec.structs.replace(known, id=named)
        raw = msgspec.msgpack.encode(member)
        kept = states.keep(member, raw)
        assert states.read(named, kept) == member == states.read(named, states.keep(member, b""))
        assert len(kept) <= len(states.write(member)), "the name is not in it"
        newer = msgspec.msgpack.encode(msgspec.msgpack.decode(raw) | {"of_tomorrow": [1, {"a": None}]})
        assert states.read(named, states.keep(member, newer)) == member


def test_threads_write_states_side_by_side() -> None:
    """zstd's own state must not be shared: each store has a thread of its own."""
    wrong: list[Member] = []

    def work(seed: int) -> None:
        kinds = sync_workload.archetypes(5, seed)
        mine = [msgspec.msgpack.decode(raw, type=Member) for raw in kinds]
        wrong.extend(one for _ in range(100) for one in mine if states.read(one.id, states.write(one)) != one)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def told(news: list[Member]) -> list[Told]:
    return [Told(one) for one in news]


async def test_many_members_are_taken_at_once(bench: Bench) -> None:
    news = people(300)
    own = await bench.join("Ann", card("own"))
    await bench.buy(own, count=5)
    (before,) = [one for one in await everybody(bench) if one.id == own]
    empty = msgspec.structs.replace(before, lots=(), tallies={}, credentials=before.credentials)
    node = bench.shop.store.keyring.node
    everyone = [*told(news), Told(empty, {f"{node}/1": 1})]
    await bench.shop.store.transact(lambda tx: members.replace_all(tx, everyone, node))
    kept = {one.id: one for one in await everybody(bench)}
    assert kept == {one.id: one for one in news} | {own: before}, "the sale is folded onto it again"
    assert await owners(bench, news) == {one.index: each.id for each in news for one in each.credentials}


async def test_cards_move_go_and_come_with_their_members(bench: Bench) -> None:
    one, two, three = people(3)
    await bench.shop.store.transact(lambda tx: members.replace_all(tx, told([one, two, three]), ""))
    taken = one.credentials[0]
    one = msgspec.structs.replace(one, credentials=())
    two = msgspec.structs.replace(two, credentials=(*two.credentials, taken))
    three = msgspec.structs.replace(three, credentials=(Credential("card", HASH, 2),))
    for news in ([two, one], [three], [two, one, three]):
        take = functools.partial(members.replace_all, told=told(news), node="")
        await bench.shop.store.transact(take)
    assert await owners(bench, [one, two, three]) == {
        **{each.index: two.id for each in two.credentials},
        HASH: three.id,
    }


async def test_a_long_page_is_taken_in_pieces_and_gone_on_with(bench: Bench) -> None:
    news = people(3 * PIECE_ROWS)
    rows = [FeedRow.of(one, version=2 * i) for i, one in enumerate(news, 1)]
    page = FeedPage(rows=rows, cursor=rows[-1].version, more=False, at=START)
    store, node = bench.shop.store, bench.shop.store.keyring.node
    begin = 0
    for number in (1, 2):
        take = functools.partial(outbox.apply_page, page=page, node=node, start=begin, is_enough=lambda: True)
        begin = await store.transact(take)
        assert begin == number * PIECE_ROWS
        assert (await store.cursor(), await store.heard_from_central()) == (2 * begin, None)
    assert {one.id for one in await everybody(bench)} == {one.id for one in news[:begin]}
    rest = msgspec.structs.replace(page, rows=rows[begin:])
    assert await store.apply_page(rest) == [one.id for one in news[begin:]]
    assert (await store.cursor(), await store.heard_from_central()) == (6 * PIECE_ROWS, START)
    assert {one.id for one in await everybody(bench)} == {one.id for one in news}


@pytest.mark.parametrize("looks", [True, False])
async def test_whoever_waits_has_their_turn_after_one_piece(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, looks: bool
) -> None:
    """Without the look, the broken twin, they wait for all that are taken together."""
    monkeypatch.setattr(outbox, "PIECE_ROWS", 1)
    monkeypatch.setattr(outbox, "QUIET_PIECES", 4)
    monkeypatch.setattr(outbox, "MOST_PIECES", 3)
    if not looks:
        monkeypatch.setattr(Database, "is_waited_for", False)
    store, order = bench.shop.store, list[str]()
    reached, goes_on = threading.Event(), threading.Event()
    take = outbox.take_rows

    def taking(tx: Transaction, rows: Sequence[FeedRow], node: str) -> None:
        order.append("piece")
        if len(order) == 5:
            reached.set()
            goes_on.wait()
        return take(tx, rows, node)

    monkeypatch.setattr(outbox, "take_rows", taking)
    rows = [FeedRow.of(one, version=version) for version, one in enumerate(people(8), 1)]
    taken = asyncio.create_task(store.apply_page(FeedPage(rows=rows, cursor=8, more=False, at=START)))
    await asyncio.to_thread(reached.wait)  # four by themselves, and the first of three together
    sold = asyncio.create_task(store.transact(lambda tx: order.append("sale")))
    await asyncio.sleep(0)
    goes_on.set()
    await asyncio.gather(taken, sold)
    assert order.index("sale") == (5 if looks else 7) and order.count("piece") == 8


async def test_of_other_shops_members_the_last_are_known_by_name(bench: Bench, monkeypatch: Any) -> None:
    monkeypatch.setattr(people_store, "MAX_FED", 3)
    own = await bench.join("Ann", card("own"))
    news = people(8)

    def told(version: int) -> FeedRow:
        member = news[version % 8]
        profile = SealedProfile(member=member.id, digest="0" * 64, sealed=b"%d" % version)
        return FeedRow.of(member, version=version, profile=profile)

    async def known() -> dict[str, bytes]:
        return dict(bench.rows("SELECT member, sealed FROM profile WHERE fed IS NOT NULL"))

    for first, last in ((1, 4), (5, 7), (8, 10)):
        rows = [told(version) for version in range(first, last + 1)]
        await bench.shop.store.apply_page(FeedPage(rows=rows, cursor=last, more=False, at=START))
        assert await known() == {news[n % 8].id: b"%d" % n for n in range(last - 2, last + 1)}
    assert bench.rows("SELECT member FROM profile WHERE fed IS NULL") == [(own,)], "its own stays"


async def everybody(bench: Bench) -> list[Member]:
    def work(tx: Transaction) -> list[Member]:
        found = [members.load_alias(tx, name) for name in history.members_after(tx, "", 1000)]
        return [one.member for one in found if one is not None]

    return await bench.shop.store.transact(work)


async def owners(bench: Bench, known: list[Member]) -> dict[str, str]:
    """Return whom each row of credentials names, asked both ways: by the rows and by the members' states."""

    def work(tx: Transaction) -> dict[str, str]:
        listed = [key.hex() for key in cards_named(tx) if isinstance(key, bytes)]
        found = {index: members.owner(tx, index) for index in listed}
        return {index: one.member for index, one in found.items() if one is not None}

    found = await bench.shop.store.transact(work)
    names = {one.id for one in known}
    return {index: member for index, member in found.items() if member in names}


@pytest.mark.parametrize("name", ["0001", "0007"])
async def test_cards_of_an_earlier_release_name_their_members(name: str, tmp_path: Path) -> None:
    async with opened(name, tmp_path / "shop") as bench:
        (known,) = await everybody(bench)
        assert known.credentials
        assert await owners(bench, [known]) == {one.index: KNOWN.member for one in known.credentials}
        assert bench.rows("SELECT typeof(id) FROM member") == [("blob",)]
        assert set(bench.rows("SELECT typeof(key) FROM name WHERE kind = 1")) == {("blob",)}
