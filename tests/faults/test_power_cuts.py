"""The power goes at any moment: nothing acknowledged is lost, and everything that is there is whole.

A shop sells once under strace; its disk is rebuilt as it may be found after a power cut at any place of that
run, with unsynced writes dropped, torn or in another order, and the shipped store is started on it.
"""

from __future__ import annotations

import pytest

from tests.faults.power.cuts import cut_often, record
from tests.faults.power.found import Found
from tests.faults.power.trace import Step, Told

EVENTS = 60
CUTS, MANY_CUTS = 400, 10_000
CONTROL_CUTS = 200
"""A broken twin must be caught by so many; most are by the first ten."""
CAUGHT = {
    "not synced at commits": Found.LOST,
    "never synced": Found.DAMAGED,
    "rollback journal": Found.LOST,
    "told before the commit": Found.LOST,
    "members kept apart": Found.HALF,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Step]]:
    return record(tmp_path_factory.mktemp("runs"), EVENTS)


def check(steps: list[Step], cuts: int, seed: int) -> None:
    unsettled = 0
    for outcome in cut_often(steps, cuts, seed):
        assert outcome.found is Found.WHOLE, f"seed {seed}, cut after step {outcome.step}: {outcome.found}"
        unsettled += outcome.unsettled
    assert unsettled > cuts // 3, "cuts that can do no harm prove nothing"


def test_a_power_cut_loses_nothing_that_was_acknowledged(runs: dict[str, list[Step]]) -> None:
    steps = runs["shipped"]
    assert sum(isinstance(step, Told) for step in steps) == EVENTS - 3
    check(steps, CUTS, seed=1)


@pytest.mark.parametrize("twin", CAUGHT)
def test_a_store_broken_on_purpose_is_caught(runs: dict[str, list[Step]], twin: str) -> None:
    caught = (outcome.found for outcome in cut_often(runs[twin], CONTROL_CUTS, seed=1))
    assert next((found for found in caught if found is CAUGHT[twin]), None) is CAUGHT[twin]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_ten_thousand_power_cuts(runs: dict[str, list[Step]], seed: int) -> None:
    check(runs["shipped"], MANY_CUTS // 10, seed)
