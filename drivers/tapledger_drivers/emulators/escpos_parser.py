"""Takes an ESC/POS byte stream apart, command by command, and lays what it prints on paper."""

from __future__ import annotations

from typing import Protocol

from tapledger_drivers.emulators.paper import Printed, PrintedPicture, PrintedQr, PrintedText
from tapledger_drivers.printers.code_pages import GBK, CodePage
from tapledger_drivers.printers.encoding import char_columns

UNKNOWN_COMMANDS_MAX = 100
ACKNOWLEDGE = b"\x06"
INLINE_PICTURE = "▯"
"""Stands in a line for each column of a picture among its characters."""
_INLINE_PICTURE_DOTS = 12

# Commands of a fixed length, by their first two bytes: how long they are, the two bytes included.
_LENGTHS = {
    b"\x1b@": 2,
    b"\x1b!": 3,
    b"\x1b-": 3,
    b"\x1b2": 2,
    b"\x1b3": 3,
    b"\x1bE": 3,
    b"\x1bM": 3,
    b"\x1bR": 3,
    b"\x1ba": 3,
    b"\x1bd": 3,
    b"\x1bp": 5,
    b"\x1bt": 3,
    b"\x1c!": 3,
    b"\x1c&": 2,
    b"\x1c.": 2,
    b"\x1cC": 3,
    b"\x1d!": 3,
    b"\x1dI": 3,
    b"\x1da": 3,
    b"\x1dr": 3,
    b"\x10\x04": 3,
    b"\x10\x05": 3,
}
_REAL_TIME_LENGTHS = {1: 5, 2: 5, 8: 10}
_INTRODUCERS = b"\x10\x1b\x1c\x1d"
_CUT_AND_FEED_MODES = frozenset({65, 66, 97, 98, 103, 104})
_ERROR_LEVELS = {48: "L", 49: "M", 50: "Q", 51: "H"}


class Mechanism(Protocol):
    """What a parser drives."""

    def printed(self, printed: Printed) -> None: ...

    def cut(self) -> None: ...

    def asked(self, command: bytes) -> None:
        """A command came that wants an answer, in its turn."""
        ...

    def kicked(self, connector: int) -> None: ...

    def initialised(self) -> None:
        """ESC @."""
        ...


class EscposParser:
    """``feed`` only stores; ``step`` does one command, so that the caller can stop between two of them."""

    def __init__(self, columns: int, mechanism: Mechanism, code_page: CodePage = GBK) -> None:
        self._columns = columns
        self._mechanism = mechanism
        self._code_page = code_page
        self._buffer = bytearray()
        self.unknown: list[bytes] = []
        self.logos: dict[bytes, PrintedPicture] = {}
        """What is in NV memory, by key."""
        self.memory_full = False
        self._reset()

    def _reset(self) -> None:
        self._line = ""
        self._kanji = self._bold = self._large = self._centred = False
        self._qr = PrintedQr("")

    @property
    def waiting(self) -> int:
        """How many bytes are not done yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def clear(self) -> None:
        """Forget everything not printed yet."""
        self._buffer.clear()
        self._reset()

    def step(self) -> bool:
        """Do the next whole command or character; False when there is none."""
        if not self._buffer:
            return False
        first = self._buffer[0]
        length = self._command_length() if first in _INTRODUCERS else self._character_length()
        if not length or len(self._buffer) < length:
            return False
        token = bytes(self._buffer[:length])
        del self._buffer[:length]
        if first in _INTRODUCERS:
            self._command(token)
        else:
            self._character(token)
        return True

    def _character_length(self) -> int:
        return 2 if self._kanji and self._code_page.is_lead(self._buffer[0]) else 1

    def _command_length(self) -> int:
        """Return the whole command's length, 0 while that cannot be told yet."""
        buffer = self._buffer
        head = bytes(buffer[:2])
        if len(head) < 2:
            return 0
        if head in _LENGTHS:
            return _LENGTHS[head]
        match head:
            case b"\x10\x14":
                return 0 if len(buffer) < 3 else _REAL_TIME_LENGTHS.get(buffer[2], 3)
            case b"\x1dV":
                return 0 if len(buffer) < 3 else 4 if buffer[2] in _CUT_AND_FEED_MODES else 3
            case b"\x1d(":
                return 0 if len(buffer) < 5 else 5 + int.from_bytes(buffer[3:5], "little")
            case b"\x1d8":
                return 0 if len(buffer) < 7 else 7 + int.from_bytes(buffer[3:7], "little")
            case b"\x1b*":
                if len(buffer) < 5:
                    return 0
                return 5 + int.from_bytes(buffer[3:5], "little") * (3 if buffer[2] >= 32 else 1)
            case b"\x1dv":
                if len(buffer) < 8:
                    return 0
                width, height = (int.from_bytes(buffer[at : at + 2], "little") for at in (4, 6))
                return 8 + width * height
        return 2

    def _character(self, token: bytes) -> None:
        if token == b"\n":
            self._end_line()
        elif token in (b"\r", b"\0"):
            pass
        elif token == ACKNOWLEDGE:
            self._mechanism.asked(token)
        elif token[0] < 0x20:
            self._remember_unknown(token)
        elif self._kanji:
            for char in self._code_page.decode(token):
                self._put(char)
        else:
            self._put(token.decode("cp437"))

    def _put(self, char: str) -> None:
        width = self._columns // 2 if self._large else self._columns
        if sum(map(char_columns, self._line)) + char_columns(char) > width:
            self._end_line()
        self._line += char

    def _end_line(self) -> None:
        line, self._line = self._line, ""
        self._mechanism.printed(PrintedText(line, self._bold, self._large, self._centred))

    def _command(self, token: bytes) -> None:
        name, argument = token[:2], token[2] if len(token) > 2 else 0
        match name:
            case b"\x1b@":
                self._reset()
                self._mechanism.initialised()
            case b"\x1ba":
                self._centred = argument in (1, 49)
            case b"\x1bE":
                self._bold = bool(argument & 1)
            case b"\x1d!":
                self._large = argument != 0
            case b"\x1c&":
                self._kanji = True
            case b"\x1c.":
                self._kanji = False
            case b"\x1bd":
                for _ in range(argument):
                    self._end_line()
            case b"\x1b*":
                dots = int.from_bytes(token[3:5], "little")
                for _ in range(-(-dots // _INLINE_PICTURE_DOTS)):
                    self._put(INLINE_PICTURE)
            case b"\x1dV":
                self._mechanism.cut()
            case b"\x1dr" | b"\x1dI" | b"\x1da":
                self._mechanism.asked(token)
            case b"\x1bp":
                self._mechanism.kicked(argument)
            case b"\x1dv":
                width, height = (int.from_bytes(token[at : at + 2], "little") for at in (4, 6))
                self._mechanism.printed(PrintedPicture(width, height, token[8:]))
            case b"\x1d(" | b"\x1d8":
                self._with_length(chr(argument), token[5 if name == b"\x1d(" else 7 :], token)
            case b"\x10\x14":
                pass  # done in real time
            case _ if name not in _LENGTHS:
                self._remember_unknown(token)

    def _with_length(self, family: str, body: bytes, token: bytes) -> None:
        if family == "k" and len(body) >= 2:
            self._symbol(body[1], body[2:])
        elif family == "L" and len(body) >= 2:
            self._graphics(body[1], body[2:], token)
        elif family == "H":
            self._mechanism.asked(token)
        else:
            self._remember_unknown(token)

    def _symbol(self, function: int, payload: bytes) -> None:
        code = self._qr
        match function:
            case 67:
                self._qr = PrintedQr(code.data, payload[0], code.error)
            case 69:
                self._qr = PrintedQr(code.data, code.module_dots, _ERROR_LEVELS.get(payload[0], "L"))
            case 80:
                self._qr = PrintedQr(payload[1:].decode(errors="replace"), code.module_dots, code.error)
            case 81:
                self._mechanism.printed(code)

    def _graphics(self, function: int, payload: bytes, token: bytes) -> None:
        match function:
            case 64:
                self._mechanism.asked(token)
            case 67 if len(payload) > 9 and not self.memory_full:
                width, height = (int.from_bytes(payload[at : at + 2], "little") for at in (4, 6))
                self.logos[payload[1:3]] = PrintedPicture((width + 7) // 8, height, payload[9:])
            case 69 if payload[:2] in self.logos:
                self._mechanism.printed(self.logos[payload[:2]])

    def _remember_unknown(self, token: bytes) -> None:
        if len(self.unknown) < UNKNOWN_COMMANDS_MAX:
            self.unknown.append(token)
