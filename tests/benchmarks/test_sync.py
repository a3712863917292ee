"""Sync's benchmark measures what it says: the same rows on both sides, all counted, a missed goal told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from benchmarks import (
    sync,
    sync_floors,
    sync_ingest,
    sync_news,
    sync_office,
    sync_peer,
    sync_shop,
    sync_storm,
)
from benchmarks import sync_workload as workload
from benchmarks.sync import Measured
from benchmarks.sync_floors import Inserted
from benchmarks.sync_ingest import Ingested
from benchmarks.sync_peer import PeerMissing, PeerSpeed
from benchmarks.sync_shop import Many, Moved
from benchmarks.sync_storm import Storm
from tapledger.loyalty.members import Member
from tapledger.wire.codec import GENESIS, decode_event, link
from tests.postgres import PostgresServer

EVENTS, NODES, MEMBERS, NEWS = 60, 3, 300, 8


@pytest.fixture(scope="module")
def tape() -> list[bytes]:
    return workload.tape(EVENTS, 10)


def test_the_workload_is_the_same_each_time_and_no_node_is_another(tape: list[bytes]) -> None:
    assert workload.tape(EVENTS, 10) == tape
    kinds = {decode_event(raw).body.kind for raw in tape}
    assert kinds >= {"join", "sale", "hold", "fulfil"}
    one, other = workload.chain(tape, 1), workload.chain(tape, 2)
    assert one.raws == workload.chain(tape, 1).raws
    for chain in (one, other):
        events = [decode_event(raw) for raw in chain.raws]
        assert [event.seq for event in events] == list(range(1, EVENTS + 1))
        assert {event.node for event in events} == {chain.node}
        batches = list(chain.batches(25))
        assert batches == list(workload.batches(tape, 1 if chain is one else 2, chain.key, 25))
        head = GENESIS
        for raw in chain.raws:
            head = link(head, raw)
        assert (batches[-1].head, [batch.first_seq for batch in batches]) == (head, [1, 26, 51])
    ids = [{decode_event(raw).id for raw in chain.raws} for chain in (one, other)]
    assert (len(ids[0] | ids[1]), workload.TAG in str(one.raws)) == (2 * EVENTS, False)


def test_members_are_all_different() -> None:
    kinds = workload.archetypes(20)
    found = [msgspec.msgpack.decode(raw, type=Member) for raw in workload.members(kinds, 0, 200)]
    assert len({one.id for one in found}) == 200
    assert len({card.index for one in found for card in one.credentials}) == sum(
        len(one.credentials) for one in found
    )
    (again,) = workload.members(kinds[150 % 20 :][:1], 150, 1)
    assert msgspec.msgpack.decode(again, type=Member) == found[150]
    assert all(lot.id == lot.source for one in found for lot in one.lots), "the same id has the same digits"


def measured(**others: Any) -> Measured:
    """Return figures that are just good enough."""
    floor = Inserted(30_000, 1.0, [1.0], 1.0)
    values: dict[str, Any] = {
        "ingest": Ingested(15_000, 1.0, [100.0], 0.5, 0.5, 2.0, floor, 100),
        "pulls": [Moved(500, 1.0)] * 3,
        "pushes": [Moved(50, 1.0)] * 3,
        "many": Many(1_000_000, 60.0, 300.0, [10.0], [25.0], [1.0], [0.5]),
        "news_ms": [2000.0],
        "storm": Storm(10, 10, [1.0, 1.0, 2.0], 3, 0, 512 * 1024),
        "peer": [PeerSpeed(100, 10, 1.0, 1.0, 1)] * 3,
    }
    return Measured(**{**values, **others})


def missed(**others: Any) -> set[str]:
    return {one.name for one in sync.judge(measured(**others)) if not one.ok}


def test_goals_are_met_at_their_limits_and_missed_beyond() -> None:
    assert missed() == set()
    good = measured()
    assert missed(ingest=replace(good.ingest, elapsed_s=1.01)) == {"ingest_per_s"}
    assert missed(ingest=replace(good.ingest, batch_ms=[100.1])) == {"ingest_batch_p99_ms"}
    fast = replace(good.ingest, floor=Inserted(31_000, 1.0, [1.0], 1.0))
    assert missed(ingest=fast) == {"ingest_over_floor_per_cpu_s"}
    slow = replace(good.ingest, events=5000, floor=Inserted(10_000, 1.0, [1.0], 1.0))
    assert missed(ingest=slow) == set(), "a machine whose bare inserts are slower is asked for half of them"
    assert missed(pulls=[Moved(600, 1.0), Moved(499, 1.0), Moved(499, 1.0)]) == {"pull_over_peer"}
    assert missed(pushes=[Moved(60, 1.0), Moved(49, 1.0), Moved(49, 1.0)]) == {"push_over_peer"}
    assert missed(peer="there is no npm") == {"pull_over_peer", "push_over_peer"}
    for many, name in (
        (replace(good.many, file_mb=300.1), "many_file_mb"),
        (replace(good.many, bootstrap_s=60.1), "many_bootstrap_s"),
        (replace(good.many, tap_ms=[10.1]), "tap_p99_ms"),
        (replace(good.many, tap_bootstrapping_ms=[25.1]), "tap_bootstrapping_p99_ms"),
        (replace(good.many, lookup_of_few_ms=[0.49]), "many_lookup_over_few"),
    ):
        assert missed(many=many) == {name}
    assert missed(many=replace(good.many, lookup_ms=[1.1], lookup_of_few_ms=[1.0])) == {"many_lookup_p99_ms"}
    assert missed(news_ms=[2000.1]) == {"news_p99_s"}
    assert missed(storm=replace(good.storm, held=9)) == {"storm_lost"}
    assert missed(storm=replace(good.storm, refused=1)) == {"storm_refused"}
    assert missed(storm=replace(good.storm, drained_s=[1.0, 1.0, 2.1])) == {"storm_slowest_over_median"}
    assert missed(storm=replace(good.storm, memory_kib=513 * 1024)) == {"storm_memory_mb"}


def test_a_report_says_everything_and_is_json() -> None:
    result = sync.report(measured(), {"echo_ms": [0.5]})
    assert json.loads(json.dumps(result)) == result
    assert (result["counts"]["ingest_events"], result["times"]["echo_ms"]["p50"]) == (15_000, 0.5)
    assert "MISSED" not in sync.table(result | {"load_average": [0.1, 0.2], "cores": 2})


async def test_without_npm_the_peer_is_told_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_peer, "_path", lambda: str(tmp_path))
    with pytest.raises(PeerMissing, match="npm"):
        await sync_peer.measure(tmp_path / "cache", 1, 1)


async def test_a_short_run_counts_everything(
    postgres_server: PostgresServer, tmp_path: Path, tape: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = workload.archetypes(20)
    monkeypatch.setattr(workload, "tape", lambda events=EVENTS, members=10: tape[:events])
    monkeypatch.setattr(workload, "archetypes", lambda: kinds)
    for name, value in (("CUSTOMERS", 2), ("LOOKUPS", 20), ("FEW", 50)):
        monkeypatch.setattr(sync_shop, name, value)
    async with sync_office.opened(postgres_server, tmp_path) as office:
        sync_shop.fill_feed(postgres_server, office, MEMBERS)
        ingest = await sync_ingest.measure(office, NODES)
        assert (ingest.events, ingest.floor.rows, len(ingest.batch_ms)) == (
            NODES * EVENTS,
            NODES * EVENTS,
            NODES,
        )
        assert len(ingest.floor.batch_ms) == NODES
        news_ms = await sync_news.measure(office, tmp_path / "news", NEWS)
        assert 0 < len(news_ms) <= NEWS
        storm = await sync_storm.measure(office, NODES, EVENTS)
        assert (storm.held, storm.sent, len(storm.drained_s), storm.refused) == (
            NODES * EVENTS,
            NODES * EVENTS,
            NODES,
            0,
        )
        monkeypatch.setattr(sync_peer, "_path", lambda: str(tmp_path))
        sizes = replace(sync.QUICK, members=MEMBERS, events=EVENTS)
        pulls, pushes, peer = await sync.in_turns(office, sizes, tmp_path, tmp_path / "cache")
        assert [one.count for one in pushes] == [EVENTS] * sync.TURNS and "npm" in str(peer)
        assert [one.count >= MEMBERS for one in pulls] == [True] * sync.TURNS
        (ring,) = await office.enrol([workload.key_of(sync_shop.SHOP_NUMBER + 2 * sync.TURNS)])
        many = await sync_shop.many(office, tmp_path / "many", ring, MEMBERS, taps=5)
        assert (len(many.tap_ms), many.members, many.file_mb > 0) == (5, MEMBERS, True)
        with psycopg.connect(office.database.owner) as connection:
            tables = connection.execute("SELECT to_regclass('floor_inbox')").fetchone()
        assert tables == (None,), "the floor leaves nothing behind"


async def test_the_bare_answer_and_the_bare_commit_are_timed(tmp_path: Path, tape: list[bytes]) -> None:
    assert len(await sync_floors.echo_ms(5)) == 5
    assert len(sync_floors.commit_ms(tmp_path, tape)) == EVENTS
