"""The line of a shop to central: it loses requests and replies, is slow, sends twice, and is cut."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from yarl import URL

from tapledger.errors import Invalid, Unavailable
from tapledger.lab.world.machines import Machine
from tapledger.sync.transport import Received
from tapledger_central.web.asking import Answered, Asked

Ask = Callable[[Asked], "asyncio.Future[Answered] | None"]
"""Gives central a request; None when nobody listens there."""
REFUSED_S = 0.01
UNREACHABLE_S = 5.0


@dataclass(slots=True)
class Odds:
    """How often a line does what, of each request."""

    request_lost: float = 0.02
    reply_lost: float = 0.03
    twice: float = 0.03
    slow: float = 0.05
    slow_s: float = 40.0
    usual_s: float = 0.2


CALM = Odds(0, 0, 0, 0, 0, 0.02)


class Line:
    """One shop's way to central, shared by its kiosks."""

    def __init__(self, chance: random.Random, ask: Ask, odds: Odds) -> None:
        self._chance = chance
        self._ask = ask
        self.odds = odds
        self._cuts = 0
        self._waiting: dict[asyncio.Future[None], None] = {}

    @property
    def is_up(self) -> bool:
        return not self._cuts

    def cut(self) -> None:
        """Let nothing through until it is mended as often; what is on its way is told so, or not."""
        self._cuts += 1
        for reset in list(self._waiting):
            if self._chance.random() < 0.5 and not reset.done():
                reset.set_result(None)

    def mend(self) -> None:
        self._cuts = max(0, self._cuts - 1)

    def heal(self) -> None:
        """Be a good line from now on."""
        self._cuts, self.odds = 0, CALM

    def _delay_s(self) -> float:
        slow = self._chance.random() < self.odds.slow
        return self._chance.random() * (self.odds.slow_s if slow else self.odds.usual_s)

    def _happens(self, odds: float) -> bool:
        return self._chance.random() < odds

    async def carry(self, asked: Asked) -> Answered:
        """Bring a request to central and its answer back; raise ``Unavailable``, or wait for ever."""
        lost, unheard = self._happens(self.odds.request_lost), self._happens(self.odds.reply_lost)
        twice, there_s, back_s = self._happens(self.odds.twice), self._delay_s(), self._delay_s()
        if not self.is_up:
            await asyncio.sleep(self._chance.random() * UNREACHABLE_S)
            raise _unreachable("no line")
        loop = asyncio.get_running_loop()
        reset = loop.create_future()
        self._waiting[reset] = None
        try:
            await asyncio.sleep(there_s)
            if lost or not self.is_up:
                await reset
            if reset.done():
                raise _unreachable("reset")
            answer = self._ask(asked)
            if answer is None:
                await asyncio.sleep(REFUSED_S)
                raise _unreachable("refused")
            if twice:
                loop.call_later(there_s, self._ask, asked)
            await asyncio.wait([answer, reset], return_when=asyncio.FIRST_COMPLETED)
            if not answer.done() or answer.cancelled():
                raise _unreachable("reset")
            await asyncio.sleep(back_s)
            if unheard or not self.is_up:
                await reset
            if reset.done():
                raise _unreachable("reset")
            return answer.result()
        finally:
            self._waiting.pop(reset, None)


def _unreachable(why: str) -> Unavailable:
    return Unavailable("CENTRAL_UNREACHABLE", why=why)


class LineTransport:
    """``sync.transport.Transport`` of one machine over its shop's line."""

    def __init__(
        self,
        machine: Machine,
        line: Line,
        passed: Callable[[str, URL, bytes, Received | None], Awaitable[None]],
    ) -> None:
        self._machine = machine
        self._line = line
        self._passed = passed
        """Told of each exchange and what came of it."""

    async def exchange(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Received:
        await self._machine.point()

        async def read(limit: int) -> bytes:
            if len(body) > limit:
                raise Invalid("MESSAGE_TOO_LARGE", limit=limit)
            return body

        asked = Asked(method, url.host_port_subcomponent or "", url.raw_path_qs, dict(headers), read)
        try:
            async with asyncio.timeout(timeout_s):
                answered = await self._line.carry(asked)
        except TimeoutError as error:
            await self._passed(method, url, body, None)
            raise _unreachable("timeout") from error
        except Unavailable:
            await self._passed(method, url, body, None)
            raise
        named = {name.lower(): value for name, value in answered.headers.items()}
        received = Received(answered.status, named, answered.body)
        await self._passed(method, url, body, received)
        await self._machine.point()
        return received
