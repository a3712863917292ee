"""A shop whose desk can be asked for everything, and one story for each of its commands.

A conftest takes the fixture with ``from tests.web.desk import desk as desk``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tapledger.errors import Refused
from tapledger.loyalty import program as programs
from tapledger.loyalty.sales import catalogue
from tapledger.membership import cards, sign_in
from tests.store.shops import CATALOGUE, EARPHONES, PROGRAM, TOWEL, card
from tests.web.faces import PIN, Faces

BOTTLE = "6900000000001"
PHONE = "13800001111"
WECHAT = {"tender": "mobile", "amount_minor": 1200}
MORE = tomllib.loads((Path(__file__).parent / "desk_program.toml").read_text(encoding="utf-8"))
BASE = PROGRAM["tiers"][0] | {"benefits": ["lounge"]}
GOLD = PROGRAM["tiers"][0] | {"id": "gold", "from_spend_minor": 10_000_000}
TABLE: dict[str, Any] = PROGRAM | MORE
TABLE |= {"tiers": [BASE, GOLD], "rewards": [*PROGRAM["rewards"], *MORE["rewards"]]}


class Desk:
    """The faces, a member with 299 points, and somebody signed in at the desk."""

    def __init__(self, faces: Faces, member: str) -> None:
        self.faces, self.member = faces, member
        self.bench = faces.bench

    async def sign_in(self, staff: str) -> None:
        status, _ = await self.faces.post("/api/desk/sign-in", staff=staff, pin=PIN)
        assert status == 200

    async def post(self, command: str, **body: object) -> tuple[int, dict[str, Any]]:
        return await self.faces.post(f"/api/desk/{command}", **body)

    async def give(self, command: str, **body: object) -> dict[str, Any]:
        status, answer = await self.post(command, **body)
        assert status == 200, answer
        return answer

    async def values(self, command: str, **body: object) -> dict[str, Any]:
        found: dict[str, Any] = (await self.give(command, **body))["values"]
        return found

    async def show(self) -> dict[str, Any]:
        return await self.values("show", member=self.member)

    def tables(self) -> dict[str, list[Any]]:
        """Return all that is stored, but for how far the print loop has got."""
        stored: dict[str, list[Any]] = {**self.bench.tables()}
        stored["print_job"] = [row[0] for row in stored["print_job"]]
        return stored

    async def sold(self, member: str | None = None) -> str:
        return (await self.bench.buy(member, TOWEL, 2)).receipt


@pytest.fixture
async def desk(faces: Faces) -> Desk:
    shop = faces.bench.shop
    shop.program = programs.load(TABLE)
    lines = [*CATALOGUE.splitlines(), f"{BOTTLE},瓶,Bottle,0.50,0.00,bottle,deposit"]
    shop.catalogue = catalogue.read(lines, "CNY")
    await sign_in.add_person(shop, "m-1", "Manager", "manager", PIN)
    member = await faces.bench.join("Ann", card("a"), phone=PHONE)
    await faces.bench.buy(member, EARPHONES)
    made = Desk(faces, member)
    await made.sign_in("m-1")
    return made


# ---- every command ---------------------------------------------------------------------------------------
Body = dict[str, Any]
Story = Callable[[Desk], Awaitable[tuple[Body, Body]]]
"""Brings a shop to where a command makes sense; returns what it is asked, and some of what it answers."""
STORIES: dict[str, Story] = {}


def story(name: str) -> Callable[[Story], Story]:
    def keep(tell: Story) -> Story:
        STORIES[name] = tell
        return tell

    return keep


def plain(command: str, answers: Body | None = None, /, **asks: Any) -> None:
    """A command of the member that needs nothing before it; the member is named by phone."""

    async def tell(desk: Desk) -> tuple[Body, Body]:
        return {"member": PHONE} | asks, answers or {}

    STORIES[command] = tell


plain("show", {"name": "A**", "points": 299, "status": "active", "tier": "base"})
plain("history")
plain("coupons", {"usable": [], "expired": []})
plain("may-message", {"may": False}, purpose="marketing_sms")
plain("export", {"shop": "Tea Hill"})
plain("link-card", number="2900000000001", kind="barcode")
plain("profile", phone="13900002222", name="Ann Li")
plain("birthday", on="02-29")
plain("preferences", chosen=["tea"])
plain("consent", purpose="marketing_sms", agrees=True, text_version="1")
plain("erase")
plain("freeze", why="asked")
plain("cancel")
plain("grant", points=-99, why="mistake")
plain("tier", tier="gold", why="goodwill", locked_until="2026-12-31T00:00:00")
plain("limit-card", card="a", limit_minor=5000)
plain("block-card", card="a")
plain("issue-coupon", coupon="five")
plain("claim-code", code="spring")
plain("answer-survey", survey="taste", answers=[2])
plain("approve-share", share="story", what="s-77")
plain("replace-card", card="a", new="b")
plain("share-uid", uid="04a1b2c3")
plain("virtual-card")
plain("set-pin", pin="135792")
plain("top-up", amount_minor=10_000)
plain("partner-send", partner="mall", theirs="ann", points=31)
plain("partner-take", partner="mall", theirs="x-1", points=20)


@story("join")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"name": "Bo", "phone": "13700003333", "code": "2900000000002", "birthday": "1990-05-04"}, {}


@story("hire")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"staff": "s-9", "name": "Nine", "pin": "1357"}, {"role": "cashier"}


@story("staff-card")
async def _(desk: Desk) -> tuple[Body, Body]:
    await desk.give("hire", staff="s-9", name="Nine", pin="1357")
    return {"person": "s-9", "card": "04b1b2c3d4e5f6"}, {}


@story("referrer")
async def _(desk: Desk) -> tuple[Body, Body]:
    desk.bench.clock.move(60)
    return {"member": await desk.bench.join("Cy"), "referrer": PHONE}, {}


@story("unfreeze")
async def _(desk: Desk) -> tuple[Body, Body]:
    await desk.give("freeze", member=PHONE)
    return {"member": PHONE}, {}


@story("restore")
async def _(desk: Desk) -> tuple[Body, Body]:
    await desk.give("cancel", member=PHONE)
    return {"member": PHONE}, {}


@story("merge")
async def _(desk: Desk) -> tuple[Body, Body]:
    await desk.bench.join("Ann again", phone="13600004444")
    return {"member": "13600004444", "into": PHONE}, {}


@story("unmerge")
async def _(desk: Desk) -> tuple[Body, Body]:
    old = await desk.bench.join("Ann again", phone="13600004444")
    await desk.give("merge", member=old, into=PHONE)
    return {"member": old}, {}


@story("unblock-card")
async def _(desk: Desk) -> tuple[Body, Body]:
    await desk.give("block-card", member=PHONE, card="a", why="stolen")
    return {"member": PHONE, "card": "a"}, {}


@story("alarms")
async def _(desk: Desk) -> tuple[Body, Body]:
    await cards.ring(desk.bench.shop, card("a"), Refused("CARD_BLOCKED"))
    return {}, {}


@story("void-coupon")
async def _(desk: Desk) -> tuple[Body, Body]:
    (coupon,) = (await desk.values("issue-coupon", member=PHONE, coupon="five"))["coupons"]
    return {"member": PHONE, "coupon": coupon, "why": "mistake"}, {}


@story("print-coupon")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"coupon": "five"}, {}


plain("redeem", reward="tea")


@story("undo-reward")
async def _(desk: Desk) -> tuple[Body, Body]:
    (held,) = (await desk.values("redeem", member=PHONE, reward="tea"))["holds"]
    return {"member": PHONE, "hold": held}, {}


@story("hand-over")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"voucher": (await desk.values("redeem", member=PHONE, reward="tea"))["voucher"]}, {}


@story("check-in")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"shown": PHONE}, {}


@story("rights")
async def _(desk: Desk) -> tuple[Body, Body]:
    lounge = {"right": "lounge", "uses_left": 2, "units_left": None, "until": None, "why_not": None}
    return {"shown": PHONE}, {"rights": [lounge]}


@story("use-right")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"shown": PHONE, "right": "lounge", "place": "door"}, {}


@story("admit")
async def _(desk: Desk) -> tuple[Body, Body]:
    await desk.bench.redeem(desk.member, "show")
    return {"member": PHONE, "event": "show"}, {}


@story("lottery")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"lottery": "wheel"}, {"prizes": [{"prize": "thanks", "odds_bp": 10_000, "left": None}]}


@story("draw")
async def _(desk: Desk) -> tuple[Body, Body]:
    commit = (await desk.values("lottery", lottery="wheel"))["commit"]
    asks = {"member": PHONE, "lottery": "wheel", "commit": commit, "word": "red"}
    return asks, {"prize": "thanks", "given": "thanks"}


@story("reveal")
async def _(desk: Desk) -> tuple[Body, Body]:
    commit = (await desk.values("lottery", lottery="wheel"))["commit"]
    await desk.give("draw", member=PHONE, lottery="wheel", commit=commit, word="red")
    desk.bench.clock.move(40 * 86_400)
    await desk.sign_in("m-1")
    return {"lottery": "wheel"}, {"commit": commit, "wrong": []}


@story("return")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"receipt": await desk.sold(), "lines": [{"line": 1, "quantity": "1"}]}, {
        "paid_out": {"cash": 1200}
    }


@story("void-sale")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"receipt": await desk.sold(desk.member)}, {"paid_out": {"cash": 2400}}


@story("exchange")
async def _(desk: Desk) -> tuple[Body, Body]:
    asks = {
        "receipt": await desk.sold(desk.member),
        "lines": [{"line": 1, "quantity": "2"}],
        "items": [{"sku": EARPHONES}],
        "payments": [{"tender": "cash", "amount_minor": 27_500}],
    }
    return asks, {}


@story("bottles")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"items": [{"sku": BOTTLE, "quantity": "3"}]}, {"paid_out": {"cash": 150}}


@story("late-credit")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"member": PHONE, "receipt": await desk.sold()}, {}


@story("wait-for-payment")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"member": PHONE, "items": [{"sku": TOWEL}], "payments": [WECHAT]}, {}


async def _waits(desk: Desk) -> str:
    kept = await desk.values("wait-for-payment", member=PHONE, items=[{"sku": TOWEL}], payments=[WECHAT])
    return str(kept["sale"])


@story("waiting")
async def _(desk: Desk) -> tuple[Body, Body]:
    await _waits(desk)
    return {}, {}


@story("confirm-sale")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"sale": await _waits(desk)}, {}


@story("give-up-sale")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"sale": await _waits(desk)}, {}


@story("take-back-top-up")
async def _(desk: Desk) -> tuple[Body, Body]:
    made = await desk.give("top-up", member=PHONE, amount_minor=10_000)
    return {"member": PHONE, "top_up": made["key"]}, {"paid_out": {"cash": 10_000}}


@story("close-card")
async def _(desk: Desk) -> tuple[Body, Body]:
    await desk.give("top-up", member=PHONE, amount_minor=10_000)
    return {"member": PHONE}, {"paid_out": {"cash": 10_000}}


@story("partner-settle")
async def _(desk: Desk) -> tuple[Body, Body]:
    sent = await desk.give("partner-send", member=PHONE, partner="mall", theirs="ann", points=31)
    assert sent["values"]["exchange"]["state"] == "open"
    return {"exchange": sent["key"], "credited": False}, {}


@story("partner-taken")
async def _(desk: Desk) -> tuple[Body, Body]:
    await desk.give("partner-take", member=PHONE, partner="mall", theirs="x-1", points=20)
    return {"partner": "mall", "theirs": "x-1"}, {"credited": True}


@story("partner-pay-in")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"partner": "mall", "points": 100}, {}


@story("partner-account")
async def _(desk: Desk) -> tuple[Body, Body]:
    await desk.give("partner-pay-in", partner="mall", points=100)
    return {"partner": "mall"}, {"points": 100, "worth_minor": 500}


@story("explain")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"event": await desk.sold(desk.member)}, {"kind": "sale"}


@story("exposure")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {"offline": 4}, {}


@story("liability")
async def _(desk: Desk) -> tuple[Body, Body]:
    return {}, {"currency": "CNY"}
