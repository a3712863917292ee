"""Steps in which a member says something of themselves, or is told something."""

from __future__ import annotations

import datetime as dt
import re

from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World, told
from tapledger.loyalty.life.consenting import Statement
from tapledger.loyalty.people.birthdays import SetBirthday
from tapledger.membership import history, privacy, profile
from tapledger.membership.profile import ProfileEdit

_MONTH_DAY = re.compile(r"(\d{2})-(\d{2})")


def birthday_of(step: Step, key: str = "on") -> tuple[int, int, int | None]:
    """Return month, day and year of ``on = 2000-02-29``, or of ``on = "02-29"`` without the year."""
    value = step.get(key)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.month, value.day, value.year
    found = _MONTH_DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise step.wrong('a birthday is a date such as 2000-02-29, or "02-29" without the year')
    return int(found[1]), int(found[2]), None


async def birthday(world: World, step: Step) -> Outcome:
    shop, member = world.place(step).shop, world.member_id(step)
    command = SetBirthday(*birthday_of(step), staff=step.maybe("staff"))
    return told(world, await profile.set_birthday(shop, world.key(step), member, command))


async def edit_profile(world: World, step: Step) -> Outcome:
    shop, member = world.place(step).shop, world.member_id(step)
    edit = ProfileEdit(step.maybe("name"), step.maybe("phone"), step.maybe("language"))
    staff = step.maybe("staff")
    return told(world, await profile.change_profile(shop, world.key(step), member, edit, staff))


async def prefer(world: World, step: Step) -> Outcome:
    shop, member = world.place(step).shop, world.member_id(step)
    chosen = tuple(str(one) for one in step.list_of("chosen"))
    return told(
        world, await profile.set_preferences(shop, world.key(step), member, chosen, step.maybe("staff"))
    )


async def consent(world: World, step: Step) -> Outcome:
    """A member agrees to a purpose, or withdraws: ``agrees = false``."""
    shop, member, key = world.place(step).shop, world.member_id(step), world.key(step)
    said = Statement(
        id=key,
        purpose=step.text("purpose"),
        granted=step.flag("agrees", True),
        text_version=step.text("text", "1"),
        channel=step.text("channel", "kiosk"),
        staff=step.maybe("staff"),
    )
    return told(world, await privacy.state_consent(shop, key, member, said))


async def message(world: World, step: Step) -> Outcome:
    """Somebody wants to send a message: may it go out now?"""
    shop, member = world.place(step).shop, world.member_id(step)
    return Outcome({"sent": await privacy.may_message(shop, member, step.text("purpose"))})


async def read_history(world: World, step: Step) -> Outcome:
    """What screens and slips show of what a member bought, the newest first."""
    entries = await history.history(world.place(step).shop, world.member_id(step))
    values = {
        "kinds": [one.kind for one in entries],
        "points_moved": [one.points for one in entries],
        "bought": [line.name for one in entries for line in one.lines],
        "hidden": sum(one.hidden_lines for one in entries),
    }
    return Outcome(values)
