"""A kiosk beside a door: a tap uses a right, or the ticket of an event, and the screen answers."""

from __future__ import annotations

from tapledger.errors import Refused, TapledgerError
from tapledger.loyalty.program import name_in
from tapledger.membership import entitlement, identity, redemption
from tapledger.membership.entitlement import UseCommand
from tapledger.membership.identity import Presented
from tapledger.membership.tap import greet_member
from tapledger.store.journal import Recorded
from tapledger.web import problems
from tapledger.web.kiosk.here import Here, Idle, Page
from tapledger.web.kiosk_snapshots import Gate, KioskScreen


class GatePage(Page):
    idle: Idle | None = "notice"

    def __init__(self, title: str, card: str, used: Recorded | None, error: TapledgerError | None) -> None:
        self._title = title
        self.card = card
        """Index of the card that was tapped: it opens once, however long it lies there."""
        self._used = used
        self._error = error

    @property
    def opened(self) -> bool:
        return self._error is None

    async def screen(self, here: Here) -> KioskScreen:
        if self._error is not None:
            told = problems.problem(here.language, self._error)
            return Gate(False, self._title, [told.sentence, told.next_step])
        reasons = () if self._used is None else self._used.event.body.reasons
        return Gate(True, self._title, here.explain(*reasons))


async def tapped(here: Here, presented: Presented) -> bool:
    """Answer a tap at the door; return whether it opens. A card that lies there is one use."""
    card = identity.index(here.shop, presented.kind, presented.value)
    if isinstance(here.page, GatePage) and here.page.card == card and here.page.opened:
        return True
    used: Recorded | None = None
    error: TapledgerError | None = None
    try:
        used = await _use(here, presented)
        here.queued()
    except TapledgerError as refused:
        error = refused
    page = GatePage(_title(here), card, used, error)
    here.turn(page)
    return page.opened


async def _use(here: Here, presented: Presented) -> Recorded:
    right, key = here.settings.gate, here.shop.new_id()
    if any(one.id == right for one in here.shop.program.entitlements):
        command = UseCommand(key, presented, right, place=here.settings.place)
        return await entitlement.use_entitlement(here.shop, command)
    if here.shop.program.reward(right) is None:
        raise Refused("GATE_NOT_SET_UP")
    greeting = await greet_member(here.shop, presented)
    return await redemption.check_in_to_event(here.shop, key, greeting.known.member.id, right)


def _title(here: Here) -> str:
    right, program = here.settings.gate, here.shop.program
    named = next((one.name for one in program.entitlements if one.id == right), None)
    if named is None:
        reward = program.reward(right)
        named = None if reward is None else reward.title
    return right if named is None else name_in(named, here.language) or right
