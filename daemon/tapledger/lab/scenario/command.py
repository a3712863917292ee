"""``tapledger scenario run``: every file of the paths given, one line each, and a count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tapledger.errors import Invalid
from tapledger.lab.scenario.player import Played, play_file


def files(paths: list[Path]) -> list[Path]:
    """Return the scenario files of files and folders; raise ``Invalid`` when there are none."""
    found = [
        file
        for path in paths
        for file in (sorted(path.rglob("*.toml")) if path.is_dir() else [path])
        if not path.is_dir() or not any(part.startswith("_") for part in file.relative_to(path).parts)
    ]
    if not found:
        raise Invalid("SCENARIO_MISSING", path=", ".join(map(str, paths)))
    return found


async def play_all(paths: list[Path]) -> AsyncIterator[Played]:
    for path in files(paths):
        yield await play_file(path)


def as_json(played: Played) -> dict[str, Any]:
    return {
        "file": str(played.path),
        "name": played.name,
        "passed": played.passed,
        "steps": played.steps,
        "expectations": played.expectations,
        "failures": [
            {"where": f.where, "expected": f.expected, "observed": f.observed, "because": list(f.because)}
            for f in played.failures
        ],
    }


def as_text(played: Played) -> str:
    """Return the line of a file, and under it what did not come true and why."""
    lines = [f"{'ok  ' if played.passed else 'FAIL'} {played.path}: {played.name} ({played.steps} steps)"]
    for failure in played.failures:
        lines.append(f"       {failure.where}: expected {failure.expected}, observed {failure.observed}")
        lines += [f"         because: {sentence}" for sentence in failure.because]
    return "\n".join(lines)
