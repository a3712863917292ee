"""Steps of what members do besides buying: check in, answer, share, use a right."""

from __future__ import annotations

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World, told
from tapledger.membership import check_in as check_ins
from tapledger.membership import entitlement, participation
from tapledger.membership.check_in import CheckInCommand
from tapledger.membership.entitlement import UseCommand


async def check_in(world: World, step: Step) -> Outcome:
    """Somebody shows at the kiosk that they are here; with ``staff``, at the till."""
    staff = step.maybe("staff")
    command = CheckInCommand(world.key(step), world.presented(step), staff is None, staff)
    return told(world, await check_ins.check_in(world.place(step).shop, command))


async def answer(world: World, step: Step) -> Outcome:
    """A survey or quiz is answered: ``answers`` are the numbers of the answers, counted from 1."""
    place, member = world.place(step), world.member_id(step)
    answers = []
    for one in step.list_of("answers"):
        if not isinstance(one, int) or isinstance(one, bool):
            raise step.wrong("answers are numbers, such as [1, 3]")
        answers.append(one - 1)
    name, staff = step.text("survey"), step.maybe("staff")
    recorded = await participation.answer_survey(
        place.shop, world.key(step), member, name, tuple(answers), staff
    )
    return told(world, recorded)


async def approve(world: World, step: Step) -> Outcome:
    """Staff have looked at ``what`` a member shared, and it counts."""
    shop, member = world.place(step).shop, world.member_id(step)
    share, what, staff = step.text("share"), step.text("what"), step.text("staff", "till")
    return told(world, await participation.approve_share(shop, world.key(step), member, share, what, staff))


async def use(world: World, step: Step) -> Outcome:
    """A right is used by a tap; ``units`` of an amount, such as parking minutes."""
    command = UseCommand(
        key=world.key(step),
        presented=world.presented(step),
        entitlement=step.text("right"),
        units=step.number_of("units", 1),
        place=step.text("place", ""),
        staff=step.maybe("staff"),
    )
    return told(world, await entitlement.use_entitlement(world.place(step).shop, command))
