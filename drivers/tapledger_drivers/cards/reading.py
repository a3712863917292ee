"""Reads one card through APDUs, with as few of them as the standards allow.

Sources: PC/SC part 3 (``FF CA``, ``FF B0``, storage-card ATRs), NFC Forum Type 2 and Type 4 Tag.
Everything a card answers is length-checked: a card is input from a stranger.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tapledger_drivers.cards.contact import read_serial_number
from tapledger_drivers.cards.exchange import (
    GET_UID,
    OK,
    SLOW_S,
    CardUnreadable,
    ContactExchange,
    Exchange,
    Transceive,
    read_binary,
)
from tapledger_drivers.ports import CardPresented, CardTrust, TrustPolicy, UidKind

NDEF_BYTES_MAX = 8 * 1024

SELECT_NDEF_APPLICATION = bytes.fromhex("00A4040007D276000085010100")
SELECT_NDEF_APPLICATION_ON_CONTACTS = bytes.fromhex("00A4040C07D2760000850101")
"""Asks for no answer: T=0 knows no command that sends data and expects some."""
SELECT_CAPABILITY_CONTAINER = bytes.fromhex("00A4000C02E103")

_STORAGE_RID = bytes.fromhex("A000000306")
_TYPE2_CARD_NAMES = frozenset({0x0003, 0x003A})
"""PC/SC part 3 supplement: MIFARE Ultralight (also what readers call an NTAG) and Ultralight C."""
_FELICA_CARD_NAME = 0x003B
_STRUCTURAL = frozenset({0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6D, 0x6E})
"""How a status word begins by which a card that listens says no; any other means that something is off."""

_UIDS_SHARED = frozenset({bytes.fromhex("01020304")})
_UID_LENGTHS = frozenset({4, 7, 8, 10})
"""ISO 14443 has 4, 7 and 10; FeliCa's IDm and ISO 15693 have 8."""
_TYPE2_READ_BYTES = 16
_SHORT_READ_MAX = 0xFF


@dataclass(frozen=True, slots=True)
class CardContents:
    uid: bytes
    uid_kind: UidKind
    tech: str
    """As in ``ports.CardPresented``."""
    ndef: bytes | None

    def presented(self, trust: CardTrust, atr: bytes, seen_at_s: float) -> CardPresented:
        """Tell of the card that has just been read."""
        return CardPresented(
            uid=self.uid,
            uid_kind=self.uid_kind,
            tech=self.tech,
            atr=atr,
            ndef=self.ndef,
            trust=trust,
            seen_at_s=seen_at_s,
            read_at_s=time.monotonic(),
        )


def classify_uid(uid: bytes) -> UidKind:
    """Tell what a UID is good for (security.md section 1.1)."""
    if len(uid) not in _UID_LENGTHS or uid in _UIDS_SHARED or not any(uid) or set(uid) == {0xFF}:
        return UidKind.FORBIDDEN
    if len(uid) == 4 and uid[0] == 0x08:
        return UidKind.RANDOM
    if len(uid) == 8 and uid[:2] == b"\x01\xfe":
        return UidKind.RANDOM  # NFC Forum: an NFCID2 for peer-to-peer, made up for this one meeting
    return UidKind.FIXED


def read_card(transceive: Transceive, atr: bytes) -> CardContents:
    """Read UID and NDEF message of a contactless card; raise ``CardUnreadable`` when that cannot be done.

    A card whose memory is well read but holds no valid NDEF structure has ``ndef=None``: asking to hold it
    still would not help.
    """
    exchange = Exchange(transceive)
    uid, status = exchange.ask(GET_UID)
    if status != OK or not uid:
        raise CardUnreadable("no_uid")
    try:
        tech, ndef = _read_contents(exchange, atr)
    except _Puzzling:
        _refuse_another_card(exchange, uid)
        tech, ndef = "unknown", None
    except CardUnreadable as error:
        if error.reason == "bad_answer":
            _refuse_another_card(exchange, uid)
        raise
    return CardContents(uid, classify_uid(uid), tech, ndef)


def read_contact_card(transceive: Transceive, atr: bytes) -> CardContents:
    """Read serial number and NDEF message of a contact card.

    Without a serial number the card stands under its ATR, which all cards of its make share: ``FORBIDDEN``.
    """
    exchange = ContactExchange(transceive)
    try:
        _, ndef = _read_type4(exchange, SELECT_NDEF_APPLICATION_ON_CONTACTS)
    except _Puzzling:
        ndef = None
    number = read_serial_number(exchange)
    if number is None:
        return CardContents(atr, UidKind.FORBIDDEN, "iso7816", ndef)
    return CardContents(number, UidKind.FIXED, "iso7816", ndef)


def read_and_judge(read: Callable[[], CardContents], policy: TrustPolicy) -> tuple[CardContents, CardTrust]:
    """Read a card and judge it; raise ``CardUnreadable``.

    For a card without a credential nothing speaks but the reader's word, and one wrong bit makes a stranger
    of a member: a second reading has to say the same.
    """
    began_s = time.monotonic()
    contents = read()
    trust = policy.judge(contents.uid, contents.uid_kind, contents.ndef)
    if trust.credential is None:
        if time.monotonic() - began_s > SLOW_S:
            raise CardUnreadable("too_slow")
        if read() != contents:
            raise CardUnreadable("bad_answer")
    return contents, trust


class _Puzzling(Exception):
    """The card answered its first question as if it had not understood it, or as if two had answered."""


def _read_contents(exchange: Exchange, atr: bytes) -> tuple[str, bytes | None]:
    """Return the card's technology and its NDEF message."""
    storage_name = _storage_card_name(atr)
    if storage_name is None:
        has_application, ndef = _read_type4(exchange, SELECT_NDEF_APPLICATION)
        return "iso14443-4" if has_application else "unknown", ndef
    if storage_name in _TYPE2_CARD_NAMES:
        return "type2", _read_type2(exchange)
    # PC/SC has no common command for FeliCa's blocks: its number is all there is.
    return "type3" if storage_name == _FELICA_CARD_NAME else "storage", None


def _refuse_another_card(exchange: Exchange, uid: bytes) -> None:
    """Raise ``CardUnreadable`` when the reader now names another card, or none: nothing else tells a
    collision, because most readers choose one of two cards and keep silent about the other."""
    again, status = exchange.ask(GET_UID)
    if status != OK:
        raise CardUnreadable("removed")
    if again != uid:
        raise CardUnreadable("collision")


def _storage_card_name(atr: bytes) -> int | None:
    """Return the card name of a PC/SC storage-card ATR, None for any other card."""
    at = atr.find(_STORAGE_RID)
    if at < 0 or len(atr) < at + 8:
        return None
    return int.from_bytes(atr[at + 6 : at + 8], "big")


def _read_type4(exchange: Exchange, select_application: bytes) -> tuple[bool, bytes | None]:
    _, status = exchange.ask(select_application)
    if status != OK:
        if status[0] not in _STRUCTURAL:
            raise _Puzzling
        return False, None
    _, status = exchange.ask(SELECT_CAPABILITY_CONTAINER)
    if status != OK:
        return True, None
    container = exchange.read(read_binary(0, 15), 15)
    file = _type4_ndef_file(container)
    if file is None:
        return True, None
    file_id, file_bytes, chunk_bytes = file
    _, status = exchange.ask(bytes.fromhex("00A4000C02") + file_id)
    if status != OK:
        raise CardUnreadable("bad_answer")
    # The first chunk brings the length and, for a token, the whole message in one APDU.
    first = min(chunk_bytes, file_bytes)
    content = exchange.read(read_binary(0, first), first)
    total = 2 + int.from_bytes(content[:2], "big")
    if total > min(file_bytes, NDEF_BYTES_MAX + 2):
        return True, None
    while len(content) < total:
        length = min(chunk_bytes, total - len(content))
        content += exchange.read(read_binary(len(content), length), length)
    return True, content[2:total] or None


def _type4_ndef_file(container: bytes) -> tuple[bytes, int, int] | None:
    """Return NDEF file id, file size and longest read of a capability container, None if it is not one."""
    mapping_major = container[2] >> 4
    longest_read = int.from_bytes(container[3:5], "big")
    tag, length = container[7], container[8]
    file_bytes = int.from_bytes(container[11:13], "big")
    read_access = container[13]
    if mapping_major not in (1, 2) or (tag, length) != (0x04, 6) or read_access != 0x00:
        return None
    if longest_read < 0x0F or file_bytes < 5:
        return None
    return container[9:11], file_bytes, min(longest_read, _SHORT_READ_MAX)


def _read_type2(exchange: Exchange) -> bytes | None:
    memory = _Type2Memory(exchange)
    magic, version, size = memory.at(0, 3)
    if magic != 0xE1 or version >> 4 != 1:
        return None
    end = 4 + size * 8
    at = 4
    while at < end:
        (tag,) = memory.at(at, 1)
        if tag == 0xFE:
            return None
        if tag == 0x00:
            at += 1
            continue
        if at + 4 > end:
            return None
        short, high, low = memory.at(at + 1, 3)
        length, at = (short, at + 2) if short != 0xFF else (high << 8 | low, at + 4)
        if at + length > end or length > NDEF_BYTES_MAX:
            return None
        if tag == 0x03:
            return memory.at(at, length) or None
        at += length
    return None


class _Type2Memory:
    """The card's memory from page 3 on (offset 0 is the capability container), read when asked for."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._bytes = b""

    def at(self, offset: int, length: int) -> bytes:
        while len(self._bytes) < offset + length:
            page = 3 + len(self._bytes) // 4
            if page > 0xFF:
                raise CardUnreadable("bad_answer")
            apdu = bytes([0xFF, 0xB0, 0x00, page, _TYPE2_READ_BYTES])
            self._bytes += self._exchange.read(apdu, _TYPE2_READ_BYTES)
        return self._bytes[offset : offset + length]
