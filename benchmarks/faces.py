"""How quick the faces are: a tap, a scan, the first screen, their weight, and what many visits leave.

``python -m benchmarks.faces [--json]`` exits with 1 when a goal is missed and with 2 when it cannot run here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import faces_kiosk, faces_till, seeded_shop
from benchmarks.faces_kiosk import Counts, KioskTimes
from benchmarks.faces_till import TillTimes
from benchmarks.spine import CANNOT_RUN, MISSED, STATE, Goal, goal, say, verdicts
from benchmarks.tap_to_paint import CannotRun
from tapledger import logs
from tapledger.web.live import percentile
from tapledger_drivers.emulators.reader_station import StationUnavailable
from tapledger_drivers.errors import DeviceBlocked

CUSTOMERS = 50
MEGABYTE = 1_000_000
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def goals(kiosk: KioskTimes, till: TillTimes, bundles_kb: dict[str, float]) -> list[Goal]:
    return [
        goal("first_tap_slow_p95_ms", percentile(kiosk.first_tap_ms, 0.95), 150),
        goal("tap_p99_ms", percentile(kiosk.tap_ms, 0.99), 50),
        goal("first_screen_slow_ms", statistics.median(kiosk.first_screen_ms), 1000),
        goal("heap_growth_mb", kiosk.heap_growth_bytes / MEGABYTE, 5),
        goal("scan_to_line_p95_ms", percentile(till.scan_ms, 0.95), 100),
        goal("scans_lost", till.burst - till.burst_counted, 0),
        goal("keys_of_a_sale", till.keys, 8),
        goal("kiosk_kb", bundles_kb["kiosk"], 35),
        goal("till_kb", bundles_kb["till"], 60),
    ]


def report(kiosk: KioskTimes, till: TillTimes, bundles_kb: dict[str, float]) -> dict[str, Any]:
    """Hold the figures against the goals."""
    times = {
        "first_tap_slow": kiosk.first_tap_ms,
        "tap": kiosk.tap_ms,
        "push_floor": kiosk.push_floor_ms,
        "first_screen_slow": kiosk.first_screen_ms,
        "scan_to_line": till.scan_ms,
    }
    return {
        "goals": [asdict(one) for one in goals(kiosk, till, bundles_kb)],
        "times_ms": {
            name: {share: round(percentile(one, at), 2) for share, at in SHARES.items()}
            for name, one in times.items()
        },
        "counts": {name: len(one) for name, one in times.items()}
        | {"sessions": kiosk.sessions, "burst": till.burst},
    }


async def run(counts: Counts, scans: int, burst_s: float) -> dict[str, Any]:
    load_before = os.getloadavg()[0]
    STATE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=STATE) as folder:
        seeded = await seeded_shop.make(Path(folder), CUSTOMERS)
        kiosk = await faces_kiosk.measure(seeded, counts, say)
    till = await faces_till.measure(scans, burst_s, say)
    load = [round(load_before, 2), round(os.getloadavg()[0], 2)]
    return report(kiosk, till, faces_till.bundles_kb()) | {"load_average": load, "cores": os.cpu_count()}


def table(result: dict[str, Any]) -> str:
    rows = [f"{name:20} {spread}" for name, spread in result["times_ms"].items()]
    return "\n".join([*rows, *verdicts(result)])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faces", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--first-taps", type=int, default=30)
    parser.add_argument("--taps", type=int, default=150)
    parser.add_argument("--pages", type=int, default=9)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--scans", type=int, default=100)
    parser.add_argument("--burst-s", type=float, default=5.0)
    options = parser.parse_args(arguments)
    logs.to_stderr()
    counts = Counts(options.first_taps, options.taps, options.pages, options.sessions)
    try:
        result = asyncio.run(run(counts, options.scans, options.burst_s))
    except (CannotRun, StationUnavailable, DeviceBlocked) as error:
        say(str(error))
        return CANNOT_RUN
    print(json.dumps(result) if options.json else table(result))
    return 0 if all(one["ok"] for one in result["goals"]) else MISSED


if __name__ == "__main__":
    sys.exit(main())
