"""The desk for programs: sign in, list the commands, give one. Several people may be signed in at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from aiohttp import web

from tapledger.errors import Denied
from tapledger.membership import sign_in
from tapledger.membership.desk import registry
from tapledger.membership.desk.asking import Staff
from tapledger.membership.shop import Shop
from tapledger.membership.sign_in import Throttle
from tapledger.store.staff import Person
from tapledger.web.server import Nothing, read_body
from tapledger.web.till_api import SHIFT_S, TOKEN_BYTES, SignIn

COOKIE = "tapledger_desk"
PATH = "/api/desk"
MAX_SESSIONS = 32
"""The oldest is signed out for one more."""


@dataclass(frozen=True, slots=True)
class Session:
    person: Person
    until_s: float


class DeskApi:
    """``acted`` is called after each command that records; ``language`` answers in which one to speak."""

    def __init__(self, shop: Shop, language: Callable[[], str], acted: Callable[[], None]) -> None:
        self._shop = shop
        self._language = language
        self._acted = acted
        self._throttle = Throttle(shop.clock)
        self._sessions: dict[str, Session] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(PATH, self._list),
            web.post(f"{PATH}/sign-in", self._sign_in),
            web.post(f"{PATH}/sign-out", self._sign_out),
            web.post(f"{PATH}/{{command}}", self._give),
        ]

    async def _list(self, _request: web.Request) -> web.StreamResponse:
        return _json(registry.described())

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        body = await read_body(request, SignIn)
        person = await sign_in.sign_in(self._shop, self._throttle, body.staff, body.pin)
        while len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        token = self._shop.randomness(TOKEN_BYTES).hex()
        self._sessions[token] = Session(person, self._shop.clock.monotonic_s() + SHIFT_S)
        response = _json({"staff": person.id, "role": registry.role_of(person.role)})
        response.set_cookie(COOKIE, token, max_age=SHIFT_S, path=PATH, httponly=True, samesite="Strict")
        return response

    async def _sign_out(self, request: web.Request) -> web.StreamResponse:
        await read_body(request, Nothing)
        self._sessions.pop(request.cookies.get(COOKIE, ""), None)
        response = _json({})
        response.del_cookie(COOKIE, path=PATH)
        return response

    def _signed_in(self, request: web.Request) -> Person:
        session = self._sessions.get(request.cookies.get(COOKIE, ""))
        if session is None or session.until_s <= self._shop.clock.monotonic_s():
            raise Denied("SIGN_IN_FIRST")
        return session.person

    async def _give(self, request: web.Request) -> web.StreamResponse:
        person = self._signed_in(request)
        command = registry.find(request.match_info["command"])
        staff = Staff(person.id, registry.role_of(person.role), self._language(), self._throttle)
        registry.check(command, staff.role)
        asked = registry.read_json(command, await request.read())
        answer = await registry.run(self._shop, command, asked, staff)
        if command.records:
            self._acted()
        return _json(answer)


def _json(body: object) -> web.Response:
    return web.json_response(body=msgspec.json.encode(body))
