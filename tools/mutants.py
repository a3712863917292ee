"""Change the rules one by one and see whether a test notices: `make mutants`.

mutmut makes the mutants; this draws a seeded sample of them, shared out over the rooms that decide about
money, and counts those that no test has noticed. It works in var/mutants on a copy, because mutmut knows no
source root but src. What was judged stays judged: the same command goes on where it stopped, until a rule or
a test changes. The last line is one JSON object; exit 1 when too many survive.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "var" / "mutants"
ROOMS = {
    "money": ["money.py"],
    "lots": ["lots.py", "tallies.py", "members.py", "value/lapsing.py"],
    "tiers": ["tiers/*.py"],
    "coupons": ["coupons/*.py", "pricing/combination.py"],
    "stored value": ["value/storing.py", "sales/tenders.py"],
    "returns": ["sales/returning.py", "sales/clawing.py", "sales/refunding.py"],
    "pipeline": ["pricing/*.py", "promotions/*.py"],
}
"""What is changed, as patterns in daemon/tapledger/loyalty."""
TESTS = "tests/loyalty"
LEFT_OUT = "tests/loyalty/program"
"""Tests of the lint: it is not changed here, and they read the sources where they really are."""
MAX_SURVIVORS = 0.10
PROGRESS_EVERY_S = 1.0
SURVIVED = {0: "survived", 33: "no test reaches it", 5: "no test reaches it"}
"""Exit codes of mutmut; every other one is a test that noticed."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Change the rules and see whether a test notices.")
    parser.add_argument("--count", type=int, default=420, help="how many mutants to draw")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--json", action="store_true", help="no progress, only the last line")
    arguments = parser.parse_args()
    _prepare_copy()
    names = _names(arguments.json)
    drawn = sample(names, arguments.count, arguments.seed)
    _judge(drawn, quiet=arguments.json)
    return _report(drawn)


def _prepare_copy() -> None:
    """Copy rules and tests, and begin anew when one of them changed."""
    files = sorted((ROOT / "daemon" / "tapledger").rglob("*.py")) + sorted((ROOT / "tests").rglob("*.py"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in (*files, Path(__file__)))).hexdigest()
    stamp = WORK / "stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return
    shutil.rmtree(WORK, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__", "_assets")
    shutil.copytree(ROOT / "daemon" / "tapledger", WORK / "src" / "tapledger", ignore=ignore)
    shutil.copytree(ROOT / "tests", WORK / "tests", ignore=ignore)
    shutil.copytree(ROOT / "config", WORK / "config")
    patterns = [f"src/tapledger/loyalty/{pattern}" for room in ROOMS.values() for pattern in room]
    (WORK / "pyproject.toml").write_text(
        "[tool.mutmut]\n"
        'source_paths = ["src"]\n'
        f"only_mutate = {json.dumps(patterns)}\n"
        f'pytest_add_cli_args_test_selection = ["{TESTS}", "--ignore={LEFT_OUT}"]\n'
        # The same examples for every mutant, and no deadline: a slow machine is no test that noticed.
        'pytest_add_cli_args = ["--hypothesis-profile=ci"]\n'
        'also_copy = ["config"]\n'
        "[tool.pytest.ini_options]\n"
        'pythonpath = ["."]\n'
        'asyncio_mode = "auto"\n'
    )
    stamp.write_text(digest)


def _metas() -> Iterator[tuple[Path, dict[str, Any]]]:
    for meta in sorted((WORK / "mutants").rglob("*.meta")):
        yield meta, json.loads(meta.read_text())["exit_code_by_key"]


def _names(quiet: bool) -> dict[str, list[str]]:
    """Return the names of all mutants by room; the first time, mutmut makes them and times the tests."""
    if not any((WORK / "mutants").rglob("*.meta")):
        if not quiet:
            print("making the mutants and running the tests once …", file=sys.stderr)
        # A name that matches no mutant: everything is made, nothing is judged.
        _start(["no.such.mutant"]).wait()
    by_room: dict[str, list[str]] = {room: [] for room in ROOMS}
    for meta, codes in _metas():
        inside = meta.relative_to(WORK / "mutants" / "src" / "tapledger" / "loyalty").with_suffix("")
        room = next((r for r, patterns in ROOMS.items() if any(inside.match(p) for p in patterns)), None)
        if room is not None:
            by_room[room] += codes
    if not any(by_room.values()):
        raise SystemExit(f"mutmut made nothing; see {WORK / 'mutmut.log'}")
    return by_room


def sample(by_room: dict[str, list[str]], count: int, seed: int) -> list[str]:
    """Draw so many names, each room its equal share as far as it has that many."""
    chance = random.Random(seed)
    waiting = {room: chance.sample(sorted(names), len(names)) for room, names in by_room.items()}
    drawn: list[str] = []
    while len(drawn) < count and any(waiting.values()):
        for names in waiting.values():
            if names and len(drawn) < count:
                drawn.append(names.pop())
    return sorted(drawn)


def _results() -> dict[str, int]:
    return {name: code for _, codes in _metas() for name, code in codes.items() if code is not None}


def _judge(drawn: list[str], *, quiet: bool) -> None:
    missing = [name for name in drawn if name not in _results()]
    if not missing:
        return
    process = _start(missing)
    while process.returncode is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(PROGRESS_EVERY_S)
        if not quiet:
            _show(drawn)
    if not quiet:
        print(file=sys.stderr)


def _show(drawn: list[str]) -> None:
    results = _results()
    judged = [results[name] for name in drawn if name in results]
    alive = sum(code in SURVIVED for code in judged)
    print(f"\r{len(judged)}/{len(drawn)} judged, {alive} survived", end="", file=sys.stderr, flush=True)


def _command(names: list[str]) -> list[str]:
    return [sys.executable, "-m", "mutmut", "run", *names]


def _start(names: list[str]) -> subprocess.Popen[bytes]:
    with (WORK / "mutmut.log").open("ab") as log:
        return subprocess.Popen(_command(names), cwd=WORK, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def _report(drawn: list[str]) -> int:
    results = _results()
    unjudged = [name for name in drawn if name not in results]
    alive = {name: SURVIVED[results[name]] for name in drawn if results.get(name) in SURVIVED}
    share = len(alive) / len(drawn)
    for name, why in sorted(alive.items()):
        print(f"{name}: {why}", file=sys.stderr)
    report = {
        "mutants": len(drawn),
        "judged": len(drawn) - len(unjudged),
        "survived": len(alive),
        "share": round(share, 4),
        "survivors": sorted(alive),
        "ok": not unjudged and share < MAX_SURVIVORS,
    }
    print(json.dumps(report))
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
