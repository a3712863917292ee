"""Steps of a membership: frozen, cancelled, restored, merged, parted again, erased; points given by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World, told
from tapledger.loyalty.life.lifecycle import Erase
from tapledger.loyalty.tiers.tier_reviews import GiveTier
from tapledger.membership import grants, merging, privacy, standing, tiers
from tapledger.membership.grants import GrantCommand
from tapledger.membership.standing import Step as Change


def change(what: Change) -> Callable[[World, Step], Awaitable[Outcome]]:
    """Return the step that freezes, unfreezes, cancels or restores a membership."""

    async def run(world: World, step: Step) -> Outcome:
        shop, member = world.place(step).shop, world.member_id(step)
        staff, why = step.text("staff", "till"), step.text("why", "asked")
        return told(world, await standing.change_standing(shop, world.key(step), member, what, staff, why))

    return run


async def erase(world: World, step: Step) -> Outcome:
    """``waiver`` is the number of the paper by which a member gives up what they paid in."""
    shop, member = world.place(step).shop, world.member_id(step)
    command = Erase(step.text("staff", "till"), step.text("waiver", ""))
    return told(world, await privacy.erase_member(shop, world.key(step), member, command))


async def merge(world: World, step: Step) -> Outcome:
    """``member`` becomes a part of ``into``."""
    shop, staff = world.place(step).shop, step.text("staff", "till")
    old, into = world.member_id(step), world.member_id(step, "into")
    return told(world, await merging.merge_members(shop, world.key(step), old, into, staff))


async def unmerge(world: World, step: Step) -> Outcome:
    shop, staff = world.place(step).shop, step.text("staff", "till")
    return told(world, await merging.undo_merge(shop, world.key(step), world.member_id(step), staff))


async def grant(world: World, step: Step) -> Outcome:
    """Staff give points by hand; ``points`` below 0 are taken."""
    command = GrantCommand(
        key=world.key(step),
        member=world.member_id(step),
        points=step.number_of("points"),
        why=step.text("why", "goodwill"),
        staff=step.text("staff", "till"),
        second=step.text("second", ""),
    )
    return told(world, await grants.grant_points(world.place(step).shop, command))


async def set_tier(world: World, step: Step) -> Outcome:
    """Staff give a tier by hand; ``until`` locks it."""
    locked = world.instant(step, "until") if step.has("until") else None
    command = GiveTier(step.text("tier"), step.text("why", "goodwill"), step.text("staff", "till"), locked)
    shop, member = world.place(step).shop, world.member_id(step)
    return told(world, await tiers.give_tier(shop, world.key(step), member, command))
