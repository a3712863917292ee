"""Takes an ESC/POS byte stream apart, command by command, and lays what it prints on paper."""

from __future__ import annotations

from collections.abc import Callable

from tapledger_drivers.emulators.paper import Printed, PrintedPicture, PrintedQr, PrintedText
from tapledger_drivers.printers.encoding import char_columns

UNKNOWN_COMMANDS_MAX = 100

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
    b"\x1d!": 3,
    b"\x1dI": 3,
    b"\x1da": 3,
    b"\x1dr": 3,
    b"\x10\x04": 3,
    b"\x10\x05": 3,
    b"\x10\x14": 10,
}
_INTRODUCERS = b"\x10\x1b\x1c\x1d"
_CUT_AND_FEED_MODES = frozenset({65, 66, 97, 98, 103, 104})


class EscposParser:
    """Turns bytes into calls: ``printed(line)``, ``cut()``, ``answer(bytes)``, ``kick(pin)``.

    ``feed`` only stores; ``step`` does one command, so that the caller can stop between two of them.
    """

    def __init__(
        self,
        columns: int,
        printed: Callable[[Printed], None],
        cut: Callable[[], None],
        answer: Callable[[str], None],
        kick: Callable[[int], None],
    ) -> None:
        self._columns = columns
        self._printed = printed
        self._cut = cut
        self._answer = answer
        self._kick = kick
        self._buffer = bytearray()
        self.unknown: list[bytes] = []
        self._reset()

    def _reset(self) -> None:
        self._line = ""
        self._kanji = self._bold = self._large = self._centred = False
        self._qr_data = b""

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
        return 2 if self._kanji and self._buffer[0] >= 0x81 else 1

    def _command_length(self) -> int:
        """Return the whole command's length, 0 while that cannot be told yet."""
        head = bytes(self._buffer[:2])
        if len(head) < 2:
            return 0
        if head in _LENGTHS:
            return _LENGTHS[head]
        if head == b"\x1dV":
            return 0 if len(self._buffer) < 3 else 4 if self._buffer[2] in _CUT_AND_FEED_MODES else 3
        if head == b"\x1d(":
            return 0 if len(self._buffer) < 5 else 5 + int.from_bytes(self._buffer[3:5], "little")
        if head == b"\x1dv":
            if len(self._buffer) < 8:
                return 0
            width, height = (int.from_bytes(self._buffer[at : at + 2], "little") for at in (4, 6))
            return 8 + width * height
        return 2

    def _character(self, token: bytes) -> None:
        if token == b"\n":
            self._end_line()
        elif len(token) == 2:
            self._put(token.decode("gbk", errors="replace"))
        elif token[0] >= 0x20:
            self._put(token.decode("cp437"))
        elif token != b"\r":
            self._remember_unknown(token)

    def _put(self, char: str) -> None:
        width = self._columns // 2 if self._large else self._columns
        if sum(map(char_columns, self._line)) + char_columns(char) > width:
            self._end_line()
        self._line += char

    def _end_line(self) -> None:
        line, self._line = self._line, ""
        self._printed(PrintedText(line, self._bold, self._large, self._centred))

    def _command(self, token: bytes) -> None:
        name, argument = token[:2], token[2] if len(token) > 2 else 0
        match name:
            case b"\x1b@":
                self._reset()
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
            case b"\x1dV":
                self._cut()
            case b"\x1dr":
                self._answer("paper")
            case b"\x1dI":
                self._answer("model")
            case b"\x1bp":
                self._kick(argument)
            case b"\x1dv":
                width, height = (int.from_bytes(token[at : at + 2], "little") for at in (4, 6))
                self._printed(PrintedPicture(width, height, token[8:]))
            case b"\x1d(" if token[2:3] == b"k":
                self._symbol(token[6], token[7:])
            case _ if name not in _LENGTHS:
                self._remember_unknown(token)

    def _symbol(self, function: int, payload: bytes) -> None:
        if function == 80:
            self._qr_data = payload[1:]
        elif function == 81:
            self._printed(PrintedQr(self._qr_data.decode(errors="replace")))

    def _remember_unknown(self, token: bytes) -> None:
        if len(self.unknown) < UNKNOWN_COMMANDS_MAX:
            self.unknown.append(token)
