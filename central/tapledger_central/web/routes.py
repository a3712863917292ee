"""The four things one can ask of central."""

from __future__ import annotations

import msgspec
from aiohttp import web

from tapledger.clock import Clock
from tapledger.errors import Denied, Invalid
from tapledger.wire.codec import CONTENT_TYPE, pack, unpack
from tapledger.wire.messages import MAX_FEED_ROWS, VERSION, Batch, Enrol
from tapledger_central import feed, intake
from tapledger_central.enrol import enrol
from tapledger_central.keys import CentralKeys
from tapledger_central.store import Database, nodes
from tapledger_central.web.guard import MAX_ENROL_BYTES, Guard, read_body


class Routes:
    """Handlers: unpack, call a room, pack."""

    def __init__(self, store: Database, keys: CentralKeys, clock: Clock, guard: Guard) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._guard = guard

    def table(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/health", self.get_health, allow_head=False),
            web.post("/v1/enrol", self.post_enrol),
            web.post("/v1/nodes/{node}/events", self.post_events),
            web.get("/v1/feed", self.get_feed, allow_head=False),
        ]

    async def get_health(self, request: web.Request) -> web.Response:
        """Say that central answers; open to everybody, so it says nothing else."""
        return web.json_response({"status": "ok", "protocol": VERSION})

    async def post_enrol(self, request: web.Request) -> web.Response:
        message = unpack(await read_body(request, MAX_ENROL_BYTES), Enrol)
        return _packed(await enrol(self._store, self._keys, message, self._clock.now()))

    async def post_events(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        node = await self._guard.admit(request, body)
        if request.match_info["node"] != node.node:
            raise Denied("NODE_WRONG", node=request.match_info["node"])
        batch = unpack(body, Batch)
        return _packed(await intake.take(self._store, self._keys.tenant, node, batch, self._clock.now()))

    async def get_feed(self, request: web.Request) -> web.Response:
        node = await self._guard.admit(request, await read_body(request, 0))
        if node.status != nodes.ACTIVE:
            raise Denied("NODE_SUSPENDED", status=node.status)
        cursor = _whole_number(request, "cursor", 0)
        limit = _whole_number(request, "limit", MAX_FEED_ROWS)
        return _packed(await feed.page(self._store, cursor, limit, self._clock.now()))


def _whole_number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise Invalid("FEED_QUERY_INVALID", limit=MAX_FEED_ROWS)
    return int(text)


def _packed(message: msgspec.Struct) -> web.Response:
    return web.Response(body=pack(message), content_type=CONTENT_TYPE)
