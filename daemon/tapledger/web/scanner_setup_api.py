"""What the setup page asks for: ``GET /api/scanner-setup`` the makers of scanners and the probe codes,
``GET /api/scanner-setup/{sheet}`` the codes of one maker. JSON; codes are SVG texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from aiohttp import web

PATH = "/api/scanner-setup"


@dataclass(frozen=True, slots=True)
class SetupSheets:
    """Where the sheets come from (devices/scanner_setup.py)."""

    overview: Callable[[], msgspec.Struct]
    sheet: Callable[[str], msgspec.Struct]
    """Raises ``NotFound`` for an unknown one."""


def routes(setup: SetupSheets) -> list[web.RouteDef]:
    async def overview(_request: web.Request) -> web.Response:
        return _json(setup.overview())

    async def sheet(request: web.Request) -> web.Response:
        return _json(setup.sheet(request.match_info["sheet"]))

    return [web.get(PATH, overview), web.get(PATH + "/{sheet}", sheet)]


def _json(answer: msgspec.Struct) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")
