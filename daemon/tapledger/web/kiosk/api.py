"""The kiosk's intents: each is an act of one page, or of the session itself. There is no state here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from tapledger.errors import Conflict
from tapledger.web.kiosk import comfort
from tapledger.web.kiosk.face import KioskFace
from tapledger.web.kiosk.here import Act, Here
from tapledger.web.kiosk.pages import (
    activities,
    balance,
    helping,
    joining,
    looking,
    opinion,
    proving,
    questions,
    redeeming,
    staff,
    wheel,
)
from tapledger.web.kiosk.pages.balance import BalancePage
from tapledger.web.server import LanguageBody, Nothing, intent, read_body


class Words(msgspec.Struct, forbid_unknown_fields=True):
    text: str


async def back(here: Here, body: Nothing) -> None:
    """Go back where one came from: a page says so, else to the balance, else out."""
    before = here.page.before(here)
    if before is not None:
        here.turn(before)
    elif here.session is not None and here.session.greeting is not None:
        here.turn(BalancePage())
    else:
        here.leave()
        here.turn(here.first())


async def stay(here: Here, body: Nothing) -> None:
    """Somebody is still here."""
    if here.session is None:
        raise Conflict("SESSION_OVER")


ACTS: tuple[Act, ...] = (
    Act("back", Nothing, back, of="session"),
    Act("stay", Nothing, stay, of="session"),
    Act("remember", comfort.Remember, comfort.remember),
    *(act for page in (
        activities, balance, helping, joining, looking, opinion, proving, questions, redeeming, staff, wheel,
    ) for act in page.ACTS),
)  # fmt: skip


Speak = Callable[[str, str], Awaitable[None]]
"""Says a text in a language aloud."""


def routes(kiosk: KioskFace, say: Speak) -> list[web.RouteDef]:
    async def finish(request: web.Request) -> None:
        await read_body(request, Nothing)
        await kiosk.finish()

    async def language(request: web.Request) -> None:
        await kiosk.set_language((await read_body(request, LanguageBody)).language)

    async def ease(request: web.Request) -> None:
        await kiosk.set_comfort(await read_body(request, comfort.Change))

    async def speak(request: web.Request) -> None:
        await say((await read_body(request, Words)).text, kiosk.language)

    return [
        *(_route(kiosk, act) for act in ACTS),
        intent("/api/kiosk/finish", finish),
        intent("/api/kiosk/language", language),
        intent("/api/kiosk/comfort", ease),
        intent("/api/kiosk/speak", speak),
    ]


def _route(kiosk: KioskFace, act: Act) -> web.RouteDef:
    async def handle(request: web.Request) -> None:
        await kiosk.act(act, await read_body(request, act.body))

    return intent(f"/api/kiosk/{act.name}", handle)
