"""A partner's programme inside this process: another shop, and a line to it that loses what it is told to."""

from __future__ import annotations

from typing import Literal

from tapledger.errors import Unavailable
from tapledger.membership import alliance
from tapledger.membership.shop import Shop

Losing = Literal["", "request", "answer", "everything"]
"""``request``: the next credit does not arrive; ``answer``: it does, and nobody hears of it; ``everything``:
nothing gets through until it is set back."""


class InProcessPartner:
    """Credits at another shop, which knows us as ``known_as``."""

    def __init__(self, shop: Shop, known_as: str) -> None:
        self.shop = shop
        self.losing: Losing = ""
        self._known_as = known_as

    async def credit(self, key: str, member: str, points: int) -> None:
        losing = self._lost()
        if losing in ("request", "everything"):
            raise Unavailable("CENTRAL_UNREACHABLE", why="lost on the way")
        await alliance.take_points(self.shop, key, self._known_as, member, points)
        if losing == "answer":
            raise Unavailable("CENTRAL_UNREACHABLE", why="the answer was lost")

    async def has_credited(self, key: str) -> bool:
        if self.losing == "everything":
            raise Unavailable("CENTRAL_UNREACHABLE", why="lost on the way")
        return await alliance.has_taken(self.shop, key, self._known_as)

    def _lost(self) -> Losing:
        losing = self.losing
        if losing != "everything":
            self.losing = ""
        return losing
