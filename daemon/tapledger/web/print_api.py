"""The technician's intents about slips and paper; the till has its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from tapledger.membership import slips
from tapledger.membership.shop import Shop
from tapledger.web.print_views import TECHNICIAN
from tapledger.web.server import Nothing, intent, read_body
from tapledger.web.till_api import CameOutBody, SlipBody


@dataclass(frozen=True, slots=True)
class PrinterAtHand:
    """What the technician may ask of the receipt printer itself."""

    print_status: Callable[[], Awaitable[None]]
    roll_changed: Callable[[], Awaitable[None]]


def routes(shop: Shop, printer: PrinterAtHand, acted: Callable[[str], None]) -> list[web.RouteDef]:
    """``acted`` is told of every slip that has another fate than before, empty for none in particular."""

    async def came_out(request: web.Request) -> None:
        body = await read_body(request, CameOutBody)
        await slips.came_out(shop, body.job, body.yes, TECHNICIAN)
        acted(body.job)

    async def again(request: web.Request) -> None:
        body = await read_body(request, SlipBody)
        await slips.print_again(shop, body.job, TECHNICIAN)
        acted(body.job)

    async def status(request: web.Request) -> None:
        await read_body(request, Nothing)
        await printer.print_status()
        acted("")

    async def roll_changed(request: web.Request) -> None:
        await read_body(request, Nothing)
        await printer.roll_changed()
        acted("")

    return [
        intent("/api/console/slip-came-out", came_out),
        intent("/api/console/slip-again", again),
        intent("/api/console/print-status", status),
        intent("/api/console/roll-changed", roll_changed),
    ]
