"""The pricing engine's speed, exactness and scaling, beside a plain loop over dicts in the same run.

``python -m benchmarks.engine [--workload FOLDER] [--json]`` reads promos.json and baskets.json of the folder,
or makes its own; the last line is one JSON object with ``--json``. It exits with 1 when a goal is missed and
with 2 when it cannot run. Times are CPU time of this thread, so a busy machine distorts them little.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import engine_exactness, engine_scaling, engine_summary, engine_workload, plain_loop
from tapledger.loyalty.pricing import Priced, price
from tapledger.web.live import percentile

WARM_UP = 500
PASSES = 3
"""Of each timing; the best pass counts, because whatever else runs here only ever makes one slower."""
PER_CPU_S, P99_MS, COMBINATION_P95_MS, GROWTH, SUMMARY_P99_MS = 9000.0, 0.5, 50.0, 2.0, 5.0
MISSED, CANNOT_RUN = 1, 2


@dataclass(frozen=True, slots=True)
class Goal:
    """A promise: ``value`` is at most ``limit``, or at least where ``least`` is true."""

    name: str
    value: float
    limit: float
    least: bool
    ok: bool


def at_most(name: str, value: float, limit: float) -> Goal:
    return Goal(name, round(value, 3), limit, False, value <= limit)


def at_least(name: str, value: float, limit: float) -> Goal:
    return Goal(name, round(value, 3), limit, True, value >= limit)


@dataclass(frozen=True, slots=True)
class Speed:
    """One pass: how many a second of CPU, and the times of single ones in milliseconds."""

    per_cpu_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float


def timed(work: Callable[[Any], object], items: Sequence[Any]) -> Speed:
    """Return the fastest of some passes over all items."""
    for item in items[:WARM_UP]:
        work(item)
    return max((_pass(work, items) for _ in range(PASSES)), key=lambda speed: speed.per_cpu_s)


def _pass(work: Callable[[Any], object], items: Sequence[Any]) -> Speed:
    clock, times = time.thread_time_ns, []
    gc.collect()
    began = clock()
    for item in items:
        start = clock()
        work(item)
        times.append((clock() - start) / 1e6)
    passed = clock() - began
    return Speed(
        per_cpu_s=round(len(items) / passed * 1e9, 1),
        p50_ms=round(percentile(times, 0.50), 4),
        p99_ms=round(percentile(times, 0.99), 4),
        max_ms=round(max(times), 3),
    )


def run(folder: Path) -> dict[str, Any]:
    """Measure everything on the workload of a folder."""
    load_before = os.getloadavg()[0]
    listed, baskets = engine_workload.read(folder)
    compiled = engine_workload.programme(listed)
    asked = [engine_workload.asked(listed, basket) for basket in baskets]
    say(f"{len(baskets)} baskets under {len(listed)} promotions, {PASSES} passes")
    engine = timed(lambda one: price(one[0], one[1], compiled, one[2]), asked)
    plain = timed(lambda basket: plain_loop.evaluate(listed, basket), baskets)
    say("against the slow oracle of fractions, and the loop that does not round")
    priced: list[Priced] = [price(basket, member, compiled, moment) for basket, member, moment in asked]
    exact = engine_exactness.compare(listed, baskets, asked, priced)
    say("500 promotions beside 50")
    growth = engine_scaling.growth(listed, asked)
    say("the best of 12 coupons on 20 lines")
    combination_ms = engine_scaling.combinations_ms()
    say(f"the summary of a member with {engine_summary.LOTS} lots and {engine_summary.COUPONS} coupons")
    summary_ms = engine_summary.summaries_ms()
    goals = [
        at_least("evaluations_per_cpu_s", engine.per_cpu_s, PER_CPU_S),
        at_most("evaluation_p99_ms", engine.p99_ms, P99_MS),
        at_least("baskets_equal_to_oracle", exact.equal_to_oracle, len(baskets)),
        at_most("baskets_off_the_unrounded", exact.off_the_unrounded, 0),
        at_most("points_off_the_unrounded", exact.points_off, 0),
        at_most("time_500_over_50_promotions", growth, GROWTH),
        at_most("best_of_12_coupons_p95_ms", percentile(combination_ms, 0.95), COMBINATION_P95_MS),
        at_most("summary_p99_ms", percentile(summary_ms, 0.99), SUMMARY_P99_MS),
    ]
    return {
        "goals": [asdict(goal) for goal in goals],
        "engine": asdict(engine),
        "plain_loop": asdict(plain),
        "engine_over_plain_loop": round(engine.per_cpu_s / plain.per_cpu_s, 3),
        "exactness": asdict(exact),
        "best_of_12_coupons_ms": {
            "p50": round(percentile(combination_ms, 0.50), 2),
            "p95": round(percentile(combination_ms, 0.95), 2),
            "max": round(max(combination_ms), 2),
        },
        "summary_ms": {
            "p50": round(percentile(summary_ms, 0.50), 2),
            "p99": round(percentile(summary_ms, 0.99), 2),
            "max": round(max(summary_ms), 2),
        },
        "load_average": [round(load_before, 2), round(os.getloadavg()[0], 2)],
        "cores": os.cpu_count(),
    }


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def table(result: dict[str, Any]) -> str:
    lines = [f"{'':14}{'per CPU-s':>12}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}"]
    for name in ("engine", "plain_loop"):
        speed = result[name]
        columns = (speed["p50_ms"], speed["p99_ms"], speed["max_ms"])
        lines.append(f"{name:14}{speed['per_cpu_s']:12.0f}" + "".join(f"{one:10.3f}" for one in columns))
    before, after = result["load_average"]
    lines.append(f"load average {before} before and {after} after, on {result['cores']} cores")
    for one in result["goals"]:
        verdict = "met" if one["ok"] else "MISSED"
        word = "at least" if one["least"] else "at most"
        lines.append(f"{one['name']:30}{one['value']:11.2f}  {word} {one['limit']:g}: {verdict}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--workload", type=Path, help="a folder with promos.json and baskets.json")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args(arguments)
    try:
        if options.workload is not None:
            result = run(options.workload)
        else:
            with tempfile.TemporaryDirectory(prefix="workload-") as folder:
                engine_workload.write(Path(folder))
                result = run(Path(folder))
    except (OSError, ValueError, KeyError) as error:
        say(f"the workload cannot be read: {type(error).__name__}: {error}")
        return CANNOT_RUN
    print(json.dumps(result) if options.json else table(result))
    return 0 if all(one["ok"] for one in result["goals"]) else MISSED


if __name__ == "__main__":
    sys.exit(main())
