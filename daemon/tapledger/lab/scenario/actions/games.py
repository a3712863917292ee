"""Steps of a lottery: published, drawn, revealed."""

from __future__ import annotations

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World, told
from tapledger.membership import lottery
from tapledger.membership.lottery import DrawCommand, Published


async def publish(world: World, step: Step) -> Outcome:
    """What anybody may know before the first draw."""
    known = await lottery.publish(world.place(step).shop, step.text("lottery"))
    prizes = [prize.id for prize in known.rule.prizes]
    values = {
        "odds": dict(zip(prizes, (f"{bp // 100}.{bp % 100:02}%" for bp in known.odds_bp), strict=True)),
        "left": dict(zip(prizes, known.left, strict=True)),
    }
    return Outcome(values)


async def draw(world: World, step: Step) -> Outcome:
    shop, name = world.place(step).shop, step.text("lottery")
    known = await lottery.publish(shop, name)
    command = DrawCommand(
        key=world.key(step),
        member=world.member_id(step),
        presented=world.presented(step),
        lottery=name,
        client_seed=step.text("seed", "kiosk-7"),
        commit=step.text("commit", known.commit),
        language=world.language,
        reward=step.text("reward", ""),
        staff=step.maybe("staff"),
    )
    drawn = await lottery.draw(shop, command)
    outcome = told(world, drawn.recorded)
    outcome.values["prize"] = _prize(known, drawn.prize)
    outcome.values["given"] = _prize(known, drawn.given)
    return outcome


def _prize(known: Published, place: int | None) -> str | None:
    return None if place is None else known.rule.prizes[place].id


async def reveal(world: World, step: Step) -> Outcome:
    shown = await lottery.reveal(world.place(step).shop, step.text("lottery"))
    return Outcome({"draws": len(shown.draws), "wrong": len(shown.wrong)}, world.sentences(shown.wrong))
