"""What a technician's page asks of the devices: look closer, check, claim for a test, acknowledge.

A page names itself by a ``session`` that it makes up when it is loaded and keeps to itself. It connects to
its live feed with the same name: when that ends, all it had claimed is free.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import msgspec
from aiohttp import web

from tapledger.errors import Invalid
from tapledger.web.device_snapshots import (
    ClaimView,
    DeviceDetails,
    DeviceEventView,
    HealthView,
)
from tapledger.web.server import Nothing, intent, read_body

PATH = "/api/devices"
Level = Literal["internal", "external", "interactive"]
Change = Literal["claim", "take-over", "override", "refuse", "release"]
CHANGES: tuple[Change, ...] = ("claim", "take-over", "override", "refuse", "release")
METRICS_TYPE = "text/plain; version=0.0.4"


class SessionBody(msgspec.Struct, forbid_unknown_fields=True):
    session: str


class LevelBody(msgspec.Struct, forbid_unknown_fields=True):
    level: Level


class EnabledBody(msgspec.Struct, forbid_unknown_fields=True):
    enabled: bool


class RepairBody(msgspec.Struct, forbid_unknown_fields=True):
    id: str


@dataclass(frozen=True, slots=True)
class Workshop:
    """What the page may ask of the devices."""

    details: Callable[[str], Awaitable[DeviceDetails]]
    events: Callable[[int, str], Awaitable[list[DeviceEventView]]]
    """After a number; with the session whose own tests are shown whole."""
    check: Callable[[str, Level], Awaitable[HealthView]]
    change: Callable[[Change, str, str], ClaimView | None]
    """What a session does with the claim of a role."""
    enable: Callable[[str, bool], None]
    reopen: Callable[[str], None]
    acknowledge: Callable[[str], None]
    metrics: Callable[[], str]


def routes(workshop: Workshop) -> list[web.RouteDef]:
    async def details(request: web.Request) -> web.StreamResponse:
        return _json(await workshop.details(_role(request)))

    async def events(request: web.Request) -> web.StreamResponse:
        try:
            since = int(request.query.get("since", "0"))
        except ValueError as error:
            raise Invalid("BODY_INVALID", why=str(error)) from error
        session = request.query.get("session", "")
        return _json(await workshop.events(min(max(since, 0), 2**62), session))

    async def check(request: web.Request) -> web.StreamResponse:
        body = await read_body(request, LevelBody)
        return _json(await workshop.check(_role(request), body.level))

    def changing(change: Change) -> web.RouteDef:
        async def act(request: web.Request) -> web.StreamResponse:
            body = await read_body(request, SessionBody)
            return _json(workshop.change(change, _role(request), body.session) or {})

        return web.post(f"{PATH}/{{role}}/{change}", act)

    async def enable(request: web.Request) -> None:
        workshop.enable(_role(request), (await read_body(request, EnabledBody)).enabled)

    async def reopen(request: web.Request) -> None:
        await read_body(request, Nothing)
        workshop.reopen(_role(request))

    async def acknowledge(request: web.Request) -> None:
        workshop.acknowledge((await read_body(request, RepairBody)).id)

    async def metrics(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=workshop.metrics(), headers={"Content-Type": METRICS_TYPE})

    return [
        web.get(f"{PATH}/events", events),
        web.get(f"{PATH}/{{role}}", details),
        web.post(f"{PATH}/{{role}}/health", check),
        *(changing(change) for change in CHANGES),
        intent(f"{PATH}/{{role}}/enable", enable),
        intent(f"{PATH}/{{role}}/reopen", reopen),
        intent("/api/console/acknowledge", acknowledge),
        web.get("/metrics", metrics),
    ]


def _role(request: web.Request) -> str:
    return request.match_info["role"]


def _json(body: object) -> web.Response:
    return web.json_response(body=msgspec.json.encode(body))
