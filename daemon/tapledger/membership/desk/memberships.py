"""At the desk: the life of a membership, its tier, and points by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Annotated

from msgspec import Meta

from tapledger.errors import Denied, Invalid
from tapledger.loyalty import days
from tapledger.loyalty.life.granting import MAX_WHY_LENGTH
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.loyalty.tiers.tier_reviews import GiveTier
from tapledger.membership import grants, merging, sign_in, standing, tiers
from tapledger.membership.desk import naming
from tapledger.membership.desk.asking import (
    ROLES,
    Answer,
    Command,
    Id,
    Name,
    OfMember,
    Request,
    Role,
    Staff,
    Text,
    Who,
    told,
)
from tapledger.membership.grants import GrantCommand
from tapledger.membership.shop import Shop
from tapledger.membership.standing import Step


class Freeze(OfMember, frozen=True, kw_only=True):
    """Lets a member earn and not spend, until it is unfrozen."""

    why: Text = ""


class Unfreeze(OfMember, frozen=True, kw_only=True):
    """Lets a member spend again."""

    why: Text = ""


class Cancel(OfMember, frozen=True, kw_only=True):
    """Ends a membership; it can be restored for a while."""

    why: Text = ""


class Restore(OfMember, frozen=True, kw_only=True):
    """Takes back that a membership was cancelled."""

    why: Text = ""


def _step(step: Step) -> Callable[[Shop, Freeze | Unfreeze | Cancel | Restore, Staff], Awaitable[Answer]]:
    async def take(shop: Shop, asked: Freeze | Unfreeze | Cancel | Restore, staff: Staff) -> Answer:
        member = await naming.member(shop, asked)
        recorded = await standing.change_standing(shop, asked.key, member, step, staff.id, asked.why)
        return told(shop, asked, staff, recorded)

    return take


class Merge(OfMember, frozen=True, kw_only=True):
    """Makes one member a part of another, when both are one person."""

    into: Who


async def merge(shop: Shop, asked: Merge, staff: Staff) -> Answer:
    old, into = await naming.member(shop, asked), await naming.other(shop, asked.into)
    return told(shop, asked, staff, await merging.merge_members(shop, asked.key, old, into, staff.id))


class Unmerge(OfMember, frozen=True, kw_only=True):
    """Parts a member again, by their pseudonym of then."""


async def unmerge(shop: Shop, asked: Unmerge, staff: Staff) -> Answer:
    old = await naming.member(shop, asked)
    return told(shop, asked, staff, await merging.undo_merge(shop, asked.key, old, staff.id))


class Grant(OfMember, frozen=True, kw_only=True):
    """Gives points by hand, or takes them when below 0."""

    points: Annotated[int, Meta(ge=-MAX_AMOUNT_MINOR, le=MAX_AMOUNT_MINOR)]
    why: Annotated[str, Meta(max_length=MAX_WHY_LENGTH)]
    second: Text = ""
    """Who agrees, above what one person may move a day."""
    second_pin: Text = ""
    """That person's own PIN, typed by them."""


async def grant(shop: Shop, asked: Grant, staff: Staff) -> Answer:
    if asked.second:
        await sign_in.sign_in(shop, staff.throttle, asked.second, asked.second_pin)
    command = GrantCommand(
        key=asked.key,
        member=await naming.member(shop, asked),
        points=asked.points,
        why=asked.why,
        staff=staff.id,
        second=asked.second,
    )
    return told(shop, asked, staff, await grants.grant_points(shop, command))


class Tier(OfMember, frozen=True, kw_only=True):
    """Gives a tier by hand, fixed until an instant when it says so."""

    tier: Id
    why: Text
    locked_until: dt.datetime | None = None
    """With its offset, such as 2027-01-01T00:00:00+08:00; without one it is the programme's local time."""


async def give_tier(shop: Shop, asked: Tier, staff: Staff) -> Answer:
    try:
        until = asked.locked_until and days.instant(asked.locked_until, shop.program.zone())
    except OverflowError as error:
        raise Invalid("TIER_LOCK_IMPOSSIBLE") from error
    member, command = await naming.member(shop, asked), GiveTier(asked.tier, asked.why, staff.id, until)
    return told(shop, asked, staff, await tiers.give_tier(shop, asked.key, member, command))


class Hire(Request, frozen=True, kw_only=True):
    """Lets somebody sign in here from now on."""

    staff: Id
    name: Name
    pin: Text
    role: Role = ROLES[0]


async def hire(shop: Shop, asked: Hire, staff: Staff) -> Answer:
    if ROLES.index(asked.role) > ROLES.index(staff.role):
        raise Denied("DESK_ROLE_MISSING", command="hire")
    await sign_in.add_person(shop, asked.staff, asked.name, asked.role, asked.pin)
    return Answer(key=asked.key, values={"staff": asked.staff, "role": asked.role})


COMMANDS = (
    Command("freeze", Freeze, "cashier", _step("freeze")),
    Command("unfreeze", Unfreeze, "manager", _step("unfreeze")),
    Command("cancel", Cancel, "cashier", _step("cancel")),
    Command("restore", Restore, "cashier", _step("restore")),
    Command("merge", Merge, "manager", merge),
    Command("unmerge", Unmerge, "manager", unmerge),
    Command("grant", Grant, "manager", grant),
    Command("tier", Tier, "manager", give_tier),
    Command("hire", Hire, "manager", hire),
)
