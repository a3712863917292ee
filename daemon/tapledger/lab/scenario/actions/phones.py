"""Steps of a card on a telephone: made, shown as a code that changes, and scanned."""

from __future__ import annotations

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World
from tapledger.loyalty.life import virtual_card
from tapledger.membership import tap, virtual_cards
from tapledger.membership.virtual_cards import VirtualCard


async def issue(world: World, step: Step) -> Outcome:
    """A member gets a virtual card; ``as`` names the telephone that keeps it."""
    shop, member = world.place(step).shop, world.member_id(step)
    made = await virtual_cards.issue_virtual_card(shop, world.key(step), member, step.text("staff", "till"))
    return Outcome(kept=made)


async def show(world: World, step: Step) -> Outcome:
    """A telephone shows its code of this half minute; ``as`` keeps it, like a screenshot."""
    card = world.left(step, "phone").kept
    if not isinstance(card, VirtualCard):
        raise step.wrong(f"{step.text('phone')} is no telephone with a virtual card")
    slot = virtual_card.slot(world.clock.now())
    return Outcome(secret=virtual_card.code(card.secret, card.number, slot))


async def scan(world: World, step: Step) -> Outcome:
    """A code is held before the scanner: who is it?"""
    shop = world.place(step).shop
    shown = await virtual_cards.prove_virtual_card(shop, world.code(step))
    known = (await tap.welcome_member(shop, shown)).known
    return Outcome({"who": world.name_of(known.member.id), "trust": shown.level})
