"""The manual of scenarios has everything that a file can say, and its examples come true."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tapledger.lab.scenario import command, observing, player
from tapledger.lab.scenario.actions import ACTIONS, EVERY_STEP_KNOWS
from tapledger.lab.scenario.document import KEYS, Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World

ROOT = Path(__file__).parent.parent.parent
MANUAL = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
SCENARIOS = ROOT / "tests" / "scenarios"

EXAMPLES = re.findall(r"```toml\n(.*?)```", MANUAL, re.DOTALL)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", cell))


def table(heading: str) -> list[list[str]]:
    """Return the rows of the tables under a heading, down to the next one of its rank."""
    rank = heading.split(" ")[0]
    section = re.split(rf"^{rank} ", MANUAL.split(f"{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    rows = [cells(line) for line in section.splitlines() if line.startswith("|")]
    return [row for row in rows if not set(row[0]) <= {"-"}]


STEPS = {row[0].strip("`"): row for row in table("## Steps") if len(row) == 4 and row[0] != "`do`"}
GROUPS = {row[0].strip("*"): words(row[1]) for row in table("## Steps") if row[0].startswith("*")} | {
    "by-key": {"key"}
}


def keys_of(row: list[str]) -> set[str]:
    found = words(row[1])
    for group in re.findall(r"\*([a-z-]+)\*", row[1]):
        found |= GROUPS[group]
    return found


def test_every_step_has_its_row() -> None:
    assert set(STEPS) == set(ACTIONS)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_the_row_of_a_step_has_its_keys(name: str) -> None:
    assert keys_of(STEPS[name]) == ACTIONS[name].keys


def test_the_frame_has_its_keys() -> None:
    assert {row[0].strip("`") for row in table("## The frame")} - {"key"} == KEYS
    common = {row[0].strip("`") for row in table("## Steps") if len(row) == 2} - {"key"}
    assert common | {"do"} == EVERY_STEP_KNOWS


def stories_with_every_step() -> list[Path]:
    """Return some of the stories, in which each step happens at least once and is not refused."""
    happen = {}
    for path in command.files([SCENARIOS]):
        steps = tomllib.loads(path.read_text(encoding="utf-8"))["steps"]
        happen[path] = {step["do"] for step in steps if "error" not in step.get("expect", {})}
    chosen, missing = [], set(ACTIONS)
    while missing and happen:
        richest = max(happen, key=lambda path: len(happen[path] & missing))
        missing -= happen.pop(richest)
        chosen.append(richest)
    return chosen


async def test_everything_that_can_be_expected_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Play stories with every step in them and compare what was told with the manual."""
    told: dict[str, set[str]] = defaultdict(set)
    of_members: set[str] = set()
    observe, view = observing.observe, observing.member_view

    async def watch(world: World, step: Step, outcome: Outcome) -> dict[str, Any]:
        told[step.do] |= outcome.values.keys()
        return await observe(world, step, outcome)

    async def watch_members(*asked: Any) -> dict[str, Any]:
        found = await view(*asked)
        of_members.update(found)
        return found

    monkeypatch.setattr(observing, "observe", watch)
    monkeypatch.setattr(observing, "member_view", watch_members)
    for path in stories_with_every_step():
        await player.play_file(path)
    assert set(told) == set(ACTIONS), "a step that no story plays"
    wrong = {name: told[name] ^ (words(STEPS[name][3]) - {"says"}) for name in told}
    assert {name: names for name, names in wrong.items() if names} == {}
    named = set().union(*(words(row[0]) for row in table("## What can be expected"))) - {"error", "says"}
    assert of_members == named


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
async def test_the_examples_come_true(number: int, tmp_path: Path) -> None:
    path = tmp_path / "example.toml"
    path.write_text(EXAMPLES[number], encoding="utf-8")
    played = await player.play_file(path)
    assert played.passed, command.as_text(played)
