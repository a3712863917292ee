"""Who stands at the kiosk and what they look at: all that a page and an act work with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from tapledger import texts
from tapledger.errors import Conflict
from tapledger.languages import Language
from tapledger.loyalty.facts import Reason
from tapledger.membership import explaining
from tapledger.membership.identity import Presented
from tapledger.membership.phone_codes import PhoneCodes
from tapledger.membership.shop import Shop
from tapledger.membership.sign_in import Throttle
from tapledger.membership.tap import Greeting, greet_again
from tapledger.settings import KioskSettings
from tapledger.web import views
from tapledger.web.help_call import HelpCall
from tapledger.web.kiosk_snapshots import Comfort, KioskScreen, MemberView

Idle = Literal["balance", "list", "form", "notice", "goodbye", "cleaning"]
"""How long a page waits for its person: each has its own time (decisions R14)."""


class Page(ABC):
    """What stands on the screen. Built anew whenever the language or the member's state changes."""

    idle: Idle | None = "list"
    """None: it waits for ever."""

    @abstractmethod
    async def screen(self, here: Here) -> KioskScreen: ...

    async def tapped(self, here: Here) -> bool:
        """The same member lays down their card again; return whether this page takes it."""
        return False

    async def typed(self, here: Here, digits: str) -> None:
        """Somebody typed a PIN or a code; raise ``Conflict`` where none is asked for."""
        raise Conflict("NOT_ASKED")

    def before(self, here: Here) -> Page | None:
        """Return where Back leads; None: to the balance, or out for somebody who has none."""
        return None


@dataclass(slots=True)
class Session:
    """One person's visit. ``key`` makes each thing that is confirmed one command."""

    key: str
    since_s: float
    greeting: Greeting | None = None
    """None while nobody knows who it is: somebody who joins, or asks for help."""
    proven: bool = False
    """A PIN or a phone code was given: what a card alone does not open may be shown."""
    remembers: bool = False
    """Comfort and language follow this member's card."""


@dataclass(slots=True)
class Here:
    """The kiosk's state. Acts turn it to another page; the face draws what they leave."""

    shop: Shop
    settings: KioskSettings
    queued: Callable[[], None]
    """Something was committed: print it and tell central."""
    help: HelpCall
    codes: PhoneCodes
    page: Page
    first: Callable[[], Page]
    """Makes the page for nobody."""
    speaks: bool
    """Something here reads a screen aloud."""
    throttle: Throttle
    """Counts wrong PINs of staff."""
    language: Language
    comfort: Comfort = field(default_factory=Comfort)
    session: Session | None = None
    visits: int = 0
    """How many have ended."""
    closed: bool = False
    """Staff have put this kiosk out of service."""
    cleaning_until_s: float = field(default=float("-inf"))

    def turn(self, page: Page) -> None:
        self.page = page

    def visit(self) -> Session:
        """Return the session, or begin one for somebody nobody knows yet."""
        if self.session is None:
            self.session = Session(self.shop.new_id(), self.shop.clock.monotonic_s())
        return self.session

    def leave(self) -> None:
        """Nobody is here any more, nor anything that they chose."""
        if self.session is not None:
            self.visits += 1
        self.session, self.comfort, self.language = None, Comfort(), self.shop.language

    def member(self) -> Greeting:
        """Return who is here; raise ``Conflict`` SESSION_OVER for nobody."""
        if self.session is None or self.session.greeting is None:
            raise Conflict("SESSION_OVER")
        return self.session.greeting

    def presented(self) -> Presented:
        return self.member().known.presented

    def member_id(self) -> str:
        return self.member().known.member.id

    def next_key(self) -> str:
        """Return the key of the command that is given now; the next one has another."""
        session = self.visit()
        key, session.key = session.key, self.shop.new_id()
        return key

    async def regreet(self) -> None:
        """Look again what the member has."""
        greeting = self.member()
        assert self.session is not None
        self.session.greeting = await greet_again(
            self.shop, greeting.known.member.id, greeting.known.presented
        )

    # Words.
    def say(self, key: str, **data: str | int) -> str:
        return texts.say(self.language, key, **data)

    def explain(self, *reasons: Reason) -> list[str]:
        return list(explaining.sentences(reasons, self.shop.program, self.language))

    def member_view(self) -> MemberView:
        return views.member_view(self.member(), self.language)

    def points(self) -> int:
        return self.member().summary.points.shown


@dataclass(frozen=True, slots=True)
class Act:
    """What a page may ask for: ``POST /api/kiosk/<name>`` with this body."""

    name: str
    body: type[msgspec.Struct]
    do: Callable[[Here, Any], Awaitable[None]]
    of: Literal["member", "session", "anybody"] = "member"
    """Who may: a member, anybody whose visit has begun, or whoever stands there."""
