"""Live some days of a chain by a seed, check its rules at every step, and say what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import os
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog

from tapledger.floor import head_office
from tapledger.lab.world import customers
from tapledger.lab.world.chain import Chain, Plan
from tapledger.lab.world.headquarters import make_empty
from tapledger.lab.world.kiosks import Kiosk
from tapledger.lab.world.rules import SET
from tapledger.lab.world.trace import EVIDENCE, KNOWN, QUIET, RULES, Broken
from tapledger.lab.world.weather import DAY_S, Climate, Weather
from tapledger.loyalty import rights
from tapledger.loyalty.effects import POINTS
from tapledger.store import outbox
from tapledger.sync import loop as sync_loop
from tapledger_central import applier, feed, leases, notary, rounds
from tapledger_central.store import inbox, news, nodes
from tapledger_central.web import handlers
from tapledger_drivers.cassettes.virtual_time import VirtualTimeLoop

MEMORY = Path("/dev/shm")  # noqa: S108 - a life writes much and keeps nothing
FAIR_S = 60.0
"""Time for all to find central at the beginning."""
QUIET_AFTER_S = 60.0
QUIET_WITHIN_S = 8 * 3600.0

UNHURRIED: tuple[tuple[ModuleType, str, float | dt.timedelta], ...] = (
    (sync_loop, "MAX_WAIT_S", 7200),
    (sync_loop, "BACKOFF_MAX_S", 7200.0),
    (handlers, "MAX_WAIT_S", 7200),
    (applier, "SCAN_S", 3600.0),
    (feed, "POLL_S", 3600.0),
    (notary, "ENTER_EVERY_S", 8 * 3600.0),
    (rounds, "ROUND_S", 5400.0),
    (leases, "OFFLINE_AFTER", dt.timedelta(hours=4)),
    (head_office, "REPORT_EVERY_S", 24 * 3600.0),
)
"""How often the product looks for what nobody has told it of: a virtual day has 86,400 seconds, and each look
takes as much real time as ever. Only how long somebody waits is another; what is done then is not."""


@dataclass(slots=True)
class Outcome:
    """What a life came to. ``rule`` is the one that was broken; empty when all were kept."""

    plan: Plan
    digest: str = ""
    steps: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)
    rule: str = ""
    what: str = ""
    tail: tuple[str, ...] = ()


def simulate(plan: Plan, climate: Climate | None = None) -> Outcome:
    """Live one life. Needs a thread without a running event loop."""
    memory = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory, prefix="tapledger-world-") as folder:
        empty = _empty(Path(folder))
        with _unhurried(), _heard() as faults, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(_live(plan, Path(folder), empty, climate or Climate(), faults))


_made: list[bytes] = []
"""Central's empty file, made once for all lives of this process."""


def _empty(folder: Path) -> Path:
    path = folder / "empty.db"
    if not _made:
        with tempfile.TemporaryDirectory(dir=folder) as made:
            _made.append(asyncio.run(make_empty(Path(made))).read_bytes())
    path.write_bytes(_made[0])
    return path


@contextlib.contextmanager
def _unhurried() -> Iterator[None]:
    before = [(module, name, getattr(module, name)) for module, name, _ in UNHURRIED]
    for module, name, value in UNHURRIED:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


@contextlib.contextmanager
def _heard() -> Iterator[list[str]]:
    """Keep the product's log from the screen, and what it calls an error in it: nothing here is one."""
    errors: list[str] = []

    def hear(logger: object, method: str, event: dict[str, Any]) -> dict[str, Any]:
        if method in ("error", "exception", "critical"):
            errors.append(f"{event.get('event')}: {event}")
        raise structlog.DropEvent

    processors = structlog.get_config()["processors"]
    before = list(processors)
    processors[:] = [structlog.processors.format_exc_info, hear]
    try:
        yield errors
    finally:
        processors[:] = before


async def _live(plan: Plan, folder: Path, empty: Path, climate: Climate, faults: list[str]) -> Outcome:
    chain = Chain(plan, folder, empty)
    chain.over = asyncio.get_running_loop().create_future()
    weather = Weather(chain, climate)
    outcome = Outcome(plan)
    living = asyncio.get_running_loop().create_task(_days(chain, weather, faults))
    try:
        waited: list[asyncio.Future[Any]] = [living, chain.over]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if chain.over.done():
            chain.over.result()
        outcome.figures = living.result()
    except Broken as broken:
        outcome.rule, outcome.what, outcome.tail = broken.rule, broken.what, tuple(chain.trace.tail)
    except Exception:  # whatever it is, it is the product's, and its seed is worth more than its end
        outcome.rule, outcome.what, outcome.tail = KNOWN, traceback.format_exc(), tuple(chain.trace.tail)
    finally:
        living.cancel()
        await asyncio.wait([living])
        await chain.end_jobs()
        for kiosk in chain.kiosks:
            await kiosk.power_off()
        await chain.headquarters.stop()
        if chain.over.done():
            chain.over.exception()
    outcome.digest, outcome.steps = chain.trace.digest, chain.trace.steps
    outcome.counts = dict(sorted(chain.trace.counts.items()))
    return outcome


async def _days(chain: Chain, weather: Weather, faults: list[str]) -> dict[str, int]:
    plan = chain.plan
    await weather.start_central()
    await chain.headquarters.tell(chain.rules[0])
    for number in range(plan.kiosks):
        await weather.switch_on(await chain.found(number % plan.shops))
    await asyncio.sleep(FAIR_S)
    await _people_join(chain)
    await _until_quiet(chain)
    weather.begin()
    await asyncio.sleep(plan.days * DAY_S)
    await weather.clear_up()
    await _until_quiet(chain)
    return await _check_all(chain, faults)


async def _people_join(chain: Chain) -> None:
    """Everybody joins somewhere on a fair day, and buys."""
    for number in range(chain.people):
        kiosk = chain.kiosks[number % len(chain.kiosks)]
        wishes = [
            customers.join(chain.key(kiosk), number),
            customers.buy(chain.key(kiosk), number, [SET]),
            customers.top_up(chain.key(kiosk), number, 10_000),
        ]
        for wish in wishes:
            if await chain.serve(kiosk, wish) is None:
                raise Broken(QUIET, "\n".join(chain.trace.tail))


async def _until_quiet(chain: Chain) -> None:
    """Wait until nobody has anything to tell or to hear."""
    loop = asyncio.get_running_loop()
    until = loop.time() + QUIET_WITHIN_S
    while True:
        await asyncio.sleep(QUIET_AFTER_S)
        loud = [name for name in [await _loud(chain, one) for one in chain.kiosks] if name]
        if not loud:
            return
        if loop.time() > until:
            raise Broken(QUIET, "; ".join(loud))


async def _loud(chain: Chain, kiosk: Kiosk) -> str:
    """Say why a kiosk is not quiet yet; nothing when it is."""
    assert kiosk.office is not None
    state = kiosk.office.state
    if await chain.status(kiosk) != nodes.ACTIVE:
        told = state.problem is not None and state.problem.code in ("NODE_SUSPENDED", "NODE_CLONED", "FORK")
        return "" if told else f"{kiosk.name} does not know that it is suspended"
    if kiosk.is_cloned:
        return f"{kiosk.name} is not found out to have a clone"
    if state.problem is not None or not state.online:
        return f"{kiosk.name} {state.problem}"
    if await kiosk.look(outbox.unsynced):
        return f"{kiosk.name} has something to send"
    ours = await kiosk.look(outbox.cursor)

    def has_news(tx: Any) -> bool:
        behind = inbox.behind(tx, ("", 0), 1)
        return bool(behind) or news.has_more(tx, "all", kiosk.node, ours)

    return f"{kiosk.name} has not heard all" if await chain.headquarters.look(has_news) else ""


async def _check_all(chain: Chain, faults: list[str]) -> dict[str, int]:
    """Check what holds when all is quiet; return the figures of the life."""
    if faults:
        raise Broken(KNOWN, faults[0])
    auditor, evidence, replicas = chain.auditor, 0, 0
    await auditor.look(chain.disks)
    for kiosk in chain.kiosks:
        if await chain.status(kiosk) == nodes.ACTIVE:
            await auditor.kept(kiosk.node, kiosk.disk)
            await auditor.replica(kiosk)
            replicas += 1
            continue
        chain.check_suspended(kiosk)
        look = functools.partial(inbox.quarantined, node=kiosk.node)
        kept, _ = await chain.headquarters.look(look)
        evidence += kept
        missing = [p for p, one in kiosk.disk.promised.items() if auditor.has(kiosk.node, *p) != one.hash]
        if (missing or kiosk.disk.disputed) and not kept:
            raise Broken(EVIDENCE, f"{kiosk.name} {missing[:1]}")
    bound = rights.exposure(chain.program, chain.disks)
    return {
        "events": auditor.events,
        "promised": chain.promised,
        "lost_with_disks": chain.lost_with_disks,
        "kiosks": len(chain.kiosks),
        "replicas_equal": replicas,
        "evidence_batches": evidence,
        "most_owed_points": auditor.most_owed[POINTS],
        "bound_points": bound.per_member,
    }


def as_text(outcome: Outcome) -> str:
    """Return what people read of a life."""
    plan = outcome.plan
    lines = [
        f"seed {plan.seed}: {plan.days:g} days, {plan.kiosks} kiosks, {plan.shops} shops",
        "  " + ", ".join(f"{name} {count}" for name, count in outcome.counts.items()),
        *(f"  {name.replace('_', ' ')}: {value}" for name, value in outcome.figures.items()),
        *(f"  kept: {rule}" for rule in RULES if not outcome.rule),
        f"trace {outcome.digest}",
    ]
    if outcome.rule:
        lines += [
            "",
            *outcome.tail,
            "",
            f"BROKEN at step {outcome.steps}, seed {plan.seed}: {outcome.rule}",
            outcome.what,
        ]
    return "\n".join(lines)
