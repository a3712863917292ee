"""Steps of a member at the door: join, tap, one more card, who sent them."""

from __future__ import annotations

from typing import Any

from tapledger.lab.scenario.actions.telling import birthday_of
from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.expectations import Sentences
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World, told
from tapledger.membership import referral, registration, tap
from tapledger.membership.identity import Presented
from tapledger.membership.referral import ReferrerCommand
from tapledger.membership.registration import Joining


async def join(world: World, step: Step) -> Outcome:
    """Somebody becomes a member; their card is called like them unless ``card`` says otherwise."""
    name = step.text("member")
    card = Presented("card", step.text("card", name), world.level(step), "scenario")
    shown = [world.receipt(step, one) for one in step.list_of("receipts")]
    joining = Joining(
        key=world.key(step),
        name=name,
        phone=step.text("phone", ""),
        credentials=(card,),
        staff=step.text("staff", "till"),
        birthday=birthday_of(step, "birthday") if step.has("birthday") else None,
        receipts=tuple(shown),
        paying_minor=world.maybe_minor(step, "paying") or 0,
    )
    recorded = await registration.register_member(world.place(step).shop, joining)
    world.members[name] = recorded.event.body.member or ""
    world.cards.append(card.value)
    return told(world, recorded)


async def link(world: World, step: Step) -> Outcome:
    card = Presented("card", step.text("card"), world.level(step), "scenario")
    shop, member = world.place(step).shop, world.member_id(step)
    recorded = await registration.link_credential(
        shop, world.key(step), member, card, step.text("staff", "till")
    )
    world.cards.append(card.value)
    return told(world, recorded)


async def tap_card(world: World, step: Step) -> Outcome:
    """A card is laid on: what is due is given, then the member is told what they have and can have."""
    shop, shown = world.place(step).shop, world.presented(step)
    greeting = await tap.welcome_member(shop, shown, step.text("phone_tail", ""))
    offers = {
        offer.reward.id: "yes" if offer.why_not is None else Sentences(world.sentences([offer.why_not]))
        for offer in greeting.summary.offers
    }
    values: dict[str, Any] = {"rewards": offers, "who": world.name_of(greeting.known.member.id)}
    return Outcome(values, world.sentences(greeting.given))


async def check(world: World, step: Step) -> Outcome:
    """Nothing happens; only look."""
    return Outcome()


async def refer(world: World, step: Step) -> Outcome:
    """A member says who sent them."""
    command = ReferrerCommand(
        key=world.key(step),
        member=world.member_id(step),
        referrer=Presented("card", step.text("referrer"), 1, "scenario"),
        at_kiosk=step.flag("kiosk"),
        means=tuple(str(one) for one in step.list_of("means")),
        looked_at=step.flag("looked_at"),
        staff=step.maybe("staff"),
    )
    return told(world, await referral.set_referrer(world.place(step).shop, command))
