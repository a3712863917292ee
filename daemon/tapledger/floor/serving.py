"""Every card and every code, from its device to the face whose it is, each exactly once.

What is in the ring and was never handled (the daemon stopped in between) comes first: codes of the till, in
their order, once somebody is signed in. An old tap is never shown: it would greet the wrong person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from tapledger.devices import inputs
from tapledger.devices.events import DeviceEvents, Event
from tapledger.devices.inputs import Code
from tapledger.devices.roles import KIOSK_READER, TILL_SCANNER, face_of
from tapledger.devices.supervisor import DeviceSupervisor, Reported
from tapledger.errors import Invalid, Refused, TapledgerError
from tapledger.membership.identity import Presented
from tapledger.membership.scan_pace import ScanPace
from tapledger.membership.shop import Shop
from tapledger.web.kiosk.face import KioskFace
from tapledger.web.till import TillFace
from tapledger_drivers.ports import CardEvent, CardPresented, CardTorn, Feedback, Scan, ScanEvent, ScanRefused

log = structlog.get_logger()

TAP_FRESH_S = 3.0
"""A tap that is older than this when the daemon is back is only written down."""


class Serving:
    """The loops between devices and faces."""

    def __init__(
        self,
        shop: Shop,
        devices: DeviceSupervisor,
        events: DeviceEvents,
        kiosk: KioskFace,
        till: TillFace,
    ) -> None:
        self._shop = shop
        self._devices = devices
        self._events = events
        self._kiosk = kiosk
        self._till = till
        self._codes: list[tuple[Event, Code]] = []
        self._taps: list[tuple[Event, Presented]] = []
        self._showing: set[asyncio.Task[None]] = set()
        self._paces: dict[str, ScanPace] = {}

    async def recover(self) -> None:
        """Find what was stored before the daemon stopped and never handled. Once, before anything new."""
        now, too_old = self._shop.clock.now(), []
        for event in await self._events.unhandled():
            code, card = inputs.read_code(event.private), inputs.read_card(event.private)
            if event.device == TILL_SCANNER and code is not None:
                self._codes.append((event, code))
            elif card is not None and (now - event.at).total_seconds() <= TAP_FRESH_S:
                self._taps.append((event, card))
            else:
                too_old.append(event.seq)
        await self._events.settle(too_old)
        if self._codes or self._taps or too_old:
            log.info("left from before", codes=len(self._codes), taps=len(self._taps), old=len(too_old))

    async def serve_taps(self) -> None:
        """Every card, from the reader to the face of its role."""
        for event, card in self._taps:
            await self._left(event, self._card(event.device, card, self._shop.clock.monotonic_s()))
        async for tap in self._devices.taps():
            await self._tap(tap)
            if tap.seq is not None:
                await self._events.handled(tap.seq)

    async def _tap(self, tap: Reported[CardEvent]) -> None:
        if isinstance(tap.event, CardPresented):
            try:
                card = inputs.presented(tap.event, tap.simulated)
            except TapledgerError as error:
                await self._card_trouble(tap.role, error, tap.event.seen_at_s)
            else:
                await self._card(tap.role, card, tap.event.seen_at_s)
            self._devices.note(tap.role, "card")
        elif isinstance(tap.event, CardTorn):
            await self._card_trouble(tap.role, inputs.torn(tap.event), tap.event.seen_at_s)
            self._devices.note(tap.role, "collision" if tap.event.reason == "collision" else "torn")
        else:
            self._devices.note(tap.role, "removed")

    async def _card(self, role: str, presented: Presented, seen_at_s: float) -> None:
        try:
            if role == KIOSK_READER:
                taken = await self._kiosk.card(presented, seen_at_s)
            else:
                taken = await self._till.card(presented)
        except TapledgerError as error:
            await self._card_trouble(role, error, seen_at_s)
        else:
            self._light(role, Feedback.ACCEPTED if taken else Feedback.REFUSED)

    async def _card_trouble(self, role: str, error: TapledgerError, seen_at_s: float) -> None:
        if role == KIOSK_READER:
            await self._kiosk.card_trouble(error, seen_at_s)
        else:
            await self._till.trouble(error)
        self._light(role, Feedback.REFUSED)

    def _light(self, role: str, pattern: Feedback) -> None:
        """Let the reader say what the screen says; nobody waits for it."""
        task = asyncio.get_running_loop().create_task(self._devices.feedback(role, pattern))
        self._showing.add(task)
        task.add_done_callback(self._showing.discard)

    async def serve_scans(self) -> None:
        """Every code, from the scanner to the box of its face."""
        for event, code in self._codes:
            await self._till.staffed.wait()
            await self._left(event, self._code(event.device, code, event.seq))
        async for scan in self._devices.scans():
            await self._scan(scan)
            if scan.seq is not None:
                await self._events.handled(scan.seq)

    async def _left(self, event: Event, serving: Coroutine[Any, Any, None]) -> None:
        """Serve what a stop of the daemon left, once: what ended it then must not end it at each start."""
        try:
            await serving
        except Exception:
            log.exception("left unserved", device=event.device, seq=event.seq)
        await self._events.handled(event.seq)

    async def _scan(self, scan: Reported[ScanEvent]) -> None:
        if isinstance(scan.event, Scan):
            self._devices.note(scan.role, "code")
            await self._code(scan.role, Code(inputs.entered(scan.event), scan.simulated), scan.seq)
            return
        self._devices.note(scan.role, "refused")
        await self._refuse(scan.role, _refusal(scan.event), scan.event.seen_at_s)

    async def _refuse(self, role: str, error: TapledgerError, seen_at_s: float) -> None:
        if face_of(role) == "kiosk":
            await self._kiosk.card_trouble(error, seen_at_s)
        else:
            await self._till.trouble(error)

    async def _code(self, role: str, code: Code, seq: int | None) -> None:
        try:
            if not self._paces.setdefault(role, ScanPace(self._shop.clock)).takes(code.text):
                return  # a member's or a coupon's code that is still before the scanner (R26)
        except Refused as error:
            await self._refuse(role, error, self._shop.clock.monotonic_s())
            return
        if face_of(role) == "kiosk":
            await self._kiosk.code(code.text, code.simulated)
            return
        try:
            await self._till.enter(code.text, seq, simulated=code.simulated)
        except TapledgerError as error:
            await self._till.trouble(error)


def _refusal(event: ScanRefused) -> Invalid:
    """Say what a scanner did not take; a payment secret in the same words as one that was typed."""
    match event.reason:
        case "payment_card":
            return Invalid("CARD_NUMBER_REFUSED")
        case "payment_code":
            return Invalid("PAYMENT_CODE_REFUSED")
    return Invalid(f"SCAN_{event.reason.upper()}", length=event.length)
