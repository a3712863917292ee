"""Steps of a member: join, tap, take a reward."""

from __future__ import annotations

from typing import Any

from tapledger.lab.scenario.actions.outcome import Outcome
from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.expectations import Sentences
from tapledger.lab.scenario.world import LANGUAGE, World
from tapledger.membership import redemption, registration, tap
from tapledger.membership.identity import Presented
from tapledger.membership.redemption import RewardCommand
from tapledger.membership.registration import Joining


async def join(world: World, step: Step) -> Outcome:
    name = step.text("member")
    card = Presented("card", step.text("card", name), step.number_of("level", 1), "scenario")
    joining = Joining(world.key(step), name, step.text("phone", ""), (card,), step.text("staff", "till"))
    recorded = await registration.register_member(world.place(step).shop, joining)
    world.members[name] = recorded.event.body.member or ""
    return Outcome(recorded=recorded, because=world.sentences(recorded.event.body.reasons))


async def tap_card(world: World, step: Step) -> Outcome:
    """A card is laid on: what the member is told, and why each reward can be had or not."""
    greeting = await tap.greet_member(world.place(step).shop, world.presented(step))
    offers = {
        offer.reward.id: "yes" if offer.why_not is None else Sentences(world.sentences([offer.why_not]))
        for offer in greeting.summary.offers
    }
    values: dict[str, Any] = {"rewards": offers}
    return Outcome(values=values)


async def redeem(world: World, step: Step) -> Outcome:
    command = RewardCommand(
        key=world.key(step),
        member=world.member_id(step),
        presented=world.presented(step),
        reward=step.text("reward"),
        language=LANGUAGE,
        staff=step.get("staff"),
    )
    done = await redemption.hold_reward(world.place(step).shop, command)
    body = done.recorded.event.body
    return Outcome(
        values={"replayed": done.recorded.replayed},
        because=world.sentences(body.reasons),
        recorded=done.recorded,
        secret=done.voucher,
    )


async def fulfil(world: World, step: Step) -> Outcome:
    """A voucher is handed in: ``voucher`` is the name that ``as`` gave to its step, or a code."""
    named = world.named.get(step.text("voucher"))
    code = named.secret if isinstance(named, Outcome) else step.text("voucher")
    recorded = await redemption.fulfil_voucher(
        world.place(step).shop, world.key(step), code, step.text("staff", "till")
    )
    return Outcome(recorded=recorded, because=world.sentences(recorded.event.body.reasons))


async def check(world: World, step: Step) -> Outcome:
    """Nothing happens; only look."""
    return Outcome()
