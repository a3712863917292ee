"""A card reader without any PC/SC, for machines where pcscd or pyscard is missing.

It reads virtual cards with the very code that reads real ones; what it leaves out is pcscd and its failures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from tapledger_drivers.cards.exchange import SLOW_S, CardUnreadable
from tapledger_drivers.cards.reading import CardContents, read_and_judge, read_card, read_contact_card
from tapledger_drivers.device import DeviceInfo, Finding, HealthLevel, HealthReport
from tapledger_drivers.emulators.card_faults import CARD_VERBS, CardFaults, FaultySession
from tapledger_drivers.emulators.faults import Fault, Verb
from tapledger_drivers.emulators.virtual_card import CardKind, CardTakenAway, VirtualCard
from tapledger_drivers.errors import CardGone, DeviceAbsent, DeviceLost
from tapledger_drivers.ports import CardEvent, CardRemoved, CardTorn, Feedback, TrustPolicy

EVENTS_MAX = 64
HANG_S = 4.0
"""After this a real reader's driver gives a hung card up."""
_ATR_BEGIN = b"\x3b"


class SimulatedCardReader:
    """A ``CardReader`` whose cards are laid on by ``insert`` and taken away by ``remove``; ``Emulated``."""

    def __init__(self, name: str, trust: TrustPolicy) -> None:
        self._name = name
        self._trust = trust
        self._card: VirtualCard | None = None
        self._session: FaultySession | None = None
        self._events: asyncio.Queue[CardEvent | DeviceLost | None] = asyncio.Queue(EVENTS_MAX)
        self._later: asyncio.TimerHandle | None = None
        self._told = False
        """Whether anything has been said of the card that lies there."""
        self._open = False
        self._plugged = True
        self._faults = CardFaults()
        self.shown = Feedback.OFF
        """The pattern that its light shows."""

    async def open(self) -> DeviceInfo:
        if not self._plugged:
            raise DeviceAbsent("reader_absent", self._name)
        self._events = asyncio.Queue(EVENTS_MAX)
        self._open = True
        if self._card is not None:
            self._present(self._card)
        return DeviceInfo(model="simulated card reader", address=f"simulated:{self._name}", virtual=True)

    async def taps(self) -> AsyncIterator[CardEvent]:
        events = self._events
        while (event := await events.get()) is not None:
            if isinstance(event, DeviceLost):
                raise event from OSError(self._name)
            yield event

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._forget_card()
            self._put(None)

    async def feedback(self, pattern: Feedback) -> bool:
        self.shown = pattern
        return True

    async def transceive(self, apdus: Sequence[bytes]) -> list[bytes]:
        """Exchange APDUs with the card that lies there; raise ``CardGone`` without one."""
        if self._session is None:
            raise CardGone("removed", self._name)
        if Verb.GO_AWOL in self._faults:
            await asyncio.sleep(HANG_S)
            raise DeviceLost("hung", self._name) from TimeoutError(self._name)
        try:
            return [self._session.transmit(apdu) for apdu in apdus]
        except CardTakenAway as error:
            self.remove()
            raise CardGone("removed", self._name) from error

    async def health(self, level: HealthLevel) -> HealthReport:
        del level
        return HealthReport(HealthLevel.INTERNAL, (Finding("reader", self._plugged, self._name),))

    # ---- the hands -------------------------------------------------------------------------------------
    def insert(self, card: VirtualCard) -> None:
        """Lay a card on the reader, taking away what lies there."""
        self.remove()
        self._card = card
        if self._open:
            self._present(card)

    def remove(self) -> None:
        """Take the card away; does nothing when there is none."""
        if self._card is not None:
            self._card = None
            told = self._forget_card()
            if self._open and told:
                self._put(CardRemoved(time.monotonic()))

    def verbs(self) -> tuple[Verb, ...]:
        return (Verb.UNPLUG, Verb.REPLUG, *CARD_VERBS)

    def faults(self) -> tuple[Fault, ...]:
        return (*(() if self._plugged else (Fault(Verb.UNPLUG),)), *self._faults.faults())

    async def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        """Begin or end a fault; raise ``ValueError`` for one that this reader does not know."""
        if verb not in (Verb.UNPLUG, Verb.REPLUG):
            self._faults.pull(verb, on=on, amount=amount)
            return
        self._plugged = verb is Verb.REPLUG or not on
        if not self._plugged and self._open:
            self._forget_card()
            self._put(DeviceLost("reader_gone", self._name))

    # ---- one card's stay -------------------------------------------------------------------------------
    def _present(self, card: VirtualCard) -> None:
        """Read the card now, or as much later as the faults have it."""
        seen_at_s = time.monotonic()
        self._session = session = self._faults.lay(card)
        loop = asyncio.get_running_loop()
        if Verb.GO_AWOL in self._faults:
            self._later = loop.call_later(SLOW_S, self._hang, seen_at_s)
        elif Verb.SLOW in self._faults:
            delay_s = self._faults.amount(Verb.SLOW) / 1000
            self._later = loop.call_later(delay_s, self._read, session, seen_at_s)
        else:
            self._read(session, seen_at_s)

    def _hang(self, seen_at_s: float) -> None:
        self._told = True
        self._put(CardTorn("too_slow", seen_at_s))
        loop = asyncio.get_running_loop()
        self._later = loop.call_later(HANG_S - SLOW_S, self._put, DeviceLost("hung", self._name))

    def _read(self, session: FaultySession, seen_at_s: float) -> None:
        self._later, self._told = None, True
        try:
            contents, trust = read_and_judge(lambda: _contents(session), self._trust)
        except CardUnreadable as error:
            self._put(CardTorn(error.reason, seen_at_s))
            return
        except CardTakenAway:
            self._put(CardTorn("removed", seen_at_s))
            self.remove()
            return
        self._put(contents.presented(trust, session.atr, seen_at_s))

    def _forget_card(self) -> bool:
        """End the card's stay; return whether it had been told of."""
        if self._later is not None:
            self._later.cancel()
        told, self._told = self._told, False
        self._later = self._session = None
        return told

    def _put(self, event: CardEvent | DeviceLost | None) -> None:
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(event)


def _contents(session: FaultySession) -> CardContents:
    if session.atr[:1] != _ATR_BEGIN:
        raise CardUnreadable("mute")
    read = read_contact_card if session.card.kind is CardKind.CONTACT else read_card
    return read(session.transmit, session.atr)
