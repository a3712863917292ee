"""What stands before every route: host, size, load, and the signature that says which node asks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from tapledger.clock import Clock
from tapledger.errors import Denied, Invalid, TapledgerError, Unavailable
from tapledger.wire import problems, signing
from tapledger.wire.codec import CONTENT_TYPE, pack
from tapledger.wire.messages import MAX_BATCH_BYTES
from tapledger.wire.requests import ClockOff, Signed, verify_request
from tapledger_central.keys import CentralKeys
from tapledger_central.store import Database, Transaction, nodes
from tapledger_central.store.nodes import Node

MAX_ENROL_BYTES = 4096
MAX_IN_FLIGHT = 256
BODY_DEADLINE_S = 20.0

_log = structlog.get_logger("central")


class Guard:
    """Admits requests. ``origins`` are the addresses by which shops reach this central."""

    def __init__(self, store: Database, keys: CentralKeys, clock: Clock, origins: Sequence[str]) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._origins = {_authority(URL(origin)): origin for origin in origins}
        self._in_flight = 0

    def middleware(self) -> Middleware:
        """Return the middleware that turns every error into a packed ``Refusal``."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                self.origin(request)
                return await self._counted(request, handler)
            except TapledgerError as error:
                return _refuse(request, error)
            except web.HTTPException as error:
                return _refuse_http(request, error)

        return guarded

    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._in_flight >= MAX_IN_FLIGHT:
            raise Unavailable("CENTRAL_BUSY")
        self._in_flight += 1
        try:
            return await handler(request)
        finally:
            self._in_flight -= 1

    def origin(self, request: web.Request) -> str:
        """Return by which of our addresses the request came; raise ``Denied`` for any other."""
        origin = self._origins.get(request.host.lower())
        if origin is None:
            raise Denied("HOST_WRONG")
        return origin

    async def admit(self, request: web.Request, body: bytes) -> Node:
        """Return the node that signed a request, and remember its nonce; raise ``Denied`` otherwise.

        A wrong clock is refused with central's signed time, so that the node can ask once more (R22).
        """
        now = self._clock.now()
        url = self.origin(request) + request.raw_path
        headers = {name: ", ".join(request.headers.getall(name)) for name in request.headers}

        def check(tx: Transaction) -> Node:
            def find_key(name: str) -> bytes | None:
                node = nodes.find(tx, name)
                return None if node is None else node.public_key

            signed = verify_request(request.method, url, headers, body, find_key, now)
            return _once(tx, signed, int(now.timestamp() * 1000))

        try:
            return await self._store.transact(check)
        except ClockOff as error:
            server_ms = int(now.timestamp() * 1000)
            proof = signing.sign(self._keys.signing_key, signing.time_statement(error.nonce, server_ms))
            raise Denied("CLOCK_OFF", server_ms=server_ms, proof=proof.hex()) from error


def _once(tx: Transaction, signed: Signed, now_ms: int) -> Node:
    node = nodes.find(tx, signed.node)
    if node is None:
        raise Denied("NODE_UNKNOWN")
    if not nodes.take_nonce(tx, signed.node, signed.nonce, int(signed.expires.timestamp() * 1000), now_ms):
        raise Denied("REQUEST_REPLAYED")
    return node


async def read_body(request: web.Request, limit: int = MAX_BATCH_BYTES) -> bytes:
    """Return a request's body; raise ``Invalid`` when it is too large, ``Unavailable`` when too slow."""
    if (request.content_length or 0) > limit:
        raise Invalid("MESSAGE_TOO_LARGE", limit=limit)
    if request.headers.get("Content-Encoding"):
        raise Invalid("MESSAGE_UNREADABLE", why="Content-Encoding is not used here")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            async for chunk in request.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > limit:
                    raise Invalid("MESSAGE_TOO_LARGE", limit=limit)
    except TimeoutError as error:
        raise Unavailable("BODY_TOO_SLOW") from error
    return bytes(body)


def _authority(url: URL) -> str:
    return (url.host_port_subcomponent or "").lower()


def _refuse(request: web.Request, error: TapledgerError) -> web.Response:
    _log.info("refused", method=request.method, path=request.path, code=error.code)
    return web.Response(
        status=problems.status_of(error), body=pack(problems.refusal(error)), content_type=CONTENT_TYPE
    )


def _refuse_http(request: web.Request, error: web.HTTPException) -> web.Response:
    """Answer what aiohttp refuses (no such route or method) in our shape."""
    code = "METHOD_WRONG" if error.status == 405 else "ROUTE_UNKNOWN"
    answer = _refuse(request, Invalid(code))
    answer.set_status(error.status)
    return answer
