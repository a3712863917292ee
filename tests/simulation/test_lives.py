"""Chains that live under every fault at once: each promise holds at every step, for every seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tapledger.lab.world.chain import Plan
from tapledger.lab.world.simulation import Outcome
from tapledger.lab.world.trace import RULES
from tests.simulation.lives import broken, live

SEEDS = Path(__file__).with_name("seeds.txt")


def once_broken() -> list[Plan]:
    """Return the lives in which a promise was broken once."""
    lines = (line for line in SEEDS.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return [
        Plan(int(seed), float(days), int(kiosks), int(shops))
        for seed, days, kiosks, shops, *_ in map(str.split, lines)
    ]


SEEDS_EACH_TIME, MOST_SEEDS = 12, 48
"""What fits beside everything else, and how many at most until everything has happened once; ``make long``
lives the other days."""
HAPPENS = {"cut", "power cut", "killed", "restored", "cloned", "suspended", "clock off"}
DONE = {"POST leases", "points", "reward", "value", "return", "fulfil"}


def test_a_day_of_four_kiosks_keeps_every_promise() -> None:
    outcomes: list[Outcome] = []
    happened: set[str] = set()
    while not outcomes or (len(outcomes) < MOST_SEEDS and not happened >= HAPPENS | DONE):
        first = len(outcomes) + 1
        outcomes += live([Plan(seed) for seed in range(first, first + SEEDS_EACH_TIME)])
        happened = {name for one in outcomes for name in one.counts}
    assert not broken(outcomes)
    assert happened >= HAPPENS | DONE
    assert sum(one.figures["most_owed_points"] > 0 for one in outcomes), "no bound was ever tried"


def test_every_life_that_once_broke_a_promise_keeps_it() -> None:
    assert not broken(live(once_broken()))


@pytest.mark.long
def test_200_days_of_four_kiosks_keep_every_promise() -> None:
    assert not broken(live([Plan(seed) for seed in range(1, 201)]))


@pytest.mark.long
@pytest.mark.parametrize("first", range(1000, 6000, 500))
def test_thousands_of_days_keep_every_promise(first: int) -> None:
    assert not broken(live([Plan(seed) for seed in range(first, first + 500)]))


@pytest.mark.long
def test_weeks_of_a_larger_chain_keep_every_promise() -> None:
    assert not broken(live([Plan(seed, 7.0, 8, 3) for seed in range(1, 201)]))


def test_the_same_seed_is_the_same_life_byte_for_byte_in_any_process() -> None:
    said = [simulated("--seed", "7", "--days", "0.5", hash_seed=seed) for seed in ("0", "12345")]
    assert said[0] == said[1]
    assert len(said[0]["digest"]) == 64
    assert said[0]["steps"] > 100
    assert said[0]["rule"] == ""
    other = simulated("--seed", "8", "--days", "0.5", hash_seed="0")
    assert other["digest"] != said[0]["digest"]


def simulated(*options: str, hash_seed: str) -> dict[str, Any]:
    command = [sys.executable, "-c", "from tapledger.cli import main; main()", "simulate", "chain", "--json"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([*command, *options], capture_output=True, check=True, env=environment, timeout=120)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_what_is_promised_is_printed() -> None:
    command = [sys.executable, "-c", "from tapledger.cli import main; main()", "simulate", "chain"]
    options = ["--seed", "3", "--days", "0.1", "--kiosks", "2"]
    done = subprocess.run([*command, *options], capture_output=True, check=True, timeout=120)
    text = done.stdout.decode()
    assert all(f"kept: {rule}" in text for rule in RULES)
    assert "trace " in text
