"""What the simulation rests on: virtual time, power that fails anywhere, lines that lose what they carry."""

from __future__ import annotations

import asyncio
import random

import pytest
from yarl import URL

from tapledger.errors import Unavailable
from tapledger.lab.world.lines import CALM, Line, LineTransport, Odds
from tapledger.lab.world.machines import Machine
from tapledger.lab.world.trace import Trace
from tapledger.sync.transport import Received
from tapledger_central.web.asking import Answered, Asked
from tapledger_drivers.cassettes.virtual_time import NothingLeft, VirtualTimeLoop


def in_world(work: object) -> object:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)  # type: ignore[arg-type]


def test_a_world_in_which_everybody_waits_for_somebody_names_who() -> None:
    async def wait_for_ever() -> None:
        task = asyncio.create_task(asyncio.Event().wait(), name="the one who waits")
        await task

    with pytest.raises(NothingLeft, match="the one who waits"):
        in_world(wait_for_ever())


@pytest.mark.parametrize("points", range(1, 10))
def test_power_fails_at_each_point_and_nothing_goes_on(points: int) -> None:
    """Three pieces of work have nine points: what was done before the cut is done, and nothing else."""

    async def life() -> list[int]:
        machine, done = Machine("m", random.Random(1), points), []

        async def work() -> None:
            for number in range(3):
                try:
                    await machine.run(lambda number=number: done.append(number))  # type: ignore[misc]
                finally:
                    machine.run_task(machine.run(lambda: done.append(99)), "from a finally")

        machine.run_task(work(), "work")
        await asyncio.sleep(1)
        assert machine.crashed
        await machine.off()
        return [one for one in done if one != 99]

    done = in_world(life())
    assert done == list(range(len(done)))  # type: ignore[arg-type]
    assert len(done) <= points // 3 + 1


def exchange(odds: Odds) -> tuple[int, str]:
    """Send one request over a line; return how often it arrived, and what came back."""

    async def life() -> tuple[int, str]:
        arrived: list[str] = []

        async def answered(asked: Asked) -> Answered:
            arrived.append(asked.target)
            return Answered(200, b"yes")

        def ask(asked: Asked) -> asyncio.Future[Answered]:
            return asyncio.ensure_future(answered(asked))

        async def passed(method: str, url: URL, body: bytes, received: Received | None) -> None:
            return None

        machine, chance = Machine("m", random.Random(1), None), random.Random(1)
        transport = LineTransport(machine, Line(chance, ask, odds), passed)
        try:
            said = (await transport.exchange("GET", URL("https://c.test/x?y=1"), {}, b"", 20.0)).body.decode()
        except Unavailable as error:
            said = error.code
        await asyncio.sleep(100)
        assert set(arrived) <= {"/x?y=1"}
        return len(arrived), said

    return in_world(life())  # type: ignore[return-value]


def test_a_line_loses_requests_and_replies_and_sends_twice() -> None:
    assert exchange(CALM) == (1, "yes")
    assert exchange(Odds(request_lost=1, reply_lost=0, twice=0)) == (0, "CENTRAL_UNREACHABLE")
    assert exchange(Odds(request_lost=0, reply_lost=1, twice=0)) == (1, "CENTRAL_UNREACHABLE")
    assert exchange(Odds(request_lost=0, reply_lost=0, twice=1, slow=0)) == (2, "yes")


def test_a_trace_differs_by_any_step() -> None:
    traces = [Trace() for _ in range(3)]
    for trace, steps in zip(traces, (["a", "b"], ["a", "b"], ["b", "a"]), strict=True):
        for step in steps:
            trace.note(1.5, "k1", step)
    assert traces[0].digest == traces[1].digest != traces[2].digest
    assert traces[0].counts == {"a": 1, "b": 1}
