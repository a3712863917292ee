"""Steps of time and of the line to central."""

from __future__ import annotations

import contextlib
import datetime as dt
import re

from tapledger.errors import Unavailable
from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World
from tapledger.loyalty import days
from tapledger.membership import night as night_work

_SPAN = re.compile(r"(\d+) (second|minute|hour|day|week|month|year)s?")


async def wait(world: World, step: Step) -> Outcome:
    """``for`` "3 days" (local days keep the time on the wall), or until ``at``."""
    if step.has("for"):
        world.clock.instant = _later(world, step, step.text("for"))
    return Outcome()


def _later(world: World, step: Step, span: str) -> dt.datetime:
    found = _SPAN.fullmatch(span)
    if found is None:
        raise step.wrong(f"for = {span!r} is not a span such as '3 days'")
    count, unit = int(found[1]), found[2]
    if unit in ("second", "minute", "hour"):
        return world.clock.instant + dt.timedelta(**{f"{unit}s": count})
    local = world.local(world.clock.instant)
    if unit in ("month", "year"):
        day = days.add_months(local.date(), count * (12 if unit == "year" else 1))
    else:
        day = local.date() + dt.timedelta(days=count * (7 if unit == "week" else 1))
    return days.instant(dt.datetime.combine(day, local.time()), world.zone)


async def offline(world: World, step: Step) -> Outcome:
    world.place(step).shop.reachable = False
    return Outcome()


async def online(world: World, step: Step) -> Outcome:
    world.place(step).shop.reachable = True
    return Outcome()


async def night(world: World, step: Step) -> Outcome:
    """Every shop, or this one, does what the calendar has made due."""
    places = [world.place(step)] if step.has("shop") else list(world.places.values())
    done = [await night_work.run(place.shop) for place in places]
    values = {
        "events": sum(one.events for one in done),
        "vouchers": sum(one.vouchers for one in done),
        "lapsed": sum(one.lapsed for one in done),
        "failed": sum(len(one.failed) for one in done),
        "waits_for_clock": any(one.waits_for_clock for one in done),
    }
    return Outcome(values)


async def clock(world: World, step: Step) -> Outcome:
    """The clock of the machine jumps ``to`` a time, earlier or later: as after an empty battery."""
    world.clock.instant = world.instant(step, "to")
    return Outcome()


async def sync(world: World, step: Step) -> Outcome:
    """Bring this shop, or every shop that is online, up to date: each sends, then each learns.

    ``lost_answers``: so often central takes what is sent and its answer is lost, so that it is sent again.
    """
    places = (
        [world.place(step)] if step.has("shop") else [p for p in world.places.values() if p.shop.reachable]
    )
    for place in places:
        place.lost_answers = step.number_of("lost_answers", 0)
        for _ in range(place.lost_answers):
            with contextlib.suppress(Unavailable):
                await place.sync()
        place.lost_answers = 0  # there may have been nothing to send
    for place in (*places, *places):
        await place.sync()
    return Outcome()
