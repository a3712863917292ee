"""Steps of a reward: taken, handed over, taken back, and the door of an event."""

from __future__ import annotations

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World, told
from tapledger.loyalty.effects import Held
from tapledger.membership import redemption
from tapledger.membership.redemption import RewardCommand


async def redeem(world: World, step: Step) -> Outcome:
    command = RewardCommand(
        key=world.key(step),
        member=world.member_id(step),
        presented=world.presented(step),
        reward=step.text("reward"),
        language=world.language,
        staff=step.maybe("staff"),
    )
    done = await redemption.hold_reward(world.place(step).shop, command)
    outcome = told(world, done.recorded)
    outcome.secret = done.voucher
    return outcome


async def fulfil(world: World, step: Step) -> Outcome:
    """A voucher is handed in: ``voucher`` is the name that ``as`` gave to its step, or a code."""
    named = world.named.get(step.text("voucher"))
    code = step.text("voucher") if named is None else named.secret
    shop, staff, tender = world.place(step).shop, step.text("staff", "till"), step.text("tender", "cash")
    return told(world, await redemption.fulfil_voucher(shop, world.key(step), code, staff, tender))


async def undo(world: World, step: Step) -> Outcome:
    """A member takes back the reward of a moment ago: ``reward`` is the name that ``as`` gave to its step."""
    held = world.left(step, "reward").recorded
    hold = "" if held is None else next(e.hold.id for e in held.event.body.effects if isinstance(e, Held))
    shop, member = world.place(step).shop, world.member_id(step)
    return told(world, await redemption.undo_reward(shop, world.key(step), member, hold))


async def attend(world: World, step: Step) -> Outcome:
    """The ticket of an event is checked at its door."""
    shop, member = world.place(step).shop, world.member_id(step)
    return told(world, await redemption.check_in_to_event(shop, world.key(step), member, step.text("reward")))
