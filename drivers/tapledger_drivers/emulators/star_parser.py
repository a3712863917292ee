"""Reads what a Star raster printer is sent, command by command."""

from __future__ import annotations

from typing import Protocol

UNKNOWN_COMMANDS_MAX = 100
NUMBER_BYTES_MAX = 255

_ESC = 0x1B
_RASTER = b"\x1b*r"
_DOCUMENT = b"\x1b\x1d\x03"
DOCUMENT_END = _DOCUMENT + b"\x04\x00\x00"
_DOCUMENT_BEGIN = 3
_ETB = 0x17
_DRAWER_1, _DRAWER_2 = b"\x07\x1c", b"\x1a\x19"
_LENGTHS = {b"\x1b\x07": 4, b"\x1b\x06": 3, b"\x1b\x1e": 4, b"\x1b\x0c": 3, b"\x1b#": 5, b"\x1b\x1d": 6}
_NO_NUMBER = b"ARBC"


class Mechanics(Protocol):
    """What the printer does about a command."""

    def print_row(self, dots: bytes) -> None: ...

    def feed(self, rows: int) -> None: ...

    def cut(self) -> None: ...

    def kick(self, drawer: int) -> None: ...

    def count(self) -> None: ...

    def reset_counter(self) -> None: ...

    def set_automatic(self, on: bool) -> None: ...

    def answer(self, question: str) -> None: ...


class StarParser:
    """``feed`` only stores; ``step`` does one command, so that the caller can stop between two of them."""

    def __init__(self, mechanics: Mechanics) -> None:
        self._mechanics = mechanics
        self._buffer = bytearray()
        self.unknown: list[bytes] = []
        self.reset()

    def reset(self) -> None:
        """As after power-on."""
        self._buffer.clear()
        self._raster = False
        self._page_has_rows = False
        self._cuts_at_end = True
        self._discarding = False
        self.in_document = False

    def feed(self, data: bytes) -> None:
        self._buffer += data
        if self._discarding:
            self.discard()

    def discard(self) -> None:
        """Throw away the rest of the document, now or as it comes."""
        self._discarding = True
        end = self._buffer.find(DOCUMENT_END)
        if end < 0:
            # The end may have come in half.
            del self._buffer[: max(0, len(self._buffer) - len(DOCUMENT_END) + 1)]
            return
        del self._buffer[: end + len(DOCUMENT_END)]
        self._discarding = self.in_document = self._raster = self._page_has_rows = False

    def step(self) -> bool:
        """Do the next whole command; False when there is none."""
        if not self._buffer or self._discarding:
            return False
        if not self._buffer[0]:
            return self._pass_over_filling()
        length = self._length()
        if not length or len(self._buffer) < length:
            return False
        token = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._do(token)
        return True

    def _pass_over_filling(self) -> bool:
        """Drop NULs, which say nothing, all at once: a driver that looks for the end of what lies between
        sends megabytes of them."""
        del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(b"\x00"))]
        return True

    def _length(self) -> int:
        """Return the whole command's length, 0 while that cannot be told yet."""
        buffer = self._buffer
        if self._raster and buffer[0] in b"bk":
            return 3 + int.from_bytes(buffer[1:3], "little") if len(buffer) >= 3 else 0
        if buffer[0] != _ESC:
            return 1
        if len(buffer) < 2:
            return 0
        if bytes(buffer[:2]) == _RASTER[:2]:
            return self._raster_length()
        return _LENGTHS.get(bytes(buffer[:2]), 2)

    def _raster_length(self) -> int:
        buffer = self._buffer
        if len(buffer) < 4:
            return 0
        if buffer[3] in _NO_NUMBER:
            return 4
        end = buffer.find(0, 4, 4 + NUMBER_BYTES_MAX)
        return end + 1 if end >= 0 else 4 if len(buffer) >= 4 + NUMBER_BYTES_MAX else 0

    def _do(self, token: bytes) -> None:
        first, mechanics = token[0], self._mechanics
        if self._raster and first in b"bk":
            self._page_has_rows = True
            mechanics.print_row(token[3:])
        elif first == _ETB:
            mechanics.count()
        elif token in (b"\x07", b"\x1c", b"\x1a", b"\x19"):
            mechanics.kick(1 if token in _DRAWER_1 else 2)
        elif first == _ESC:
            self._command(token)
        elif first:
            self._remember_unknown(token)

    def _command(self, token: bytes) -> None:
        mechanics = self._mechanics
        match token[1]:
            case 0x2A:
                self._raster_command(chr(token[3]), token[4:-1])
            case 0x0C:
                self._end_page()
            case 0x1E if token[2:3] == b"a":
                if token[3] == 0xFF:
                    mechanics.answer("status")
                else:
                    mechanics.set_automatic(token[3] & 1 != 0)
            case 0x1E if token[2:3] == b"E":
                mechanics.reset_counter()
            case 0x1D if token[:3] == _DOCUMENT:
                self.in_document = token[3] == _DOCUMENT_BEGIN
            case 0x23:
                mechanics.answer("model")
            case 0x06 | 0x07:
                pass  # answered by the interface at once; the width of the drawer's pulse
            case _:
                self._remember_unknown(token)

    def _raster_command(self, name: str, number: bytes) -> None:
        digits = int(number) if number.isdigit() else 0
        match name:
            case "A" if not self._raster:
                self._raster, self._cuts_at_end, self._page_has_rows = True, True, False
            case "R":
                self._cuts_at_end, self._page_has_rows = True, False
            case "B":
                if self._page_has_rows:
                    self._end_page()
                self._raster = False
            case "C":
                self._page_has_rows = False
            case "E" if not self._page_has_rows:
                self._cuts_at_end = digits in (0, 8, 9, 12, 13)
            case "Y" if self._raster:
                self._page_has_rows = True
                self._mechanics.feed(digits)
            case "A" | "E" | "F" | "P" | "Q" | "Y":
                pass
            case _:
                self._remember_unknown(name.encode())

    def _end_page(self) -> None:
        if self._page_has_rows and self._cuts_at_end:
            self._mechanics.cut()
        self._page_has_rows = False

    def _remember_unknown(self, token: bytes) -> None:
        if len(self.unknown) < UNKNOWN_COMMANDS_MAX:
            self.unknown.append(token)
