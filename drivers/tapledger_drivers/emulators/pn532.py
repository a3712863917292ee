"""A PN532 board on a serial line: the chip's host interface (HSU), its commands, and cards in its field.

Source: NXP PN532 User Manual UM0701-02. Radio takes no time here, so a real chip is slower.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tapledger_drivers.emulators.faults import Fault, Verb
from tapledger_drivers.emulators.nfc_cards import FelicaLite, IsoDepCard, NfcCard, TypeACard
from tapledger_drivers.emulators.on_a_wire import OnAWire

START = b"\x00\x00\xff"
ACK, NACK = START + b"\x00\xff\x00", START + b"\xff\x00\x00"
SYNTAX_ERROR = START + bytes.fromhex("01FF7F8100")
FRAME_BYTES_MAX = 265
"""The longest frame's content, its first byte ``D4`` or ``D5`` included."""
BUFFER_BYTES_MAX = 1024
COMMANDS_KEPT = 1024
TARGETS_MAX = 2

_FROM_HOST, _TO_HOST = 0xD4, 0xD5
_OK, _TIMEOUT, _WRONG_CHECKSUM, _NOT_NOW = b"\x00", b"\x01", b"\x02", b"\x27"
_TX_CONTROL, _RX_MODE, _FIFO = 0x6304, 0x6303, 0x6339
_REQA = 0x26
_AUTOMATIC_RATS = 0x10
_CARD_VERBS = (Verb.TORN_CARD, Verb.TWO_CARDS, Verb.RANDOM_UID, Verb.WRONG_ATR)


class FrameParser:
    """Cuts what the host sends into frames; anything else is silently dropped, as by the chip."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield ``ACK``, ``NACK`` or the content of a whole frame with right checksums."""
        self._buffer += data
        while (frame := self._next()) is not None:
            if frame:
                yield frame
        del self._buffer[:-BUFFER_BYTES_MAX]

    def _next(self) -> bytes | None:
        """Return a frame, nothing for bytes that were dropped, None when more have to come."""
        start = self._buffer.find(START[1:])
        if start < 0:
            del self._buffer[:-1]
            return None
        del self._buffer[:start]
        if len(self._buffer) < 4:
            return None
        head = bytes(self._buffer[2:4])
        if head in (b"\x00\xff", b"\xff\x00"):
            del self._buffer[:4]
            return ACK if head == b"\x00\xff" else NACK
        if head == b"\xff\xff":
            return self._content(7, int.from_bytes(self._buffer[4:6], "big"), self._buffer[4:7])
        return self._content(4, head[0], self._buffer[2:4])

    def _content(self, header_bytes: int, length: int, checked: bytearray) -> bytes | None:
        if len(self._buffer) < header_bytes:
            return None
        if sum(checked) & 0xFF or not 1 <= length <= FRAME_BYTES_MAX:
            del self._buffer[:2]
            return b""
        if len(self._buffer) < header_bytes + length + 1:
            return None
        content = bytes(self._buffer[header_bytes : header_bytes + length + 1])
        del self._buffer[: header_bytes + length + 1]
        return content[:-1] if sum(content) & 0xFF == 0 else b""


def frame_of(content: bytes) -> bytes:
    """Return ``content`` as one frame, extended where it is long."""
    length = len(content)
    if length < 0xFF:  # a length of FF would look like the mark of an extended frame
        head = bytes([length, -length & 0xFF])
    else:
        head = b"\xff\xff" + length.to_bytes(2, "big")
        head += bytes([-sum(head[2:]) & 0xFF])
    return START + head + content + bytes([-sum(content) & 0xFF, 0])


@dataclass(slots=True)
class CardFaults:
    """What goes wrong between cards and chip."""

    wrong_atr: bool = False
    exchanges_left: int | None = None
    """The cards leave after so many exchanges more."""


class Pn532Chip:
    """The chip; ``field`` is what lies on its antenna."""

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send
        self._frames = FrameParser()
        self._registers: dict[int, int] = {}
        self._active: list[NfcCard] = []
        self._parameters = 0
        self._answer = b""
        self.field: list[NfcCard] = []
        self.faults = CardFaults()
        self.commands: deque[int] = deque(maxlen=COMMANDS_KEPT)
        """Codes of the last commands that were carried out."""
        self._carry_out: dict[int, Callable[[bytes], bytes | None]] = {
            0x00: self._diagnose,
            0x02: lambda data: bytes.fromhex("32010607"),
            0x04: lambda data: bytes([0, self._field_is_on(), len(self._active)]),
            0x06: self._read_registers,
            0x08: self._write_registers,
            0x10: lambda data: b"" if len(data) == 1 else None,
            0x12: self._set_parameters,
            0x14: lambda data: b"" if data else None,
            0x16: lambda data: _OK,
            0x32: self._configure_radio,
            0x40: self._exchange_data,
            0x42: self._communicate_thru,
            0x44: self._release,
            0x4A: self._list_targets,
            0x52: self._release,
            0x54: lambda data: _OK if self._active else _NOT_NOW,
        }

    def attached(self) -> None:
        self._frames = FrameParser()

    def detached(self) -> None:
        self._registers.clear()
        self._field_off()

    def received(self, data: bytes) -> None:
        for frame in self._frames.feed(data):
            if frame == NACK:
                self._send(self._answer)
            elif frame != ACK:  # an ACK ends a command that still runs, and none ever does here
                self._command(frame)

    def _command(self, content: bytes) -> None:
        self._send(ACK)
        carry_out = self._carry_out.get(content[1]) if len(content) > 1 else None
        answer = carry_out(content[2:]) if carry_out is not None and content[0] == _FROM_HOST else None
        if answer is None:
            self._answer = SYNTAX_ERROR
        else:
            self.commands.append(content[1])
            self._answer = frame_of(bytes([_TO_HOST, content[1] + 1]) + answer[: FRAME_BYTES_MAX - 2])
        self._send(self._answer)

    def _diagnose(self, data: bytes) -> bytes | None:
        if data[:1] == b"\x00":
            return data
        return _OK if data[:1] in (b"\x01", b"\x02") else None

    # ---- registers and the field -----------------------------------------------------------------------
    def _register(self, address: int) -> int:
        match address:
            case 0x6302 | 0x6303:
                return self._registers.get(address, 0x80)
            case 0x6304:
                return 0x80 | self._registers.get(address, 0)
            case 0x6339:
                return _REQA  # what was sent last is still in there: nobody answered
            case _:
                return self._registers.get(address, 0)

    def _read_registers(self, data: bytes) -> bytes | None:
        if not data or len(data) % 2:
            return None
        return bytes(
            self._register(int.from_bytes(data[at : at + 2], "big")) for at in range(0, len(data), 2)
        )

    def _write_registers(self, data: bytes) -> bytes | None:
        if not data or len(data) % 3:
            return None
        for at in range(0, len(data), 3):
            self._registers[int.from_bytes(data[at : at + 2], "big")] = data[at + 2]
        return b""

    def _set_parameters(self, data: bytes) -> bytes | None:
        if len(data) != 1:
            return None
        self._parameters = data[0]
        return b""

    def _configure_radio(self, data: bytes) -> bytes | None:
        if len(data) < 2:
            return None
        if data[0] == 0x01:
            if data[1] & 0x01:
                self._registers[_TX_CONTROL] = 0x03
            else:
                self._field_off()
        return b""

    def _field_is_on(self) -> bool:
        return bool(self._registers.get(_TX_CONTROL, 0) & 0x03)

    def _field_off(self) -> None:
        self._registers[_TX_CONTROL] = 0
        self._active.clear()
        for card in self.field:
            card.power_off()

    # ---- cards -----------------------------------------------------------------------------------------
    def _list_targets(self, data: bytes) -> bytes | None:
        if len(data) < 2 or not 1 <= data[0] <= TARGETS_MAX or data[1] > 4:
            return None
        self._registers[_TX_CONTROL] = 0x03
        self._registers[_RX_MODE] = 0x80
        found: list[tuple[NfcCard, bytes]] = []
        if data[1] == 0:
            found = [
                (card, self._type_a(card))
                for card in self.field
                if isinstance(card, TypeACard) and card.answers_request()
            ]
        elif data[1] in (1, 2):
            found = [
                (card, answer)
                for card in self.field
                if isinstance(card, FelicaLite) and (answer := self._felica(card, data[2:])) is not None
            ]
        found = found[: data[0]]
        self._active = [card for card, _ in found]
        targets = (bytes([number]) + answer for number, (_, answer) in enumerate(found, 1))
        return bytes([len(found)]) + b"".join(targets)

    def _type_a(self, card: TypeACard) -> bytes:
        sak = 0x04 if self.faults.wrong_atr and card.sak != 0x20 else card.sak
        answer = card.sens_res + bytes([sak, len(card.uid)]) + card.uid
        if self._parameters & _AUTOMATIC_RATS and card.sak & 0x20:
            answer += card.exchange(b"\xe0\x80") or b""
        return answer

    def _felica(self, card: FelicaLite, request: bytes) -> bytes | None:
        answer = card.poll(request)
        if answer is None:
            return None
        if self.faults.wrong_atr:
            answer = answer[:9]
        return bytes([len(answer) + 1]) + answer

    def _exchange(self, frame: bytes) -> bytes | None:
        if not self._active or self._active[0] not in self.field:
            return None
        if self.faults.exchanges_left is not None:
            if self.faults.exchanges_left == 0:
                self.faults.exchanges_left = None
                for card in self.field:
                    card.power_off()
                self.field.clear()
                return None
            self.faults.exchanges_left -= 1
        answer = self._active[0].exchange(frame)
        if answer and self.faults.wrong_atr and frame[:1] == b"\xe0":
            return b"\xff" + answer[1:]
        return answer or None

    def _communicate_thru(self, data: bytes) -> bytes | None:
        answer = self._exchange(data)
        if answer is None:
            return _TIMEOUT
        if isinstance(self._active[0], TypeACard):
            checksums = self._register(_RX_MODE) & 0x80
            if len(answer) == 1 and checksums and not isinstance(self._active[0], IsoDepCard):
                return _WRONG_CHECKSUM  # four bits have none
            if len(answer) > 1 and not checksums:
                answer += crc_a(answer)
        return _OK + answer

    def _exchange_data(self, data: bytes) -> bytes | None:
        if not data:
            return None
        answer = self._exchange(data[1:])
        return _TIMEOUT if answer is None else _OK + answer

    def _release(self, data: bytes) -> bytes | None:
        if len(data) != 1:
            return None
        self._active.clear()
        return _OK


def crc_a(data: bytes) -> bytes:
    """Return the checksum of ISO 14443-3 type A."""
    crc = 0x6363
    for byte in data:
        byte ^= crc & 0xFF
        byte ^= byte << 4 & 0xFF
        crc = crc >> 8 ^ byte << 8 ^ byte << 3 ^ byte >> 4
    return (crc & 0xFFFF).to_bytes(2, "little")


class Pn532Emulator(OnAWire):
    """The board with its cable. Lay cards on it with ``insert``."""

    TORN_AFTER = 1
    """A torn card answers so many frames; no card with a message on it is read with as few."""

    def __init__(self, name: str = "pn532", seed: int = 0) -> None:
        self.chip = Pn532Chip(lambda data: self.wire.send(data))
        super().__init__(self.chip, name, seed)
        self._switched: dict[Verb, None] = {}
        self._torn_next = False

    def insert(self, card: NfcCard, *more: NfcCard) -> None:
        """Lay cards on the reader, in place of what lies there."""
        self.remove()
        if Verb.RANDOM_UID in self._switched:
            card = IsoDepCard(None)
        if Verb.TWO_CARDS in self._switched and not more:
            more = (IsoDepCard(bytes.fromhex("04112233445566")),)
        if self._torn_next:
            self._torn_next, self.chip.faults.exchanges_left = False, self.TORN_AFTER
        self.chip.field = [card, *more]

    def remove(self) -> None:
        for card in self.chip.field:
            card.power_off()
        self.chip.faults.exchanges_left = None
        self.chip.field = []

    # ---- Emulated --------------------------------------------------------------------------------------
    def verbs(self) -> tuple[Verb, ...]:
        return (*super().verbs(), *_CARD_VERBS)

    def faults(self) -> tuple[Fault, ...]:
        torn = (Fault(Verb.TORN_CARD),) if self._torn_next else ()
        return (*super().faults(), *torn, *(Fault(verb) for verb in self._switched))

    async def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        if verb not in _CARD_VERBS:
            await super().pull(verb, on=on, amount=amount)
        elif verb is Verb.TORN_CARD:
            self._torn_next = on
        else:
            if on:
                self._switched[verb] = None
            else:
                self._switched.pop(verb, None)
            self.chip.faults.wrong_atr = Verb.WRONG_ATR in self._switched
