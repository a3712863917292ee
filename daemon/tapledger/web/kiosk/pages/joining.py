"""Becoming a member: what it means, then the phone and its code; a card that was tapped is theirs (K11)."""

from __future__ import annotations

from typing import Literal

from tapledger.database import Transaction
from tapledger.errors import Conflict
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.life.consenting import PROGRAMME, Statement
from tapledger.membership import identity, phone_codes, pins, privacy, registration
from tapledger.membership.identity import Presented
from tapledger.membership.registration import Joining
from tapledger.membership.shop import Shop
from tapledger.membership.tap import welcome_member
from tapledger.store import members
from tapledger.web.kiosk.here import Act, Here, Idle, Page
from tapledger.web.kiosk.pages.balance import BalancePage
from tapledger.web.kiosk.pages.front import TroublePage
from tapledger.web.kiosk.pages.proving import Digits
from tapledger.web.kiosk_snapshots import Join, KioskScreen
from tapledger.web.server import Nothing

TERMS = "kiosk-2026-11"
"""Version of the words that the consent page shows; another wording is another version."""


class JoinPage(Page):
    idle: Idle | None = "form"

    def __init__(
        self,
        step: Literal["consent", "phone", "code", "joined"] = "consent",
        card: Presented | None = None,
        phone: str = "",
        given: tuple[Reason, ...] = (),
    ) -> None:
        self.step = step
        self.card = card
        self.phone = phone
        self.given = given

    async def screen(self, here: Here) -> KioskScreen:
        here.visit()
        joined = self.step == "joined"
        return Join(
            step=self.step,
            has_card=self.card is not None,
            phone=identity.masked_phone(self.phone) if self.phone else "",
            digits=phone_codes.DIGITS,
            member=here.member_view() if joined else None,
            points=here.points() if joined else 0,
            given=here.explain(*self.given),
        )

    def before(self, here: Here) -> Page | None:
        match self.step:
            case "code":
                here.codes.drop(self.phone)
                return JoinPage("phone", self.card)
            case "phone":
                return JoinPage("consent", self.card)
        return None


async def begin(here: Here, body: Nothing) -> None:
    """Begin with what it means; nothing is asked before somebody agrees."""
    card = here.page.card if isinstance(here.page, TroublePage) else None
    if here.session is not None and here.session.greeting is not None:
        raise Conflict("ALREADY_MEMBER")
    here.visit()
    here.turn(JoinPage(card=card))


def _at(here: Here, step: str) -> JoinPage:
    page = here.page
    if not isinstance(page, JoinPage) or page.step != step:
        raise Conflict("NOT_ASKED")
    return page


async def agree(here: Here, body: Nothing) -> None:
    here.turn(JoinPage("phone", _at(here, "consent").card))


async def phone(here: Here, body: Digits) -> None:
    """Take a number and let a code go to it; raise ``Invalid`` for what is none."""
    page, number = _at(here, "phone"), identity.normal_phone(body.digits)
    here.codes.send(number)
    here.turn(JoinPage("code", page.card, number))


async def code(here: Here, body: Digits) -> None:
    """Take the code: a stranger becomes a member, a member of that number is welcomed back.

    The card that began it becomes theirs in both cases: the number is proven (R29).
    """
    page = _at(here, "code")
    here.codes.check(page.phone, body.digits)
    shown = Presented("phone", page.phone, 0, "typed")
    owner = await here.shop.store.transact(lambda tx: _owner(tx, here.shop, shown))
    if owner is None:
        await _join(here, page)
    elif page.card is not None:
        key = here.next_key()
        await registration.link_credential(here.shop, key, owner, page.card, None)
    bare = page.card or shown
    lifted = owner is None or bare.level > 0 or await pins.lifts(here.shop, owner)
    greeting = await welcome_member(here.shop, pins.proven(bare, "code") if lifted else bare)
    session = here.visit()
    session.greeting, session.proven = greeting, lifted
    here.queued()
    if owner is None:
        here.turn(JoinPage("joined", page.card, given=greeting.given))
    else:
        here.turn(BalancePage(given=greeting.given))


def _owner(tx: Transaction, shop: Shop, shown: Presented) -> str | None:
    found = members.owner(tx, identity.index(shop, shown.kind, shown.value))
    return None if found is None else found.member


async def _join(here: Here, page: JoinPage) -> None:
    key = here.next_key()
    credentials = () if page.card is None else (page.card,)
    joining = Joining(key=key, name="", phone=page.phone, credentials=credentials, staff=None)
    recorded = await registration.register_member(here.shop, joining)
    member = recorded.event.body.member
    assert member is not None
    said = Statement(f"{key}/terms", PROGRAMME, True, TERMS, "kiosk")
    await privacy.state_consent(here.shop, f"{key}/consent", member, said)


ACTS = (
    Act("join", Nothing, begin, of="anybody"),
    Act("agree", Nothing, agree, of="session"),
    Act("phone", Digits, phone, of="session"),
    Act("code", Digits, code, of="session"),
)
