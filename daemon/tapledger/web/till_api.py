"""The till's intents, and the session cookie of whoever is signed in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from aiohttp import web

from tapledger.errors import Denied, Invalid
from tapledger.identifiers import Randomness
from tapledger.membership import slips
from tapledger.membership.desk.asking import milli
from tapledger.membership.sign_in import same_secret
from tapledger.web.server import LanguageBody, Nothing, intent, read_body
from tapledger.web.till import TillFace

COOKIE = "tapledger_till"
TOKEN_BYTES = 32
SHIFT_S = 12 * 3600
RETURNED = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,3})?")
"""How much of a line comes back; what is weighed has decimals."""


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    staff: str
    pin: str


class SetUp(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    name: str
    pin: str


class Enter(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class Number(msgspec.Struct, forbid_unknown_fields=True):
    number: int


class Counted(msgspec.Struct, forbid_unknown_fields=True):
    amount_minor: int


class DayCounted(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    """Of the day that is closed: the page's, so that two touches close one."""
    amount_minor: int


class Quantity(msgspec.Struct, forbid_unknown_fields=True):
    sku: str
    quantity: str


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """One more or one less than there is when it arrives: quick keys never count on from an old screen."""

    sku: str
    by: Literal[1, -1]


class ReturnedQuantity(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    quantity: str


class ReturnStep(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    by: Literal[1, -1]


class Pay(msgspec.Struct, forbid_unknown_fields=True):
    tender: str
    received_minor: int | None = None


class Points(msgspec.Struct, forbid_unknown_fields=True):
    points: int | None = None
    """Null is all that can be used."""


class PhoneTail(msgspec.Struct, forbid_unknown_fields=True):
    tail: str


class Amount(msgspec.Struct, forbid_unknown_fields=True):
    amount_minor: int | None = None
    """Null is as much as the basket needs."""


class TopUpAmount(msgspec.Struct, forbid_unknown_fields=True):
    amount_minor: int


class ReturnReason(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays as it is: two keys pressed at once do not undo each other."""

    reason: str | None = None
    shop_fault: bool | None = None


class ReturnConfirm(msgspec.Struct, forbid_unknown_fields=True):
    refund_minor: int | None = None
    """What is on the screen."""


class Switch(msgspec.Struct, forbid_unknown_fields=True):
    on: bool


class SlipBody(msgspec.Struct, forbid_unknown_fields=True):
    job: str


class CameOutBody(msgspec.Struct, forbid_unknown_fields=True):
    job: str
    yes: bool


class JoinBody(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class TillApi:
    """One till, one signed-in person, one cookie; signing in again ends the session before."""

    def __init__(self, till: TillFace, randomness: Randomness) -> None:
        self._till = till
        self._randomness = randomness
        self._token = ""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/till/sign-in", self._sign_in),
            web.post("/api/till/set-up", self._set_up),
            web.post("/api/till/sign-out", self._sign_out),
            self._guarded("enter", self._enter),
            self._guarded("choose", self._choose),
            self._guarded("quantity", self._quantity),
            self._guarded("step", self._step),
            self._guarded("coupon", self._coupon),
            self._guarded("points", self._points),
            self._guarded("step-up", self._step_up),
            self._guarded("value", self._value),
            self._guarded("pay", self._pay),
            self._guarded("top-up-amount", self._top_up_amount),
            self._guarded("top-up", self._top_up),
            self._guarded("join", self._join),
            self._guarded("member-off", self._member_off),
            self._guarded("clear", self._clear),
            self._guarded("park", self._park),
            self._guarded("recall", self._recall),
            self._guarded("undo", self._undo),
            *self._shift_routes(),
            intent("/api/till/language", self._language),
            *self._return_routes(),
            self._guarded("slip-came-out", self._slip_came_out),
            self._guarded("slip-again", self._slip_again),
        ]

    def _shift_routes(self) -> list[web.RouteDef]:
        return [
            self._guarded("shift-open", self._shift_open),
            self._guarded("shift-report", self._shift_report),
            self._guarded("shift-close", self._shift_close),
            self._guarded("shift-print", self._shift_print),
            self._guarded("shift-done", self._shift_done),
        ]

    def _return_routes(self) -> list[web.RouteDef]:
        return [
            self._guarded("returns", self._returns),
            self._guarded("return-receipt", self._return_receipt),
            self._guarded("return-line", self._return_line),
            self._guarded("return-step", self._return_step),
            self._guarded("return-all", self._return_all),
            self._guarded("return-void", self._return_void),
            self._guarded("return-reason", self._return_reason),
            self._guarded("return-confirm", self._return_confirm),
            self._guarded("return-close", self._return_close),
        ]

    def _guarded(self, name: str, act: Callable[[web.Request], Awaitable[None]]) -> web.RouteDef:
        async def checked(request: web.Request) -> None:
            if not self._token or not same_secret(request.cookies.get(COOKIE, ""), self._token):
                raise Denied("SIGN_IN_FIRST")
            await act(request)

        return intent(f"/api/till/{name}", checked)

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        body = await read_body(request, SignIn)
        await self._till.sign_in(body.staff, body.pin)
        return self._welcome()

    async def _set_up(self, request: web.Request) -> web.StreamResponse:
        body = await read_body(request, SetUp)
        await self._till.set_up(body.code, body.name, body.pin)
        return self._welcome()

    def _welcome(self) -> web.StreamResponse:
        self._token = self._randomness(TOKEN_BYTES).hex()
        response = web.json_response({})
        response.set_cookie(
            COOKIE, self._token, max_age=SHIFT_S, path="/api/till", httponly=True, samesite="Strict"
        )
        return response

    async def _sign_out(self, request: web.Request) -> web.StreamResponse:
        await read_body(request, Nothing)
        if self._token and same_secret(request.cookies.get(COOKIE, ""), self._token):
            self._token = ""
            await self._till.sign_out()
        response = web.json_response({})
        response.del_cookie(COOKIE, path="/api/till")
        return response

    async def _slip_came_out(self, request: web.Request) -> None:
        body = await read_body(request, CameOutBody)
        await self._till.at_slips(lambda shop, who: slips.came_out(shop, body.job, body.yes, who))

    async def _slip_again(self, request: web.Request) -> None:
        body = await read_body(request, SlipBody)
        await self._till.at_slips(lambda shop, who: slips.print_again(shop, body.job, who))

    async def _enter(self, request: web.Request) -> None:
        await self._till.enter((await read_body(request, Enter)).text)

    async def _choose(self, request: web.Request) -> None:
        await self._till.choose((await read_body(request, Number)).number)

    async def _quantity(self, request: web.Request) -> None:
        body = await read_body(request, Quantity)
        if not body.quantity.isascii() or not body.quantity.isdigit() or len(body.quantity) > 5:
            raise Invalid("QUANTITY_IMPOSSIBLE", sku=body.sku)
        await self._till.set_quantity(body.sku, int(body.quantity))

    async def _step(self, request: web.Request) -> None:
        body = await read_body(request, Step)
        await self._till.step(body.sku, body.by)

    async def _pay(self, request: web.Request) -> None:
        body = await read_body(request, Pay)
        await self._till.pay(body.tender, body.received_minor)

    async def _coupon(self, request: web.Request) -> None:
        await self._till.coupon((await read_body(request, Number)).number)

    async def _points(self, request: web.Request) -> None:
        await self._till.points((await read_body(request, Points)).points)

    async def _step_up(self, request: web.Request) -> None:
        await self._till.step_up((await read_body(request, PhoneTail)).tail)

    async def _value(self, request: web.Request) -> None:
        await self._till.value((await read_body(request, Amount)).amount_minor)

    async def _top_up_amount(self, request: web.Request) -> None:
        await self._till.ask_top_up((await read_body(request, TopUpAmount)).amount_minor)

    async def _top_up(self, request: web.Request) -> None:
        body = await read_body(request, Pay)
        await self._till.top_up(body.tender, body.received_minor)

    async def _join(self, request: web.Request) -> None:
        await self._till.join((await read_body(request, JoinBody)).name)

    async def _member_off(self, request: web.Request) -> None:
        await read_body(request, Nothing)
        await self._till.member_off()

    async def _clear(self, request: web.Request) -> None:
        await read_body(request, Nothing)
        await self._till.clear()

    async def _park(self, request: web.Request) -> None:
        await read_body(request, Nothing)
        await self._till.park()

    async def _recall(self, request: web.Request) -> None:
        await self._till.recall((await read_body(request, Number)).number)

    async def _undo(self, request: web.Request) -> None:
        await read_body(request, Nothing)
        await self._till.undo()

    async def _shift_open(self, request: web.Request) -> None:
        amount = (await read_body(request, Counted)).amount_minor
        await self._till.at_shift(lambda desk, person: desk.open(person, amount))

    async def _shift_report(self, request: web.Request) -> None:
        await read_body(request, Nothing)
        await self._till.at_shift(lambda desk, _: desk.x_report())

    async def _shift_close(self, request: web.Request) -> None:
        body = await read_body(request, DayCounted)
        await self._till.at_shift(lambda desk, person: desk.close(body.number, person, body.amount_minor))

    async def _shift_print(self, request: web.Request) -> None:
        await read_body(request, Nothing)
        language = self._till.language
        await self._till.at_shift(lambda desk, person: desk.print(person, language))

    async def _shift_done(self, request: web.Request) -> None:
        await read_body(request, Nothing)
        await self._till.at_shift(lambda desk, _: desk.done())

    async def _language(self, request: web.Request) -> None:
        await self._till.set_language((await read_body(request, LanguageBody)).language)

    async def _returns(self, request: web.Request) -> None:
        await read_body(request, Nothing)
        await self._till.at_return_desk(lambda desk, _: desk.show_recent())

    async def _return_receipt(self, request: web.Request) -> None:
        number = (await read_body(request, Number)).number
        await self._till.at_return_desk(lambda desk, _: desk.open_number(number))

    async def _return_line(self, request: web.Request) -> None:
        body = await read_body(request, ReturnedQuantity)
        if RETURNED.fullmatch(body.quantity) is None:
            raise Invalid("QUANTITY_IMPOSSIBLE", sku=str(body.number))
        quantity = milli(body.quantity)
        await self._till.at_return_desk(lambda desk, person: desk.take(body.number, quantity, person))

    async def _return_step(self, request: web.Request) -> None:
        body = await read_body(request, ReturnStep)
        await self._till.at_return_desk(lambda desk, person: desk.step(body.number, body.by, person))

    async def _return_all(self, request: web.Request) -> None:
        await read_body(request, Nothing)
        await self._till.at_return_desk(lambda desk, person: desk.take_all(person))

    async def _return_void(self, request: web.Request) -> None:
        on = (await read_body(request, Switch)).on
        await self._till.at_return_desk(lambda desk, person: desk.set_void(person, on=on))

    async def _return_reason(self, request: web.Request) -> None:
        body = await read_body(request, ReturnReason)
        await self._till.at_return_desk(
            lambda desk, person: desk.set_reason(body.reason, person, shop_fault=body.shop_fault)
        )

    async def _return_confirm(self, request: web.Request) -> None:
        body = await read_body(request, ReturnConfirm)
        await self._till.return_confirm(body.refund_minor)

    async def _return_close(self, request: web.Request) -> None:
        await read_body(request, Nothing)
        await self._till.return_close()
