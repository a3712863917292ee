"""The kiosk's session: what its screen shows, and when it forgets.

The server holds the session and decides when it ends; the browser only ever has the current snapshot. One
lock makes taps, touches and timers follow each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from tapledger import languages
from tapledger.errors import Conflict, Denied, Invalid, TapledgerError
from tapledger.languages import LANGUAGES
from tapledger.loyalty.program import name_in
from tapledger.membership import history, identity, redemption, scanning
from tapledger.membership.identity import Presented
from tapledger.membership.looking_up import member_code
from tapledger.membership.redemption import RewardCommand
from tapledger.membership.shop import Shop
from tapledger.membership.tap import Greeting, greet_again, welcome_member
from tapledger.settings import KioskSettings
from tapledger.store import prints
from tapledger.web import kiosk_views, problems, views
from tapledger.web.live import LiveFeed
from tapledger.web.snapshots import (
    Attract,
    Balance,
    Confirm,
    Coupons,
    Done,
    Goodbye,
    History,
    Kiosk,
    KioskScreen,
    MemberView,
    Rewards,
    RewardView,
    Trouble,
)
from tapledger.web.views import Lights

LONGEST_SESSION_S = 300.0
"""However busy the screen is, a session ends after this (decisions R14)."""


@dataclass(slots=True)
class Session:
    """One member's visit. ``key`` makes each confirmed reward one redemption."""

    greeting: Greeting
    key: str
    since_s: float
    reward: str | None = None
    job: str | None = None
    voucher: str = ""


class KioskFace:
    """Turns taps and touches into snapshots of the kiosk."""

    def __init__(
        self,
        shop: Shop,
        live: LiveFeed,
        settings: KioskSettings,
        lights: Callable[[], Lights],
        queued: Callable[[], None],
    ) -> None:
        self._shop = shop
        self._live = live
        self._settings = settings
        self._lights = lights
        self._queued = queued
        self._lock = asyncio.Lock()
        self._screen: KioskScreen = Attract()
        self._session: Session | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._turn = 0
        self._still_here_s: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.language = shop.language

    @property
    def serving(self) -> bool:
        return self._session is not None

    # What happens to it.
    async def card(self, presented: Presented, seen_at_s: float) -> bool:
        """A card was read: greet its member, or say what to do. It ends any other member's session.

        Returns whether somebody was greeted.
        """
        async with self._lock:
            try:
                greeting = await welcome_member(self._shop, presented)
            except TapledgerError as error:
                self._trouble(error, seen_at_s)
                return False
            if greeting.given:
                self._queued()
            here = self._session
            member = greeting.known.member.id
            if here is not None and here.greeting.known.member.id == member and not self._is_over(here):
                here.greeting = greeting
                if isinstance(self._screen, Confirm | Done):
                    self._show(self._screen, self._settings.balance_s, seen_at_s)
                    return True
            else:
                if here is not None:
                    self.language = self._shop.language  # the other member chose it
                here = Session(greeting, self._shop.new_id(), self._shop.clock.monotonic_s())
                self._session = here
            self._show(self._balance(here), self._settings.balance_s, seen_at_s)
            return True

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
            self._trouble(error, seen_at_s)

    async def rewards(self) -> None:
        async with self._lock:
            session = self._here()
            rewards = self._rewards(session)
            screen = Rewards(self._member(session), session.greeting.summary.points.shown, rewards)
            self._show(screen, self._settings.list_s)

    async def coupons(self) -> None:
        async with self._lock:
            session = self._here()
            self._show(self._coupons(session), self._settings.list_s)

    async def history(self) -> None:
        """Show what happened lately and why; raise ``Denied`` for a credential that proves nothing (R10)."""
        async with self._lock:
            session = self._here()
            if not kiosk_views.may_see_history(session.greeting):
                raise Denied("HISTORY_NEEDS_CARD")
            self._show(await self._history(session), self._settings.list_s)

    async def choose(self, reward_id: str) -> None:
        async with self._lock:
            session = self._here()
            reward = next(
                (r for r in self._rewards(session) if r.id == reward_id),
                None,
            )
            if reward is None:
                raise Invalid("REWARD_UNKNOWN")
            if not reward.available:
                self._show(self._screen, self._settings.list_s)
                return
            session.reward = reward.id
            left = session.greeting.summary.points.shown - reward.cost_points
            self._show(Confirm(self._member(session), reward, left), self._settings.list_s)

    async def confirm(self, reward_id: str) -> None:
        """The second touch: commit, then deliver."""
        async with self._lock:
            session, screen = self._here(), self._screen
            if session.reward != reward_id or not isinstance(screen, Confirm):
                raise Conflict("NOT_CONFIRMING")
            reward = self._shop.program.reward(reward_id)
            if reward is None or reward.cost_points != screen.reward.cost_points:
                # Other rules count since the first touch: nobody pays what they have not seen.
                await self._regreet(session)
                self._show(self._balance(session), self._settings.balance_s)
                raise Conflict("NOT_CONFIRMING")
            known = session.greeting.known
            command = RewardCommand(
                key=session.key,
                member=known.member.id,
                presented=known.presented,
                reward=reward_id,
                language=self.language,
            )
            try:
                redeemed = await redemption.hold_reward(self._shop, command)
            except TapledgerError:
                await self._regreet(session)
                self._show(self._balance(session), self._settings.balance_s)
                raise
            session.key = self._shop.new_id()
            session.job, session.voucher = redeemed.job, redeemed.voucher
            await self._regreet(session)
            self._show(await self._done(session), self._settings.list_s)
            self._queued()

    async def back(self) -> None:
        async with self._lock:
            session = self._here()
            session.reward = None
            self._show(self._balance(session), self._settings.balance_s)

    async def stay(self) -> None:
        async with self._lock:
            self._here()
            self._show(self._screen, self._settings.list_s)

    async def finish(self) -> None:
        async with self._lock:
            self._end()

    async def set_language(self, language: str) -> None:
        """Speak another language until the session ends, or until nobody taps a card after all."""
        chosen = languages.read(language)
        async with self._lock:
            self.language = chosen
            if self._session is None:
                self._show(Attract(), None)
                self._after(self._settings.list_s, self._reset)
            else:
                self._show(await self._again(self._session), self._settings.list_s)

    async def slip_settled(self, job: str) -> None:
        async with self._lock:
            if self._session is not None and self._session.job == job and isinstance(self._screen, Done):
                self._screen = await self._done(self._session)
                self.refresh()

    async def greet_again(self) -> None:
        """Another shop may have done something for the member who is here: show what they have now."""
        async with self._lock:
            if self._session is not None and isinstance(self._screen, Balance):
                await self._regreet(self._session)
                self._screen = self._balance(self._session)
                self._push(None)

    def refresh(self) -> None:
        """Show the same screen again because something around it changed."""
        self._push(None)

    # How it is done.
    def _here(self) -> Session:
        if self._session is None:
            raise Conflict("SESSION_OVER")
        if self._is_over(self._session):
            self._end()
            raise Conflict("SESSION_OVER")
        return self._session

    def _is_over(self, session: Session) -> bool:
        return self._shop.clock.monotonic_s() - session.since_s > LONGEST_SESSION_S

    async def _regreet(self, session: Session) -> None:
        known = session.greeting.known
        session.greeting = await greet_again(self._shop, known.member.id, known.presented)

    def _member(self, session: Session) -> MemberView:
        return views.member_view(session.greeting, self.language)

    def _rewards(self, session: Session) -> list[RewardView]:
        return views.reward_views(session.greeting, self._shop.program, self.language)

    def _balance(self, session: Session) -> Balance:
        return kiosk_views.balance(session.greeting, self._shop.program, self.language)

    def _coupons(self, session: Session) -> Coupons:
        return kiosk_views.coupons(session.greeting, self._shop.program, self.language)

    async def _history(self, session: Session) -> History:
        member = session.greeting.known.member.id
        entries = await history.history(self._shop, member, kiosk_views.LOOKED_BACK)
        return kiosk_views.history(session.greeting, entries, self._shop.program, self.language)

    async def _done(self, session: Session) -> Done:
        job_id = session.job
        assert job_id is not None
        job = await self._shop.store.transact(lambda tx: prints.get(tx, job_id))
        reward = self._shop.program.reward(session.reward or "")
        slip = views.slip_state(job)
        return Done(
            member=self._member(session),
            reward_title="" if reward is None else name_in(reward.title, self.language),
            points=session.greeting.summary.points.shown,
            voucher=session.voucher,
            slip=slip,
            voucher_svg="" if slip in ("printing", "printed") else views.qr_svg(session.voucher),
        )

    async def _again(self, session: Session) -> KioskScreen:
        """Build the current screen anew in the current language."""
        screen = self._screen
        match screen:
            case Rewards():
                rewards = self._rewards(session)
                return msgspec.structs.replace(screen, member=self._member(session), rewards=rewards)
            case Confirm():
                reward = next((r for r in self._rewards(session) if r.id == screen.reward.id), None)
                if reward is None:
                    return self._balance(session)
                return msgspec.structs.replace(screen, member=self._member(session), reward=reward)
            case Done():
                return await self._done(session)
            case Coupons():
                return self._coupons(session)
            case History():
                return await self._history(session)
            case _:
                return self._balance(session)

    def _trouble(self, error: TapledgerError, seen_at_s: float) -> None:
        self._session = None
        self._show(Trouble(problems.problem(self.language, error)), None, seen_at_s)
        self._after(self._settings.trouble_s, self._reset)

    def _show(self, screen: KioskScreen, idle_s: float | None, seen_at_s: float | None = None) -> None:
        """Show a screen; ``idle_s`` after it the countdown begins, None leaves the timer to the caller."""
        self._screen, self._still_here_s = screen, None
        self._push(seen_at_s)
        self._stop_timer()
        if idle_s is not None:
            self._after(idle_s, self._warn)

    def _push(self, seen_at_s: float | None) -> None:
        lights = self._lights()
        snapshot = Kiosk(
            language=self.language,
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
        )
        self._live.show("kiosk", snapshot, seen_at_s)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something later, unless anything else happens on the screen before."""
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._fire, act, self._turn)

    def _stop_timer(self) -> None:
        self._turn += 1
        if self._timer is not None:
            self._timer.cancel()

    def _fire(self, act: Callable[[], None], turn: int) -> None:
        task = asyncio.get_running_loop().create_task(self._act_in_turn(act, turn))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _act_in_turn(self, act: Callable[[], None], turn: int) -> None:
        async with self._lock:
            if turn == self._turn:
                act()

    def _warn(self) -> None:
        self._still_here_s = round(self._settings.warning_s)
        self._push(None)
        self._after(self._settings.warning_s, self._end)

    def _end(self) -> None:
        """Forget the member, say goodbye, and go back to the start in the shop's own language."""
        if self._session is None:
            return
        self._session = None
        self._show(Goodbye(), None)
        self._after(self._settings.goodbye_s, self._reset)

    def _reset(self) -> None:
        self.language = self._shop.language
        self._show(Attract(), None)
