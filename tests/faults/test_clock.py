"""A machine whose clock is wrong by a year, jumps or stands: no right is used twice, and nothing expires."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tapledger.clock import SystemClock

LIBRARIES = "usr/lib/*/faketime/libfaketime.so.1"
RIGHT, AHEAD, BACK = "+0", "+365d", "-365d"
REDEEMED_AT_MOST = 3
"""Twice what is leased pays for, and once the quota; each costs 100 points."""
HARMLESS = {"join", "sale", "hold", "lease_close"}
"""What happens in seconds of true time. A lease that ends too soon only gives its rest back."""


def faketime() -> str:
    found = [*Path("/").glob(LIBRARIES)]
    assert found, "install libfaketime (tools/system_packages.py)"
    return str(found[0])


class Machine:
    """A computer with a clock of its own, and the shop that runs on it; each start is another process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._clock = folder / "clock"
        self._process: asyncio.subprocess.Process | None = None
        self.boot = "boot-1"
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.set_clock(RIGHT)

    def set_clock(self, to: str) -> None:
        """Set it by an offset like ``+365d``, or let it stand at an instant."""
        beside = self._clock.with_suffix(".new")
        beside.write_text(to)
        beside.rename(self._clock)

    async def start(self, *twin: str) -> None:
        faked = {
            "LD_PRELOAD": faketime(),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.by_the_clock", str(self.folder / "shop"), self.boot, *twin),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **faked},
        )

    async def do(self, *words: str) -> dict[str, Any]:
        """Say each word to the shop; return how it stands after the last."""
        assert self._process is not None and self._process.stdin is not None
        assert self._process.stdout is not None
        for word in words:
            self._process.stdin.write(f"{word}\n".encode())
            self.seen.append((word, json.loads(await self._process.stdout.readline())))
            self._check()
        return self.seen[-1][1]

    def refused(self, word: str) -> str:
        """Return what a word was refused for when it was said last."""
        return str(next(seen["refused"] for said, seen in reversed(self.seen) if said == word))

    def _check(self) -> None:
        """Compare what stands now with what stood before, whatever the clock says."""
        (_, before), (_, now) = self.seen[-2:][0], self.seen[-1]
        assert now["hlc"] >= before["hlc"], "the ledger's clock fell"
        assert set(now["kinds"]) <= HARMLESS
        assert now["kinds"].count("hold") <= REDEEMED_AT_MOST
        assert now["points"] == 598 - 100 * now["kinds"].count("hold")

    async def stop(self) -> None:
        assert self._process is not None
        await self._process.communicate(b"close\n")
        assert self._process.returncode == 0
        self._process = None


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that central has heard of, and that has redeemed once of its lease since."""
    made = Machine(tmp_path_factory.mktemp("founded"))
    await made.start()
    await made.do("found", "away", "redeem")
    await made.stop()
    return made.folder


@pytest.fixture
async def machine(founded: Path, tmp_path: Path) -> AsyncIterator[Machine]:
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    made = Machine(tmp_path)
    yield made
    await made.stop()


@pytest.mark.parametrize("wrong", [AHEAD, BACK])
async def test_a_clock_that_jumps_while_the_shop_runs(machine: Machine, wrong: str) -> None:
    await machine.start()
    await machine.do("sell")
    machine.set_clock(wrong)
    seen = await machine.do("night", "sell", "redeem", "night")
    assert seen["suspect"] and machine.refused("redeem"), "nobody knows whether a lease is over"
    machine.set_clock(RIGHT)
    seen = await machine.do("sell", "night", "redeem")
    assert seen["suspect"] == (wrong == AHEAD), "what was recorded in the future is not forgotten"
    seen = await machine.do("hear", "redeem", "night")
    assert not seen["suspect"] and not machine.refused("redeem")
    await machine.do("away", "redeem", "redeem", "sell")


@pytest.mark.parametrize(("wrong", "boot"), [(AHEAD, "boot-1"), (AHEAD, "boot-2"), (BACK, "boot-2")])
async def test_a_shop_that_starts_with_a_wrong_clock(machine: Machine, wrong: str, boot: str) -> None:
    """The shop alone was started anew, or its machine too, whose own clock then tells nothing."""
    machine.boot = boot
    machine.set_clock(wrong)
    await machine.start()
    seen = await machine.do("night", "sell", "redeem", "night")
    assert seen["suspect"] and machine.refused("redeem")
    machine.set_clock(RIGHT)
    seen = await machine.do("hear", "redeem", "night")
    assert not seen["suspect"] and not machine.refused("redeem")


async def test_a_clock_that_stands(machine: Machine) -> None:
    """The ledger's own clock goes on all the same, and rights run out as ever."""
    machine.set_clock(f"{SystemClock().now():%Y-%m-%d %H:%M:%S}")
    await machine.start()
    clocks = [(await machine.do(word))["hlc"] for word in ("sell", "redeem", "sell", "redeem", "sell")]
    assert clocks == sorted(set(clocks)), "each event is later than the one before"
    seen = await machine.do("night", "redeem")
    assert machine.refused("redeem") and seen["kinds"].count("hold") == REDEEMED_AT_MOST


async def test_a_shop_that_believes_its_clock_is_caught(machine: Machine) -> None:
    machine.boot = "boot-2"
    machine.set_clock(AHEAD)
    await machine.start("believing")
    with pytest.raises(AssertionError, match="expire"):
        await machine.do("night")
