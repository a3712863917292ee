"""A partner's programme that is only its books, with a line to it that loses what it is told to."""

from __future__ import annotations

from typing import Literal, get_args

from tapledger.errors import Refused, Unavailable

Losing = Literal["", "request", "answer", "everything"]
"""``request``: the next credit does not arrive; ``answer``: it does, and nobody hears of it; ``everything``:
nothing gets through until it is set back."""
LOSING: tuple[Losing, ...] = get_args(Losing)


class PartnerBooks:
    """Credits each key once; a key that was asked about in vain is never credited (``PartnerPort``)."""

    def __init__(self) -> None:
        self.losing: Losing = ""
        self.points: dict[str, int] = {}
        """What each member has there."""
        self._credited: set[str] = set()
        self._given_up: set[str] = set()

    async def credit(self, key: str, member: str, points: int) -> None:
        losing = self._lost()
        if losing in ("request", "everything"):
            raise Unavailable("CENTRAL_UNREACHABLE", why="the request was lost")
        if key in self._given_up:
            raise Refused("EXCHANGE_GIVEN_UP")
        if key not in self._credited:
            self._credited.add(key)
            self.points[member] = self.points.get(member, 0) + points
        if losing == "answer":
            raise Unavailable("CENTRAL_UNREACHABLE", why="the answer was lost")

    async def has_credited(self, key: str) -> bool:
        if self.losing == "everything":
            raise Unavailable("CENTRAL_UNREACHABLE", why="the request was lost")
        if key not in self._credited:
            self._given_up.add(key)
        return key in self._credited

    def _lost(self) -> Losing:
        losing = self.losing
        if losing != "everything":
            self.losing = ""
        return losing
