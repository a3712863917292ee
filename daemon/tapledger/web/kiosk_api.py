"""The kiosk's intents. There is no state here: each calls one method of the face."""

from __future__ import annotations

import msgspec
from aiohttp import web

from tapledger.web.kiosk import KioskFace
from tapledger.web.server import intent, read_body


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class RewardBody(msgspec.Struct, forbid_unknown_fields=True):
    reward: str


class LanguageBody(msgspec.Struct, forbid_unknown_fields=True):
    language: str


def routes(kiosk: KioskFace) -> list[web.RouteDef]:
    async def rewards(request: web.Request) -> None:
        await read_body(request, Nothing)
        await kiosk.rewards()

    async def coupons(request: web.Request) -> None:
        await read_body(request, Nothing)
        await kiosk.coupons()

    async def history(request: web.Request) -> None:
        await read_body(request, Nothing)
        await kiosk.history()

    async def choose(request: web.Request) -> None:
        await kiosk.choose((await read_body(request, RewardBody)).reward)

    async def confirm(request: web.Request) -> None:
        await kiosk.confirm((await read_body(request, RewardBody)).reward)

    async def back(request: web.Request) -> None:
        await read_body(request, Nothing)
        await kiosk.back()

    async def stay(request: web.Request) -> None:
        await read_body(request, Nothing)
        await kiosk.stay()

    async def finish(request: web.Request) -> None:
        await read_body(request, Nothing)
        await kiosk.finish()

    async def language(request: web.Request) -> None:
        await kiosk.set_language((await read_body(request, LanguageBody)).language)

    return [
        intent("/api/kiosk/rewards", rewards),
        intent("/api/kiosk/coupons", coupons),
        intent("/api/kiosk/history", history),
        intent("/api/kiosk/choose", choose),
        intent("/api/kiosk/confirm", confirm),
        intent("/api/kiosk/back", back),
        intent("/api/kiosk/stay", stay),
        intent("/api/kiosk/finish", finish),
        intent("/api/kiosk/language", language),
    ]
