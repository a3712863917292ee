"""Whole random lives of several members, in one shop and in two, with everything checked after every step."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lives.invariants import Watch
from tests.lives.life import Life
from tests.lives.steps import ACTIONS, do
from tests.lives.till import Step

MEMORY = "/dev/shm"
steps = st.builds(Step, st.sampled_from(sorted(ACTIONS)), *(st.integers(0, 999) for _ in "abc"))
short = st.lists(steps, min_size=15, max_size=40)
long = st.lists(steps, min_size=40, max_size=120)
CHECKS = (HealthCheck.too_slow, HealthCheck.data_too_large)


async def live(shops: tuple[str, ...], life: list[Step]) -> None:
    memory = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        lived = Life(Path(folder), "lives", shops)
        try:
            await lived.open()
            watch = Watch(lived)
            await watch.look()
            for step in life:
                await do(lived, step)
                await watch.look()
            await watch.end()
        finally:
            await lived.close()


@settings(max_examples=45, deadline=None, derandomize=True, suppress_health_check=CHECKS)
@given(short)
def test_P1_P4_P5_P7_P8_hold_in_one_shop(life: list[Step]) -> None:
    asyncio.run(live(("A",), life))


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=CHECKS)
@given(short)
def test_P4_P5_P8_hold_in_two_shops_that_lose_their_line(life: list[Step]) -> None:
    asyncio.run(live(("A", "B"), life))


@pytest.mark.long
@settings(max_examples=1000, deadline=None, derandomize=True, suppress_health_check=CHECKS)
@given(long)
def test_long_lives_in_one_shop(life: list[Step]) -> None:
    asyncio.run(live(("A",), life))


@pytest.mark.long
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=CHECKS)
@given(long)
def test_long_lives_in_two_shops(life: list[Step]) -> None:
    asyncio.run(live(("A", "B"), life))


async def test_a_life_has_something_of_everything(tmp_path: Path) -> None:
    """The invariants say nothing of what never happens: what these lives do is counted here."""
    from tests.lives.ledger import seeded

    done: set[str] = set()
    for seed in (0, 1, 7, 10):
        lived = Life(tmp_path / str(seed), f"seed-{seed}")
        try:
            await lived.open()
            for step in seeded(seed, 150):
                await do(lived, step)
        finally:
            await lived.close()
        done |= {one.split(" Step")[0] for one in lived.log if ": " not in one}
    wanted = {"sale", "return", "void", "exchange", "whole sale", "pending", "confirm", "give up", "draw"}
    wanted |= {"check in", "survey", "share", "use", "coupon", "void coupon", "claim", "print", "hold coupon"}
    wanted |= {"top up", "take back", "close card", "grant", "points in", "freeze", "unfreeze", "cancel"}
    wanted |= {"restore", "merge", "unmerge", "referrer", "block", "unblock", "limit", "reward cup", "fulfil"}
    wanted |= {"undo", "seat", "bottles", "late credit", "tap"}
    missing = wanted - done
    assert not missing, missing
