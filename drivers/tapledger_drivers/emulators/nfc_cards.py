"""Contactless cards as their radio frames, for an emulated NFC chip to find in its field.

Frames have no checksums here: on air they have, and the chip adds and checks them. Sources: ISO 14443-3 and
-4, NXP NTAG213/215/216 data sheet, Sony FeliCa Card User's Manual, NFC Forum Type 3 Tag.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod

from tapledger_drivers.emulators.virtual_card import CardKind, CardSession, CardTakenAway, VirtualCard

NAK = b"\x00"
"""Four bits on air: the chip gives them as one byte, without a checksum."""
FRAME_BYTES = 256
_CHECKSUM_BYTES = 2
_NTAG_PAGES = 231
"""NTAG216."""
_FELICA_BLOCKS_A_READ = 4
_NDEF_SYSTEM, _ANY_SYSTEM = b"\x12\xfc", b"\xff\xff"


class NfcCard(ABC):
    """One card. It loses all state but its memory whenever the field goes off."""

    uid: bytes

    def power_off(self) -> None:  # noqa: B027 - most cards have nothing to forget
        """The field is gone."""

    @abstractmethod
    def exchange(self, frame: bytes) -> bytes | None:
        """Answer one frame; None is silence."""


class TypeACard(NfcCard):
    sens_res = b"\x00\x44"
    """Most significant byte first, as the chip reports it."""
    sak = 0x00

    def __init__(self, uid: bytes) -> None:
        if len(uid) not in (4, 7, 10):
            raise ValueError("an ISO 14443-A UID has 4, 7 or 10 bytes")
        self.uid = uid

    def answers_request(self) -> bool:
        """Whether it answers REQA now."""
        return True


class Ntag(TypeACard):
    """An NTAG216 with an NDEF message, or any bytes as its memory from page 3 on."""

    def __init__(self, uid: bytes, ndef: bytes = b"", memory: bytes | None = None) -> None:
        super().__init__(uid)
        if memory is None:
            length = bytes([len(ndef)]) if len(ndef) < 0xFF else b"\xff" + len(ndef).to_bytes(2, "big")
            memory = bytes.fromhex("E1106D00") + b"\x03" + length + ndef + b"\xfe"
        self._memory = (uid.ljust(12, b"\x00") + memory).ljust(_NTAG_PAGES * 4, b"\x00")
        if len(self._memory) > _NTAG_PAGES * 4:
            raise ValueError("more than an NTAG216 holds")

    def exchange(self, frame: bytes) -> bytes | None:
        if frame == b"\x60":
            return bytes.fromhex("0004040201001303")
        if len(frame) == 2 and frame[0] == 0x30 and frame[1] < _NTAG_PAGES:
            # READ wraps around at the end of the memory.
            return (self._memory + self._memory[:12])[frame[1] * 4 : frame[1] * 4 + 16]
        return NAK


class MifareClassic(TypeACard):
    """Its memory is locked with keys that nobody here knows."""

    sens_res = b"\x00\x04"
    sak = 0x08

    def exchange(self, frame: bytes) -> bytes | None:
        return b"\x04"


class IsoDepCard(TypeACard):
    """An ISO 14443-4 card with a file system and the NDEF application; without ``uid`` a phone, whose number
    is another whenever it enters a field."""

    sens_res = b"\x03\x44"
    sak = 0x20

    def __init__(
        self, uid: bytes | None, ndef: bytes = b"", ats: bytes = bytes.fromhex("067577810280")
    ) -> None:
        self._fixed_uid = uid
        self._random = random.Random()  # noqa: S311 - a number that need not be secret
        self._ndef = ndef
        self._answer_to_select = ats
        super().__init__(uid if uid is not None else self._another_uid())
        self._session: CardSession | None = None
        self._block_number = 1
        self._command = b""
        self._answers: list[bytes] = []
        self._last = b""

    def power_off(self) -> None:
        self._session = None
        if self._fixed_uid is None:
            self.uid = self._another_uid()

    def answers_request(self) -> bool:
        return self._session is None  # in a protocol, a card hears nothing but the protocol

    def exchange(self, frame: bytes) -> bytes | None:
        if self._session is None:
            return self._select(frame)
        if not frame:
            return None
        control = frame[0]
        if control & 0xE2 == 0x02:
            self._last = self._information_block(control, frame[1:])
        elif control & 0xE6 == 0xA2:
            self._last = self._receive_block(control)
        elif control & 0xF7 == 0xC2:
            self._session = None
            return frame
        else:
            return None
        return self._last

    def _select(self, frame: bytes) -> bytes | None:
        if len(frame) != 2 or frame[0] != 0xE0:
            return None
        self._session = CardSession(VirtualCard(CardKind.TYPE4, self.uid, self._ndef))
        self._block_number, self._command, self._answers, self._last = 1, b"", [], b""
        return self._answer_to_select

    def _information_block(self, control: int, data: bytes) -> bytes:
        self._block_number ^= 1
        self._command += data
        if control & 0x10:  # more of the command follows
            return bytes([0xA2 | self._block_number])
        assert self._session is not None
        try:
            answer = self._session.transmit(self._command)
        except CardTakenAway:
            return b""
        self._command = b""
        size = FRAME_BYTES - _CHECKSUM_BYTES - 1
        self._answers = [answer[at : at + size] for at in range(0, len(answer), size)]
        return self._next_answer()

    def _receive_block(self, control: int) -> bytes:
        if control & 0x01 == self._block_number and self._last:
            return self._last  # the reader did not hear it
        if control & 0x10:  # R(NAK) with another number: "are you there?"
            return bytes([0xA2 | self._block_number])
        self._block_number ^= 1
        return self._next_answer() if self._answers else bytes([0xA2 | self._block_number])

    def _next_answer(self) -> bytes:
        data = self._answers.pop(0)
        return bytes([0x02 | (0x10 if self._answers else 0) | self._block_number]) + data

    def _another_uid(self) -> bytes:
        return b"\x08" + self._random.randbytes(3)


class FelicaLite(NfcCard):
    """A FeliCa Lite-S; one system, which is NDEF's when there is a message."""

    def __init__(
        self,
        idm: bytes,
        ndef: bytes | None = None,
        pmm: bytes = bytes.fromhex("00F1000000014300"),
        attributes: bytes | None = None,
    ) -> None:
        if len(idm) != 8 or len(pmm) != 8:
            raise ValueError("IDm and PMm have 8 bytes each")
        self.uid, self.pmm = idm, pmm
        self.system = _NDEF_SYSTEM if ndef is not None else b"\x88\xb4"
        if attributes is None:
            attributes = _attribute_block(len(ndef or b""))
        self._blocks = attributes + (ndef or b"")

    def poll(self, request: bytes) -> bytes | None:
        """Answer ``00 system system request_code time_slots``."""
        if len(request) != 5 or request[1:3] not in (_ANY_SYSTEM, self.system):
            return None
        return b"\x01" + self.uid + self.pmm + (self.system if request[3] == 0x01 else b"")

    def exchange(self, frame: bytes) -> bytes | None:
        if len(frame) < 2 or frame[0] != len(frame):
            return None
        answer: bytes | None = None
        if frame[1] == 0x00:
            answer = self.poll(frame[1:])
        elif frame[1] == 0x06 and frame[2:10] == self.uid and len(frame) > 13:
            answer = b"\x07" + self.uid + self._read(frame[10:])
        return None if answer is None else bytes([len(answer) + 1]) + answer

    def _read(self, request: bytes) -> bytes:
        services, count, blocks = request[0], request[3], request[4:]
        if services != 1 or request[1:3] != b"\x0b\x00" or self.system != _NDEF_SYSTEM:
            return b"\xff\xa6"
        if not 1 <= count <= _FELICA_BLOCKS_A_READ or len(blocks) != 2 * count:
            return b"\xff\xa2"
        numbers = blocks[1::2]
        data = b"".join(self._blocks[n * 16 : n * 16 + 16].ljust(16, b"\x00") for n in numbers)
        return b"\x00\x00" + bytes([count]) + data


def _attribute_block(ndef_bytes: int) -> bytes:
    """Version 1.0, reads of four blocks, writes of one, 13 blocks or as many as it takes, read-only."""
    blocks = max(13, (ndef_bytes + 15) // 16)
    block = bytes([0x10, _FELICA_BLOCKS_A_READ, 1]) + blocks.to_bytes(2, "big") + bytes(4)
    block += b"\x00\x00" + ndef_bytes.to_bytes(3, "big")
    return block + (sum(block) & 0xFFFF).to_bytes(2, "big")
