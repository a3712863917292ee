"""What can be expected after a step: the step's own results, and the member as they are now."""

from __future__ import annotations

from typing import Any

from tapledger.lab.scenario.actions.outcome import Outcome
from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.expectations import Sentences
from tapledger.lab.scenario.world import Place, World
from tapledger.loyalty import effects, members, tiering, wallet


async def observe(world: World, step: Step, outcome: Outcome) -> dict[str, Any]:
    """Return everything an ``expect`` of this step may name."""
    found: dict[str, Any] = dict(outcome.values)
    found["error"] = None if outcome.error is None else outcome.error.code
    said = outcome.because if outcome.error is None else world.problem(outcome.error)
    found["says"] = Sentences((*said, *outcome.says))
    name = step.table.get("member")
    place = world.place(step)
    if isinstance(name, str) and name in world.members:
        found = {**await member_view(world, place, world.members[name]), **found}
    for other in {key for key in step.expect if key in world.members}:
        found[other] = await member_view(world, place, world.members[other])
    return found


async def member_view(world: World, place: Place, member: str) -> dict[str, Any]:
    """Return a member's numbers as this shop knows them."""
    state = await world.state(place, member)
    now = world.clock.now()
    points = members.points(state, now)
    coupons: dict[str, dict[str, int]] = {}
    for coupon in state.coupons:
        states = coupons.setdefault(coupon.template, {})
        now_state = wallet.state(coupon, now)
        states[now_state] = states.get(now_state, 0) + 1
    expiring = points.next_expiry
    return {
        "points": points.available,
        "pending": points.pending,
        "held": points.held,
        "deficit": points.deficit,
        "expiring": {} if expiring is None else {"points": expiring[0], "at": world.local(expiring[1])},
        "lots": [lot.remaining for lot in state.lots if lot.pool == effects.POINTS and lot.remaining],
        "tier": tiering.current(state, world.program, now).id,
        "principal": world.cash(members.value(state, effects.PRINCIPAL, now)),
        "bonus": world.cash(members.value(state, effects.BONUS, now)),
        "status": state.status,
        "coupons": coupons,
    }
