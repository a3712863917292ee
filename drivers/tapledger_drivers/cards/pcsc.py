"""A card reader behind pcscd: contactless, or with a slot for contact cards.

A task waits for cards in the device's own thread (reader_session.py) and puts what happens into a queue, so
no tap is lost while its listener is busy. After any failure ``taps`` raises ``DeviceLost``, and the next
``open`` makes a new context.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import ParamSpec, TypeAlias, TypeVar

from tapledger_drivers.cards.choosing import Wanted
from tapledger_drivers.cards.exchange import READ_TIME_MAX_S, SLOW_S
from tapledger_drivers.cards.reader_session import WAIT_S, ReaderSession, Setup
from tapledger_drivers.device import DeviceInfo, Finding, HealthLevel, HealthReport, Value
from tapledger_drivers.errors import DeviceAbsent, DeviceError, DeviceLost
from tapledger_drivers.io import Io
from tapledger_drivers.ports import CardEvent, CardPresented, CardRemoved, CardTorn, Feedback, TrustPolicy
from tapledger_drivers.registry import Making

A = ParamSpec("A")
T = TypeVar("T")

OPEN_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0
READING_MAX_S = READ_TIME_MAX_S + 1.0
"""After this long a card's reading hangs in one APDU, which only giving up its thread can end."""
WAITING_MAX_S = WAIT_S + 5.0
"""After this long pcscd does not answer any more, dead or not: a wait ends by itself."""
HANG_LOOK_S = 0.25
CALL_TIMEOUT_S = READING_MAX_S + 0.5
"""For every other call: it may have to wait until a card has been read."""
CARD_WAIT_S = 8.0
"""How long the interactive check waits for a person to lay a card on."""
WAKE_AGAIN_S = 0.02
"""SCardCancel wakes only a wait that has begun, so it is called until the wait has ended."""
EVENTS_MAX = 64
"""Events kept for a listener that is late; beyond it the oldest go: an old tap greets the wrong person."""
APDU_BYTES_MIN, APDU_BYTES_MAX = 4, 65_544


class _Closed:
    pass


_Delivery: TypeAlias = CardEvent | Exception | _Closed


class PcscCardReader:
    """Yield the taps of the one reader that ``setup`` means."""

    def __init__(self, setup: Setup, io: Io, trust: TrustPolicy) -> None:
        self._setup = setup
        self._io = io
        self._trust = trust
        self._session: ReaderSession | None = None
        self._watching: asyncio.Task[None] | None = None
        self._events: asyncio.Queue[_Delivery] = asyncio.Queue(EVENTS_MAX)
        self._card: CardPresented | CardTorn | None = None
        self._card_came = asyncio.Event()

    async def open(self) -> DeviceInfo:
        """Find the reader and start watching it; a card that already lies on it is presented at once."""
        await self.close()
        session = ReaderSession(self._setup, self._io, self._trust)
        try:
            info = await self._io.run(OPEN_TIMEOUT_S, session.start)
        except DeviceLost as error:
            session.ended = True
            raise DeviceAbsent("pcscd_silent", error.detail) from error
        except BaseException:
            session.ended = True
            raise
        self._session = session
        self._card = None
        self._events = asyncio.Queue(EVENTS_MAX)
        self._watching = asyncio.create_task(self._watch(session, self._events))
        return info

    async def taps(self) -> AsyncIterator[CardEvent]:
        """Yield what happens on the reader until ``close``; raise ``DeviceLost`` when it or pcscd goes."""
        events = self._events
        while True:
            delivery = await events.get()
            if isinstance(delivery, Exception):
                raise delivery
            if isinstance(delivery, _Closed):
                return
            yield delivery

    async def close(self) -> None:
        """Stop watching and end ``taps``; waits for the device's thread at most ``CLOSE_TIMEOUT_S``."""
        session, self._session = self._session, None
        watching, self._watching = self._watching, None
        if session is None or watching is None:
            return
        session.ended = True
        self._put(self._events, _Closed())
        until_s = time.monotonic() + CLOSE_TIMEOUT_S
        while not watching.done() and time.monotonic() < until_s:
            session.wake()
            await asyncio.wait({watching}, timeout=WAKE_AGAIN_S)
        watching.cancel()

    async def feedback(self, pattern: Feedback) -> bool:
        """Show a pattern by the reader's own light and buzzer; False when it has none that may be used."""
        session = self._open_session()
        if not session.has_signals:
            return False
        return await self._in_between(session.show, pattern)

    async def transceive(self, apdus: Sequence[bytes]) -> list[bytes]:
        """Send APDUs to the card that lies there; raise ``CardGone`` when there is none, or it left."""
        for apdu in apdus:
            if not APDU_BYTES_MIN <= len(apdu) <= APDU_BYTES_MAX:
                raise ValueError(f"an APDU has {APDU_BYTES_MIN} to {APDU_BYTES_MAX} bytes, not {len(apdu)}")
        return await self._in_between(self._open_session().transceive, apdus)

    async def health(self, level: HealthLevel) -> HealthReport:
        """Ask pcscd; beep and blink, where the reader can; read the card that a person lays on."""
        try:
            findings = await self._in_between(self._open_session().look)
        except DeviceError as error:
            return HealthReport(HealthLevel.INTERNAL, (Finding(error.reason, False, error.detail),))
        if level is HealthLevel.INTERNAL or not all(finding.ok for finding in findings):
            return HealthReport(HealthLevel.INTERNAL, tuple(findings))
        reached = HealthLevel.INTERNAL
        if await self.feedback(Feedback.ACCEPTED):
            findings.append(Finding("feedback", True))
            reached = HealthLevel.EXTERNAL
        card = await self._card_laid_on() if level is HealthLevel.INTERACTIVE else None
        if card is not None:
            findings.append(card)
            reached = HealthLevel.INTERACTIVE
        return HealthReport(reached, tuple(findings))

    # ---- the device's thread ---------------------------------------------------------------------------
    def _open_session(self) -> ReaderSession:
        if self._session is None:
            raise DeviceLost("closed", self._setup.wanted.reader_name)
        return self._session

    async def _watch(self, session: ReaderSession, events: asyncio.Queue[_Delivery]) -> None:
        try:
            while not session.ended:
                await self._step(session, events)
            await self._io.run(CLOSE_TIMEOUT_S, session.release)
        except DeviceError as error:
            self._put(events, error)
        except Exception as error:  # a fault of ours: whoever listens has to hear of it
            session.ended = True
            self._put(events, error)
            await self._io.run(CLOSE_TIMEOUT_S, session.release)

    async def _step(self, session: ReaderSession, events: asyncio.Queue[_Delivery]) -> None:
        """Let the thread wait for one piece of news, and give the thread up when a card hangs in it."""
        loop = asyncio.get_running_loop()

        def arrived(event: CardEvent) -> None:
            if not session.ended:
                self._put(events, event)

        def deliver(event: CardEvent) -> None:
            # The shortest way out of the thread: a card is told of before its step has ended.
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever could listen
                loop.call_soon_threadsafe(arrived, event)

        step = asyncio.ensure_future(self._io.run(None, session.step, deliver))
        try:
            told = False
            while not (await asyncio.wait({step}, timeout=HANG_LOOK_S))[0]:
                waiting_since_s, busy_since_s = session.waiting_since_s, session.busy_since_s
                if _seconds_since(waiting_since_s) > WAITING_MAX_S:
                    raise self._hung(session, f"pcscd did not answer in {WAITING_MAX_S} s")
                busy_s = _seconds_since(busy_since_s)
                if busy_s > READING_MAX_S:
                    raise self._hung(session, f"a card did not answer in {READING_MAX_S} s")
                if busy_since_s is not None and busy_s > SLOW_S and not told:
                    told = True
                    arrived(CardTorn("too_slow", busy_since_s))
            step.result()
        finally:
            step.cancel()

    async def _in_between(self, call: Callable[A, T], *args: A.args, **kwargs: A.kwargs) -> T:
        """Make a call in the device's thread between two waits for news.

        It ends by itself or at its deadline also when nobody waits for it any more: what has been sent to a
        card cannot be taken back, and a thread that hangs has to be noticed.
        """
        work = asyncio.ensure_future(self._io.run(CALL_TIMEOUT_S, call, *args, **kwargs))
        settling = asyncio.ensure_future(self._settle(self._open_session(), work))
        settling.add_done_callback(_forget)
        return await asyncio.shield(settling)

    async def _settle(self, session: ReaderSession, work: asyncio.Future[T]) -> T:
        session.calls_waiting += 1
        try:
            await asyncio.sleep(0)  # now it stands in the thread's queue, and the wait before it may end
            while not work.done():
                session.wake()
                await asyncio.wait({work}, timeout=WAKE_AGAIN_S)
            return work.result()
        except DeviceLost as error:
            if error.reason == "hung" and session is self._session and self._watching is not None:
                self._put(self._events, self._hung(session, error.detail))
                self._watching.cancel()
            raise
        finally:
            session.calls_waiting -= 1

    def _hung(self, session: ReaderSession, detail: str) -> DeviceLost:
        """Give up a session whose thread never came back; it gives its context back if it ever does."""
        session.ended = True
        self._io.traffic.count("CommunicationErrorCount")
        lost = DeviceLost("hung", detail)
        lost.__cause__ = TimeoutError(detail)
        return lost

    # ---- events ----------------------------------------------------------------------------------------
    def _put(self, events: asyncio.Queue[_Delivery], delivery: _Delivery) -> None:
        if events.full():
            events.get_nowait()
        events.put_nowait(delivery)
        if isinstance(delivery, CardPresented | CardTorn):
            self._io.traffic.observe("tap_to_card", time.monotonic() - delivery.seen_at_s)
            self._card = delivery
            self._card_came.set()
        elif isinstance(delivery, CardRemoved):
            self._card = None

    async def _card_laid_on(self) -> Finding | None:
        """Judge the card that lies there or comes now; None when nobody lays one on: that proves nothing."""
        if self._card is None:
            self._card_came.clear()
            try:
                # Not wait_for: before Python 3.12 it forgets a cancellation that comes together with a card.
                async with asyncio.timeout(CARD_WAIT_S):
                    await self._card_came.wait()
            except TimeoutError:
                return None
        card = self._card
        if isinstance(card, CardTorn):
            return Finding("card_read", False, card.reason)
        return Finding("card_read", True, card.tech if card is not None else "")


def _seconds_since(begun_s: float | None) -> float:
    return 0.0 if begun_s is None else time.monotonic() - begun_s


def _forget(work: asyncio.Future[T]) -> None:
    """Take note of how a call ended that nobody waits for."""
    if not work.cancelled():
        work.exception()


def make(making: Making) -> PcscCardReader:
    """Options: ``reader_name``; ``serial`` or ``number`` where several are alike; ``contact``, ``escape``,
    ``led`` and ``buzzer`` overrule what is known of the model."""
    options = making.options
    reader_name = options.text("reader_name")
    serial = options.optional_text("serial")
    number = options.integer("number", 0, 0, 16)
    said: dict[str, Value] = {}
    for name in ("contact", "escape", "led", "buzzer"):
        flag = options.flag(name)
        if flag is not None:
            said[name] = flag
    wanted = Wanted(reader_name, serial, number, said.get("contact") is True)
    return PcscCardReader(Setup(wanted, said), making.io, making.trust)
