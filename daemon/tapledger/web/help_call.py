"""A call for staff, from the kiosk to the till: made, answered, or left waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from tapledger.errors import Denied
from tapledger.web.kiosk_snapshots import HelpState
from tapledger.web.server import intent

BUSY_AFTER_S = 45.0
"""Whoever waits longer is told that everybody is busy, and where to go; the call stands."""
COMING_S = 120.0
"""So long staff are said to be on their way."""


class HelpCall:
    """One call at a time, whoever made it: it is about the place, not the person."""

    def __init__(self, busy_after_s: float = BUSY_AFTER_S, coming_s: float = COMING_S) -> None:
        self._busy_after_s = busy_after_s
        self._coming_s = coming_s
        self._timer: asyncio.TimerHandle | None = None
        self.state: HelpState = "none"
        self.on_change: Callable[[], None] = lambda: None

    def call(self) -> None:
        """Somebody asks for staff; again while staff come or know of it changes nothing."""
        if self.state in ("none", "busy"):
            self._become("called", self._busy_after_s, "busy")

    def answer(self) -> None:
        """Staff say that they come."""
        if self.state in ("called", "busy"):
            self._become("coming", self._coming_s, "none")

    def _become(self, state: HelpState, after_s: float | None = None, then: HelpState = "none") -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.state = state
        if after_s is not None:
            self._timer = asyncio.get_running_loop().call_later(after_s, self._become, then)
        self.on_change()


def routes(help_call: HelpCall, is_staffed: Callable[[], bool]) -> list[web.RouteDef]:
    """Return what staff at the till may do about a call: say that one of them comes."""

    async def answer(request: web.Request) -> None:
        if not is_staffed():
            raise Denied("SIGN_IN_FIRST")
        help_call.answer()

    return [intent("/api/till/help", answer)]
