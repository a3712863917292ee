"""Central behind aiohttp: every request becomes a question to the tenant whose address it was sent to."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable, Sequence

from aiohttp import web

from tapledger.errors import Denied, Unavailable
from tapledger.incoming import headers_of, read_body
from tapledger.wire.messages import MAX_BATCH_BYTES
from tapledger_central.web.asking import Answered, Asked
from tapledger_central.web.handlers import Handlers, refused

IDLE_S = 60.0
"""A connection on which no request comes, or the head of one does not end, is closed after so long; shops let
go of theirs after 15 s."""
LINGER_S = 2.0
"""How long it is listened to the rest of a body that was refused."""


Observe = Callable[[Asked, Answered, float], None]
"""Is told each request, its answer, and how many seconds were between them."""


def build_app(tenants: Sequence[Handlers], observe: Observe | None = None) -> web.Application:
    """Return the web application that asks the tenant of each request's host."""
    by_host = {host: handlers for handlers in tenants for host in handlers.hosts}

    async def answer(request: web.Request) -> web.Response:
        begun_s, asked = asyncio.get_running_loop().time(), _asked(request)
        handlers = by_host.get(asked.host.lower())
        answered = refused(Denied("HOST_WRONG")) if handlers is None else await handlers.answer(asked)
        if observe is not None:
            observe(asked, answered, asyncio.get_running_loop().time() - begun_s)
        return _response(answered)

    patience = {"keepalive_timeout": IDLE_S, "lingering_time": LINGER_S}
    app = web.Application(client_max_size=MAX_BATCH_BYTES, handler_args=patience)
    app.router.add_route("*", "/{path:.*}", answer)
    return app


def listen(host: str, port: int) -> socket.socket:
    """Take a port; raise ``Unavailable`` PORT_TAKEN."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable("PORT_TAKEN", host=host, port=port) from error
    return listener


def _asked(request: web.Request) -> Asked:
    read = functools.partial(read_body, request)
    return Asked(request.method, request.host, request.raw_path, headers_of(request), read)


def _response(answered: Answered) -> web.Response:
    return web.Response(
        status=answered.status,
        body=answered.body,
        content_type=answered.content_type,
        headers=answered.headers,
    )
