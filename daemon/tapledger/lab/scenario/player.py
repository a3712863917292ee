"""Plays one scenario and tells what did not come true, with the explanation of the step."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tapledger.errors import TapledgerError
from tapledger.lab.scenario import observing
from tapledger.lab.scenario.actions import ACTIONS
from tapledger.lab.scenario.actions.outcome import Outcome
from tapledger.lab.scenario.document import Scenario, Step, read
from tapledger.lab.scenario.expectations import bend, compare, leaves
from tapledger.lab.scenario.world import EVERY_STEP, World


@dataclass(frozen=True, slots=True)
class Failure:
    where: str
    expected: str
    observed: str
    because: tuple[str, ...] = ()
    """The explanation of the step: each reason as a sentence."""


@dataclass(frozen=True, slots=True)
class Played:
    path: Path
    name: str
    steps: int
    expectations: int
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        return not self.failures


async def play_file(path: Path, *, bent: bool = False) -> Played:
    """Play a file; ``bent`` makes every expectation wrong by one, so that each has to fail."""
    try:
        scenario = read(path)
    except TapledgerError as error:
        return _unreadable(path, error)
    with tempfile.TemporaryDirectory(prefix="tapledger-scenario-") as folder:
        try:
            world = World(scenario, Path(folder))
        except TapledgerError as error:
            return _unreadable(path, error)
        try:
            await world.open()
            return await _play(world, scenario, bent)
        finally:
            await world.close()


def _unreadable(path: Path, error: TapledgerError) -> Played:
    from tapledger import texts

    sentence, next_step = texts.problem("en", error)
    return Played(path, path.stem, 0, 0, (Failure("file", "a scenario", sentence, (next_step,)),))


async def _play(world: World, scenario: Scenario, bent: bool) -> Played:
    failures: list[Failure] = []
    expectations = 0
    for step in scenario.steps:
        failed = await _step(world, step, bent)
        expectations += sum(1 for _ in leaves(step.expect))
        failures += failed
    return Played(scenario.path, scenario.name, len(scenario.steps), expectations, tuple(failures))


async def _step(world: World, step: Step, bent: bool) -> list[Failure]:
    try:
        outcome = await _act(world, step)
        observed = await observing.observe(world, step, outcome)
    except TapledgerError as error:
        return [Failure(step.title, "a step that can be played", " ".join(world.problem(error)))]
    expected = bend(step.expect) if bent else step.expect
    failures = [
        Failure(f"{step.title}: {one.where}", one.expected, one.observed, outcome.because)
        for one in compare(expected, observed)
    ]
    if outcome.error is not None and "error" not in step.expect:
        says = " ".join(world.problem(outcome.error))
        failures.append(Failure(step.title, "no refusal", f"{outcome.error.code}: {says}"))
    return failures


async def _act(world: World, step: Step) -> Outcome:
    """Do a step. A refusal is an outcome like any other; a step that cannot be read is not."""
    action = ACTIONS.get(step.do)
    if action is None:
        raise step.wrong(f"unknown; known: {', '.join(sorted(ACTIONS))}")
    _move_clock(world, step)
    try:
        outcome = await action(world, step)
    except TapledgerError as error:
        if error.code == "SCENARIO_INVALID":
            raise
        outcome = Outcome(error=error)
    if outcome.recorded is not None:
        world.recorded.append(outcome.recorded)
        if step.has("as"):
            world.named[str(step.table["as"])] = outcome
    if outcome.error is None:
        step.check_all_used()
    return outcome


def _move_clock(world: World, step: Step) -> None:
    at = step.table.get("at")
    if at is None:
        world.clock.instant += EVERY_STEP
    elif isinstance(at, dt.datetime) and at.tzinfo is None:
        world.clock.instant = at.replace(tzinfo=world.zone).astimezone(dt.UTC)
    elif isinstance(at, dt.datetime):
        world.clock.instant = at.astimezone(dt.UTC)
    else:
        raise step.wrong("at must be a date with a time, such as 2026-03-02T10:00:00")
