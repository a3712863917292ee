"""Every scenario comes true, and every one of its expectations is really looked at."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tapledger.lab.scenario import auditing, command
from tapledger.lab.scenario.actions import ACTIONS
from tapledger.lab.scenario.document import read
from tapledger.lab.scenario.player import play_file
from tapledger.lab.scenario.world import World
from tapledger.loyalty import members
from tapledger.loyalty.effects import Credited
from tapledger.loyalty.members import Member

ROOT = Path(__file__).parent.parent.parent
SCENARIOS = ROOT / "tests" / "scenarios"
FILES = command.files([SCENARIOS])
NAMES = [str(path.relative_to(SCENARIOS)) for path in FILES]

STORY = """
name = "A story"
base = "_shop.toml"
steps = [
  {{ do = "join", member = "Li" }},
  {{ do = "sale", member = "Li", amount = 12.50, expect = {{ earned = 12 }} }},
{step}
]
"""


def story(folder: Path, step: str) -> Path:
    """Write a story of three steps, the last one given."""
    (folder / "_shop.toml").write_text((SCENARIOS / "_shop.toml").read_text(encoding="utf-8"))
    path = folder / "story.toml"
    path.write_text(STORY.format(step=step), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", FILES, ids=NAMES)
async def test_the_story_comes_true(path: Path) -> None:
    played = await play_file(path)
    assert played.passed, command.as_text(played)
    assert played.expectations > 0


@pytest.mark.parametrize("path", FILES, ids=NAMES)
async def test_any_expectation_changed_by_one_fails(path: Path) -> None:
    bent = await play_file(path, bent=True)
    failed = sum(failure.is_expectation for failure in bent.failures)
    assert failed == bent.expectations > 0, command.as_text(bent)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ('{ do = "sel", member = "Li" }', "there is no step 'sel'"),
        ('{ do = "sale", member = "Li", ammount = 1 }', "does not know ammount"),
        ('{ do = "sale", member = "Wu", amount = 1 }', "nobody is called 'Wu' yet; known: Li"),
        ('{ do = "sale", member = "Li", amount = 1.005 }', "amount has more decimals than CNY knows"),
        ('{ do = "sale", member = "Li", amount = "1" }', "amount must be an amount such as 12.50"),
        ('{ do = "sale", member = "Li", items = ["tea x two"] }', "is not such as 'tea' or 'tea x 2'"),
        ('{ do = "sale", member = "Li", amount = 1, level = 4 }', "level must be 0 to 3"),
        ('{ do = "sale", member = "Li", amount = 1, shop = "B" }', "there is no shop 'B'; shops: A"),
        ('{ do = "check", member = "Li", at = 2026-03-02 }', "at must be a date with a time"),
        ('{ do = "wait", for = "a while" }', "is not a span such as '3 days'"),
        ('{ do = "fulfil" }', "voucher is missing"),
        ('{ do = "undo", member = "Li", reward = "none" }', "no step before is called 'none'"),
        ('{ do = "block_card", member = "Li", why = "moon" }', "why must be one of lost, stolen"),
        ('{ do = "bottles", items = ["beer x 1.5"] }', "is no number of whole bottles"),
        ("{ do = 'check', expect = 5 }", "its expect is no table"),
        ("7", "step 3"),
        ('{ do = "check" ', "line"),
    ],
)
async def test_what_cannot_be_played_says_why(tmp_path: Path, step: str, says: str) -> None:
    played = await play_file(story(tmp_path, step))
    assert not played.passed
    assert says in "\n".join(f"{one.where} {one.observed}" for one in played.failures)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('nmae = "A story"\nsteps = [{ do = "check", expect = { error = "none" } }]', "unknown: nmae"),
        ('name = "A story"', "there must be 1 to 2000"),
        ('base = "no.toml"\nsteps = [{ do = "check" }]', "there is no no.toml"),
        ('starts = 2026-01-01\nsteps = [{ do = "check" }]', "starts is a local time without an offset"),
        ('program.version = "1"\nsteps = [{ do = "check", expect = { error = "none" } }]', "timezone"),
        ('base = "_shop.toml"\nsteps = [{ do = "check" }]', "no step expects anything"),
        (
            'base = "_shop.toml"\nprogram.colour = "red"\nsteps = [{ do = "check", expect = { error = 1 } }]',
            "colour",
        ),
    ],
)
async def test_a_file_that_is_no_story_says_why(tmp_path: Path, text: str, says: str) -> None:
    path = story(tmp_path, "")
    path.write_text(text, encoding="utf-8")
    played = await play_file(path)
    assert not played.passed
    assert says in played.failures[0].observed


async def test_a_refusal_that_nobody_expects_fails(tmp_path: Path) -> None:
    played = await play_file(story(tmp_path, '{ do = "redeem", member = "Li", reward = "moon" }'))
    assert [one.expected for one in played.failures] == ["no refusal"]
    assert "REWARD_UNKNOWN" in played.failures[0].observed


async def test_a_failure_brings_the_explanation(tmp_path: Path) -> None:
    step = '{ do = "sale", member = "Li", amount = 7.50, expect = { earned = 8 } }'
    (failure,) = (await play_file(story(tmp_path, step))).failures
    assert (failure.expected, failure.observed) == ("8", "7")
    assert failure.because


def test_the_command_line_counts_and_exits(tmp_path: Path) -> None:
    """The real program as a retailer starts it: lines, the count, the exit code, and the same as JSON."""
    good = story(tmp_path, '{ do = "check", member = "Li", expect = { points = 12 } }')
    bad = tmp_path / "more" / "bad.toml"
    bad.parent.mkdir()
    bad.write_text(good.read_text().replace("_shop", "../_shop").replace("points = 12", "points = 13"))
    run = [str(Path(sys.executable).with_name("tapledger")), "scenario", "run"]
    result = subprocess.run([*run, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1] == "1 passed, 1 failed"
    assert "expected 13, observed 12" in result.stdout
    result = subprocess.run(
        [*run, "--json", str(good)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert result.returncode == 0
    told = json.loads(result.stdout)
    assert (told["passed"], told["failed"], told["scenarios"][0]["expectations"]) == (1, 0, 2)


async def told(path: Path, folder: Path, damage: str) -> list[str]:
    """Play a story's steps, damage the store of its shop, and return what the audit says."""
    scenario = read(path)
    world = World(scenario, folder)
    await world.open()
    try:
        for step in scenario.steps:
            await ACTIONS[step.do].run(world, step)
        (place,) = world.places.values()
        await place.shop.store.transact(lambda tx: tx.exec_driver_sql(damage))
        return await auditing.audit(world)
    finally:
        await world.close()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("SELECT 1", []),
        ("DELETE FROM member", ["knows other members", "is not what their events make"]),
        ("UPDATE event SET member = NULL WHERE kind = 'sale'", ["event 2 of shop A: index"]),
        (
            "UPDATE event SET raw = (SELECT raw FROM event WHERE kind = 'join') WHERE kind = 'sale'",
            ["event 2 of shop A: hash", "is not what their events make"],
        ),
    ],
    ids=["whole", "forgotten", "moved", "forged"],
)
async def test_the_audit_finds_what_is_wrong(tmp_path: Path, damage: str, says: list[str]) -> None:
    path = story(tmp_path, '{ do = "check", member = "Li", expect = { points = 12 } }')
    found = await told(path, tmp_path / "world", damage)
    assert len(found) == len(says), found
    assert all(one in sentence for one, sentence in zip(says, found, strict=True)), found


async def test_the_audit_counts_points_against_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fold that loses a point is found, although every shop folds in the same way."""
    path = story(tmp_path, '{ do = "check", member = "Li", expect = { points = 12 } }')
    credit = members.APPLY[Credited]

    def losing(member: Member, effect: Any, at: dt.datetime) -> Member:
        lot = msgspec.structs.replace(effect.lot, remaining=effect.lot.remaining - 1)
        return credit(member, Credited(lot), at)

    monkeypatch.setitem(members.APPLY, Credited, losing)
    found = await told(path, tmp_path / "world", "SELECT 1")
    assert found == ["points of a member: the lots have 11, the ledger 12"]
