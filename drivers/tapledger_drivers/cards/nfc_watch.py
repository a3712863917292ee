"""Follows what lies on an NFC chip's antenna, one look at a time. Blocking: for the device's own thread."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import nfc.clf

from tapledger_drivers.cards.exchange import CardUnreadable
from tapledger_drivers.cards.nfc_chips import BadFrames, Collision
from tapledger_drivers.cards.nfc_tags import PRESENCE_TIMEOUT_S, Field, Tag, activate, uid_of
from tapledger_drivers.cards.reading import CardContents, classify_uid
from tapledger_drivers.errors import CardGone
from tapledger_drivers.ports import CardEvent, CardRemoved, CardTorn, TrustPolicy, UidKind
from tapledger_drivers.traffic import Traffic

READ_TRIES_MAX = 3
"""How often a card that lies there and cannot be read is tried before it has to be taken away."""
PRESENCE_TIME_MAX_S = 5 * PRESENCE_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class _Unread:
    """What lies there could not be read."""

    uid: bytes
    """Empty for two cards, a phone or nobody knows."""
    reason: str
    tries: int


def _as_it_travels(uid: bytes) -> Iterator[bytes]:
    """Yield a UID, and the pieces in which a long one is asked for (ISO 14443-3, cascade levels)."""
    yield uid
    while len(uid) in (7, 10):
        yield b"\x88" + uid[:3]
        uid = uid[3:]
        yield uid


class Watch:
    """One open chip and the one card that lies on it."""

    def __init__(self, device: nfc.clf.device.Device, trust: TrustPolicy, traffic: Traffic) -> None:
        self._device = device
        self._trust = trust
        self._traffic = traffic
        self._field = Field(device)
        self._lying: Tag | None = None
        self._unread: _Unread | None = None
        self.reading_since_s: float | None = None
        """Since when a card is being read; for any thread."""
        # A call that was given up may still run when the next one comes, in another thread.
        self._one_at_a_time = threading.Lock()

    def look(self) -> CardEvent | None:
        """Return what has changed since the last look. Raises ``OSError`` when the chip is gone."""
        with self._one_at_a_time:
            return self._look_anew() if self._lying is None else self._look_after(self._lying)

    def transmit(self, apdus: Sequence[bytes]) -> list[bytes]:
        """Send APDUs to the card; raise ``CardGone`` when there is none, or it left."""
        with self._one_at_a_time:
            if self._lying is None:
                raise CardGone("no_card")
            self._field.begin()
            try:
                return [self._lying.transmit(apdu) for apdu in apdus]
            except CardUnreadable as error:
                raise CardGone(error.reason) from error

    def firmware(self) -> str:
        """Ask the chip for its version, and so whether it answers."""
        with self._one_at_a_time:
            return bytes(self._device.chipset.get_firmware_version()).hex()

    def why_lost(self) -> str:
        """Name an ``OSError`` that came from here."""
        failure = self._device.chipset.transport.failure
        if failure is None:
            return "noise"
        if isinstance(failure, BadFrames):
            return "hung" if failure.errno == errno.ETIMEDOUT else "noise"
        return "unplugged"

    def _look_anew(self) -> CardEvent | None:
        # A card that was halted, or left in the middle of its protocol, hears no call before it lost power.
        self._device.mute()
        try:
            target = self._sense()
        except CardUnreadable as error:
            return self._fail(b"", error.reason)
        if target is not None:
            seen_at_s = self.reading_since_s = time.monotonic()
            try:
                return self._read(target, seen_at_s)
            finally:
                self.reading_since_s = None
        unread, self._unread = self._unread, None
        return None if unread is None else CardRemoved(time.monotonic())

    def _sense(self) -> nfc.clf.RemoteTarget | None:
        try:
            return self._field.sense()
        except Collision as error:
            for uid in error.uids:
                self._hide(uid)
            raise

    def _hide(self, uid: bytes) -> None:
        for secret in _as_it_travels(uid):
            self._traffic.hide(secret)

    def _read(self, target: nfc.clf.RemoteTarget, seen_at_s: float) -> CardEvent | None:
        uid = uid_of(target)
        uid_kind = classify_uid(uid)
        name = b"" if uid_kind is UidKind.RANDOM else uid
        if self._unread is not None and self._unread.uid == name and self._unread.tries >= READ_TRIES_MAX:
            return None
        self._hide(uid)
        self._field.begin()
        try:
            tag = activate(self._field, target)
            contents = tag.read()
            trust = self._trust.judge(contents.uid, contents.uid_kind, contents.ndef)
            if trust.credential is None and uid_kind is not UidKind.RANDOM:
                tag = self._read_again(contents)
        except CardUnreadable as error:
            return self._fail(name, error.reason)
        event = contents.presented(trust, tag.atr, seen_at_s)
        self._lying, self._unread = tag, None
        self._traffic.count("GoodReadCount")
        self._traffic.observe("card_read", event.read_at_s - seen_at_s)
        return event

    def _read_again(self, contents: CardContents) -> Tag:
        """Find the card once more and compare: nothing but frames with a checksum of eight bits speaks for
        what was read, and a wrong bit makes a stranger of a member."""
        self._device.mute()
        target = self._sense()
        if target is None:
            raise CardUnreadable("removed")
        tag = activate(self._field, target)
        if tag.read() != contents:
            raise CardUnreadable("bad_answer")
        return tag

    def _fail(self, uid: bytes, reason: str) -> CardTorn | None:
        """Remember what cannot be read, and say so once for each reason."""
        before = self._unread
        tries = before.tries + 1 if before is not None and before.uid == uid else 1
        self._unread = _Unread(uid, reason, tries if uid else 1)
        if before is not None and before.reason == reason:
            return None
        self._traffic.count("UnreadableCardCount")
        return CardTorn(reason, time.monotonic())

    def _look_after(self, tag: Tag) -> CardRemoved | None:
        self._field.begin(PRESENCE_TIME_MAX_S)
        try:
            if tag.present():
                return None
        except CardUnreadable:
            pass  # gone, or moved for a moment
        self._lying = None
        self._device.mute()
        try:
            target = self._sense()
            if target is not None and uid_of(target) == tag.uid:
                self._field.begin(PRESENCE_TIME_MAX_S)
                self._lying = activate(self._field, target)
                return None
        except CardUnreadable:
            pass  # the next look tells
        return CardRemoved(time.monotonic())
