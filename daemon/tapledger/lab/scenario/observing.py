"""What can be expected after a step: the step's own results, and the member as they are now."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.expectations import Sentences
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.shops import Place
from tapledger.lab.scenario.world import World
from tapledger.loyalty import effects, members, tallies
from tapledger.loyalty.coupons import wallet
from tapledger.loyalty.effects import Lot
from tapledger.loyalty.lots import spending_order
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import entitlements, missions, visiting
from tapledger.loyalty.people.entitlements import Right
from tapledger.loyalty.tiers import tier_progress, tiering


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
    shop, now = place.shop, world.clock.now()
    state, program = await world.state(place, member), place.shop.program
    points = members.points(state, now)
    lots = spending_order(
        lot for lot in members.as_of(state, now).lots if _is_worth(lot, effects.POINTS, now)
    )
    return {
        "points": points.available,
        "pending": points.pending,
        "held": points.held,
        "deficit": points.deficit,
        "expiring": _expiring(world, points),
        "lots": [lot.remaining for lot in lots],
        "lots_until": [world.last_day(lot.expires_at) for lot in lots],
        "principal": world.cash(members.value(state, effects.PRINCIPAL, now)),
        "bonus": world.cash(members.value(state, effects.BONUS, now)),
        "value_owed": world.cash(state.debts.get(effects.PRINCIPAL, 0) + state.debts.get(effects.BONUS, 0)),
        **_tier(world, place, state),
        "coupons": _coupons(state, now),
        "coupons_until": {one.template: world.last_day(one.expires_at) for one in state.coupons},
        "rights": {one.entitlement.id: _left(one) for one in entitlements.rights(state, program, now)},
        "missions": {one.mission.id: one.have for one in missions.progress(state, program, now)},
        "streak": visiting.streak(state, program, now),
        "status": state.status,
        "cards": {name: world.card_state(shop, state, name) for name in world.cards},
        "referrer": world.name_of(state.referrer) if state.referrer else None,
        "referees": {world.name_of(one): list(known.reached) for one, known in state.referees.items()},
        "consent": {one.purpose: one.granted for one in state.consents},
        "tags": {kind: list(tags) for kind, tags in state.tags.items()},
        "notes": Sentences(world.sentences(note.reason for note in state.notes if now < note.until)),
    }


def _is_worth(lot: Lot, pool: str, now: dt.datetime) -> bool:
    return lot.pool == pool and lot.remaining > 0 and (lot.expires_at is None or now < lot.expires_at)


def _expiring(world: World, points: members.Points) -> dict[str, Any]:
    if points.next_expiry is None:
        return {"points": 0, "until": None}
    amount, ends = points.next_expiry
    return {"points": amount, "until": world.last_day(ends)}


def _tier(world: World, place: Place, state: Member) -> dict[str, Any]:
    program, now = place.shop.program, world.clock.now()
    held = tiering.standing(state, program, now)
    above = tier_progress.progress(state, program, now)
    way: dict[str, Any] = {"tier": None}
    if above is not None:
        way = {"tier": above.tier.id, "missing": {}, "have": {}, "counts_on": {}}
        for one in above.groups[0]:
            figures = (one.have, one.missing)
            have, missing = (world.cash(n) for n in figures) if one.unit == "money" else figures
            way["have"][one.clause.metric] = have
            way["missing"][one.clause.metric] = missing
            if one.counts_on:
                way["counts_on"][one.clause.metric] = dt.date.fromordinal(one.counts_on)
    return {
        "tier": tiering.current(state, program, now).id,
        "tier_until": world.last_day(held.until),
        "next": way,
        "spent": world.cash(tallies.total(state.tallies, tallies.SPEND) + state.earlier_spend_minor),
        "visits": tallies.days_counted(state.tallies, tallies.SALES),
        "growth": tallies.total(state.tallies, tallies.GROWTH),
    }


def _coupons(state: Member, now: dt.datetime) -> dict[str, dict[str, int]]:
    """Return how many coupons of each template are in which state."""
    found: dict[str, dict[str, int]] = {}
    for coupon in state.coupons:
        states = found.setdefault(coupon.template, {})
        now_state = wallet.state(coupon, now)
        states[now_state] = states.get(now_state, 0) + 1
    return found


def _left(right: Right) -> int | str:
    left = right.uses_left if right.units_left is None else right.units_left
    return "free" if left is None else left
