"""Steps of cards: lost, found, replaced, limited."""

from __future__ import annotations

from typing import cast, get_args

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.shops import Place
from tapledger.lab.scenario.world import World, told
from tapledger.loyalty.life.cards import WhyBlocked
from tapledger.membership import cards, identity, registration
from tapledger.membership.identity import Presented


def _index(place: Place, step: Step) -> str:
    """Return the index of the step's card; without ``card`` the one that is called like the member."""
    return identity.index(place.shop, "card", step.text("card", step.text("member")))


async def block(world: World, step: Step) -> Outcome:
    place, member, staff = world.place(step), world.member_id(step), step.text("staff", "till")
    wanted, known = step.text("why", "lost"), get_args(WhyBlocked)
    if wanted not in known:
        raise step.wrong(f"why must be one of {', '.join(known)}")
    reason, index = cast(WhyBlocked, wanted), _index(place, step)
    return told(world, await cards.block_card(place.shop, world.key(step), member, index, reason, staff))


async def unblock(world: World, step: Step) -> Outcome:
    place, member, staff = world.place(step), world.member_id(step), step.text("staff", "till")
    index = _index(place, step)
    return told(world, await cards.unblock_card(place.shop, world.key(step), member, index, staff))


async def replace(world: World, step: Step) -> Outcome:
    """``new`` is the card that is given in place of ``card``."""
    place, member, staff = world.place(step), world.member_id(step), step.text("staff", "till")
    new = Presented("card", step.text("new"), world.level(step), "scenario")
    index = _index(place, step)
    recorded = await cards.replace_card(place.shop, world.key(step), member, index, new, staff)
    world.cards.append(new.value)
    return told(world, recorded)


async def limit(world: World, step: Step) -> Outcome:
    """A card may spend ``per_day``; without it, without limit."""
    place, member, staff = world.place(step), world.member_id(step), step.text("staff", "till")
    amount, index = world.maybe_minor(step, "per_day"), _index(place, step)
    return told(world, await cards.limit_card(place.shop, world.key(step), member, index, amount, staff))


async def link_uid(world: World, step: Step) -> Outcome:
    """A member brings a card that has only a number; ``shared`` when another member's has the same one."""
    shown = Presented("uid", step.text("uid"), world.level(step), "scenario")
    shop, member, staff = world.place(step).shop, world.member_id(step), step.text("staff", "till")
    link = cards.link_shared_uid if step.flag("shared") else registration.link_credential
    return told(world, await link(shop, world.key(step), member, shown, staff))


async def alarms(world: World, step: Step) -> Outcome:
    """What staff are told of cards that somebody showed and that are refused, the newest first."""
    newest = await cards.newest_alarms(world.place(step).shop)
    return Outcome({"alarms": [alarm.code for alarm in newest]})
