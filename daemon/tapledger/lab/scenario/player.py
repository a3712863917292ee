"""Plays one scenario and tells what did not come true, with the explanation of the step."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tapledger import texts
from tapledger.errors import Invalid, TapledgerError
from tapledger.lab.scenario import auditing, observing
from tapledger.lab.scenario.actions import ACTIONS, EVERY_STEP_KNOWS
from tapledger.lab.scenario.document import Scenario, Step, read
from tapledger.lab.scenario.expectations import bend, compare, leaves
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import EVERY_STEP, World
from tapledger.membership import programs

MEMORY = "/dev/shm"  # noqa: S108 - each story makes a folder of its own in it
"""A file system in memory, where the machine has one."""


@dataclass(frozen=True, slots=True)
class Failure:
    where: str
    expected: str
    observed: str
    because: tuple[str, ...] = ()
    """The explanation of the step: each reason as a sentence."""
    is_expectation: bool = False
    """Something that the file expects; else the step itself went wrong."""


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
        check(scenario)
    except TapledgerError as error:
        return _unreadable(path, error)
    with tempfile.TemporaryDirectory(prefix="tapledger-scenario-", dir=_memory()) as folder:
        try:
            world = World(scenario, Path(folder))
        except TapledgerError as error:
            return _unreadable(path, error)
        try:
            await world.open()
            return await _play(world, scenario, bent)
        finally:
            await world.close()


def check(scenario: Scenario) -> None:
    """Raise ``Invalid`` for a step or a key that nobody knows, before anything is played."""
    for step in scenario.steps:
        if (action := ACTIONS.get(step.do)) is None:
            raise step.wrong(f"there is no step {step.do!r}; known: {', '.join(sorted(ACTIONS))}")
        if unknown := step.table.keys() - action.keys - EVERY_STEP_KNOWS:
            known = ", ".join(sorted(action.keys | EVERY_STEP_KNOWS))
            raise step.wrong(f"it does not know {', '.join(sorted(unknown))}; known: {known}")
    if not any(step.expect for step in scenario.steps):
        why = "no step expects anything"
        raise Invalid("SCENARIO_INVALID", where=scenario.path.name, why=why)


def _memory() -> str | None:
    """Return a folder in memory where there is one: a story ends with its stores."""
    return MEMORY if os.access(MEMORY, os.W_OK) else None


def _unreadable(path: Path, error: TapledgerError) -> Played:
    sentence, next_step = texts.problem("en", error)
    return Played(path, path.stem, 0, 0, (Failure("file", "a scenario", sentence, (next_step,)),))


async def _play(world: World, scenario: Scenario, bent: bool) -> Played:
    failures: list[Failure] = []
    for step in scenario.steps:
        failures += await _step(world, step, bent)
    failures += [Failure("after the last step", "books that are whole", one) for one in await _audit(world)]
    expectations = sum(1 for step in scenario.steps for _ in leaves(step.expect))
    return Played(scenario.path, scenario.name, len(scenario.steps), expectations, tuple(failures))


async def _audit(world: World) -> list[str]:
    try:
        return await auditing.audit(world)
    except Exception as error:  # as in ``_step``
        return [f"{type(error).__name__}: {error}"]


async def _step(world: World, step: Step, bent: bool) -> list[Failure]:
    try:
        outcome = await _act(world, step)
        observed = await observing.observe(world, step, outcome)
    except TapledgerError as error:
        return [Failure(step.title, "a step that can be played", " ".join(world.problem(error)))]
    except Exception as error:  # a fault of ours fails this story, and the others are played
        return [Failure(step.title, "an answer", f"{type(error).__name__}: {error}")]
    expected = bend(step.expect) if bent else step.expect
    failures = [
        Failure(f"{step.title}: {one.where}", one.expected, one.observed, outcome.because, True)
        for one in compare(expected, observed)
    ]
    if outcome.error is not None and "error" not in step.expect:
        says = " ".join(world.problem(outcome.error))
        failures.append(Failure(step.title, "no refusal", f"{outcome.error.code}: {says}"))
    return failures


async def _act(world: World, step: Step) -> Outcome:
    """Do a step. A refusal is an outcome like any other; a step that cannot be read is not."""
    world.clock.instant = world.instant(step, "at") if step.has("at") else world.clock.instant + EVERY_STEP
    for place in world.places.values():
        programs.take_effect(place.shop)
    try:
        outcome = await ACTIONS[step.do].run(world, step)
    except TapledgerError as error:
        if error.code == "SCENARIO_INVALID":
            raise
        outcome = Outcome(error=error)
    if step.has("as") and outcome.error is None:
        world.named[step.text("as")] = outcome
    return outcome
