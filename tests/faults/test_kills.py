"""A shop that sells is killed again and again: nothing acknowledged is lost, and all there is is whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KILLS, MANY_KILLS = 25, 10_000


def kill(folder: Path, kills: int, seed: int, twin: str = "shipped") -> dict[str, Any]:
    killer = [sys.executable, "-m", "tests.faults.kills", str(folder), str(kills), str(seed), twin]
    done = subprocess.run(killer, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_a_shop_that_is_killed_has_all_that_it_told(tmp_path: Path) -> None:
    said = kill(tmp_path, KILLS, seed=1)
    assert (said["wrong"], said["kills"], said["told"] > KILLS) == ("", KILLS, True)


def test_a_shop_that_tells_before_the_commit_is_caught(tmp_path: Path) -> None:
    assert kill(tmp_path, 10 * KILLS, seed=1, twin="told before the commit")["wrong"]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_ten_thousand_kills(tmp_path: Path, seed: int) -> None:
    said = kill(tmp_path, MANY_KILLS // 10, seed)
    assert (said["wrong"], said["kills"]) == ("", MANY_KILLS // 10), f"seed {seed}"
