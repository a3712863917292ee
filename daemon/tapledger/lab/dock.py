"""The dock beside the demo's console: moves the virtual devices of the bench, shows what came out of them."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web

from tapledger.errors import Invalid
from tapledger.lab.bench.door import ACTIONS, BenchDoor
from tapledger.lab.seed import DemoCard
from tapledger.web.live import LiveFeed
from tapledger.web.snapshots import Dock
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.simulated_reader import SimulatedCardReader

RETRY_S = 0.5


class DockFace:
    """Passes intents on to the bench, and its state to the browser.

    ``simulated`` are the readers inside this process, where no pcscd runs: then a card is laid on those.
    """

    def __init__(
        self, socket: Path, live: LiveFeed, simulated: dict[str, SimulatedCardReader], cards: list[DemoCard]
    ) -> None:
        self._door = BenchDoor(socket)
        self._live = live
        self._simulated = simulated
        self._cards = {card.id: card for card in cards}
        self._lying: dict[str, str | None] = {}
        self._broken: dict[str, dict[str, int | None]] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/dock/{action}", self._act),
            web.get(r"/api/dock/slips/{number:\d+}.png", self._picture),
        ]

    async def run(self) -> None:
        """Show the bench's state for ever; the bench may be restarted."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with self._door.session() as session, session.ws_connect("/live") as socket:
                    async for message in socket:
                        dock = msgspec.json.decode(message.data, type=Dock)
                        await self._simulate(dock)
                        self._live.show("dock", dock)
            await asyncio.sleep(RETRY_S)

    async def _act(self, request: web.Request) -> web.Response:
        action = request.match_info["action"]
        if action not in ACTIONS:
            raise Invalid("BODY_INVALID", why=f"no dock action {action}")
        await self._door.do(action, await request.read())
        return web.json_response({})

    async def _simulate(self, dock: Dock) -> None:
        """Break the readers of this process, if there are any, as those of the bench are broken, and lay on
        them what lies on those."""
        for place in dock.devices:
            reader = self._simulated.get(place.role)
            if reader is None:
                continue
            before = self._broken.get(place.role, {})
            broken = self._broken[place.role] = {one.verb: one.amount for one in place.faults if one.on}
            for verb in {verb for verb, _ in before.items() ^ broken.items()}:
                await reader.pull(Verb(verb), on=verb in broken, amount=broken.get(verb))
            if self._lying.get(place.role) == place.card:
                continue
            self._lying[place.role] = place.card
            if place.card is None:
                reader.remove()
            else:
                reader.insert(self._cards[place.card].card)

    async def _picture(self, request: web.Request) -> web.Response:
        status, body = await self._door.picture(int(request.match_info["number"]))
        return web.Response(status=status, body=body, content_type="image/png")
