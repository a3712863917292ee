"""The scanner that types: its keyboard exists only under umockdev, where a child runs evdev_cases.py."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drivers import keyboard_emulator

CHILD_DEADLINE_S = 60.0
CASES_MIN = 30


async def test_the_typing_scanner_under_umockdev(tmp_path: Path) -> None:
    if shutil.which("umockdev-run") is None:
        if os.environ.get("CI"):
            pytest.fail("umockdev is missing: apt-get install umockdev")
        pytest.skip("needs umockdev: apt-get install umockdev")
    cases = Path(__file__).with_name("evdev_cases.py")
    program = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest", str(cases))
    process = await asyncio.create_subprocess_exec(
        *keyboard_emulator.command(tmp_path, program), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(CHILD_DEADLINE_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()
    passed = re.search(r"(\d+) passed", said.decode())
    assert passed and int(passed[1]) >= CASES_MIN, said.decode()
