"""Sync's speeds: central takes events in, shops learn and tell, a million members, a chain that comes back.

``python -m benchmarks.sync [--json]`` exits with 1 when a goal is missed or could not be measured, and with 2
when it cannot run here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import sync_floors, sync_ingest, sync_news, sync_office, sync_peer, sync_shop, sync_storm
from benchmarks import sync_workload as workload
from benchmarks.spine import CANNOT_RUN, MISSED, STATE, Goal, figures, goal, say
from benchmarks.sync_ingest import Ingested
from benchmarks.sync_office import Office
from benchmarks.sync_peer import PeerMissing, PeerSpeed
from benchmarks.sync_shop import Many, Moved
from benchmarks.sync_storm import Storm
from tapledger import logs
from tapledger.web.live import percentile
from tests.postgres import PostgresMissing, PostgresServer

INGEST_RATIO, INGEST_PER_S, BATCH_P99_MS = 0.5, 15_000.0, 100.0
PEER_RATIO, TURNS = 5.0, 3
FILE_MB, BOOTSTRAP_S = 300.0, 60.0
LOOKUP_P99_MS, LOOKUP_RATIO = 1.0, 2.0
TAP_P99_MS, TAP_BOOTSTRAPPING_P99_MS = 10.0, 25.0
NEWS_P99_S = 2.0
FAIRNESS = 2.0
STORM_MEMORY_MB = 512.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of each is measured; the goals are promised for these figures."""

    ingest_nodes: int = 100
    members: int = 100_000
    events: int = 10_000
    many: int = 1_000_000
    news: int = 100
    kiosks: int = 1000
    kiosk_events: int = 2000


QUICK = Sizes(20, 10_000, 2000, 50_000, 30, 50, 500)


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that a run has measured; ``peer`` says why where there is none."""

    ingest: Ingested
    pulls: list[Moved]
    pushes: list[Moved]
    many: Many
    news_ms: list[float]
    storm: Storm
    peer: list[PeerSpeed] | str


def at_least(name: str, value: float, limit: float) -> Goal:
    return Goal(name, round(value, 3), limit, value >= limit)


def judge(measured: Measured) -> list[Goal]:
    """Hold what was measured against what is promised."""
    ingest, many, storm = measured.ingest, measured.many, measured.storm
    per_s = ingest.per_s
    lookup, few = percentile(many.lookup_ms, 0.99), percentile(many.lookup_of_few_ms, 0.99)
    return [
        # The senders share the machine with central, and nobody sends the bare inserts: per second of CPU.
        at_least("ingest_over_floor_per_cpu_s", ingest.per_cpu_s / ingest.floor.per_cpu_s, INGEST_RATIO),
        # Where the bare inserts do not reach twice as many, nothing is promised but the ratio.
        at_least("ingest_per_s", per_s, min(INGEST_PER_S, ingest.floor.per_s * INGEST_RATIO)),
        goal("ingest_batch_p99_ms", percentile(ingest.batch_ms, 0.99), BATCH_P99_MS),
        *_beside_peer(measured),
        goal("many_file_mb", many.file_mb, FILE_MB),
        goal("many_bootstrap_s", many.bootstrap_s, BOOTSTRAP_S),
        goal("many_lookup_p99_ms", lookup, LOOKUP_P99_MS),
        goal("many_lookup_over_few", lookup / few, LOOKUP_RATIO),
        goal("tap_p99_ms", percentile(many.tap_ms, 0.99), TAP_P99_MS),
        goal(
            "tap_bootstrapping_p99_ms", percentile(many.tap_bootstrapping_ms, 0.99), TAP_BOOTSTRAPPING_P99_MS
        ),
        goal("news_p99_s", percentile(measured.news_ms, 0.99) / 1000, NEWS_P99_S),
        goal("storm_lost", storm.sent - storm.held, 0),
        goal("storm_refused", storm.refused, 0),
        goal("storm_slowest_over_median", max(storm.drained_s) / percentile(storm.drained_s, 0.50), FAIRNESS),
        goal("storm_memory_mb", storm.memory_kib / 1024, STORM_MEMORY_MB),
    ]


def _beside_peer(measured: Measured) -> list[Goal]:
    """Return the goals beside PouchDB; without it they are missed, whatever our own figures are."""
    if isinstance(measured.peer, str):
        return [Goal(name, 0.0, PEER_RATIO, False) for name in ("pull_over_peer", "push_over_peer")]
    turns = list(zip(measured.pulls, measured.pushes, measured.peer, strict=True))
    pulled = median(pull.per_s * peer.pull_s / peer.pulled for pull, _, peer in turns)
    pushed = median(push.per_s * peer.push_s / peer.pushed for _, push, peer in turns)
    return [
        at_least("pull_over_peer", pulled, PEER_RATIO),
        at_least("push_over_peer", pushed, PEER_RATIO),
    ]


async def measure(sizes: Sizes, folder: Path, cache: Path) -> Measured:
    """Measure everything, one after the other; ``folder`` is on the disk that a shop's store would be on."""
    with PostgresServer(fsync=True) as server:
        async with sync_office.opened(server, folder / "ingest") as office:
            say(f"{sizes.ingest_nodes} nodes with {workload.TAPE_EVENTS} events each, beside bare inserts")
            ingest = await sync_ingest.measure(office, sizes.ingest_nodes)
            say(f"{sizes.news} changes until another shop has them")
            news_ms = await sync_news.measure(office, folder / "news", sizes.news)
        async with sync_office.opened(server, folder / "pull") as office:
            await asyncio.to_thread(sync_shop.fill_feed, server, office, sizes.members)
            pulls, pushes, peer = await in_turns(office, sizes, folder, cache)
        async with sync_office.opened(server, folder / "many") as office:
            await asyncio.to_thread(sync_shop.fill_feed, server, office, sizes.many)
            (ring,) = await office.enrol([workload.key_of(sync_shop.SHOP_NUMBER)])
            say(f"a shop that learns {sizes.many} members while its customers buy")
            many = await sync_shop.many(office, folder / "shop", ring, sizes.many)
        async with sync_office.opened(server, folder / "storm") as office:
            say(f"{sizes.kiosks} kiosks come back at once, each with {sizes.kiosk_events} events")
            storm = await sync_storm.measure(office, sizes.kiosks, sizes.kiosk_events)
    return Measured(ingest, pulls, pushes, many, news_ms, storm, peer)


async def in_turns(
    office: Office, sizes: Sizes, folder: Path, cache: Path
) -> tuple[list[Moved], list[Moved], list[PeerSpeed] | str]:
    """Pull and push, each time after PouchDB did: what else the machine does falls on both."""
    rings = await office.enrol([workload.key_of(sync_shop.SHOP_NUMBER + i) for i in range(2 * TURNS)])
    pulls, pushes, peers = [], [], []
    missing = ""
    for turn in range(TURNS):
        say(f"turn {turn + 1} of {TURNS}: {sizes.members} members pulled, {sizes.events} events pushed")
        try:
            if not missing:
                peers.append(await sync_peer.measure(cache, sizes.members, sizes.events))
        except PeerMissing as error:
            missing = str(error)
            say(f"PouchDB is not measured, so nothing can be said beside it: {error}")
        pulls.append(await sync_shop.pull(office, folder / f"pulling-{turn}", rings[2 * turn]))
        pushes.append(
            await sync_shop.push(office, folder / f"pushing-{turn}", rings[2 * turn + 1], sizes.events)
        )
        await asyncio.to_thread(sync_ingest.wait_until_applied, office)
    return pulls, pushes, missing or peers


def report(measured: Measured, floors: dict[str, list[float]]) -> dict[str, Any]:
    ingest, many, storm = measured.ingest, measured.many, measured.storm
    times = {
        "ingest_batch_ms": ingest.batch_ms,
        "insert_floor_ms": ingest.floor.batch_ms,
        "news_ms": measured.news_ms,
        "tap_ms": many.tap_ms,
        "tap_bootstrapping_ms": many.tap_bootstrapping_ms,
        "lookup_ms": many.lookup_ms,
        "lookup_of_few_ms": many.lookup_of_few_ms,
        "storm_drained_ms": [1000 * one for one in storm.drained_s],
        **floors,
    }
    rates = {
        "ingest_per_s": ingest.per_s,
        "insert_floor_per_s": ingest.floor.per_s,
        "applied_per_s": ingest.events / ingest.applied_s,
        "pull_per_s": median(one.per_s for one in measured.pulls),
        "push_per_s": median(one.per_s for one in measured.pushes),
        "storm_per_s": storm.held / max(storm.drained_s),
    }
    counts = {
        "ingest_events": ingest.events,
        "batch_events": ingest.batch_events,
        "pulled": measured.pulls[0].count,
        "pushed": measured.pushes[0].count,
        "members": many.members,
        "storm_events": storm.held,
        "storm_busy": storm.busy,
    }
    return {
        "goals": [asdict(one) for one in judge(measured)],
        "times": {name: figures(values) for name, values in times.items() if values},
        "rates": {name: round(value, 1) for name, value in rates.items()},
        "ingest_over_floor_wall": round(ingest.per_s / ingest.floor.per_s, 3),
        "ingest_cpu_us_per_event": round(ingest.cpu_s / ingest.events * 1e6, 1),
        "counts": counts,
        "peer": measured.peer if isinstance(measured.peer, str) else [asdict(one) for one in measured.peer],
    }


async def run(sizes: Sizes, cache: Path) -> dict[str, Any]:
    load_before = os.getloadavg()[0]
    STATE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=STATE) as name:
        folder = Path(name)
        floors = {
            "echo_ms": await sync_floors.echo_ms(500),
            "commit_floor_ms": sync_floors.commit_ms(folder, workload.tape(500, 50)),
        }
        measured = await measure(sizes, folder, cache)
    load = [round(load_before, 2), round(os.getloadavg()[0], 2)]
    return report(measured, floors) | {"load_average": load, "cores": os.cpu_count()}


def table(result: dict[str, Any]) -> str:
    lines = [f"{'':26}{'p50':>10}{'p99':>10}{'max':>10}"]
    for name, spread in result["times"].items():
        lines.append(f"{name:26}" + "".join(f"{spread[column]:10.2f}" for column in ("p50", "p99", "max")))
    lines += [f"{name:26}{value:10.0f}" for name, value in result["rates"].items()]
    before, after = result["load_average"]
    lines.append(f"load average {before} before and {after} after, on {result['cores']} cores")
    for one in result["goals"]:
        lines.append(f"{'ok    ' if one['ok'] else 'MISSED'} {one['name']} {one['value']} ({one['limit']:g})")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--quick", action="store_true", help="a look in a minute; the goals are not for it")
    parser.add_argument("--peer-cache", type=Path, default=STATE / "peer", help="where npm installs PouchDB")
    for name, kind in Sizes.__annotations__.items():
        assert kind == "int"
        parser.add_argument(f"--{name.replace('_', '-')}", type=int)
    options = parser.parse_args(arguments)
    chosen = asdict(QUICK if options.quick else Sizes())
    given = {name: getattr(options, name) for name in chosen if getattr(options, name) is not None}
    logs.to_stderr()
    try:
        result = asyncio.run(run(Sizes(**{**chosen, **given}), options.peer_cache.resolve()))
    except PostgresMissing as error:
        say(str(error))
        return CANNOT_RUN
    print(json.dumps(result) if options.json else table(result))
    return 0 if all(one["ok"] for one in result["goals"]) else MISSED


if __name__ == "__main__":
    sys.exit(main())
