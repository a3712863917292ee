"""Steps of stored value: topped up, taken back, paid out."""

from __future__ import annotations

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World, paid_out, told
from tapledger.loyalty.facts import Tender
from tapledger.membership import stored_value
from tapledger.membership.stored_value import CloseCommand, TakeBackCommand, TopUpCommand


async def top_up(world: World, step: Step) -> Outcome:
    """Money is paid in, in cash unless ``pay`` says otherwise."""
    amount = world.minor(step, "amount")
    command = TopUpCommand(
        id=world.key(step),
        member=world.member_id(step),
        presented=world.presented(step),
        amount_minor=amount,
        tenders=world.tenders(step) or (Tender("cash", amount),),
        staff=step.text("staff", "till"),
        language=world.language,
    )
    outcome = told(world, await stored_value.top_up(world.place(step).shop, command))
    outcome.id = command.id
    return outcome


async def void(world: World, step: Step) -> Outcome:
    """A top-up of today is taken back: ``top_up`` is the name that ``as`` gave to its step."""
    command = TakeBackCommand(
        key=world.key(step),
        member=world.member_id(step),
        presented=world.presented(step),
        topup=world.left(step, "top_up").id,
        staff=step.text("staff", "till"),
        language=world.language,
    )
    return paid_out(world, await stored_value.take_back_top_up(world.place(step).shop, command))


async def close_card(world: World, step: Step) -> Outcome:
    """A member wants what they paid in back, and gives up the bonus."""
    command = CloseCommand(
        key=world.key(step),
        member=world.member_id(step),
        presented=world.presented(step),
        staff=step.text("staff", "till"),
        language=world.language,
    )
    return paid_out(world, await stored_value.close_card(world.place(step).shop, command))
