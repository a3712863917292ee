"""Reads one contactless card through APDUs, with as few of them as the standards allow.

Sources: PC/SC part 3 (``FF CA``, ``FF B0``, storage-card ATRs), NFC Forum Type 2 and Type 4 Tag.
Everything a card answers is length-checked: a card is input from a stranger.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tapledger_drivers.ports import UidKind

APDUS_MAX = 64
READ_TIME_MAX_S = 3.0
NDEF_BYTES_MAX = 8 * 1024

Transceive: TypeAlias = Callable[[bytes], bytes]
"""Sends one APDU and returns the answer with its status word; raises ``CardUnreadable`` if the card left."""

GET_UID = bytes.fromhex("FFCA000000")
SELECT_NDEF_APPLICATION = bytes.fromhex("00A4040007D276000085010100")
SELECT_CAPABILITY_CONTAINER = bytes.fromhex("00A4000C02E103")

_OK = b"\x90\x00"
_STORAGE_RID = bytes.fromhex("A000000306")
_TYPE2_CARD_NAMES = frozenset({0x0003, 0x003A})
"""PC/SC part 3 supplement: MIFARE Ultralight (also what readers call an NTAG) and Ultralight C."""

_UIDS_SHARED = frozenset({bytes.fromhex("01020304")})
_UID_LENGTHS = frozenset({4, 7, 10})
_TYPE2_READ_BYTES = 16
_SHORT_READ_MAX = 0xFF


class CardUnreadable(Exception):
    """The card left, or answered wrongly, before it was read whole; ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CardContents:
    uid: bytes
    uid_kind: UidKind
    tech: str
    """As in ``ports.CardPresented``."""
    ndef: bytes | None


def classify_uid(uid: bytes) -> UidKind:
    """Tell what a UID is good for (security.md section 1.1)."""
    if len(uid) not in _UID_LENGTHS or uid in _UIDS_SHARED or not any(uid) or set(uid) == {0xFF}:
        return UidKind.FORBIDDEN
    if len(uid) == 4 and uid[0] == 0x08:
        return UidKind.RANDOM
    return UidKind.FIXED


def read_card(transceive: Transceive, atr: bytes) -> CardContents:
    """Read UID and NDEF message; raise ``CardUnreadable`` when the card cannot be read whole.

    A card whose memory is well read but holds no valid NDEF structure has ``ndef=None``: asking to hold it
    still would not help.
    """
    session = _Session(transceive)
    uid, status = session.exchange(GET_UID)
    if status != _OK or not uid:
        raise CardUnreadable("no_uid")
    uid_kind = classify_uid(uid)
    storage_name = _storage_card_name(atr)
    if storage_name is None:
        has_application, ndef = _read_type4(session)
        return CardContents(uid, uid_kind, "iso14443-4" if has_application else "unknown", ndef)
    if storage_name in _TYPE2_CARD_NAMES:
        return CardContents(uid, uid_kind, "type2", _read_type2(session))
    return CardContents(uid, uid_kind, "storage", None)


class _Session:
    """Counts APDUs and time, so that no card can hold the reader for long."""

    def __init__(self, transceive: Transceive) -> None:
        self._transceive = transceive
        self._apdus_left = APDUS_MAX
        self._deadline_s = time.monotonic() + READ_TIME_MAX_S

    def exchange(self, apdu: bytes) -> tuple[bytes, bytes]:
        if self._apdus_left == 0:
            raise CardUnreadable("too_many_apdus")
        if time.monotonic() > self._deadline_s:
            raise CardUnreadable("too_slow")
        self._apdus_left -= 1
        answer = self._transceive(apdu)
        if not answer:
            raise CardUnreadable("removed")  # how some reader drivers say that the card has left
        if len(answer) < 2:
            raise CardUnreadable("bad_answer")
        return answer[:-2], answer[-2:]

    def read(self, apdu: bytes, length: int) -> bytes:
        """Read exactly ``length`` bytes that the card has promised to have."""
        data, status = self.exchange(apdu)
        if status != _OK or len(data) != length:
            raise CardUnreadable("bad_answer")
        return data


def _storage_card_name(atr: bytes) -> int | None:
    """Return the card name of a PC/SC storage-card ATR, None for any other card."""
    at = atr.find(_STORAGE_RID)
    if at < 0 or len(atr) < at + 8:
        return None
    return int.from_bytes(atr[at + 6 : at + 8], "big")


def _read_type4(session: _Session) -> tuple[bool, bytes | None]:
    _, status = session.exchange(SELECT_NDEF_APPLICATION)
    if status != _OK:
        return False, None
    _, status = session.exchange(SELECT_CAPABILITY_CONTAINER)
    if status != _OK:
        return True, None
    container = session.read(_read_binary(0, 15), 15)
    file = _type4_ndef_file(container)
    if file is None:
        return True, None
    file_id, file_bytes, chunk_bytes = file
    _, status = session.exchange(bytes.fromhex("00A4000C02") + file_id)
    if status != _OK:
        raise CardUnreadable("bad_answer")
    # The first chunk brings the length and, for a token, the whole message in one APDU.
    first = min(chunk_bytes, file_bytes)
    content = session.read(_read_binary(0, first), first)
    total = 2 + int.from_bytes(content[:2], "big")
    if total > min(file_bytes, NDEF_BYTES_MAX + 2):
        return True, None
    while len(content) < total:
        length = min(chunk_bytes, total - len(content))
        content += session.read(_read_binary(len(content), length), length)
    return True, content[2:total] or None


def _read_binary(offset: int, length: int) -> bytes:
    return b"\x00\xb0" + offset.to_bytes(2, "big") + bytes([length])


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


def _read_type2(session: _Session) -> bytes | None:
    memory = _Type2Memory(session)
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

    def __init__(self, session: _Session) -> None:
        self._session = session
        self._bytes = b""

    def at(self, offset: int, length: int) -> bytes:
        while len(self._bytes) < offset + length:
            page = 3 + len(self._bytes) // 4
            if page > 0xFF:
                raise CardUnreadable("bad_answer")
            apdu = bytes([0xFF, 0xB0, 0x00, page, _TYPE2_READ_BYTES])
            self._bytes += self._session.read(apdu, _TYPE2_READ_BYTES)
        return self._bytes[offset : offset + length]
