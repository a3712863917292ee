"""A scanner that types, pulled out and plugged in again: its keyboard exists only under umockdev.

``measure`` starts the child that lives there: ``python -m benchmarks.device_keyboard ROUNDS``.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks import seeded_shop
from benchmarks.device_bench import PATIENCE_S, SCANNER, running
from benchmarks.device_recovery import RecoveryTimes, unplug
from benchmarks.tap_to_paint import CannotRun
from tapledger import logs
from tapledger_drivers.device import DeviceConfig
from tests.drivers import keyboard_emulator


async def measure(rounds: int) -> RecoveryTimes:
    """Return the times of so many rounds; raise ``CannotRun`` where there is no umockdev."""
    if shutil.which("umockdev-run") is None:
        raise CannotRun("umockdev is missing: apt-get install umockdev")
    with tempfile.TemporaryDirectory(prefix="keyboard-") as folder:
        program = (sys.executable, "-m", "benchmarks.device_keyboard", str(rounds))
        command = keyboard_emulator.command(Path(folder), program)
        child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        try:
            async with asyncio.timeout(PATIENCE_S * (rounds + 1)):
                said, _ = await child.communicate()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
    if child.returncode != 0:
        raise RuntimeError(f"the child under umockdev ended with {child.returncode}")
    return RecoveryTimes(**json.loads(said))


async def _under_umockdev(rounds: int) -> RecoveryTimes:
    keyboard = keyboard_emulator.KeyboardScannerEmulator(Path(os.environ["UMOCKDEV_DIR"]) / "dev")
    await keyboard.start()
    times = RecoveryTimes()
    with tempfile.TemporaryDirectory(prefix="keyboard-shop-") as folder:
        seeded = await seeded_shop.make(Path(folder), 1)
        config = DeviceConfig(SCANNER, "evdev_keyboard", {"path": keyboard_emulator.NODE})
        async with seeded.open() as shop, running(shop, [config]) as watched:
            await watched.until(lambda: watched.is_up(SCANNER))
            for _ in range(rounds):
                await unplug(watched, SCANNER, keyboard, times)
    await keyboard.close()
    return times


if __name__ == "__main__":
    logs.to_stderr()
    print(json.dumps(asdict(asyncio.run(_under_umockdev(int(sys.argv[1]))))))
