"""Contactless cards in software, and the client that lays them on a reader of vsmartcard's vpcd.

The wire: TCP connect = card laid on, close = card taken away; frames of a 2-byte length and a body; a body of
one byte is control (0 off, 1 on, 2 reset, 4 "send your ATR"), any longer one is an APDU to be answered.
"""

from __future__ import annotations

import asyncio
import enum
import socket
from dataclasses import dataclass

NDEF_FILE_BYTES = 2048
TYPE2_PAGES_MAX = 256

_OK = b"\x90\x00"
_NOT_FOUND = b"\x6a\x82"
_WRONG_OFFSET = b"\x6b\x00"
_UNKNOWN_INSTRUCTION = b"\x6d\x00"
_VPCD_ATR = 4
_NDEF_FILE_ID = b"\xe1\x04"


class CardKind(enum.StrEnum):
    TYPE4 = "type4"
    """An ISO 14443-4 card with the NDEF application."""
    TYPE2 = "type2"
    """An NTAG behind the reader's storage-card commands."""
    UID_ONLY = "uid_only"
    """A MIFARE Classic whose keys nobody here knows."""


_ATRS = {
    CardKind.TYPE4: bytes.fromhex("3B8180018080"),
    CardKind.TYPE2: bytes.fromhex("3B8F8001804F0CA0000003060300030000000068"),
    CardKind.UID_ONLY: bytes.fromhex("3B8F8001804F0CA000000306030001000000006A"),
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
        if not 1 <= len(self.uid) <= 10:
            raise ValueError("a UID has 1 to 10 bytes")
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
        self._files = {
            b"\xe1\x03": _capability_container(),
            _NDEF_FILE_ID: len(card.ndef).to_bytes(2, "big") + card.ndef.ljust(NDEF_FILE_BYTES - 2, b"\x00"),
        }

    def transmit(self, apdu: bytes) -> bytes:
        """Answer one APDU; raise ``CardTakenAway`` when this card leaves at this moment."""
        if self.card.torn_after is not None and self.apdus >= self.card.torn_after:
            raise CardTakenAway
        self.apdus += 1
        if apdu[:4] == bytes.fromhex("FFCA0000"):
            return self.card.uid + _OK
        if self.card.kind is CardKind.TYPE4:
            return self._type4(apdu)
        if self.card.kind is CardKind.TYPE2:
            return self._type2(apdu)
        return _UNKNOWN_INSTRUCTION

    def _type4(self, apdu: bytes) -> bytes:
        if apdu[:2] == b"\x00\xa4":
            data = apdu[5 : 5 + apdu[4]] if len(apdu) > 4 else b""
            if apdu[2] == 0x04 and data == bytes.fromhex("D2760000850101"):
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


def _capability_container() -> bytes:
    """Mapping 2.0, reads up to 255 bytes, one NDEF file, readable by all, written by nobody."""
    ndef_file = _NDEF_FILE_ID + NDEF_FILE_BYTES.to_bytes(2, "big") + b"\x00\xff"
    return bytes.fromhex("000F2000FF00FF0406") + ndef_file


def _type2_memory(card: VirtualCard) -> bytes:
    length = bytes([len(card.ndef)]) if len(card.ndef) < 0xFF else b"\xff" + len(card.ndef).to_bytes(2, "big")
    area = b"\x03" + length + card.ndef + b"\xfe"
    # NTAG216: 888 bytes of user memory, as its capability container says in units of 8.
    return card.uid.ljust(12, b"\x00") + bytes.fromhex("E1106F00") + area.ljust(888 + 20, b"\x00")


class VpcdSlot:
    """One card slot of vpcd; ``card`` is what lies on it now."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._serving: asyncio.Task[None] | None = None
        self.card: VirtualCard | None = None

    async def insert(self, card: VirtualCard) -> None:
        """Lay ``card`` on; raise OSError when no vpcd listens on the port."""
        await self.remove()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.card = card
        self._serving = asyncio.create_task(self._serve(CardSession(card), reader, writer))

    async def remove(self) -> None:
        serving, self._serving = self._serving, None
        if serving is not None:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    async def _serve(
        self, session: CardSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        async def read(length: int) -> bytes:
            data = await reader.readexactly(length)
            # vpcd sends length and body apart: a delayed ACK would cost 44 ms an APDU (lab.md section 1).
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            return data

        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            while True:
                body = await read(int.from_bytes(await read(2), "big"))
                if len(body) > 1:
                    answer = session.transmit(body)
                elif body[0] == _VPCD_ATR:
                    answer = session.card.atr
                else:
                    continue
                writer.write(len(answer).to_bytes(2, "big") + answer)
        except (CardTakenAway, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.card = None
            writer.close()
