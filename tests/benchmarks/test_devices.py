"""The devices' benchmark measures what it says: everything counted, every goal judged, a missed one told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks import device_printing, devices
from benchmarks.device_input import InputTimes
from benchmarks.device_printing import Printing
from benchmarks.device_recovery import RecoveryTimes
from benchmarks.spine import CANNOT_RUN, MISSED
from tapledger.lab.device_day import Day, Inputs
from tests.source_tree import ROOT

SCANS, TAPS, ROUNDS, RECEIPTS = 12, 2, 1, 6
RUN_LIMIT_S = 120

INPUT = InputTimes(
    scan_ms=[30.0],
    scan_floor_ms=[10.0],
    scan_beside_hung_ms=[130.0],
    card_ms=[2.0],
    card_delivered_ms=[2.0],
    card_floor_ms=[1.0],
)
RECOVERY = RecoveryTimes([1.0], [2.0], [1.0], [1.0], [3.0])
PRINTING = Printing([2.0], 1.1, [20.0], 0.95)


def missed(
    times: InputTimes = INPUT, recovery: RecoveryTimes = RECOVERY, done: Printing = PRINTING
) -> set[str]:
    return {one.name for one in devices.judge(times, recovery, done) if not one.ok}


def test_goals_are_met_at_their_limits_and_missed_beyond() -> None:
    assert missed() == set()
    assert missed(replace(INPUT, scan_ms=[30.1])) == {"scan_to_disk_p95_ms", "scan_p50_over_floor"}
    assert missed(replace(INPUT, scan_beside_hung_ms=[130.1])) == {"hung_printer_adds_to_scan_p95_ms"}
    assert missed(replace(INPUT, card_ms=[2.1])) == {"card_p50_over_bare_scard"}
    for field, name in (
        ("unplug_noticed_s", "unplug_noticed_max_s"),
        ("usable_again_s", "usable_again_max_s"),
        ("cover_shown_s", "cover_shown_max_s"),
        ("cover_shut_shown_s", "cover_shown_max_s"),
        ("pcscd_back_s", "pcscd_back_max_s"),
    ):
        worse = [*getattr(RECOVERY, field), getattr(RECOVERY, field)[0] + 0.1]
        assert missed(recovery=replace(RECOVERY, **{field: worse})) == {name}
    assert missed(done=replace(PRINTING, build_cpu_ms=[2.1])) == {"receipt_build_cpu_p50_ms"}
    assert missed(done=replace(PRINTING, bytes_over_text=1.11)) == {"receipt_bytes_over_text"}
    assert missed(done=replace(PRINTING, first_byte_ms=[20.1])) == {"first_byte_after_commit_p95_ms"}
    assert missed(done=replace(PRINTING, serial_over_baud=0.94)) == {"serial_transfer_over_baud"}


def test_a_day_with_one_tap_lost_is_told() -> None:
    inputs = Inputs(bytearray([1] * devices.DAY_TAPS), bytearray([1] * devices.DAY_TAPS), devices.DAY_TAPS)
    printed = Counter({"printed": 3})
    day = Day(24, inputs, inputs, 3, printed, 3, memory_kib=[9, 5, 5], descriptors=[7, 7, 7])

    def told(day: Day) -> set[str]:
        return {one.name for one in devices.judge_day(day, 5.0) if not one.ok}

    assert told(day) == set()
    assert told(replace(day, cut=2)) == {"day_paper_minus_called_printed"}
    assert told(replace(day, fates=Counter({"printed": 2, "queued": 1}))) == {"day_unsettled_slips"}
    assert told(replace(day, descriptors=[7, 7, 8])) == {"day_descriptor_growth"}
    inputs.got[17] = 0
    assert told(day) == {"day_lost_events"}
    inputs.got[17] = 2
    assert told(day) == {"day_doubled_events"}
    # Devices that died in the first hour lose nothing that they were due to give.
    dead = Inputs(bytearray(devices.DAY_TAPS), bytearray(devices.DAY_TAPS), devices.DAY_TAPS)
    assert told(replace(day, taps=dead, scans=dead)) == {"day_due_share"}


def test_a_receipt_is_hardly_more_than_its_text() -> None:
    spent_ms, over_text = device_printing.build(3)
    assert len(spent_ms) == 3
    assert 1 < over_text <= devices.SIZE_RATIO


def test_a_short_run_measures_everything() -> None:
    counts = [f"--scans={SCANS}", f"--taps={TAPS}", f"--rounds={ROUNDS}", f"--receipts={RECEIPTS}"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.devices", "--json", "--no-day", *counts],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT_S,
        check=False,
    )
    if done.returncode == CANNOT_RUN and os.environ.get("CI") != "true":
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode in (0, MISSED), done.stderr
    result = json.loads(done.stdout)
    assert done.returncode == (0 if all(one["ok"] for one in result["goals"]) else MISSED)
    assert len(result["goals"]) == len(devices.judge(INPUT, RECOVERY, PRINTING))
    counted = result["counts"]
    assert counted["scan_ms"] == counted["scan_beside_hung_ms"] == SCANS
    assert counted["card_ms"] == TAPS
    assert counted["unplug_noticed_ms"] == counted["usable_again_ms"] == 3 * ROUNDS, "pty, TCP and umockdev"
    assert counted["cover_shown_ms"] == counted["pcscd_back_ms"] == ROUNDS
    assert (counted["build_cpu_ms"], counted["first_byte_ms"]) == (RECEIPTS, RECEIPTS // 3)
    for name, spread in result["times"].items():
        assert 0 < spread["p50"] <= spread["p99"] <= spread["max"], name
