"""What a Star printer says of itself: the standard status of "STAR Graphic Mode Command Specifications".

A status is a header of two bytes and five bytes or more of state. Its bits are laid out so that a reader may
join at any time: bit 0 is set in the first byte alone, bit 4 is nowhere set. On a network the header says
that two bytes of length and so many bytes of other answers follow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ASK_STATUS = b"\x1b\x06\x01\x1b\x1ea\xff"
"""ESC ACK SOH, answered at once, also offline; and ESC RS a 255, for models whose automatic status being on
makes them deaf to the first."""
AUTOMATIC_ON = b"\x1b\x1ea\x01"
ASK_MODEL = b"\x1b#*\n\x00"
COUNTER_MODULUS = 32

STATUS_BYTES_MIN, STATUS_BYTES_MAX = 7, 15
_ANSWER_BYTES_MAX = 0x200
_LENGTH_FOLLOWS = 0x80
_TEXT_BYTES_MAX = 96
_ESC = 0x1B
_MODEL = re.compile(rb"\x1b#\*,([ -~]{1,60})\n")
_COVER, _OFFLINE, _DRAWER = 0x20, 0x08, 0x04
_HOT, _UNRECOVERABLE, _CUTTER, _MECHANICAL = 0x40, 0x20, 0x08, 0x04
_PAPER_END, _NEAR_END = 0x08, 0x06


@dataclass(frozen=True, slots=True)
class StarStatus:
    """One status, without what a network adds; ``data`` begins with the header."""

    data: bytes

    @property
    def reason(self) -> str:
        """``ok``, or the code of what a person has to mend first."""
        state, errors, paper = self.data[2], self.data[3], self.data[5]
        if state & _COVER:
            return "cover_open"
        if paper & _PAPER_END:
            return "paper_out"
        if errors & _CUTTER:
            return "cutter_error"
        if errors & _HOT:
            return "overheated"
        if errors & (_UNRECOVERABLE | _MECHANICAL):
            return "printer_error"
        return "offline" if state & _OFFLINE else "ok"

    @property
    def near_end(self) -> bool:
        """Of the printers that have such a sensor; a TSP100 has none."""
        return self.data[5] & _NEAR_END != 0

    @property
    def drawer_level(self) -> bool:
        """Whether the drawer's switch is closed; which of both means open is the drawer's affair."""
        return self.data[2] & _DRAWER != 0

    @property
    def counter(self) -> int | None:
        """How many ETB the printer has done, modulo 32; None when its status has no such byte."""
        if len(self.data) < 8:
            return None
        byte = self.data[7]
        return (byte >> 1 & 0x07) | (byte >> 2 & 0x18)

    def __str__(self) -> str:
        return f"status={self.data.hex()} etb={self.counter}{' paper_near_end' if self.near_end else ''}"


def status_bytes(*, state: int = 0, errors: int = 0, paper: int = 0, counter: int = 0) -> bytes:
    """Return a status of the TSP100's nine bytes; for the emulator."""
    etb = (counter & 0x07) << 1 | (counter & 0x18) << 2
    return bytes([0x23, 0x06, state, errors, 0, paper, 0, etb, 0])


class StatusParser:
    """Takes what a printer sends; what is not whole yet waits for the rest, what is none is junk."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.model = ""
        self.junk = 0
        """Bytes that made no sense so far."""

    def feed(self, data: bytes) -> list[StarStatus]:
        """Return the statuses that are whole now, in their order."""
        self._buffer += data
        statuses: list[StarStatus] = []
        while self._buffer:
            taken = self._text() if self._buffer[0] == _ESC else self._status(statuses)
            if taken is None:
                break
            if not taken:
                self.junk += 1
            del self._buffer[: max(taken, 1)]
        return statuses

    def _status(self, statuses: list[StarStatus]) -> int | None:
        """Return how many bytes the status at the beginning has, 0 when there is none, None to wait."""
        buffer = self._buffer
        length = _status_length(buffer[0])
        if not length or any(byte & 0x11 for byte in buffer[1:length]):
            return 0
        if any(byte & 0x80 for byte in buffer[2:length]):
            return 0
        if len(buffer) < length:
            return None
        status = StarStatus(bytes([buffer[0], buffer[1] & ~_LENGTH_FOLLOWS, *buffer[2:length]]))
        whole = length
        if buffer[1] & _LENGTH_FOLLOWS:
            if len(buffer) < length + 2:
                return None
            more = _answer_length(bytes(buffer[length : length + 2]))
            if more is None:
                return 0
            whole = length + 2 + more
            if len(buffer) < whole:
                return None
            self._remember_model(bytes(buffer[length + 2 : whole]))
        statuses.append(status)
        return whole

    def _text(self) -> int | None:
        end = self._buffer.find(0)
        if end < 0:
            return None if len(self._buffer) < _TEXT_BYTES_MAX else 0
        text = bytes(self._buffer[: end + 1])
        return len(text) if end < _TEXT_BYTES_MAX and self._remember_model(text) else 0

    def _remember_model(self, answer: bytes) -> bool:
        found = _MODEL.search(answer)
        if found is not None:
            self.model = found[1].decode("ascii").strip()
        return found is not None


def _status_length(header: int) -> int:
    """Return how many bytes a status with this first byte has, 0 when it is none."""
    if header & 0x91 != 0x01:
        return 0
    length = (header >> 1 & 0x07) | (header >> 2 & 0x08)
    return length if STATUS_BYTES_MIN <= length <= STATUS_BYTES_MAX else 0


def _answer_length(two_bytes: bytes) -> int | None:
    """The specification does not say which byte comes first; only one order makes sense at a time."""
    lengths = (int.from_bytes(two_bytes, order) for order in ("big", "little"))
    return next((length for length in lengths if length <= _ANSWER_BYTES_MAX), None)
