"""Cards in software: what each kind answers to which APDU, behind a reader that speaks PC/SC part 3."""

from __future__ import annotations

import enum
from dataclasses import dataclass

NDEF_FILE_BYTES = 2048
TYPE2_PAGES_MAX = 256

_OK = b"\x90\x00"
_NOT_FOUND = b"\x6a\x82"
_WRONG_OFFSET = b"\x6b\x00"
_UNKNOWN_INSTRUCTION = b"\x6d\x00"
_NOT_AUTHENTICATED = b"\x69\x82"
_FAILED = b"\x63\x00"
_NDEF_APPLICATION = bytes.fromhex("D2760000850101")
_CONTAINER_ID = b"\xe1\x03"
_NDEF_FILE_ID = b"\xe1\x04"
_MASTER_FILE_ID = b"\x3f\x00"
_SERIAL_NUMBER_FILE_ID = b"\x2f\x02"
_GET_UID = bytes.fromhex("FFCA0000")


class CardKind(enum.StrEnum):
    TYPE4 = "type4"
    """An ISO 14443-4 card with the NDEF application."""
    TYPE2 = "type2"
    """An NTAG behind the reader's storage-card commands."""
    UID_ONLY = "uid_only"
    """A MIFARE Classic whose keys nobody here knows."""
    FELICA = "felica"
    """Its UID is its IDm of 8 bytes."""
    CONTACT = "contact"
    """An ISO 7816 file card for a slot, protocol T=0; its UID is the serial number in its EF.GDO."""


_ATRS = {
    CardKind.TYPE4: bytes.fromhex("3B8180018080"),
    CardKind.TYPE2: bytes.fromhex("3B8F8001804F0CA0000003060300030000000068"),
    CardKind.UID_ONLY: bytes.fromhex("3B8F8001804F0CA000000306030001000000006A"),
    CardKind.FELICA: bytes.fromhex("3B8F8001804F0CA00000030611003B0000000042"),
    CardKind.CONTACT: bytes.fromhex("3B021450"),
}


class CardTakenAway(Exception):
    """The card left the field instead of answering."""


@dataclass(frozen=True, slots=True)
class VirtualCard:
    """What a card is, and how it misbehaves."""

    kind: CardKind
    uid: bytes
    ndef: bytes = b""
    torn_after: int | None = None
    """Leaves the field instead of answering the APDU after this many."""
    wrong_answers: bool = False
    """Answers every NDEF read with one byte and success."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.uid) <= 10 and not (self.kind is CardKind.CONTACT and not self.uid):
            raise ValueError("a UID has 1 to 10 bytes; a contact card may have none")
        if len(self.ndef) > (800 if self.kind is CardKind.TYPE2 else NDEF_FILE_BYTES - 2):
            raise ValueError(f"{len(self.ndef)} bytes do not fit on a {self.kind} card")

    @property
    def atr(self) -> bytes:
        return _ATRS[self.kind]


class CardSession:
    """One stay of a card in the field: it forgets its selected file when it is taken away."""

    def __init__(self, card: VirtualCard) -> None:
        self.card = card
        self.apdus = 0
        self._selected = b""
        self._files = _contact_files(card) if card.kind is CardKind.CONTACT else _ndef_files(card)

    @property
    def atr(self) -> bytes:
        return self.card.atr

    def transmit(self, apdu: bytes) -> bytes:
        """Answer one APDU; raise ``CardTakenAway`` when this card leaves at this moment."""
        if self.card.torn_after is not None and self.apdus >= self.card.torn_after:
            raise CardTakenAway
        self.apdus += 1
        if self.card.kind is CardKind.CONTACT:
            return self._contact(apdu)
        if apdu[:4] == _GET_UID:
            return self.card.uid + _OK
        if self.card.kind is CardKind.TYPE4:
            return self._type4(apdu)
        if self.card.kind is CardKind.TYPE2:
            return self._type2(apdu)
        return self._storage(apdu)

    def _type4(self, apdu: bytes) -> bytes:
        if apdu[:2] == b"\x00\xa4":
            data = apdu[5 : 5 + apdu[4]] if len(apdu) > 4 else b""
            if apdu[2] == 0x04 and data == _NDEF_APPLICATION:
                return _OK
            if apdu[2] == 0x00 and data in self._files:
                self._selected = data
                return _OK
            return _NOT_FOUND
        if apdu[:2] == b"\x00\xb0" and self._selected and len(apdu) == 5:
            offset, length = int.from_bytes(apdu[2:4], "big"), apdu[4] or 256
            data = self._files[self._selected][offset : offset + length]
            if self.card.wrong_answers and self._selected == _NDEF_FILE_ID:
                return data[:1] + _OK
            return data + _OK if len(data) == length else _WRONG_OFFSET
        return _UNKNOWN_INSTRUCTION

    def _type2(self, apdu: bytes) -> bytes:
        if apdu[:3] != bytes.fromhex("FFB000") or len(apdu) != 5:
            return _UNKNOWN_INSTRUCTION
        start, length = apdu[3] * 4, apdu[4]
        data = _type2_memory(self.card)[start : start + length]
        if self.card.wrong_answers:
            return data[:1] + _OK
        return data + _OK if len(data) == length else _WRONG_OFFSET

    def _storage(self, apdu: bytes) -> bytes:
        """Load a key: taken; use it: wrong; read without: not authenticated."""
        answers = {b"\xff\x82": _OK, b"\xff\x86": _FAILED, b"\xff\xb0": _NOT_AUTHENTICATED}
        return answers.get(apdu[:2], _UNKNOWN_INSTRUCTION)

    def _contact(self, apdu: bytes) -> bytes:
        """T=0: no command both sends and expects data, and a wrong expected length is answered by the right
        one."""
        if apdu[:2] == b"\x00\xa4" and len(apdu) == 5 + apdu[4]:
            return self._select_by_contacts(apdu[2], apdu[5:])
        if apdu[:2] == b"\x00\xb0" and len(apdu) == 5 and self._selected in self._files:
            content = self._files[self._selected]
            offset, length = int.from_bytes(apdu[2:4], "big"), apdu[4] or 256
            left = len(content) - offset
            if left <= 0:
                return _WRONG_OFFSET
            if length > left:
                return bytes([0x6C, left])
            if self.card.wrong_answers:
                return content[offset : offset + 1] + _OK
            return content[offset : offset + length] + _OK
        return _UNKNOWN_INSTRUCTION

    def _select_by_contacts(self, how: int, data: bytes) -> bytes:
        if how == 0x04:
            return _OK if data == _NDEF_APPLICATION and self.card.ndef else _NOT_FOUND
        if data not in self._files:
            return _NOT_FOUND
        self._selected = data
        return _OK


def _contact_files(card: VirtualCard) -> dict[bytes, bytes]:
    files = _ndef_files(card) if card.ndef else {}
    files[_MASTER_FILE_ID] = b""
    if card.uid:
        files[_SERIAL_NUMBER_FILE_ID] = b"\x5a" + bytes([len(card.uid)]) + card.uid
    return files


def _ndef_files(card: VirtualCard) -> dict[bytes, bytes]:
    content = len(card.ndef).to_bytes(2, "big") + card.ndef
    return {_CONTAINER_ID: _capability_container(), _NDEF_FILE_ID: content.ljust(NDEF_FILE_BYTES, b"\x00")}


def _capability_container() -> bytes:
    """Mapping 2.0, reads up to 255 bytes, one NDEF file, readable by all, written by nobody."""
    ndef_file = _NDEF_FILE_ID + NDEF_FILE_BYTES.to_bytes(2, "big") + b"\x00\xff"
    return bytes.fromhex("000F2000FF00FF0406") + ndef_file


def _type2_memory(card: VirtualCard) -> bytes:
    length = bytes([len(card.ndef)]) if len(card.ndef) < 0xFF else b"\xff" + len(card.ndef).to_bytes(2, "big")
    area = b"\x03" + length + card.ndef + b"\xfe"
    # NTAG216: 888 bytes of user memory, as its capability container says in units of 8.
    return card.uid.ljust(12, b"\x00") + bytes.fromhex("E1106F00") + area.ljust(888 + 20, b"\x00")
