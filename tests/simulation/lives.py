"""Many lives in two processes, for tests."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
from collections.abc import Sequence

from tapledger.lab.world import simulation
from tapledger.lab.world.chain import Plan
from tapledger.lab.world.simulation import Outcome

PROCESSES = 2


def live(plans: Sequence[Plan]) -> list[Outcome]:
    """Return what came of each plan, in their order."""
    fresh = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(PROCESSES, mp_context=fresh) as pool:
        return list(pool.map(simulation.simulate, plans, chunksize=5))


def broken(outcomes: Sequence[Outcome]) -> str:
    """Say which promises were broken by which seeds; nothing when all were kept."""
    return "\n\n".join(simulation.as_text(one) for one in outcomes if one.rule)
