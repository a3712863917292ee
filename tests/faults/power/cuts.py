"""Cutting the power of a recorded run again and again, and looking at what the next start finds."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.power import trace
from tests.faults.power.disk import Disk
from tests.faults.power.found import Found, Promise, look
from tests.faults.power.trace import Step, Told
from tests.faults.power.writer import WRITERS

MEMORY = Path("/dev/shm")
"""Where the rebuilt disks lie: nobody needs them to be durable."""


def record(folder: Path, events: int) -> dict[str, list[Step]]:
    """Let a writer of each kind work under strace; return what each did, acknowledgements too."""
    strace = shutil.which("strace")
    assert strace is not None, "install strace (tools/system_packages.py)"
    log = folder / "log"
    writer = [sys.executable, "-m", "tests.faults.power.writer", str(folder), str(events)]
    command = [strace, *trace.OPTIONS, "-o", str(log), *writer]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps = trace.read(log, folder)
    return {name: steps[str(number)] for number, name in enumerate(WRITERS)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cut: after which step, whether anything was unsynced then, and what was found."""

    step: int
    unsettled: bool
    found: Found


Look = Callable[[Path, Promise], Coroutine[Any, Any, Found]]


def cut_often(steps: list[Step], cuts: int, seed: int, look: Look = look) -> Iterator[Outcome]:
    """Cut the power at that many places of a run and start again each time; the same seed cuts the same."""
    chance = random.Random(seed)
    places = sorted(chance.randint(1, len(steps)) for _ in range(cuts))
    disk, promise, done = Disk(), Promise(), 0
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for place in places:
            for step in steps[done:place]:
                if isinstance(step, Told):
                    promise = Promise.read(step.text)
                else:
                    disk.do(step)
            done = place
            write(Path(folder), disk.cut(chance))
            yield Outcome(place, disk.is_unsettled, asyncio.run(look(Path(folder), promise)))


def write(folder: Path, files: dict[str, bytes]) -> None:
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        path = folder / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
