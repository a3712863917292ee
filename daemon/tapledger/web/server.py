"""The local web server: guard, pages, live feeds and the intents of each face."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import msgspec
import structlog
from aiohttp import web

from tapledger import assets
from tapledger.errors import Denied, Invalid, NotFound, TapledgerError, Unavailable
from tapledger.web import guard, problems
from tapledger.web.live import LiveFeed

log = structlog.get_logger()

LOOPBACK = "127.0.0.1"
SHUTDOWN_S = 2.0
PAGES = ("kiosk", "till", "display", "console")
LIVE_VERSION = "Live-Version"
NOT_BUILT = "The faces are not built. Run: make ui\n"

B = TypeVar("B")
Intent = Callable[[web.Request], Awaitable[None]]


class Server:
    """Serves the faces on loopback. ``language`` answers in which language a problem is told."""

    def __init__(
        self,
        live: LiveFeed,
        routes: Iterable[web.RouteDef],
        language: Callable[[str], str],
    ) -> None:
        self._live = live
        self._language = language
        self.port = 0
        self._app = web.Application(middlewares=[self._middleware], client_max_size=guard.MAX_BODY_BYTES)
        self._app.router.add_get("/live/{face}", live.serve)
        self._app.add_routes(routes)
        folder = assets.faces_folder()
        for page in PAGES:
            self._app.router.add_get(f"/{page}", _page(page))
        if folder is not None:
            self._app.router.add_static("/assets", folder / "assets")
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=SHUTDOWN_S)

    async def start(self, port: int) -> None:
        """Listen; raise ``Unavailable`` when the port is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, LOOPBACK, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise Unavailable("PORT_TAKEN", port=port) from error
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: guard.Handler) -> web.StreamResponse:
        language = self._language(request.path)
        try:
            guard.check(request, self.port)
            response = await handler(request)
        except TapledgerError as error:
            response = problems.answer(language, error, guard.FOREIGN_STATUS.get(error.code))
            # Frames come by another way: the page must know which of them are older than this answer.
            response.headers[LIVE_VERSION] = str(self._live.version(_face(request.path)))
        except (web.HTTPNotFound, web.HTTPForbidden):  # forbidden: a folder of the pages' files
            response = problems.answer(language, NotFound("PAGE_UNKNOWN"))
        except web.HTTPMethodNotAllowed:
            response = problems.answer(language, Denied("METHOD_FOREIGN"), 405)
        except web.HTTPRequestEntityTooLarge:
            response = problems.answer(language, Invalid("BODY_TOO_LARGE"), 413)
        except web.HTTPBadRequest as error:
            response = problems.answer(language, Invalid("BODY_INVALID", why=str(error.text)))
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("unexpected", path=request.path)
            response = problems.answer(language, Unavailable("UNEXPECTED"), 500)
        if not response.prepared:
            for name, value in guard.HEADERS.items():
                response.headers.setdefault(name, value)
        return response


def _face(path: str) -> str:
    """Return whose intent a path is: "till" of ``/api/till/pay``."""
    return (*path.split("/"), "", "")[2]


def _page(name: str) -> guard.Handler:
    async def serve(_request: web.Request) -> web.StreamResponse:
        folder = assets.faces_folder()
        if folder is None:
            return web.Response(status=503, text=NOT_BUILT)
        return web.FileResponse(folder / f"{name}.html")

    return serve


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an intent that says all by its name."""


class LanguageBody(msgspec.Struct, forbid_unknown_fields=True):
    language: str


async def read_body(request: web.Request, kind: type[B]) -> B:
    """Read a JSON body as a strict struct; raise ``Invalid`` that says what is wrong with it."""
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("BODY_INVALID", why=str(error)) from error


def intent(path: str, act: Intent) -> web.RouteDef:
    """Return the POST route of an intent; what it changes arrives by the live feed."""

    async def handle(request: web.Request) -> web.StreamResponse:
        await act(request)
        return web.json_response({})

    return web.post(path, handle)
