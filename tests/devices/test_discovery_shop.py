"""A scanner that is known by what it is, over umockdev's bus: found, lost, found under another number."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 10.0
"""Shorter than a blocked device waits by itself (30 s): in time means that it was woken."""


class Shop:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def do(self, *command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := await self._process.stdout.readline():
                said: dict[str, Any] = json.loads(line)
                if holds(said):
                    return said
        raise AssertionError("the shop ended")

    async def until_link(self, link: str) -> dict[str, Any]:
        return await self.until(lambda said: said.get("link") == link)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    command = ("umockdev-wrapper", sys.executable, "-m", "tests.devices.hotplug_shop")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Shop(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), PATIENCE_S)


async def test_a_scanner_works_again_under_another_number(shop: Shop) -> None:
    waiting = await shop.until_link("absent")
    assert waiting["reason"] == "not_plugged_in"
    shop.do("plug", "1-1.2", "ttyACM0")
    assert "/ttyACM0" in (await shop.until_link("online"))["address"]
    shop.do("scan", "6901234567908")
    assert await shop.until(lambda said: "scan" in said) == {"scan": "6901234567908"}
    shop.do("pull", "1-1.2", "ttyACM0")
    await shop.until(lambda said: said.get("reason") == "not_plugged_in")
    shop.do("plug", "1-1.4", "ttyACM7")
    assert "/ttyACM7" in (await shop.until_link("online"))["address"]
    shop.do("scan", "6901234567946")
    assert await shop.until(lambda said: "scan" in said) == {"scan": "6901234567946"}


async def test_two_alike_block_and_one_pulled_out_heals_at_once(shop: Shop) -> None:
    await shop.until_link("absent")
    shop.do("plug", "1-1.2", "ttyACM0")
    await shop.until_link("online")
    shop.do("plug", "1-1.3", "ttyACM1")
    # The open one works on: which it is is asked when it is opened the next time.
    shop.do("reopen")
    blocked = await shop.until_link("blocked")
    assert blocked["reason"] == "two_devices"
    for port, tty in (("1-1.2", "ttyACM0"), ("1-1.3", "ttyACM1")):
        assert f"/{tty} at USB port {port}" in blocked["detail"]
    shop.do("pull", "1-1.2", "ttyACM0")
    assert "/ttyACM1" in (await shop.until_link("online"))["address"]
