"""The spine's speeds: a tap until its frame is painted, and a sale until it is on disk.

``python -m benchmarks.spine [--json]`` exits with 1 when a goal is missed and with 2 when it cannot run here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks import sale_commit, seeded_shop, tap_to_paint
from benchmarks.sale_commit import SaleTimes
from benchmarks.tap_to_paint import CannotRun, Tap, Taps
from tapledger import logs
from tapledger.web.live import percentile
from tapledger_drivers.emulators.reader_station import StationUnavailable
from tapledger_drivers.errors import DeviceBlocked

STATE = Path(__file__).parent.parent / "var"
"""On a real disk, as a shop's store is; a temporary folder may be memory."""
TAPS, SALES, CUSTOMERS = 300, 1000, 1000
TAP_P99_MS = 50.0
RATIOS = (
    ("on_attract_p50_over_floor", "on_attract.tap_ms", "on_attract.push_floor_ms", 3.0),
    ("on_balance_p50_over_floor", "on_balance.tap_ms", "on_balance.push_floor_ms", 3.0),
    ("sale_p50_over_floor", "sale_ms", "commit_floor_ms", 3.0),
)
"""Goal, what is measured, its floor, and how many times the floor its median may be."""
MISSED, CANNOT_RUN = 1, 2
PROGRESS_TAPS = 50


@dataclass(frozen=True, slots=True)
class Goal:
    """A promise: ``value`` is at most ``limit``."""

    name: str
    value: float
    limit: float
    ok: bool


def goal(name: str, value: float, limit: float) -> Goal:
    return Goal(name, round(value, 2), limit, value <= limit)


def figures(times_ms: list[float]) -> dict[str, float]:
    spread = {"p50": percentile(times_ms, 0.50), "p99": percentile(times_ms, 0.99), "max": max(times_ms)}
    return {name: round(value, 3) for name, value in spread.items()}


def ratio(times_ms: list[float], floor_ms: list[float]) -> float:
    return percentile(times_ms, 0.50) / percentile(floor_ms, 0.50)


def report(sales: SaleTimes, taps: Taps) -> dict[str, Any]:
    """Hold the times against the goals."""
    times = {
        **columns("on_attract", taps.on_attract),
        **columns("on_balance", taps.on_balance),
        **asdict(sales),
    }
    goals = [
        goal(
            "tap_p99_ms",
            percentile(times["on_attract.tap_ms"] + times["on_balance.tap_ms"], 0.99),
            TAP_P99_MS,
        )
    ]
    for name, of, floor, limit in RATIOS:
        goals.append(goal(name, ratio(times[of], times[floor]), limit))
    return {
        "goals": [asdict(one) for one in goals],
        "taps": len(taps.on_attract) + len(taps.on_balance),
        "sales": len(sales.sale_ms),
        "times": {name: figures(values) for name, values in times.items()},
    }


def columns(start: str, taps: list[Tap]) -> dict[str, list[float]]:
    names = ("tap_ms", *(each.name for each in fields(Tap)))
    return {f"{start}.{name}": [getattr(tap, name) for tap in taps] for name in names}


async def run(taps: int, sales: int, customers: int) -> dict[str, Any]:
    """Measure both in one seeded shop; its folder is gone afterwards."""
    load_before = os.getloadavg()[0]
    STATE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=STATE) as folder:
        say(f"a shop with {customers} customers who have bought once")
        seeded = await seeded_shop.make(Path(folder), customers)
        say(f"{taps} taps, each beside a bare push; pcscd needs 0.4 s to see a card come")
        tap_times = await tap_to_paint.measure(seeded, taps, _tapped)
        say(f"{sales} sales, each beside a raw commit of its rows")
        sale_times = await sale_commit.measure(seeded, sales)
    load = [round(load_before, 2), round(os.getloadavg()[0], 2)]
    return report(sale_times, tap_times) | {"load_average": load, "cores": os.cpu_count()}


def _tapped(count: int) -> None:
    if count % PROGRESS_TAPS == 0:
        say(f"{count} taps")


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def table(result: dict[str, Any]) -> str:
    lines = [f"{'':30}{'p50':>9}{'p99':>9}{'max':>9}"]
    for name, spread in result["times"].items():
        lines.append(f"{name:30}" + "".join(f"{spread[column]:9.2f}" for column in ("p50", "p99", "max")))
    before, after = result["load_average"]
    lines.append(f"load average {before} before and {after} after, on {result['cores']} cores")
    return "\n".join([*lines, *verdicts(result)])


def verdicts(result: dict[str, Any]) -> list[str]:
    """Say of each goal whether it was met."""
    return [
        f"{one['name']:30}{one['value']:9.2f}  at most {one['limit']:g}: {'met' if one['ok'] else 'MISSED'}"
        for one in result["goals"]
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spine", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--taps", type=int, default=TAPS)
    parser.add_argument("--sales", type=int, default=SALES)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    options = parser.parse_args(arguments)
    logs.to_stderr()
    try:
        result = asyncio.run(run(options.taps, options.sales, options.customers))
    except (CannotRun, StationUnavailable, DeviceBlocked) as error:
        say(str(error))
        return CANNOT_RUN
    print(json.dumps(result) if options.json else table(result))
    return 0 if all(one["ok"] for one in result["goals"]) else MISSED


if __name__ == "__main__":
    sys.exit(main())
