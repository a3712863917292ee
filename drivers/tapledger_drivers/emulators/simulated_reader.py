"""A card reader without any PC/SC, for machines where pcscd or pyscard is missing.

It reads virtual cards with the very code that reads real ones; what it leaves out is pcscd and its failures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from tapledger_drivers.cards.reading import CardUnreadable, read_card
from tapledger_drivers.device import DeviceInfo
from tapledger_drivers.emulators.virtual_card import CardSession, CardTakenAway, VirtualCard
from tapledger_drivers.ports import (
    CardEvent,
    CardPresented,
    CardRemoved,
    CardTorn,
    TrustPolicy,
)

EVENTS_MAX = 64


class SimulatedCardReader:
    """A ``CardReader`` whose cards are laid on by ``insert`` and taken away by ``remove``."""

    def __init__(self, name: str, trust: TrustPolicy) -> None:
        self._name = name
        self._trust = trust
        self._card: VirtualCard | None = None
        self._events: asyncio.Queue[CardEvent | None] = asyncio.Queue(EVENTS_MAX)
        self._open = False

    async def open(self) -> DeviceInfo:
        self._events = asyncio.Queue(EVENTS_MAX)
        self._open = True
        if self._card is not None:
            self._present(self._card)
        return DeviceInfo(model="simulated card reader", address=f"simulated:{self._name}", virtual=True)

    async def taps(self) -> AsyncIterator[CardEvent]:
        events = self._events
        while (event := await events.get()) is not None:
            yield event

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._put(None)

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
            if self._open:
                self._put(CardRemoved(time.monotonic()))

    def _present(self, card: VirtualCard) -> None:
        seen_at_s = time.monotonic()
        session = CardSession(card)
        try:
            contents = read_card(session.transmit, card.atr)
        except CardUnreadable as error:
            self._put(CardTorn(error.reason, seen_at_s))
            return
        except CardTakenAway:
            self._put(CardTorn("removed", seen_at_s))
            self.remove()
            return
        read_at_s = time.monotonic()
        trust = self._trust.judge(contents.uid, contents.uid_kind, contents.ndef)
        self._put(
            CardPresented(
                contents.uid,
                contents.uid_kind,
                contents.tech,
                card.atr,
                contents.ndef,
                trust,
                seen_at_s,
                read_at_s,
            )
        )

    def _put(self, event: CardEvent | None) -> None:
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(event)
