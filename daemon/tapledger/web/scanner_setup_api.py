"""What the setup page asks for: ``GET /api/scanner-setup`` the makers of scanners and the probe codes,
``GET /api/scanner-setup/{sheet}`` the codes of one maker, ``POST /api/scanner-setup/judge`` what is wrong
with a scanner that read a probe code so. JSON; codes are SVG texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec
from aiohttp import web

from tapledger.web.device_snapshots import HealthView
from tapledger.web.server import read_body

PATH = "/api/scanner-setup"


class ProbeRead(msgspec.Struct, forbid_unknown_fields=True):
    """What a scanner made of a probe code, as its event told it to the page."""

    probe: Literal["linear", "matrix"]
    text: str
    aim_id: str
    encoding: str


@dataclass(frozen=True, slots=True)
class SetupSheets:
    """Where the sheets come from (devices/scanner_setup.py)."""

    overview: Callable[[], msgspec.Struct]
    sheet: Callable[[str], msgspec.Struct]
    """Raises ``NotFound`` for an unknown one."""
    judge: Callable[[ProbeRead], HealthView]


def routes(setup: SetupSheets) -> list[web.RouteDef]:
    async def overview(_request: web.Request) -> web.Response:
        return _json(setup.overview())

    async def sheet(request: web.Request) -> web.Response:
        return _json(setup.sheet(request.match_info["sheet"]))

    async def judge(request: web.Request) -> web.Response:
        return _json(setup.judge(await read_body(request, ProbeRead)))

    return [
        web.get(PATH, overview),
        web.get(PATH + "/{sheet}", sheet),
        web.post(f"{PATH}/judge", judge),
    ]


def _json(answer: msgspec.Struct) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")
