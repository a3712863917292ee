"""Cards as nfcpy finds them, read with the same steps and limits as behind pcscd.

A Type 2 or Type 4 card answers the APDUs that a PC/SC reader would take for it (``FF CA``, ``FF B0``), so
reading.py reads both worlds. A FeliCa card has its own commands and is read here.
"""

from __future__ import annotations

import contextlib
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

import nfc.clf
import nfc.clf.pn53x
import nfc.tag
import nfc.tag.tt3
import nfc.tag.tt4

from tapledger_drivers.cards.exchange import GET_UID, READ_TIME_MAX_S, CardUnreadable
from tapledger_drivers.cards.reading import NDEF_BYTES_MAX, CardContents, classify_uid, read_card

PRESENCE_TIMEOUT_S = 0.1
TYPE2_TIMEOUT_S = 0.02
RATS_TIMEOUT_S = 0.03
FSD_256 = 0x80
"""We take frames of 256 bytes."""

_PROTOCOL, _INCOMPLETE = 0x20, 0x04
"""Bits of SAK: speaks ISO 14443-4; the UID goes on. None at all is a Type 2 card."""
_OK, _UNKNOWN_INSTRUCTION, _NOT_FOUND = b"\x90\x00", b"\x6d\x00", b"\x6a\x82"
_ATR_HEAD = bytes.fromhex("3B8F8001804F0CA000000306")
_ATR_TYPE2 = _ATR_HEAD + bytes.fromhex("0300030000000068")
_ATR_CLASSIC = _ATR_HEAD + bytes.fromhex("030001000000006A")
_ATR_PROTOCOL = bytes.fromhex("3B8180018080")
_FSC = (16, 24, 32, 40, 48, 64, 96, 128, 256)
_FWI_MAX, _FWI_DEFAULT = 14, 4
_NDEF_SYSTEM = 0x12FC
_NDEF_SERVICE = nfc.tag.tt3.ServiceCode(0, 0b001011)
_NDEF_BLOCKS_MAX = 12
"""Blocks in one read, whatever the card allows: more do not fit every reader's buffer."""


class Field:
    """The chip's field as nfcpy's card classes want it; no exchange goes on after ``deadline_s``."""

    def __init__(self, device: nfc.clf.device.Device) -> None:
        self.device = device
        self.target: nfc.clf.RemoteTarget | None = None
        self.deadline_s = 0.0

    @property
    def max_send_data_size(self) -> int:
        return int(self.device.get_max_send_data_size(self.target))

    @property
    def max_recv_data_size(self) -> int:
        return int(self.device.get_max_recv_data_size(self.target))

    def sense(self) -> nfc.clf.RemoteTarget | None:
        """Return a card that answers. One of each kind at once may be one phone, so the first counts."""
        with card_errors():
            target = self.device.sense_tta(nfc.clf.RemoteTarget("106A"))
            return target or self.device.sense_ttf(nfc.clf.RemoteTarget("212F"))

    def begin(self, seconds: float = READ_TIME_MAX_S) -> None:
        """Allow exchanges for so long from now on."""
        self.deadline_s = time.monotonic() + seconds

    def exchange(self, data: bytes, timeout: float) -> bytearray:
        left_s = self.deadline_s - time.monotonic()
        if left_s <= 0:
            raise CardUnreadable("too_slow")
        answer = self.device.send_cmd_recv_rsp(self.target, data, min(timeout, left_s))
        return bytearray() if answer is None else answer


@contextlib.contextmanager
def card_errors() -> Iterator[None]:
    """Turn what a card did wrong into ``CardUnreadable``; the chip's own ``OSError`` passes.

    nfcpy indexes into answers without a look at their length, so its ``IndexError`` is the card's fault.
    """
    try:
        yield
    except nfc.clf.TimeoutError as error:
        raise CardUnreadable("removed") from error
    except nfc.tag.TagCommandError as error:
        raise CardUnreadable("removed" if error.errno == nfc.tag.TIMEOUT_ERROR else "bad_answer") from error
    except (OSError, CardUnreadable):
        raise
    except (nfc.clf.Error, nfc.clf.pn53x.Chipset.Error) as error:
        raise CardUnreadable("bad_answer") from error
    except (IndexError, ValueError, TypeError, AttributeError, AssertionError, struct.error) as error:
        raise CardUnreadable("bad_answer") from error


class Tag(ABC):
    """One card in the field, activated."""

    uid: bytes
    atr: bytes
    """What the card says of itself: ATS, or ATQA as on air and SAK, or IDm and PMm."""

    @abstractmethod
    def read(self) -> CardContents: ...

    @abstractmethod
    def present(self) -> bool:
        """Ask the card whether it is still there, without touching what it is doing."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """Answer what a PC/SC reader would for this card; raise ``CardUnreadable`` when it left."""
        return self.uid + _OK if apdu == GET_UID else _UNKNOWN_INSTRUCTION


class UidOnlyTag(Tag):
    """Nothing but its UID can be had: MIFARE Classic, whose protocol nfcpy does not speak."""

    def __init__(self, field: Field, target: nfc.clf.RemoteTarget) -> None:
        self.uid = bytes(target.sdd_res)
        self.atr = bytes(target.sens_res) + bytes(target.sel_res)
        self._field = field

    def read(self) -> CardContents:
        return read_card(self.transmit, _ATR_CLASSIC)

    def present(self) -> bool:
        return False  # it answers nothing any more: only looking anew can tell


class Type2Tag(UidOnlyTag):
    def read(self) -> CardContents:
        return read_card(self.transmit, _ATR_TYPE2)

    def present(self) -> bool:
        # Page 3, not 0: the pages before it hold the UID in pieces, which no recording could hide.
        return len(self._read_pages(3, PRESENCE_TIMEOUT_S)) == 16

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[:3] != b"\xff\xb0\x00" or len(apdu) != 5:
            return super().transmit(apdu)
        data = self._read_pages(apdu[3], TYPE2_TIMEOUT_S)
        return data[: apdu[4] or None] + _OK if len(data) == 16 else _NOT_FOUND

    def _read_pages(self, page: int, timeout_s: float) -> bytes:
        with card_errors():
            return bytes(self._field.exchange(bytes([0x30, page]), timeout_s))


class IsoDepTag(Tag):
    def __init__(self, field: Field, target: nfc.clf.RemoteTarget) -> None:
        self.uid = bytes(target.sdd_res)
        with card_errors():
            self.atr = bytes(field.exchange(bytes([0xE0, FSD_256]), RATS_TIMEOUT_S))
        frame_bytes, self._waiting_s = _ats(self.atr)
        frame_bytes = min(frame_bytes, field.max_send_data_size)
        self._dep = nfc.tag.tt4.IsoDepInitiator(field, frame_bytes, self._waiting_s)

    def read(self) -> CardContents:
        return read_card(self.transmit, _ATR_PROTOCOL)

    def present(self) -> bool:
        with card_errors():
            self._dep.exchange(None, PRESENCE_TIMEOUT_S)
        return True

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[:1] == b"\xff":
            return super().transmit(apdu)
        with card_errors():
            return bytes(self._dep.exchange(bytearray(apdu)))


def _ats(ats: bytes) -> tuple[int, float]:
    """Return the card's frame size and waiting time; ISO 14443-4 section 5.2.

    nfcpy takes the fourth byte for TB(1) always; a card may leave TA(1) or TB(1) out.
    """
    if not ats or ats[0] != len(ats):
        raise CardUnreadable("bad_answer")
    first, waiting = (ats[1] if len(ats) > 1 else 0x02), _FWI_DEFAULT
    if first & 0x20:
        at = 3 if first & 0x10 else 2
        if len(ats) <= at:
            raise CardUnreadable("bad_answer")
        waiting = min(ats[at] >> 4, _FWI_MAX)
    return _FSC[min(first & 0x0F, len(_FSC) - 1)], 4096 / 13.56e6 * 2**waiting


class FelicaTag(Tag):
    def __init__(self, field: Field, target: nfc.clf.RemoteTarget) -> None:
        with card_errors():
            if len(target.sensf_res) < 17:
                raise CardUnreadable("bad_answer")
            self._tag = nfc.tag.tt3.Type3Tag(field, target)
        self.uid = bytes(self._tag.idm)
        self.atr = self.uid + bytes(self._tag.pmm)

    def read(self) -> CardContents:
        with card_errors():
            return CardContents(self.uid, classify_uid(self.uid), "type3", self._read_ndef())

    def present(self) -> bool:
        with card_errors():
            idm, _, *_ = self._tag.polling(0xFFFF)
            return bytes(idm) == self.uid

    def _read_ndef(self) -> bytes | None:
        if self._tag.sys != _NDEF_SYSTEM:
            try:
                self._tag.idm, self._tag.pmm, *_ = self._tag.polling(_NDEF_SYSTEM)
            except nfc.tag.TagCommandError:
                if self.present():
                    return None
                raise
        (attributes,) = self._read_blocks(0, 1, 1)
        blocks_a_read, blocks_max = attributes[1], int.from_bytes(attributes[3:5], "big")
        is_writing, length = attributes[9], int.from_bytes(attributes[11:14], "big")
        if sum(attributes[:14]) != int.from_bytes(attributes[14:16], "big") or attributes[0] >> 4 != 1:
            return None
        if is_writing or not 0 < length <= min(NDEF_BYTES_MAX, blocks_max * 16) or not blocks_a_read:
            return None
        blocks = self._read_blocks(1, (length + 15) // 16, min(blocks_a_read, _NDEF_BLOCKS_MAX))
        return b"".join(blocks)[:length]

    def _read_blocks(self, first: int, count: int, at_once: int) -> list[bytes]:
        blocks: list[bytes] = []
        while len(blocks) < count:
            start = first + len(blocks)
            numbers = range(start, min(start + at_once, first + count))
            codes = [nfc.tag.tt3.BlockCode(number) for number in numbers]
            data = bytes(self._tag.read_without_encryption([_NDEF_SERVICE], codes))
            if len(data) != 16 * len(numbers):
                raise CardUnreadable("bad_answer")
            blocks += [data[at : at + 16] for at in range(0, len(data), 16)]
        return blocks


def activate(field: Field, target: nfc.clf.RemoteTarget) -> Tag:
    """Begin to talk to the card that was found; raise ``CardUnreadable`` when it cannot be talked to."""
    field.target = target
    if target.sensf_res:
        return FelicaTag(field, target)
    with card_errors():
        sak = target.sel_res[0]
    if sak & _INCOMPLETE or not target.sdd_res:
        raise CardUnreadable("bad_answer")
    if sak & _PROTOCOL:
        return IsoDepTag(field, target)
    return UidOnlyTag(field, target) if sak else Type2Tag(field, target)


def uid_of(target: nfc.clf.RemoteTarget) -> bytes:
    return bytes(target.sensf_res[1:9] if target.sensf_res else target.sdd_res or b"")
