"""The NFC chips that nfcpy drives, on a ``Port``: PN532 on a serial line, Sony's RC-S380 on USB.

nfcpy searches for devices by itself, opens files and calls ``stty``. Here its chips get a transport that
does nothing but carry frames over the port, so all bytes are recorded and every wait has an end.
Import this only where nfcpy is wanted: its import takes a moment, and it may be missing.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import time
from collections.abc import Iterator
from typing import Protocol

import nfc.clf
import nfc.clf.pn532
import nfc.clf.rcs380

from tapledger_drivers.cards.exchange import CardUnreadable
from tapledger_drivers.io import Port

FRAME_WAIT_MIN_S = 1.0
"""nfcpy allows 100 ms for an answer; USB-serial adapters and long cables may need more (nfcpy #45)."""
FIRST_WAIT_MIN_S = 1.5
"""A USB-serial adapter on a Raspberry Pi delivers its first bytes up to a second late."""
ANSWER_WAIT_S = 5.0
"""The RC-S380 answers when the card has, which may take as long as the card may be read, and more."""
FRAME_BYTES_MAX = 300

_START = b"\x00\x00\xff"
_ACK = _START + b"\x00\xff\x00"
_WAKE_UP = b"\x55\x55" + bytes(14)
_CHECKSUM_AND_END = 2
_TYPE2_MASK, _CRC_BYTES = 0x60, 2
_TIMEOUT_INDEX_MAX = 16

# nfcpy logs what it sends and receives, card numbers too, and complains of what is reported anyway.
logging.getLogger("nfc").setLevel(logging.CRITICAL + 1)


class BadFrames(OSError):
    """The chip is there and what comes from it is not to be understood, or it says nothing."""


class Collision(CardUnreadable):
    """Several cards answered; ``uids`` are theirs."""

    def __init__(self, uids: list[bytes]) -> None:
        super().__init__("collision")
        self.uids = uids


class Transport(Protocol):
    failure: OSError | None
    """What the port or the frames failed of first: nfcpy raises an error of its own instead."""


@contextlib.contextmanager
def remembered(transport: Transport) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        transport.failure = transport.failure or error
        raise


class SerialTransport:
    """nfcpy's idea of a transport. It finds frames by their start, whatever noise stands before them."""

    TYPE = "PORT"
    """Neither of nfcpy's own: it shall change no speed and open nothing again."""

    def __init__(self, port: Port) -> None:
        self.failure: OSError | None = None
        self._port = port
        self._buffer = bytearray()
        self._asleep = True
        self._wait_min_s = FIRST_WAIT_MIN_S

    def write(self, frame: bytes) -> None:
        with remembered(self):
            self._port.flush_input()
            self._buffer.clear()
            wake_up, self._asleep = (_WAKE_UP if self._asleep else b""), False
            self._port.write(wake_up + bytes(frame))

    def read(self, timeout: int) -> bytearray:
        """Return one frame; ``timeout`` is in milliseconds. Raises ETIMEDOUT as nfcpy expects it."""
        with remembered(self):
            return self._read(timeout)

    def close(self) -> None:
        self._port.close()

    def _read(self, timeout: int) -> bytearray:
        until_s = time.monotonic() + max(timeout / 1000, self._wait_min_s)
        while (frame := take_frame(self._buffer)) is None:
            data = self._port.read(FRAME_BYTES_MAX, max(until_s - time.monotonic(), 0.0))
            if not data:
                raise BadFrames(errno.ETIMEDOUT, "no answer")
            self._buffer += data
        self._wait_min_s = FRAME_WAIT_MIN_S
        return frame


def take_frame(buffer: bytearray) -> bytearray | None:
    """Take the first frame out of ``buffer``; None while it is not whole.

    Its checksums are nfcpy's business, its length is ours: a wrong one would be waited for in vain.
    """
    start = buffer.find(_START)
    if start < 0:
        del buffer[: -len(_START) + 1]
        return None
    del buffer[:start]
    if buffer[: len(_ACK)] == _ACK:
        size = len(_ACK)
    elif buffer[3:5] == b"\xff\xff":
        if len(buffer) < 8:
            return None
        size = 8 + int.from_bytes(buffer[5:7], "big") + _CHECKSUM_AND_END
        _check_length(sum(buffer[5:8]), size)
    else:
        if len(buffer) < 5:
            return None
        size = 5 + buffer[3] + _CHECKSUM_AND_END
        _check_length(sum(buffer[3:5]), size)
    if len(buffer) < size:
        return None
    frame = buffer[:size]
    del buffer[:size]
    return frame


def _check_length(checksum: int, size: int) -> None:
    if checksum & 0xFF or size > FRAME_BYTES_MAX:
        raise BadFrames(errno.EIO, "a frame of impossible length")


class UsbTransport:
    """On USB a transfer is a frame."""

    TYPE = "USB"
    manufacturer_name: str | None = None
    product_name: str | None = None

    def __init__(self, port: Port) -> None:
        self.failure: OSError | None = None
        self._port = port

    def write(self, frame: bytes) -> None:
        with remembered(self):
            self._port.write(bytes(frame))

    def read(self, timeout: int = 0) -> bytearray:
        """Return one frame; nfcpy's 0 would be for ever."""
        if timeout:  # only to throw away what an earlier session left
            data = self._port.read(FRAME_BYTES_MAX, timeout / 1000)
        else:
            with remembered(self):
                data = self._port.read(FRAME_BYTES_MAX, ANSWER_WAIT_S)
        if not data:
            raise BadFrames(errno.ETIMEDOUT, "no answer")
        return bytearray(data)

    def close(self) -> None:
        self._port.close()


class Pn532Chipset(nfc.clf.pn532.Chipset):  # type: ignore[misc]  # nfcpy has no types
    """nfcpy's, but it looks for a second card: two cards are nobody's tap."""

    def in_list_passive_target(self, max_tg: int, brty: int, initiator_data: bytes) -> bytearray | None:
        wanted = 2 if brty == 0 else max_tg
        data = self.command(0x4A, bytearray([wanted, brty]) + initiator_data, timeout=1.0)
        if data and data[0] > 1:
            raise Collision(_uids(data))
        return data[2:] if data and data[0] else None


def _uids(targets: bytes) -> list[bytes]:
    """Return the numbers in a list of type A cards: place, SENS_RES, SAK, length and number of each."""
    uids, at = [], 6
    while at <= len(targets):
        end = at + targets[at - 1]
        uids.append(bytes(targets[at:end]))
        at = end + 5
    return uids


class Pn532Device(nfc.clf.pn532.Device):  # type: ignore[misc]  # nfcpy has no types
    """nfcpy's, with one command to the chip for each frame to the card, where nfcpy sends four, and without
    a look for Type 1 cards, which nobody makes any more."""

    _timeout_index = 0

    def sense_tta(self, target: nfc.clf.RemoteTarget) -> nfc.clf.RemoteTarget | None:
        found = self.chipset.in_list_passive_target(1, 0, b"")
        if found is None:
            return None
        sens_res, sak, uid = found[1::-1], found[2:3], found[4:]
        if sak[0] & _TYPE2_MASK == 0x00:
            # The chip takes a Type 2 card's four-bit answers for broken: its checksums are ours to check.
            mode = self.chipset.read_register("CIU_RxMode")
            self.chipset.write_register("CIU_RxMode", mode & 0x7F)
        return nfc.clf.RemoteTarget("106A", sens_res=sens_res, sel_res=sak, sdd_res=uid)

    def send_cmd_recv_rsp(self, target: nfc.clf.RemoteTarget, data: bytes, timeout: float) -> bytearray:
        # The chip waits 100 µs · 2^(index - 1).
        index = 1
        while index < _TIMEOUT_INDEX_MAX and (100 << (index - 1)) < timeout * 1e6:
            index += 1
        if index != self._timeout_index:
            self.chipset.rf_configuration(0x02, bytearray([10, 11, index]))
            self._timeout_index = index
        try:
            answer = self.chipset.in_communicate_thru(bytearray(data), (100 << (index - 1)) / 1e6 + 0.1)
        except self.chipset.Error as error:
            if error.errno == 0x01:
                raise nfc.clf.TimeoutError(str(error)) from error
            raise nfc.clf.TransmissionError(str(error)) from error
        is_type2 = target.sel_res and target.sel_res[0] & _TYPE2_MASK == 0x00
        if not is_type2 or len(answer) <= _CRC_BYTES:
            return bytearray(answer)
        if not self.check_crc_a(answer):
            raise nfc.clf.TransmissionError("wrong checksum")
        return bytearray(answer[:-_CRC_BYTES])


def open_pn532(port: Port) -> Pn532Device:
    """Wake the chip up and set its analog parts as nfcpy knows them; raise ``OSError`` when it is silent."""
    log = logging.getLogger("nfc.clf.pn532")
    chipset = Pn532Chipset(SerialTransport(port), logger=log)
    chipset.sam_configuration("normal")
    return Pn532Device(chipset, logger=log)


def open_rcs380(port: Port) -> nfc.clf.rcs380.Device:
    return nfc.clf.rcs380.init(UsbTransport(port))
