"""Before and after a visit: the invitation, a card that could not be used, the goodbye."""

from __future__ import annotations

from tapledger.errors import TapledgerError
from tapledger.membership.identity import Presented
from tapledger.web import problems
from tapledger.web.kiosk.here import Here, Idle, Page
from tapledger.web.kiosk_snapshots import Attract, Goodbye, KioskScreen, OutOfService, Trouble

ATTRACT = Attract()
STRANGE = frozenset({"CARD_UNKNOWN"})
"""Refusals of a card that could become somebody's."""


def can_join(error: TapledgerError) -> bool:
    return error.code in STRANGE


class AttractPage(Page):
    idle: Idle | None = None

    async def screen(self, here: Here) -> KioskScreen:
        return ATTRACT


class ClosedPage(Page):
    """Staff have put this kiosk out of service (K16)."""

    idle: Idle | None = None

    async def screen(self, here: Here) -> KioskScreen:
        return OutOfService("closed")


class TroublePage(Page):
    idle: Idle | None = "notice"

    def __init__(self, error: TapledgerError, card: Presented | None = None) -> None:
        self._error = error
        self.card = card
        """Nobody has it: it may become somebody's."""

    async def screen(self, here: Here) -> KioskScreen:
        return Trouble(problems.problem(here.language, self._error), can_join=self.card is not None)


class GoodbyePage(Page):
    idle: Idle | None = "goodbye"

    async def screen(self, here: Here) -> KioskScreen:
        return Goodbye()
