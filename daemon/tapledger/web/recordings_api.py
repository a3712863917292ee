"""A technician records a device: begin it, do what goes wrong, and take the file home."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from tapledger.web.server import Nothing, read_body

CONTENT_TYPE = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Tapes:
    """What the page may ask of the recordings."""

    start: Callable[[str], None]
    stop: Callable[[str], bytes]


def routes(tapes: Tapes) -> list[web.RouteDef]:
    async def start(request: web.Request) -> web.StreamResponse:
        await read_body(request, Nothing)
        tapes.start(request.match_info["role"])
        return web.json_response({})

    async def stop(request: web.Request) -> web.StreamResponse:
        await read_body(request, Nothing)
        role = request.match_info["role"]
        named = {"Content-Disposition": f'attachment; filename="{role}.jsonl"'}
        return web.Response(body=tapes.stop(role), content_type=CONTENT_TYPE, headers=named)

    return [
        web.post("/api/devices/{role}/record", start),
        web.post("/api/devices/{role}/recorded", stop),
    ]
