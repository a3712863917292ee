"""The devices' speeds: input until it is on disk, recovery, printing, and a whole day in virtual time.

``python -m benchmarks.devices [--json]`` exits with 1 when a goal is missed, with 2 when it cannot run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import device_input, device_keyboard, device_printing, device_recovery, seeded_shop
from benchmarks.device_input import InputTimes
from benchmarks.device_printing import Printing
from benchmarks.device_recovery import RecoveryTimes
from benchmarks.spine import CANNOT_RUN, MISSED, STATE, Goal, figures, goal, ratio, say
from benchmarks.tap_to_paint import CannotRun
from tapledger import assets, logs
from tapledger.lab import device_day
from tapledger.lab.device_day import Day
from tapledger.loyalty.sales import catalogue
from tapledger.membership import programs
from tapledger.web.live import percentile
from tapledger_drivers.emulators.reader_station import ReaderStation, StationUnavailable

SCANS, TAPS, ROUNDS, RECEIPTS = 500, 300, 10, 300
DAY_HOURS, DAY_TAPS, DAY_SEED = 24, 10_000, 20260601
SCAN_P95_MS, SCAN_RATIO, CARD_RATIO, HUNG_ADDS_MS = 30.0, 3.0, 2.0, 100.0
NOTICED_S, USABLE_S, PCSCD_BACK_S, COVER_S = 1.0, 2.0, 3.0, 1.0
BUILD_MS, SIZE_RATIO, FIRST_BYTE_MS, BAUD_RATIO = 2.0, 1.1, 20.0, 0.95
DAY_MINUTES, DAY_GROWTH_KIB = 5.0, 8 * 1024
DAY_DUE_SHARE = 0.5
"""At least so many taps and scans find a healthy device: what is never due is never lost."""


def at_least(name: str, value: float, limit: float) -> Goal:
    """A promise the other way round."""
    return Goal(name, round(value, 3), limit, value >= limit)


def exactly(name: str, value: int, wanted: int) -> Goal:
    return Goal(name, value, wanted, value == wanted)


def judge(times: InputTimes, recovery: RecoveryTimes, printing: Printing) -> list[Goal]:
    beside = percentile(times.scan_beside_hung_ms, 0.95) - percentile(times.scan_ms, 0.95)
    return [
        goal("scan_to_disk_p95_ms", percentile(times.scan_ms, 0.95), SCAN_P95_MS),
        goal("scan_p50_over_floor", ratio(times.scan_ms, times.scan_floor_ms), SCAN_RATIO),
        goal("hung_printer_adds_to_scan_p95_ms", beside, HUNG_ADDS_MS),
        goal("card_p50_over_bare_scard", ratio(times.card_ms, times.card_floor_ms), CARD_RATIO),
        goal("unplug_noticed_max_s", max(recovery.unplug_noticed_s), NOTICED_S),
        goal("usable_again_max_s", max(recovery.usable_again_s), USABLE_S),
        goal("pcscd_back_max_s", max(recovery.pcscd_back_s), PCSCD_BACK_S),
        goal("cover_shown_max_s", max(recovery.cover_shown_s + recovery.cover_shut_shown_s), COVER_S),
        goal("receipt_build_cpu_p50_ms", percentile(printing.build_cpu_ms, 0.50), BUILD_MS),
        goal("receipt_bytes_over_text", printing.bytes_over_text, SIZE_RATIO),
        goal("first_byte_after_commit_p95_ms", percentile(printing.first_byte_ms, 0.95), FIRST_BYTE_MS),
        at_least("serial_transfer_over_baud", printing.serial_over_baud, BAUD_RATIO),
    ]


def judge_day(day: Day, minutes: float) -> list[Goal]:
    told = device_day.as_dict(day)
    return [
        goal("day_minutes", minutes, DAY_MINUTES),
        exactly("day_lost_events", int(str(told["lost"])), 0),
        exactly("day_doubled_events", int(str(told["doubled"])), 0),
        at_least("day_taps", day.taps.count, DAY_TAPS * 0.95),
        at_least("day_due_share", int(str(told["due"])) / (day.taps.count + day.scans.count), DAY_DUE_SHARE),
        exactly("day_unsettled_slips", int(str(told["unsettled"])), 0),
        at_least("day_paper_minus_called_printed", day.cut - day.fates["printed"], 0),
        goal("day_memory_growth_kib", float(str(told["memory_growth_kib"])), DAY_GROWTH_KIB),
        exactly("day_descriptor_growth", int(str(told["descriptor_growth"])), 0),
    ]


async def measure(
    scans: int, taps: int, rounds: int, receipts: int
) -> tuple[list[Goal], dict[str, list[float]]]:
    """Measure all but the day, in one seeded shop; its folder is gone afterwards. Return the goals and the
    times that they rest on."""
    say(f"{rounds} times out and back: a scanner that types, under umockdev")
    recovery = await device_keyboard.measure(rounds)
    STATE.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-", dir=STATE) as folder,
        tempfile.TemporaryDirectory(prefix="station-") as sockets,
    ):
        station = await ReaderStation.start(Path(sockets), readers=2)
        os.environ["PCSCLITE_CSOCK_NAME"] = str(station.socket_path)
        try:
            seeded = await seeded_shop.make(Path(folder), 2)
            say(f"{scans} scans, each beside a bare read and commit; {taps} taps beside a bare scard program")
            times = await device_input.measure(seeded, station, scans, taps)
            say(f"{rounds} times out and back: scanner, printer, cover, pcscd")
            await device_recovery.measure(seeded, station, rounds, recovery)
        finally:
            await station.close()
        say(f"{receipts} receipts, a serial line, a sale's first byte")
        printing = await device_printing.measure(seeded, receipts)
    taken = {
        **asdict(times),
        **{f"{name[:-1]}ms": [1000 * one_s for one_s in spent] for name, spent in asdict(recovery).items()},
        "build_cpu_ms": printing.build_cpu_ms,
        "first_byte_ms": printing.first_byte_ms,
    }
    return judge(times, recovery, printing), taken


def live_day(hours: float, taps: int) -> tuple[Day, float]:
    """Live a day in virtual time; return it and how many minutes it took."""
    folder = assets.config_folder()
    rules = programs.load(folder / "program.toml").program
    assert rules is not None
    articles = catalogue.read((folder / "catalogue.csv").read_text("utf-8-sig").splitlines(), rules.currency)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="day-", dir=STATE) as state:
        day = device_day.live(Path(state), rules, articles, hours, taps, DAY_SEED)
    return day, (time.monotonic() - began_s) / 60


def table(result: dict[str, Any]) -> str:
    lines = [f"{'':30}{'p50':>9}{'p99':>9}{'max':>9}"]
    for name, spread in result["times"].items():
        lines.append(f"{name:30}" + "".join(f"{spread[column]:9.3f}" for column in ("p50", "p99", "max")))
    for one in result["goals"]:
        lines.append(f"{'ok    ' if one['ok'] else 'MISSED'} {one['name']} {one['value']} ({one['limit']})")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--scans", type=int, default=SCANS)
    parser.add_argument("--taps", type=int, default=TAPS, help="through pcscd")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of pulling each device out")
    parser.add_argument("--receipts", type=int, default=RECEIPTS)
    parser.add_argument("--no-day", action="store_true", help="leave the day in virtual time out")
    chosen = parser.parse_args(arguments)
    logs.to_stderr()
    try:
        goals, taken = asyncio.run(measure(chosen.scans, chosen.taps, chosen.rounds, chosen.receipts))
    except (CannotRun, StationUnavailable) as error:
        say(str(error))
        return CANNOT_RUN
    result: dict[str, Any] = {
        "times": {name: figures(values) for name, values in taken.items()},
        "counts": {name: len(values) for name, values in taken.items()},
        "cores": os.cpu_count(),
    }
    if not chosen.no_day:
        say(f"{DAY_HOURS} hours of a shop's devices in virtual time")
        day, minutes = live_day(DAY_HOURS, DAY_TAPS)
        goals += judge_day(day, minutes)
        result["day"] = device_day.as_dict(day)
    result["goals"] = [asdict(one) for one in goals]
    print(json.dumps(result) if chosen.json else table(result))
    return 0 if all(one.ok for one in goals) else MISSED


if __name__ == "__main__":
    sys.exit(main())
