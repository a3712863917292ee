"""Steps of an alliance: points sent to a partner, asked about, taken from it, paid for."""

from __future__ import annotations

from tapledger.errors import Unavailable
from tapledger.lab.partner import LOSING, PartnerBooks
from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World, told
from tapledger.membership import alliance
from tapledger.membership.alliance import SendCommand


async def send(world: World, step: Step) -> Outcome:
    """A member's points go to a partner; ``losing``: ``request``, ``answer`` or ``everything``."""
    books = _books(world, step)
    wanted = step.text("losing", "")
    losing = next((one for one in LOSING if one == wanted), None)
    if losing is None:
        raise step.wrong(f"losing must be one of {', '.join(filter(None, LOSING))}")
    books.losing = losing
    member = step.text("member")
    command = SendCommand(
        key=world.key(step),
        member=world.member_id(step),
        presented=world.presented(step),
        partner=step.text("partner"),
        theirs=member,
        points=step.number_of("points", 0),
        staff=step.maybe("staff"),
        language=world.language,
    )
    try:
        sent = await alliance.send_points(world.place(step).shop, books, command)
    except Unavailable as error:
        outcome = Outcome(error=error)
    else:
        outcome = Outcome({"taken": sent.taken, "given": sent.given, "state": sent.state})
    outcome.values |= await _accounts(world, step)
    return outcome


async def ask(world: World, step: Step) -> Outcome:
    """The partner is asked what became of everything that is still open; its line is whole again."""
    books = _books(world, step)
    books.losing = ""
    ended = await alliance.settle_open(world.place(step).shop, step.text("partner"), books)
    return Outcome({"ended": [one.state for one in ended], **await _accounts(world, step)})


async def take(world: World, step: Step) -> Outcome:
    """A partner sends points of a member here; ``points`` are the partner's own."""
    shop, partner = world.place(step).shop, step.text("partner")
    points = step.number_of("points", 0)
    recorded = await alliance.take_points(shop, world.key(step), partner, world.member_id(step), points)
    outcome = told(world, recorded)
    outcome.values |= await _accounts(world, step)
    return outcome


async def pay_in(world: World, step: Step) -> Outcome:
    """The shop pays for points in advance."""
    shop, partner = world.place(step).shop, step.text("partner")
    points = step.number_of("points", 0)
    recorded = await alliance.pay_in(shop, world.key(step), partner, points, step.text("staff", "owner"))
    outcome = told(world, recorded)
    outcome.values |= await _accounts(world, step)
    return outcome


def _books(world: World, step: Step) -> PartnerBooks:
    return world.partners.setdefault(step.text("partner"), PartnerBooks())


async def _accounts(world: World, step: Step) -> dict[str, object]:
    points, worth = await alliance.account(world.place(step).shop, step.text("partner"))
    there = dict(_books(world, step).points)
    return {"account": points, "account_worth": world.cash(worth), "over_there": there}
