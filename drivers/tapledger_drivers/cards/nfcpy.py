"""A contactless reader without pcscd: a PN532 board on a serial port, or Sony's RC-S380 on USB, by nfcpy.

nfcpy blocks and raises whatever comes of bytes it did not expect, so it lives in the device's own thread
and behind ``_call``. The chip is asked again and again whether a card is there (``LOOK_EVERY_S``); what
happens in one look is in nfc_watch.py. After ``close`` the chip's field stays on until the next ``open``:
switching it off would need an answer from a device that may be hanging.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from tapledger_drivers.cards.exchange import SLOW_S
from tapledger_drivers.device import DeviceInfo, Finding, HealthLevel, HealthReport
from tapledger_drivers.errors import CardGone, DeviceAbsent, DeviceBlocked, DeviceError, DeviceLost
from tapledger_drivers.io import Io, Port
from tapledger_drivers.ports import CardEvent, CardPresented, CardTorn, Feedback, TrustPolicy
from tapledger_drivers.quirks import capabilities, find
from tapledger_drivers.registry import Making

if TYPE_CHECKING:
    from tapledger_drivers.cards.nfc_watch import Watch

A = ParamSpec("A")
T = TypeVar("T")

LOOK_EVERY_S = 0.1
SLOW_LOOK_S = 0.25
"""So often a look that takes long is asked whether a card is the reason."""
PN532_SPEED = "baud=115200"
"""What the chip speaks when it wakes up."""
OPEN_TIMEOUT_S = 20.0
"""A chip on a slow line has some twenty questions to answer; a silent one is given up after the first."""
LOOK_TIMEOUT_S = 15.0

_USB = re.compile(r"usb:([0-9a-f]{4}):([0-9a-f]{4})", re.IGNORECASE)
_RCS380 = frozenset({"054C:06C1", "054C:06C3"})
_DEFAULTS = {"contact": False, "escape": False, "led": False, "buzzer": False}
_DETECTED = {"felica": True}


class NfcpyCardReader:
    """Yield the taps on the chip behind ``port``: ``tty:PATH`` or ``usb:054c:06c3``."""

    def __init__(self, port: str, trust: TrustPolicy, io: Io) -> None:
        usb = _USB.fullmatch(port)
        self._usb_id = ":".join(usb.groups()).upper() if usb else ""
        if self._usb_id not in _RCS380 and not port.startswith("tty:"):
            expected = "tty:PATH for a PN532, usb:054c:06c1 or usb:054c:06c3 for an RC-S380"
            raise DeviceBlocked("bad_address", f"{port!r} is not {expected}")
        self._address = (
            port if usb or "baud=" in port else f"{port}{'&' if '?' in port else '?'}{PN532_SPEED}"
        )
        self._trust = trust
        self._io = io
        self._port: Port | None = None
        self._watch: Watch | None = None
        self._closing = asyncio.Event()

    async def open(self) -> DeviceInfo:
        """Wake the chip up; a card that already lies on it is the first event of ``taps``."""
        await self.close()
        self._closing = asyncio.Event()
        try:
            self._watch, info = await self._io.run(OPEN_TIMEOUT_S, self._open)
        except BaseException:
            await self.close()
            raise
        return info

    async def taps(self) -> AsyncIterator[CardEvent]:
        """Yield what happens on the reader until ``close``; raise ``DeviceLost`` when the chip goes."""
        watch, closing = self._watch, self._closing
        while watch is not None and not closing.is_set():
            looking = asyncio.ensure_future(self._call(watch.look))
            told = False
            try:
                while not (await asyncio.wait({looking}, timeout=SLOW_LOOK_S))[0]:
                    since_s = watch.reading_since_s
                    if since_s is not None and time.monotonic() - since_s > SLOW_S and not told:
                        told = True
                        yield CardTorn("too_slow", since_s)
                event = looking.result()
            except DeviceError:
                if closing.is_set():
                    return
                raise
            finally:
                looking.cancel()
            if told and isinstance(event, CardTorn) and event.reason == "too_slow":
                event = None
            if isinstance(event, CardPresented):
                self._io.traffic.observe("tap_to_card", time.monotonic() - event.seen_at_s)
            if event is not None:
                yield event
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await closing.wait()

    async def feedback(self, pattern: Feedback) -> bool:
        """Return False: neither chip has a light or a buzzer."""
        return False

    async def transceive(self, apdus: Sequence[bytes]) -> list[bytes]:
        """Send APDUs to an ISO 14443-4 card; any other knows only those that PC/SC defines for it."""
        if self._watch is None:
            raise CardGone("no_card")
        return await self._call(self._watch.transmit, apdus)

    async def health(self, level: HealthLevel) -> HealthReport:
        """Ask the chip for its version; it can do nothing that a person would see."""
        if self._watch is None:
            raise DeviceLost("closed", self._address)
        firmware = await self._call(self._watch.firmware)
        return HealthReport(HealthLevel.INTERNAL, (Finding("answers", True, firmware),))

    async def close(self) -> None:
        """End ``taps`` and every call that waits for the chip."""
        self._closing.set()
        port, self._port, self._watch = self._port, None, None
        if port is not None:
            port.close()

    async def _call(self, call: Callable[A, T], *args: A.args, **kwargs: A.kwargs) -> T:
        watch = self._watch
        try:
            return await self._io.run(LOOK_TIMEOUT_S, call, *args, **kwargs)
        except DeviceError:
            raise
        except Exception as error:
            self._io.traffic.count("CommunicationErrorCount")
            reason = "closed" if watch is None else watch.why_lost()
            raise DeviceLost(reason, f"{self._address}: {error!r}") from error

    def _open(self) -> tuple[Watch, DeviceInfo]:
        try:
            from tapledger_drivers.cards.nfc_chips import open_pn532, open_rcs380
            from tapledger_drivers.cards.nfc_watch import Watch
        except ImportError as error:
            advice = "install the extra tapledger[devices]"
            raise DeviceBlocked("nfcpy_missing", advice) from error
        self._port = port = self._io.port(self._address)
        try:
            chip = open_rcs380(port) if self._usb_id else open_pn532(port)
        except Exception as error:
            detail = f"nothing on {self._address} answers as the chip should: {error!r}"
            raise DeviceAbsent("not_answering", detail) from error
        name, _, firmware = str(chip.chipset_name).rpartition("v")
        quirk = find("reader", usb_id=self._usb_id, name=name.strip())
        info = DeviceInfo(
            model=name.strip() if quirk is None else quirk.model,
            address=self._address,
            firmware=firmware,
            virtual=port.virtual,
            usb_id=self._usb_id,
            capabilities=capabilities(_DEFAULTS, _DETECTED, quirk, {}),
        )
        return Watch(chip, self._trust, self._io.traffic), info


def make(making: Making) -> NfcpyCardReader:
    return NfcpyCardReader(making.options.text("port"), making.trust, making.io)
