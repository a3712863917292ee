"""Sony's NFC Port-100, the chip of the RC-S380, and the libusb it hangs on: what nfcpy says to it is played.

Real USB cannot be had without a device, so libusb is replaced and everything above it is real.
"""

from __future__ import annotations

from types import SimpleNamespace

from tapledger_drivers.emulators.nfc_cards import FelicaLite, NfcCard, TypeACard
from tapledger_drivers.emulators.pn532 import crc_a

PACKET_BYTES = 64
ACK = bytes.fromhex("0000FF00FF00")
_NO_ERROR, _COLLISION, _TIMEOUT = bytes(4), bytes.fromhex("08000000"), bytes.fromhex("80000000")
_CHECK_CRC = 2
_SELECTS = (0x93, 0x95, 0x97)


class Port100:
    def __init__(self) -> None:
        self.field: list[NfcCard] = []
        self.transfers: list[bytes] = []
        """What the host may read, a transfer each."""
        self._check_crc = True
        self._felica = False
        self._selected: NfcCard | None = None

    def received(self, frame: bytes) -> None:
        if frame == ACK:
            self.transfers.clear()
            return
        assert frame[:5] == bytes.fromhex("0000FFFFFF") and sum(frame[5:8]) & 0xFF == 0
        content = frame[8 : 8 + int.from_bytes(frame[5:7], "little")]
        assert content[0] == 0xD6 and (sum(content) + frame[8 + len(content)]) & 0xFF == 0
        answer = bytes([0xD7, content[1] + 1]) + self._carry_out(content[1], content[2:])
        head = len(answer).to_bytes(2, "little")
        head += bytes([-sum(head) & 0xFF])
        self.transfers += [ACK, frame[:5] + head + answer + bytes([-sum(answer) & 0xFF, 0])]

    def _carry_out(self, command: int, data: bytes) -> bytes:
        match command:
            case 0x20 | 0x22:
                return b"\x11\x01"
            case 0x06:
                if data == b"\x00":
                    self._field_off()
            case 0x00:
                self._felica = data[0] == 1
            case 0x02:
                for name, value in zip(data[::2], data[1::2], strict=True):
                    if name == _CHECK_CRC:
                        self._check_crc = bool(value)
            case 0x04:
                return self._on_air(data[2:])
        return b"\x00"

    def _field_off(self) -> None:
        self._selected = None
        for card in self.field:
            card.power_off()

    def _on_air(self, frame: bytes) -> bytes:
        if self._felica:
            felica = [card for card in self.field if isinstance(card, FelicaLite)]
            answer = felica[0].exchange(frame) if felica else None
            return _TIMEOUT if answer is None else _NO_ERROR + b"\x08" + answer
        cards = [card for card in self.field if isinstance(card, TypeACard)]
        if not cards:
            return _TIMEOUT
        if frame == b"\x26":
            ready = [card for card in cards if card.answers_request()]
            return _NO_ERROR + b"\x08" + ready[0].sens_res[::-1] if ready else _TIMEOUT
        if frame[0] in _SELECTS:
            return self._select(cards, _SELECTS.index(frame[0]), frame[1])
        answer = cards[0].exchange(frame) if self._selected is cards[0] else None
        if answer is None:
            return _TIMEOUT
        if len(answer) > 1 and not self._check_crc:
            answer += crc_a(answer)
        return _NO_ERROR + b"\x08" + answer

    def _select(self, cards: list[TypeACard], level: int, step: int) -> bytes:
        if len(cards) > 1:
            return _COLLISION
        (card,) = cards
        rest = card.uid[3 * level :]
        part = rest if len(rest) == 4 else b"\x88" + rest[:3]
        if step == 0x20:
            check = part[0] ^ part[1] ^ part[2] ^ part[3]
            return _NO_ERROR + b"\x08" + part + bytes([check])
        self._selected = card
        return _NO_ERROR + b"\x08" + bytes([card.sak if len(rest) == 4 else 0x04])


class UsbError(Exception):
    pass


class UsbTimeout(UsbError):
    pass


class UsbAccess(UsbError):
    pass


class UsbBusy(UsbError):
    pass


class Usb:
    """Stands for the module ``usb1``; ``chip`` is plugged in while it is not None."""

    USBError, USBErrorTimeout, USBErrorAccess, USBErrorBusy = UsbError, UsbTimeout, UsbAccess, UsbBusy

    def __init__(self, chip: Port100 | None) -> None:
        self.chip = chip
        self.refusal: UsbError | None = None
        self.endpoints = [0x02, 0x81]
        self.opened = 0
        self._written = b""

    def USBContext(self) -> SimpleNamespace:
        return SimpleNamespace(open=lambda: None, close=lambda: None, getDeviceList=self._devices)

    def _devices(self, skip_on_error: bool) -> list[SimpleNamespace]:
        if self.chip is None:
            return []
        points = [
            SimpleNamespace(
                getAddress=lambda at=at: at, getAttributes=lambda: 0x02, getMaxPacketSize=lambda: PACKET_BYTES
            )
            for at in self.endpoints
        ]
        return [
            SimpleNamespace(
                getVendorID=lambda: 0x054C,
                getProductID=lambda: 0x06C3,
                iterSettings=lambda: [SimpleNamespace(iterEndpoints=lambda: points)],
                open=self._open,
            )
        ]

    def _open(self) -> SimpleNamespace:
        if self.refusal is not None:
            raise self.refusal
        self.opened += 1
        return SimpleNamespace(
            claimInterface=lambda number: None,
            bulkRead=self._read,
            bulkWrite=self._write,
            close=self._close,
        )

    def _close(self) -> None:
        self.opened -= 1

    def _read(self, endpoint: int, limit: int, timeout_ms: int) -> bytes:
        assert endpoint == 0x81 and timeout_ms > 0
        if self.chip is None:
            raise UsbError("no device")
        if not self.chip.transfers:
            raise UsbTimeout
        data = self.chip.transfers.pop(0)
        assert len(data) <= limit
        return data

    def _write(self, endpoint: int, data: bytes, timeout_ms: int) -> int:
        assert endpoint == 0x02 and timeout_ms > 0
        if self.chip is None:
            raise UsbError("no device")
        # A transfer goes on until a packet is not full.
        self._written += data
        if len(data) % PACKET_BYTES or not data:
            frame, self._written = self._written, b""
            self.chip.received(frame)
        return len(data)
