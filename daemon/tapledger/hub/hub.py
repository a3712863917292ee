"""The hub of a shop: relays its kiosks' questions to central, and gives them of its own leases without it."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import re
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from tapledger.errors import Denied, TapledgerError, Unavailable
from tapledger.hub.guard import Guard
from tapledger.hub.relay import Relay
from tapledger.incoming import headers_of, read_body
from tapledger.membership.sharing import share
from tapledger.membership.shop import Shop
from tapledger.settings import Settings
from tapledger.store import outbox
from tapledger.store.journal import next_hlc
from tapledger.sync import transport
from tapledger.sync.loop import Connect
from tapledger.sync.transport import Received
from tapledger.wire import problems, signing
from tapledger.wire.asking import ShareAsked, Shared
from tapledger.wire.codec import CONTENT_TYPE, check_version, pack, unpack
from tapledger.wire.messages import MAX_BATCH_BYTES
from tapledger.wire.requests import ANSWER_SIGNATURE, MAX_SKEW_S

MAX_AT_ONCE = 64
"""Requests; a kiosk has four at most."""
MAX_BODIES = 8
"""Of them, with a body in memory."""
MAX_SMALL_BYTES = 64 * 1024
IDLE_S = 60.0
SHUTDOWN_S = 2.0
AGAIN_S = 10.0
"""Between two tries to listen: the shop's network may come up after this computer."""
LEASES = re.compile(r"/v1/hubs/([0-9a-z]{1,16})/leases")

log = structlog.get_logger("hub")


class ShopHub:
    """``push`` sends what was recorded here, or raises; ``recorded`` is called when something was."""

    def __init__(
        self,
        shop: Shop,
        settings: Settings,
        push: Callable[[], Awaitable[None]],
        recorded: Callable[[], None] = lambda: None,
        connect: Connect | None = None,
    ) -> None:
        self._connect = connect or functools.partial(transport.http, connections=MAX_AT_ONCE)
        self._shop = shop
        self._settings = settings
        self._push = push
        self._recorded = recorded
        self._guard = Guard(shop)
        self._relay: Relay | None = None
        self._running = 0
        self._bodies = asyncio.Semaphore(MAX_BODIES)
        self.port = 0
        """Where it listens; 0 while it does not."""
        self.on_listening: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Serve until cancelled; return at once where this computer is no hub."""
        if not self._settings.hub.listen:
            return
        async with self._connect() as way:
            self._relay = Relay(self._settings.central.url, way, self._push_what_was_given)
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", self._answer)
            runner = web.AppRunner(
                app,
                access_log=None,
                handler_cancellation=True,
                keepalive_timeout=IDLE_S,
                shutdown_timeout=SHUTDOWN_S,
            )
            await runner.setup()
            try:
                await self._listen(runner)
                await asyncio.Event().wait()
            finally:
                self.port = 0
                await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        host, port = self._settings.hub.place
        while True:
            try:
                await web.TCPSite(runner, host, port).start()
                break
            except OSError as error:
                log.warning("the hub cannot listen", code="PORT_TAKEN", host=host, port=port, why=str(error))
                await asyncio.sleep(AGAIN_S)
        self.port = runner.addresses[0][1]
        self.on_listening()

    # ---- one request --------------------------------------------------------------------------------------
    async def _answer(self, request: web.Request) -> web.Response:
        if self._running >= MAX_AT_ONCE:
            return _response(_refused(Unavailable("CENTRAL_BUSY", retry_after_s=1)))
        self._running += 1
        try:
            found = LEASES.fullmatch(request.raw_path) if request.method == "POST" else None
            if found is not None:
                return _response(await self._give(request, found[1]))
            return _response(await self._hand_on(request))
        except TapledgerError as error:
            log.info("refused", method=request.method, code=error.code)
            return _response(_refused(error))
        except Exception as error:
            log.exception("a fault of ours", method=request.method)
            return _response(_refused(Unavailable("CENTRAL_FAULT", why=type(error).__name__)))
        finally:
            self._running -= 1

    async def _hand_on(self, request: web.Request) -> Received:
        assert self._relay is not None
        asked = (
            request.method,
            request.host,
            request.raw_path,
            {name.lower(): value for name, value in headers_of(request).items()},
        )
        if not request.can_read_body:
            return await self._relay.answer(*asked, b"")
        async with self._bodies:
            return await self._relay.answer(*asked, await read_body(request, MAX_BATCH_BYTES))

    async def _push_what_was_given(self) -> None:
        """Let central hear what was given before what became of it; a hub that is refused hinders nobody."""
        if not await self._shop.store.transact(outbox.has_given):
            return
        try:
            await self._push()
        except Unavailable:
            raise
        except TapledgerError as error:
            log.warning("central takes nothing of the hub", code=error.code)

    # ---- leases -------------------------------------------------------------------------------------------
    async def _give(self, request: web.Request, hub: str) -> Received:
        """Answer who asks for a part of this computer's leases; signed, whatever it is, for who has proved
        themselves."""
        keyring = self._shop.store.keyring
        if hub != keyring.node:
            raise Denied("NODE_WRONG", node=hub)
        body = await read_body(request, MAX_SMALL_BYTES)
        url = f"http://{request.host}{request.raw_path}"
        node, nonce = await self._guard.admit(request.method, url, headers_of(request), body)
        try:
            status, message = 200, pack(await self._share(node, body))
        except TapledgerError as error:
            log.info("nothing is shared", node=node, code=error.code)
            status, message = problems.status_of(error), pack(problems.refusal(error))
        signature = signing.sign(keyring.signing_key, signing.answer_statement(nonce, status, message)).hex()
        named = {"content-type": CONTENT_TYPE, ANSWER_SIGNATURE.lower(): signature}
        return Received(status, named, message)

    async def _share(self, node: str, body: bytes) -> Shared:
        asked = unpack(body, ShareAsked)
        check_version(asked.v)
        # So that what it is given counts after all that it has: no further ahead than its clock can be.
        latest = next_hlc(0, self._shop.clock.now() + dt.timedelta(seconds=2 * MAX_SKEW_S))
        await self._shop.store.heard(min(asked.hlc, latest))
        recorded = await share(self._shop, node, asked)
        if not recorded.replayed:
            self._recorded()
        return Shared(raw=recorded.raw)


def _refused(error: TapledgerError) -> Received:
    named = {"content-type": CONTENT_TYPE}
    if "retry_after_s" in error.data:
        named["retry-after"] = str(error.data["retry_after_s"])
    return Received(problems.status_of(error), named, pack(problems.refusal(error)))


def _response(received: Received) -> web.Response:
    return web.Response(status=received.status, body=received.body, headers=received.headers)
