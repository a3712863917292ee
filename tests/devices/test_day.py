"""A shop's devices live through a day of faults: nothing is lost, nothing doubled, nothing grows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tapledger.lab import device_day
from tapledger.lab.device_day import Day
from tapledger.loyalty import program as programs
from tapledger.loyalty.sales import catalogue
from tests.store.shops import CATALOGUE, PROGRAM

GROWTH_KIB_MAX = 8 * 1024
"""Of a day after its first hour; one tap leaking its frames would make forty times that."""


async def live(folder: Path, hours: float, taps: int, seed: int) -> Day:
    articles = catalogue.read(CATALOGUE.splitlines(), "CNY")
    program = programs.load(PROGRAM)
    return await asyncio.to_thread(device_day.live, folder, program, articles, hours, taps, seed)


def judge(day: Day) -> None:
    for inputs in (day.taps, day.scans):
        assert inputs.lost == []
        assert inputs.doubled == []
        assert sum(inputs.due) > inputs.count / 2
    assert set(day.open_at_end) == {*device_day.READERS, device_day.SCANNER, device_day.PRINTER}
    assert device_day.as_dict(day)["unsettled"] == 0, day.fates
    assert day.fates["printed"] <= day.cut, "a slip is called printed that never came out"


async def test_an_hour_of_faults_loses_nothing(tmp_path: Path) -> None:
    day = await live(tmp_path / "shop", hours=0.5, taps=300, seed=3)
    judge(day)
    assert len(day.faults) >= 3


@pytest.mark.long
async def test_a_day_of_faults_loses_nothing_and_grows_nothing(tmp_path: Path) -> None:
    day = await live(tmp_path / "shop", hours=24, taps=10_000, seed=7)
    judge(day)
    assert len(day.faults) >= 12
    assert day.memory_kib[-1] - day.memory_kib[1] < GROWTH_KIB_MAX, day.memory_kib
    assert day.descriptors[-1] == day.descriptors[0], day.descriptors
