"""The blocking half of a PC/SC reader: one context from its making to its first failure.

Everything here runs in the device's own thread, ``wake`` excepted. A context stays dead when its
pcscd comes back, so after a failure nothing of a session is used again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from tapledger_drivers import quirks
from tapledger_drivers.cards.choosing import Wanted, choose
from tapledger_drivers.cards.exchange import GET_UID, OK, CardUnreadable
from tapledger_drivers.cards.pcsc_codes import (
    CARD_REASONS,
    ESCAPE,
    LOST,
    NO_READERS_AVAILABLE,
    READER_UNAVAILABLE,
    STATE_MUTE,
    STATE_PRESENT,
    STATE_READER_GONE,
    UNKNOWN_READER,
)
from tapledger_drivers.cards.reader_models import SIGNALS, Question, Signals
from tapledger_drivers.cards.reading import CardContents, read_and_judge, read_card, read_contact_card
from tapledger_drivers.device import Capabilities, DeviceInfo, Finding, Value
from tapledger_drivers.errors import CardGone, DeviceAbsent, DeviceError, DeviceLost
from tapledger_drivers.io import Io, Pcsc, PcscCard, PcscFailed, ReaderState
from tapledger_drivers.ports import (
    CardEvent,
    CardPresented,
    CardRemoved,
    CardTorn,
    Feedback,
    TrustPolicy,
)

WAIT_S = 2.0
"""Longest single wait for news: bounds what a wake-up lost by pcscd can cost."""
_COUNTER_MASK = 0xFFFF
_DEFAULTS: Mapping[str, Value] = {
    "felica": False,
    "escape": False,
    "led": False,
    "buzzer": False,
    "contact": False,
}
_READ_BINARY = b"\xb0"
_SERIAL = re.compile(r"\(([^()]+)\)")
_PIECE_BYTES_MIN = 4
"""Shorter pieces of a secret would also be found where they are none."""

Deliver: TypeAlias = Callable[[CardEvent], None]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a role asks of its reader."""

    wanted: Wanted
    said: Mapping[str, Value]
    """Capabilities by the operator's word."""


class ReaderSession:
    def __init__(self, setup: Setup, io: Io, trust: TrustPolicy) -> None:
        self._setup = setup
        self._io = io
        self._trust = trust
        self._pcsc: Pcsc | None = None
        self._reader = ""
        self._known = ReaderState("", 0, 0, b"")
        self._looked = False
        self._detected: dict[str, Value] = {}
        self._signals: Signals | None = None
        self._contact = False
        self.waiting_since_s: float | None = None
        """Since when it waits for news, which ends by itself after ``WAIT_S``; None outside a wait."""
        self.ended = False
        """Set by anybody: the call that runs is the last one, and gives the context back."""
        self.calls_waiting = 0
        """Calls that want the thread: no wait for news begins before them."""
        self.busy_since_s: float | None = None
        """Since when a card is being read; None while waiting."""

    def wake(self) -> None:
        """End the wait for news, if there is one; from any thread."""
        pcsc = self._pcsc  # the session's own thread may let go of it at any moment
        if self.waiting_since_s is not None and pcsc is not None:
            pcsc.cancel()

    @property
    def has_signals(self) -> bool:
        """Whether the reader's light can be ours, as far as is known."""
        return self._signals is not None

    def start(self) -> DeviceInfo:
        """Find the reader; raise ``DeviceAbsent`` or ``DeviceBlocked``."""
        with self._last_one_releases():
            try:
                self._pcsc = self._io.pcsc()
                self._reader = choose(self._pcsc.readers(), self._setup.wanted)
                self._known = ReaderState(self._reader, 0, 0, b"")
                return self._introduce()
            except PcscFailed as error:
                self.ended = True
                if error.code in (NO_READERS_AVAILABLE, UNKNOWN_READER, READER_UNAVAILABLE):
                    raise DeviceAbsent("reader_absent", str(error)) from error
                raise DeviceAbsent("pcscd_absent", str(error)) from error
            except DeviceError:
                self.ended = True
                raise

    def step(self, deliver: Deliver) -> None:
        """Wait for one piece of news and deliver it, cards already read; end after ``WAIT_S`` or ``wake``."""
        with self._last_one_releases(), self._failing_as_lost():
            self.waiting_since_s = time.monotonic()
            try:
                skip = self.ended or self.calls_waiting > 0
                states = None if skip else self._live.wait([self._known], WAIT_S)
            finally:
                self.waiting_since_s = None
            if states is None or self.ended:
                return
            seen_at_s = self.busy_since_s = time.monotonic()
            try:
                self._tell(states[0], seen_at_s, deliver)
            finally:
                self.busy_since_s = None

    def transceive(self, apdus: Sequence[bytes]) -> list[bytes]:
        """Exchange APDUs with the card that lies there; raise ``CardGone`` without one."""
        with self._last_one_releases(), self._failing_as_lost():
            try:
                with self._connected() as card:
                    return [card.transmit(apdu) for apdu in apdus]
            except PcscFailed as error:
                if error.code not in CARD_REASONS:
                    raise
                raise CardGone(CARD_REASONS[error.code], str(error)) from error

    def show(self, pattern: Feedback) -> bool:
        """Show a pattern; False when the reader has no light of ours, or refuses it."""
        with self._last_one_releases(), self._failing_as_lost():
            capabilities = self.capabilities()
            if self._signals is None or not capabilities["escape"].value:
                return False
            sounds = bool(capabilities["buzzer"].value)
            patterns = self._signals.patterns if sounds else self._signals.silent_patterns
            return self._signals.accepted(self._escape(*patterns[pattern]))

    def look(self) -> list[Finding]:
        """Ask pcscd and the reader how they are; nothing moves."""
        with self._last_one_releases():
            try:
                names = self._live.readers()
            except PcscFailed as error:
                return [Finding("pcscd", False, str(error))]
            found = Finding("reader", self._reader in names, self._reader)
            return [Finding("pcscd", True), found]

    def capabilities(self) -> Capabilities:
        quirk = quirks.find("reader", name=self._reader)
        return quirks.capabilities(_DEFAULTS, self._detected, quirk, self._setup.said)

    # ---- the reader ------------------------------------------------------------------------------------
    def _introduce(self) -> DeviceInfo:
        capabilities = self.capabilities()
        self._contact = bool(capabilities["contact"].value)
        signals = capabilities.get("signals")
        if signals is not None and self._setup.said.get("escape") is not False:
            self._signals = SIGNALS.get(str(signals.value))
        firmware = "" if self._signals is None else self._first_escape(self._signals)
        serial = _SERIAL.search(self._reader)
        return DeviceInfo(
            model=self._reader,
            address=f"pcsc:{self._reader}",
            firmware=firmware,
            # The virtual reader of vsmartcard is the only PC/SC reader that is not a thing; its name says so.
            virtual="virtual" in self._reader.casefold(),
            serial=serial[1] if serial else "",
            capabilities=self.capabilities(),
        )

    def _first_escape(self, signals: Signals) -> str:
        """Learn whether escape commands are let through, end the reader's own beep, return its firmware."""
        firmware = self._escape(signals.firmware)
        if not firmware:
            return ""
        quiet = signals.quiet
        if isinstance(quiet, Question):
            quiet = quiet.repair(self._escape(quiet.ask)) or b""
        if quiet:
            self._escape(quiet)
        return "".join(chr(byte) for byte in firmware if 0x20 <= byte < 0x7F).strip()

    def _escape(self, *commands: bytes) -> bytes:
        """Send commands to the reader itself, card or not, and return the last answer.

        A refusal is no failure: it is remembered, and the answer is empty.
        """
        answer = b""
        try:
            with self._connected(direct=True) as reader:
                for command in commands:
                    answer = reader.control(ESCAPE, command)
        except PcscFailed as error:
            if error.code in LOST:
                raise
            self._detected["escape"] = False
            self._io.traffic.note("escape", f"refused: {error}")
            return b""
        self._detected["escape"] = bool(answer)
        return answer

    # ---- cards -----------------------------------------------------------------------------------------
    def _tell(self, state: ReaderState, seen_at_s: float, deliver: Deliver) -> None:
        """Deliver what has happened between the last look and this one."""
        if state.flags & STATE_READER_GONE:
            cause = PcscFailed("SCardGetStatusChange", READER_UNAVAILABLE, f"state {state.flags:04X}")
            raise DeviceLost("reader_gone", self._reader) from cause
        before, self._known = self._known, state
        looked, self._looked = self._looked, True
        was_there, is_there = bool(before.flags & STATE_PRESENT), bool(state.flags & STATE_PRESENT)
        moves = state.count - before.count & _COUNTER_MASK if looked else 0
        swapped = was_there and is_there and moves > 0
        if was_there and (not is_there or swapped):
            deliver(CardRemoved(seen_at_s))
        if is_there and (not was_there or swapped):
            self._read(state, seen_at_s, deliver)
        if not was_there and not is_there and moves > 1:
            deliver(CardTorn("removed", seen_at_s))  # it came and went between two looks
            deliver(CardRemoved(seen_at_s))

    def _read(self, state: ReaderState, seen_at_s: float, deliver: Deliver) -> None:
        try:
            if state.flags & STATE_MUTE:
                raise CardUnreadable("mute")
            with self._failing_as_unreadable(), self._connected() as card:
                event = self._presented(card, state, seen_at_s)
                deliver(event)  # before the disconnection, which takes as long as an APDU
        except CardUnreadable as error:
            self._io.traffic.count("UnreadableCardCount")
            deliver(CardTorn(error.reason, seen_at_s))

    def _presented(self, card: PcscCard, state: ReaderState, seen_at_s: float) -> CardPresented:
        chunks: list[bytes] = []

        def transceive(apdu: bytes) -> bytes:
            answer = card.transmit(apdu)
            if apdu == GET_UID and answer[-2:] == OK:
                self._io.traffic.hide(answer[:-2])  # now: the card may leave before it is read
            if apdu[1:2] == _READ_BINARY:
                chunks.append(answer[:-2])
            return answer

        read = read_contact_card if self._contact else read_card

        def read_once() -> CardContents:
            chunks.clear()
            contents = read(transceive, state.atr)
            for secret in (contents.uid, *secret_pieces(contents.ndef, chunks)):
                self._io.traffic.hide(secret)
            return contents

        contents, trust = read_and_judge(read_once, self._trust)
        event = contents.presented(trust, state.atr, seen_at_s)
        self._io.traffic.count("GoodReadCount")
        self._io.traffic.observe("card_read", event.read_at_s - seen_at_s)
        return event

    # ---- the context -----------------------------------------------------------------------------------
    @property
    def _live(self) -> Pcsc:
        if self._pcsc is None:
            raise DeviceLost("closed", self._reader)
        return self._pcsc

    @contextmanager
    def _connected(self, *, direct: bool = False) -> Iterator[PcscCard]:
        card = self._live.connect(self._reader, direct=direct)
        try:
            yield card
        finally:
            card.disconnect()

    @contextmanager
    def _failing_as_lost(self) -> Iterator[None]:
        try:
            yield
        except PcscFailed as error:
            self.ended = True
            self._io.traffic.count("CommunicationErrorCount")
            gone = error.code in (UNKNOWN_READER, READER_UNAVAILABLE)
            raise DeviceLost("reader_gone" if gone else "pcscd_lost", str(error)) from error
        except DeviceLost:
            self.ended = True
            raise

    @contextmanager
    def _failing_as_unreadable(self) -> Iterator[None]:
        try:
            yield
        except PcscFailed as error:
            if error.code not in CARD_REASONS:
                raise
            raise CardUnreadable(CARD_REASONS[error.code]) from error

    def release(self) -> None:
        """Give the context back; twice is once."""
        pcsc, self._pcsc = self._pcsc, None
        if pcsc is not None:
            pcsc.release()

    @contextmanager
    def _last_one_releases(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self.ended:
                self.release()


def secret_pieces(ndef: bytes | None, chunks: Sequence[bytes]) -> list[bytes]:
    """Cut an NDEF message as it passed: a message read in several chunks is in no frame as a whole."""
    if not ndef:
        return []
    begin = b"".join(chunks).rfind(ndef)
    if begin < 0:
        return [ndef]
    pieces, at = [], 0
    for chunk in chunks:
        piece = chunk[max(begin - at, 0) : max(begin + len(ndef) - at, 0)]
        if len(piece) >= _PIECE_BYTES_MIN:
            pieces.append(piece)
        at += len(chunk)
    return pieces
