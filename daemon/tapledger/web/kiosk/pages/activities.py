"""What there is to do beside rewards: checking in, missions, a lottery, surveys, the ticket of an event."""

from __future__ import annotations

import msgspec

from tapledger import texts
from tapledger.errors import Invalid, NotFound
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import missions, surveys, visiting
from tapledger.loyalty.people.missions import MissionProgress
from tapledger.loyalty.people.visiting import Visit
from tapledger.loyalty.program import name_in
from tapledger.loyalty.program.people import Gain
from tapledger.membership import check_in, redemption
from tapledger.membership.check_in import CheckInCommand
from tapledger.store.journal import Recorded
from tapledger.web.kiosk.here import Act, Here, Page
from tapledger.web.kiosk.pages.questions import QuestionsPage
from tapledger.web.kiosk.pages.wheel import WheelPage
from tapledger.web.kiosk_snapshots import Activities, Activity, ActivityKind, Gift, KioskScreen
from tapledger.web.server import Nothing

PERCENT = 100
GIFTS = ("check_in", "ticket", "survey")
"""What brings something at once."""


class Chosen(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    id: str


class ActivitiesPage(Page):
    async def screen(self, here: Here) -> KioskScreen:
        return Activities(here.member_view(), await activities(here))


class GiftPage(Page):
    """Something was done: what it brought."""

    def __init__(self, title: str, recorded: Recorded) -> None:
        self._title = title
        """One of ``GIFTS``."""
        self._recorded = recorded

    async def screen(self, here: Here) -> KioskScreen:
        said = here.explain(*self._recorded.event.body.reasons)
        return Gift(here.member_view(), here.say(f"kiosk.gift.{self._title}"), said, here.points())

    def before(self, here: Here) -> Page | None:
        return ActivitiesPage()


async def activities(here: Here) -> list[Activity]:
    """Return everything a member can do here, what can be done now first."""
    member = here.member().known.member
    found = [
        *_check_in(here, member),
        *_tickets(here, member),
        *_lotteries(here),
        *_surveys(here, member),
        *_missions(here, member),
    ]
    return sorted(found, key=lambda one: not one.available and one.progress_pct is None)


def _check_in(here: Here, member: Member) -> list[Activity]:
    rule, shown = here.shop.program.check_in, here.presented()
    if rule is None:
        return []
    visit = Visit(store=here.shop.store.keyring.node, id="", credential=shown.kind)
    why = visiting.why_not(member, visit, here.shop.program, here.member().at)
    row = visiting.streak(member, here.shop.program, here.member().at)
    detail = here.say("kiosk.activity.streak", days=row) if row else gain(here, rule.gain)
    return [_activity(here, "check_in", "", here.say("kiosk.activity.check_in"), detail, why)]


def _tickets(here: Here, member: Member) -> list[Activity]:
    """Return the events that the member holds a ticket of: they are let in by it."""
    found = []
    for hold in member.holds:
        reward = here.shop.program.reward(hold.reward)
        if reward is not None and reward.kind == "event":
            title = name_in(reward.title, here.language)
            detail = here.say("kiosk.activity.ticket")
            found.append(_activity(here, "ticket", reward.id, title, detail, None))
    return found


def _lotteries(here: Here) -> list[Activity]:
    return [
        _activity(
            here,
            "lottery",
            one.id,
            name_in(one.name, here.language),
            here.say("kiosk.activity.costs", points=one.cost_points),
            None,
        )
        for one in here.shop.program.lotteries
    ]


def _surveys(here: Here, member: Member) -> list[Activity]:
    program, found = here.shop.program, []
    for one in program.surveys:
        why = surveys.why_not(member, one, program, here.member().at)
        detail = gain(here, one.gain)
        found.append(_activity(here, "survey", one.id, name_in(one.name, here.language), detail, why))
    return found


def _missions(here: Here, member: Member) -> list[Activity]:
    return [
        Activity(
            kind="mission",
            id=one.mission.id,
            title=name_in(one.mission.name, here.language),
            detail=_progress(here, one),
            available=False,
            why_not=here.explain(one.why_not)[0] if one.why_not is not None else None,
            progress_pct=min(PERCENT, PERCENT * one.have // max(1, one.mission.at_least)),
        )
        for one in missions.progress(member, here.shop.program, here.member().at)
    ]


def _progress(here: Here, one: MissionProgress) -> str:
    have, need = min(one.have, one.mission.at_least), one.mission.at_least
    if one.mission.metric == "spend":
        currency = here.shop.program.currency
        shown = tuple(texts.money(here.language, minor, currency) for minor in (have, need))
    else:
        shown = (str(have), str(need))
    brings = gain(here, one.mission.gain)
    said = here.say("kiosk.activity.progress", have=shown[0], need=shown[1])
    return f"{said} · {brings}" if brings else said


def gain(here: Here, brings: Gain) -> str:
    """Say in one short line what something brings; points alone, for all else is named when it is given."""
    return here.say("kiosk.activity.points", points=brings.points) if brings.points else ""


def _activity(
    here: Here, kind: ActivityKind, id_: str, title: str, detail: str, why: Reason | None
) -> Activity:
    why_not = None if why is None else here.explain(why)[0]
    return Activity(kind, id_, title, detail, available=why is None, why_not=why_not)


async def show(here: Here, body: Nothing) -> None:
    here.turn(ActivitiesPage())


async def begin(here: Here, body: Chosen) -> None:
    """Begin what was chosen, or do it where one touch is enough."""
    match body.kind:
        case "check_in":
            command = CheckInCommand(here.visit().key, here.presented())
            await _did(here, "check_in", await check_in.check_in(here.shop, command))
        case "ticket":
            used = await redemption.check_in_to_event(here.shop, here.visit().key, here.member_id(), body.id)
            await _did(here, "ticket", used)
        case "lottery":
            here.turn(WheelPage(body.id))
        case "survey":
            surveys.find(here.shop.program, body.id)
            here.turn(QuestionsPage(body.id, _answered))
        case "mission":
            raise Invalid("MISSION_COUNTS_BY_ITSELF")
        case _:
            raise NotFound("ACTIVITY_UNKNOWN")


async def _answered(here: Here, recorded: Recorded) -> None:
    await _did(here, "survey", recorded)


async def _did(here: Here, title: str, recorded: Recorded) -> None:
    here.next_key()
    await here.regreet()
    here.turn(GiftPage(title, recorded))
    here.queued()


ACTS = (Act("activities", Nothing, show), Act("activity", Chosen, begin))
