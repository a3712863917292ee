"""Hands requests on to central byte for byte, and its answers back.

Nobody has to trust it: requests are signed for central's own address, answers by central.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from yarl import URL

from tapledger.errors import Denied, Invalid, NotFound, Unavailable
from tapledger.sync.client import ANSWER_DEADLINE_S, central_address
from tapledger.sync.transport import Received, Transport
from tapledger.wire.messages import MAX_WAIT_S

ROUTES = re.compile(
    r"GET /v1/(?:feed|log/(?:checkpoint|consistency|inclusion)|nodes/[0-9a-z]{1,16}/(?:events|standing))"
    r"|POST /v1/nodes/[0-9a-z]{1,16}/(?:events|leases|telemetry|erasures)"
)
"""What is handed on. Enrolment is not: keys travel there, so it is done with central itself."""
MAX_ADDRESS = 1000
ASKED = ("content-digest", "signature-input", "signature")
ANSWERED = ("content-type", "tapledger-answer", "retry-after")

Before = Callable[[], Awaitable[None]]


class Relay:
    """``before_events`` is waited for before events of others are handed on: it sends what the hub itself
    gave them, so that central never hears of a spending before it hears of the right to it."""

    def __init__(self, central_url: str, way: Transport, before_events: Before) -> None:
        self._base = central_address(central_url)
        self._way = way
        self._before_events = before_events

    async def answer(
        self, method: str, host: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Received:
        """Return central's answer to a request, with the headers that belong to it.

        Raises ``NotFound`` for what is no question to central, ``Denied`` for one to another central, and
        ``Unavailable`` CENTRAL_UNREACHABLE.
        """
        path = target.partition("?")[0]
        if len(target) > MAX_ADDRESS:
            raise Invalid("MESSAGE_TOO_LARGE", limit=MAX_ADDRESS)
        prefix = self._base.raw_path.rstrip("/")
        if not path.startswith(prefix) or not ROUTES.fullmatch(f"{method} {path[len(prefix) :]}"):
            raise NotFound("ROUTE_UNKNOWN")
        if host.lower() != (self._base.host_port_subcomponent or "").lower():
            raise Denied("HOST_WRONG")
        if method == "POST" and path.endswith("/events"):
            await self._before_events()
        url = URL(f"{self._base.origin()}{target}", encoded=True)
        passed = {name: headers[name] for name in ASKED if name in headers}
        wait_s = MAX_WAIT_S if path.endswith("/feed") else 0
        received = await self._way.exchange(method, url, passed, body, ANSWER_DEADLINE_S + wait_s)
        kept = {name: received.headers[name] for name in ANSWERED if name in received.headers}
        if "content-type" not in kept:
            raise Unavailable("CENTRAL_UNREACHABLE", why="no answer of central's")
        return Received(received.status, kept, received.body)
