"""The kiosk's session: what its screen shows, and when it forgets.

The server holds the session and decides when it ends; the browser only ever has the current snapshot. One
lock makes taps, touches and timers follow each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from tapledger import languages
from tapledger.errors import Conflict, TapledgerError
from tapledger.languages import LANGUAGES
from tapledger.membership import identity, scanning, staff_cards
from tapledger.membership.identity import Presented
from tapledger.membership.looking_up import member_code
from tapledger.membership.phone_codes import PhoneCodes
from tapledger.membership.shop import Shop
from tapledger.membership.sign_in import Throttle
from tapledger.membership.tap import welcome_member
from tapledger.settings import KioskSettings
from tapledger.web.help_call import HelpCall
from tapledger.web.kiosk import comfort
from tapledger.web.kiosk.here import Act, Here, Idle, Page, Session
from tapledger.web.kiosk.pages import door, front, staff
from tapledger.web.kiosk.pages.balance import BalancePage
from tapledger.web.kiosk.pages.joining import JoinPage
from tapledger.web.kiosk.pages.redeeming import DonePage
from tapledger.web.kiosk_snapshots import Kiosk, KioskScreen, Reading
from tapledger.web.live import LiveFeed
from tapledger.web.views import Lights

LONGEST_SESSION_S = 300.0
"""However busy the screen is, a session ends after this (decisions R14)."""
READING_S = 0.2
"""A card that takes longer than this is said to be read (K2)."""
LONGER = 3
"""So many times as long for whoever asks for more time."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the kiosk has to do with beside its own session."""

    lights: Callable[[], Lights]
    queued: Callable[[], None]
    help: HelpCall
    codes: PhoneCodes
    speaks: bool


class KioskFace:
    """Turns taps and touches into snapshots of the kiosk."""

    def __init__(self, shop: Shop, live: LiveFeed, settings: KioskSettings, around: Surroundings) -> None:
        self._shop = shop
        self._live = live
        self._settings = settings
        self._around = around
        self._lock = asyncio.Lock()
        self._here = Here(
            shop=shop,
            settings=settings,
            queued=around.queued,
            help=around.help,
            codes=around.codes,
            page=front.AttractPage(),
            first=self._first,
            speaks=around.speaks,
            throttle=Throttle(shop.clock),
            language=shop.language,
        )
        self._screen: KioskScreen = front.ATTRACT
        self._timer: asyncio.TimerHandle | None = None
        self._turn = 0
        self._still_here_s: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def serving(self) -> bool:
        return self._here.session is not None

    @property
    def language(self) -> languages.Language:
        return self._here.language

    async def open(self) -> None:
        """Take up what outlives a restart: that staff have closed this kiosk."""
        async with self._lock:
            await staff.recall(self._here)
            await self._draw()

    # What happens to it.
    async def card(self, presented: Presented, seen_at_s: float) -> bool:
        """A card was read: greet its member, or say what to do. It ends any other member's session.

        Returns whether somebody was greeted.
        """
        async with self._lock:
            slow = self._say_reading()
            try:
                return await self._greet(presented, seen_at_s)
            finally:
                slow.cancel()

    async def _greet(self, presented: Presented, seen_at_s: float) -> bool:
        here = self._here
        person = await staff_cards.holder(self._shop, presented)
        if person is not None:
            self._forget()
            staff.greet(here, person)
            await self._draw(seen_at_s)
            return True
        if self._is_shut():
            return False
        if self._settings.mode == "gate":
            opened = await door.tapped(here, presented)
            await self._draw(seen_at_s)
            return opened
        return await self._welcome(presented, seen_at_s)

    def _is_shut(self) -> bool:
        """Closed, or being cleaned: only staff are answered."""
        return self._here.closed or self._here.page.idle == "cleaning"

    async def _welcome(self, presented: Presented, seen_at_s: float) -> bool:
        here = self._here
        try:
            greeting = await welcome_member(self._shop, presented)
        except TapledgerError as error:
            self._forget()
            strange = presented if front.can_join(error) else None
            joins = strange is not None and self._settings.mode == "register"
            here.turn(JoinPage(card=strange) if joins else front.TroublePage(error, strange))
            await self._draw(seen_at_s)
            return False
        if greeting.given:
            here.queued()
        session, member = here.session, greeting.known.member.id
        known = None if session is None or session.greeting is None else session.greeting.known.member.id
        if session is not None and known == member and not self._is_over(session):
            if not session.proven:
                session.greeting = greeting
            if await here.page.tapped(here):
                await self._draw(seen_at_s)
                return True
        else:
            if session is not None and session.greeting is not None:
                self._forget()  # another person chose its language and comfort
            session = Session(self._shop.new_id(), self._shop.clock.monotonic_s(), greeting)
            here.session = session
            comfort.recall(here, greeting.known.member)
        here.turn(BalancePage(given=greeting.given))
        await self._draw(seen_at_s)
        return True

    def _say_reading(self) -> asyncio.TimerHandle:
        """Say that a card is being read, should it take long; nothing of anybody stands there meanwhile."""

        def say() -> None:
            if not self._is_shut():
                self._screen = Reading()
                self._push(None)

        return asyncio.get_running_loop().call_later(READING_S, say)

    async def code(self, text: str, simulated: bool) -> None:
        """A code was scanned here: a member's own is as good as their card, any other is told to be none."""
        now_s = self._shop.clock.monotonic_s()
        try:
            presented = await member_code(self._shop, scanning.read(text))
        except TapledgerError as error:
            await self.card_trouble(error, now_s)
            return
        await self.card(identity.simulated(presented) if simulated else presented, now_s)

    async def card_trouble(self, error: TapledgerError, seen_at_s: float) -> None:
        async with self._lock:
            if self._is_shut():
                return
            self._forget()
            self._here.turn(front.TroublePage(error))
            await self._draw(seen_at_s)

    async def act(self, act: Act, body: msgspec.Struct) -> None:
        """Do what a page asks for; raise its refusal, with the page that stands then."""
        async with self._lock:
            here, page = self._here, self._here.page
            self._check(act)
            try:
                await act.do(here, body)
            except TapledgerError:
                if here.page is not page:
                    await self._draw()
                raise
            try:
                await self._draw()
            except TapledgerError:
                here.turn(page)  # what cannot be shown is not gone to
                raise

    def _check(self, act: Act) -> None:
        here = self._here
        if here.page.idle == "cleaning":
            raise Conflict("NOT_ASKED")
        if here.session is not None and self._is_over(here.session):
            self._after(0, self._end)
            raise Conflict("SESSION_OVER")
        if act.of == "session" and here.session is None:
            raise Conflict("SESSION_OVER")
        if act.of == "member":
            here.member()

    async def finish(self) -> None:
        async with self._lock:
            await self._end()

    async def set_language(self, language: str) -> None:
        """Speak another language until the session ends, or until nobody taps a card after all."""
        chosen = languages.read(language)
        async with self._lock:
            self._here.language = chosen
            await comfort.keep(self._here)
            await self._chosen()

    async def set_comfort(self, change: comfort.Change) -> None:
        """Be larger, stronger, slower or louder, as long as a language lasts."""
        async with self._lock:
            await comfort.change(self._here, change)
            await self._chosen()

    async def _chosen(self) -> None:
        """Draw the page as somebody has just chosen it; where nobody goes on, it is as before again."""
        await self._draw()
        if self._here.session is None and self._here.page.idle is None:
            self._after(self._settings.list_s, self._reset)

    async def slip_settled(self, job: str) -> None:
        async with self._lock:
            if isinstance(self._here.page, DonePage) and self._here.page.job == job:
                self._screen = await self._here.page.screen(self._here)
                self.refresh()

    async def greet_again(self) -> None:
        """Another shop may have done something for the member who is here: show what they have now."""
        async with self._lock:
            if isinstance(self._here.page, BalancePage):
                await self._here.regreet()
                self._screen = await self._here.page.screen(self._here)
                self._push(None)

    def refresh(self) -> None:
        """Show the same screen again because something around it changed."""
        self._push(None)

    # How it is done.
    def _first(self) -> Page:
        return front.ClosedPage() if self._here.closed else front.AttractPage()

    def _is_over(self, session: Session) -> bool:
        return self._shop.clock.monotonic_s() - session.since_s > LONGEST_SESSION_S

    def _forget(self) -> None:
        """Nobody is here any more, and nothing of them."""
        if self._here.session is not None:
            self._here.leave()

    async def _draw(self, seen_at_s: float | None = None) -> None:
        """Show the page that stands, from its own beginning."""
        here = self._here
        self._screen, self._still_here_s = await here.page.screen(here), None
        self._push(seen_at_s)
        self._stop_timer()
        if here.page.idle is not None:
            wait_s, then = self._patience(here.page.idle)
            self._after(wait_s, then)

    def _patience(self, idle: Idle) -> tuple[float, Callable[[], Awaitable[None]]]:
        """Return how long a page waits, and for what."""
        settings = self._settings
        match idle:
            case "notice":
                return settings.trouble_s, self._reset
            case "goodbye":
                return settings.goodbye_s, self._reset
            case "cleaning":
                return max(0.0, self._here.cleaning_until_s - self._shop.clock.monotonic_s()), self._reset
        seconds = {"balance": settings.balance_s, "list": settings.list_s, "form": settings.form_s}[idle]
        return seconds * (LONGER if self._here.comfort.longer else 1), self._warn

    def _push(self, seen_at_s: float | None) -> None:
        here, lights = self._here, self._around.lights()
        snapshot = Kiosk(
            language=here.language,
            languages=list(LANGUAGES),
            reader=lights.reader,
            printer=lights.printer,
            as_of=lights.as_of,
            simulated=lights.simulated,
            paper_left=lights.paper_left,
            troubles=list(lights.troubles),
            takes_codes=lights.scanner == "ok",
            still_here_s=self._still_here_s,
            screen=self._screen,
            mode=self._settings.mode,
            comfort=here.comfort,
            remembers=comfort.remembers(here),
            speaks=here.speaks,
            help=here.help.state,
            visit=here.visits,
            in_session=here.session is not None,
            feedback=self._settings.feedback,
        )
        self._live.show("kiosk", snapshot, seen_at_s)

    def _after(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        """Do something later, unless anything else happens on the screen before."""
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._fire, act, self._turn)

    def _stop_timer(self) -> None:
        self._turn += 1
        if self._timer is not None:
            self._timer.cancel()

    def _fire(self, act: Callable[[], Awaitable[None]], turn: int) -> None:
        task = asyncio.get_running_loop().create_task(self._act_in_turn(act, turn))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _act_in_turn(self, act: Callable[[], Awaitable[None]], turn: int) -> None:
        async with self._lock:
            if turn == self._turn:
                await act()

    async def _warn(self) -> None:
        self._still_here_s = round(self._settings.warning_s)
        self._push(None)
        self._after(self._settings.warning_s, self._end)

    async def _end(self) -> None:
        """Forget the member, say goodbye, and go back to the start in the shop's own language."""
        session = self._here.session
        if session is None:
            return
        if session.greeting is None:
            await self._reset()  # there is nobody to say goodbye to
            return
        language, wishes = self._here.language, self._here.comfort
        self._forget()
        self._here.language, self._here.comfort = language, wishes  # the goodbye is still theirs
        self._here.turn(front.GoodbyePage())
        await self._draw()

    async def _reset(self) -> None:
        self._here.leave()
        self._here.turn(self._first())
        await self._draw()
