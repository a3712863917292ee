"""A contactless reader behind pcscd, watched by its own thread.

Only ``smartcard.scard`` is used: pyscard's own monitors die silently with pcscd (devices.md M1). After any
failure the thread ends and ``taps`` raises ``DeviceLost``; the next ``open`` makes a new thread with a new
context, because a context is dead for good once its pcscd is (and SCardIsValidContext still calls it valid).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TypeAlias

from smartcard import scard

from tapledger_drivers.cards.reading import CardUnreadable, read_card
from tapledger_drivers.device import DeviceInfo
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceError, DeviceLost
from tapledger_drivers.ports import (
    CardEvent,
    CardPresented,
    CardRemoved,
    CardTorn,
    TrustPolicy,
)
from tapledger_drivers.registry import Making

OPEN_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0
WAIT_MS = 2000
"""Longest wait in one SCardGetStatusChange: bounds what a wake-up lost by pcscd can cost."""
EVENTS_MAX = 64
"""Events kept for a consumer that is late; beyond it the oldest go: an old tap greets the wrong person."""

_PNP = "\\\\?PnP?\\Notification"
_PROTOCOLS = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
_READER_GONE = scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_IGNORE


class PcscCardReader:
    """Yield the taps of the first reader whose name contains ``reader_name``."""

    def __init__(self, reader_name: str, trust: TrustPolicy) -> None:
        self._reader_name = reader_name
        self._trust = trust
        self._watch: _Watch | None = None
        self._events: asyncio.Queue[_Delivery] = asyncio.Queue(EVENTS_MAX)

    async def open(self) -> DeviceInfo:
        """Find the reader and start watching it; a card that already lies on it is presented at once."""
        await self.close()
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[_Delivery] = asyncio.Queue(EVENTS_MAX)
        opened: asyncio.Future[str] = loop.create_future()

        def deliver(delivery: _Delivery) -> None:
            try:
                loop.call_soon_threadsafe(_hand_over, delivery, opened, events)
            except RuntimeError:
                return  # the loop has ended, and with it everybody who could listen

        self._events = events
        self._watch = _Watch(self._reader_name, self._trust, deliver)
        self._watch.start()
        try:
            name = await asyncio.wait_for(opened, OPEN_TIMEOUT_S)
        except TimeoutError as error:
            self._watch.stop()
            raise DeviceAbsent("pcscd_silent", f"no answer in {OPEN_TIMEOUT_S} s") from error
        # The virtual reader of vsmartcard is the only PC/SC reader that is not a thing; its name says so.
        return DeviceInfo(model=name, address=f"pcsc:{name}", virtual="virtual" in name.casefold())

    async def taps(self) -> AsyncIterator[CardEvent]:
        """Yield what happens on the reader until ``close``; raise ``DeviceLost`` when it or pcscd goes."""
        events = self._events
        while True:
            delivery = await events.get()
            if isinstance(delivery, DeviceError):
                raise delivery
            if isinstance(delivery, _Closed):
                return
            if not isinstance(delivery, _Opened):
                yield delivery

    async def close(self) -> None:
        """Stop watching and end ``taps``; waits for the thread at most ``CLOSE_TIMEOUT_S``."""
        watch, self._watch = self._watch, None
        if watch is None:
            return
        watch.stop()
        _put(self._events, _Closed())
        deadline_s = time.monotonic() + CLOSE_TIMEOUT_S
        while watch.is_alive() and time.monotonic() < deadline_s:
            await asyncio.to_thread(watch.join, 0.1)
            watch.stop()  # SCardCancel wakes only a wait that has begun


@dataclass(frozen=True, slots=True)
class _Opened:
    reader: str


class _Closed:
    pass


_Delivery: TypeAlias = CardEvent | DeviceError | _Opened | _Closed


def _hand_over(delivery: _Delivery, opened: asyncio.Future[str], events: asyncio.Queue[_Delivery]) -> None:
    """Runs on the event loop: the answer to ``open`` first, everything later into the queue."""
    if opened.done():
        _put(events, delivery)
    elif isinstance(delivery, _Opened):
        opened.set_result(delivery.reader)
    elif isinstance(delivery, DeviceError):
        opened.set_exception(delivery)


def _put(events: asyncio.Queue[_Delivery], delivery: _Delivery) -> None:
    if events.full():
        events.get_nowait()
    events.put_nowait(delivery)


class _PcscError(Exception):
    """One PC/SC call failed; ``code`` is the standard's 32-bit number."""

    def __init__(self, call: str, hresult: int) -> None:
        self.code = hresult & 0xFFFFFFFF
        super().__init__(f"{call}: 0x{self.code:08X} {scard.SCardGetErrorMessage(hresult)}")


def _code(constant: int) -> int:
    return constant & 0xFFFFFFFF


_TORN_REASONS = {
    _code(scard.SCARD_E_NO_SMARTCARD): "removed",
    _code(scard.SCARD_W_REMOVED_CARD): "removed",
    _code(scard.SCARD_E_NOT_TRANSACTED): "removed",
    _code(scard.SCARD_F_COMM_ERROR): "removed",
    _code(scard.SCARD_W_RESET_CARD): "reset",
    _code(scard.SCARD_W_UNPOWERED_CARD): "mute",
    _code(scard.SCARD_W_UNRESPONSIVE_CARD): "mute",
    _code(scard.SCARD_E_PROTO_MISMATCH): "mute",
    _code(scard.SCARD_E_SHARING_VIOLATION): "reader_in_use",
}
"""Failures of the card or of its moment; every other code means that the context or the reader is dead."""


def _check(call: str, hresult: int) -> None:
    if hresult != scard.SCARD_S_SUCCESS:
        raise _PcscError(call, hresult)


def _check_card(call: str, hresult: int) -> None:
    try:
        _check(call, hresult)
    except _PcscError as error:
        if error.code not in _TORN_REASONS:
            raise
        raise CardUnreadable(_TORN_REASONS[error.code]) from error


def _establish_context() -> int:
    for _ in range(2):
        hresult, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if _code(hresult) != _code(scard.SCARD_W_SECURITY_VIOLATION):
            _check("SCardEstablishContext", hresult)
            return int(context)
    # libpcsclite says this whenever pcscd hangs up on it; twice at once is a refusal and not a crash.
    cause = _PcscError("SCardEstablishContext", hresult)
    raise DeviceBlocked("not_permitted", "polkit lets this user not use pcscd") from cause


def _device_error(cause: _PcscError, was_open: bool) -> DeviceError:
    if was_open:
        return DeviceLost("pcscd_lost", str(cause))
    if cause.code == _code(scard.SCARD_E_NO_READERS_AVAILABLE):
        return DeviceAbsent("reader_absent", "pcscd has no reader")
    return DeviceAbsent("pcscd_absent", str(cause))


class _Watch(threading.Thread):
    """One PC/SC context, from its making to its first failure."""

    def __init__(self, reader_name: str, trust: TrustPolicy, deliver: Callable[[_Delivery], None]) -> None:
        super().__init__(name=f"pcsc {reader_name}", daemon=True)
        self._reader_name = reader_name
        self._trust = trust
        self._deliver = deliver
        self._stopping = threading.Event()
        self._context: int | None = None

    def stop(self) -> None:
        """Ask the thread to end; safe from any thread and at any time."""
        self._stopping.set()
        context = self._context
        if context is not None:
            scard.SCardCancel(context)

    def run(self) -> None:
        was_open = False
        try:
            self._context = _establish_context()
            reader = self._find_reader()
            self._deliver(_Opened(reader))
            was_open = True
            self._follow(reader)
        except _PcscError as cause:
            error = _device_error(cause, was_open)
            error.__cause__ = cause
            if not self._stopping.is_set():
                self._deliver(error)
        except DeviceError as error:
            self._deliver(error)
        finally:
            context, self._context = self._context, None
            if context is not None:
                scard.SCardReleaseContext(context)

    def _find_reader(self) -> str:
        hresult, names = scard.SCardListReaders(self._context, [])
        _check("SCardListReaders", hresult)
        for name in names:
            if self._reader_name in name:
                return str(name)
        raise DeviceAbsent("reader_absent", f"no reader named like {self._reader_name!r} among {names}")

    def _follow(self, reader: str) -> None:
        known = [(reader, scard.SCARD_STATE_UNAWARE), (_PNP, 0)]
        present, count = False, 0
        while not self._stopping.is_set():
            hresult, states = scard.SCardGetStatusChange(self._context, WAIT_MS, known)
            seen_at_s = time.monotonic()
            if _code(hresult) in (_code(scard.SCARD_E_TIMEOUT), _code(scard.SCARD_E_CANCELLED)):
                continue
            _check("SCardGetStatusChange", hresult)
            (_, state, atr), (_, pnp_state, _) = states
            if state & _READER_GONE:
                raise DeviceLost("reader_gone", reader)
            known = [(reader, state), (_PNP, pnp_state)]
            # The upper half counts insertions and removals: a card swapped between two waits shows only so.
            is_present, new_count = bool(state & scard.SCARD_STATE_PRESENT), state >> 16
            swapped = present and is_present and new_count != count
            if present and (not is_present or swapped):
                self._deliver(CardRemoved(seen_at_s))
            if is_present and (not present or swapped):
                self._deliver(self._read(reader, bytes(atr), state, seen_at_s))
            present, count = is_present, new_count

    def _read(self, reader: str, atr: bytes, state: int, seen_at_s: float) -> CardEvent:
        if state & scard.SCARD_STATE_MUTE:
            return CardTorn("mute", seen_at_s)
        hresult, card, protocol = scard.SCardConnect(
            self._context, reader, scard.SCARD_SHARE_SHARED, _PROTOCOLS
        )
        try:
            _check_card("SCardConnect", hresult)
            contents = read_card(lambda apdu: _transmit(card, protocol, apdu), atr)
        except CardUnreadable as error:
            return CardTorn(error.reason, seen_at_s)
        finally:
            if hresult == scard.SCARD_S_SUCCESS:
                scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        read_at_s = time.monotonic()
        trust = self._trust.judge(contents.uid, contents.uid_kind, contents.ndef)
        return CardPresented(
            uid=contents.uid,
            uid_kind=contents.uid_kind,
            tech=contents.tech,
            atr=atr,
            ndef=contents.ndef,
            trust=trust,
            seen_at_s=seen_at_s,
            read_at_s=read_at_s,
        )


def _transmit(card: int, protocol: int, apdu: bytes) -> bytes:
    hresult, answer = scard.SCardTransmit(card, protocol, list(apdu))
    _check_card("SCardTransmit", hresult)
    return bytes(answer)


def make(making: Making) -> PcscCardReader:
    return PcscCardReader(making.options.text("reader_name"), making.trust)
