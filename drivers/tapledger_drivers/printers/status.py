"""What an ESC/POS printer says, byte by byte (DLE EOT n, GS a, GS r n, GS I n, GS ( H; Epson's reference).

Nothing it says is believed that does not have the fixed bits of what it claims to be: everything else is
``JUNK``, and whoever asked has to ask again.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

ASK_STATUS = b"\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04"
"""DLE EOT 1 to 4 in one go: answered at once and in this order, also while the printer is offline."""
STATUS_ANSWERS = 4
WELL = ("ok", False)
"""Reason and near end of a printer that lacks nothing."""
CLEAR_BUFFERS = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
"""DLE DC4 8: forget what has not been printed yet, answered by the block ``CLEARED``."""
CLEARED = b"\x25"
PROCESS_ID = b"\x22"
"""Begins the answer to GS ( H, the four characters of the question follow."""
KEY_LIST = b"\x72"
"""Begins the answer to GS ( L function 64 (logo.py)."""
ASK_COMPLETION = b"\x1dr\x01"
"""GS r 1: answered only when everything sent before it has been done."""
AUTOMATIC_ON = b"\x1da\xff"
"""GS a 255: tell every change without being asked. ESC @ ends it."""
AUTOMATIC_BYTES = 4

_XON, _XOFF = 0x11, 0x13
_BLOCK, _TEXT = 0x37, 0x5F
_BLOCK_BYTES_MAX = 16
_KEY_LIST_BYTES_MAX = 96
_TEXT_BYTES_MAX = 96
_CLEAN = 0x12
_DRAWER, _OFFLINE = 0x04, 0x08
_COVER, _PAPER_STOP, _ERROR = 0x04, 0x20, 0x40
_CUTTER, _UNRECOVERABLE, _HOT = 0x08, 0x20, 0x40
_ERRORS = 0x04 | _CUTTER | _UNRECOVERABLE | _HOT
_NEAR_END, _PAPER_END = 0x0C, 0x60


def ask_process_id(name: str) -> bytes:
    """Return GS ( H: answered with these four characters when everything sent before it has been done."""
    return b"\x1d(H\x06\x0000" + name.encode("ascii")


def ask_text(number: int) -> bytes:
    """Return GS I: 65 firmware, 66 maker, 67 model, 68 serial number; answered in its turn."""
    return b"\x1dI" + bytes([number])


class Kind(enum.Enum):
    STATUS = "status"
    """One answer to DLE EOT: 0xx1xx10."""
    AUTOMATIC = "automatic"
    """Four bytes, the first 0xx1xx00, the others 0xx0xxxx."""
    COMPLETION = "completion"
    """The answer to GS r: 0xx0xxxx."""
    BLOCK = "block"
    """Between 37 and 00, which are taken off."""
    TEXT = "text"
    """Between 5F and 00, which are taken off."""
    JUNK = "junk"


@dataclass(frozen=True, slots=True)
class Answer:
    kind: Kind
    data: bytes


class AnswerParser:
    """Tells a printer's answers apart; what is not whole yet waits for the rest."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Answer]:
        self._buffer += data
        answers = []
        while self._buffer and (answer := self._next()) is not None:
            answers.append(answer)
        return answers

    def settle(self) -> list[Answer]:
        """Give up waiting for the rest of an answer: nothing more is coming."""
        answers = []
        while self._buffer:
            answers.append(self._take(Kind.JUNK, 1))
            answers += self.feed(b"")
        return answers

    def _next(self) -> Answer | None:
        while self._buffer and self._buffer[0] in (_XON, _XOFF):
            del self._buffer[0]
        if not self._buffer:
            return None
        first = self._buffer[0]
        if first & 0x93 == 0x12:
            return self._take(Kind.STATUS, 1)
        if first & 0x93 == 0x10:
            return self._automatic()
        if first == _BLOCK:
            is_list = self._buffer[1:2] == KEY_LIST
            return self._until_zero(Kind.BLOCK, _KEY_LIST_BYTES_MAX if is_list else _BLOCK_BYTES_MAX, 0x7E)
        if first == _TEXT:
            return self._until_zero(Kind.TEXT, _TEXT_BYTES_MAX, 0xFE)
        return self._take(Kind.COMPLETION if first & 0x90 == 0x00 else Kind.JUNK, 1)

    def _automatic(self) -> Answer | None:
        followers = self._buffer[1:AUTOMATIC_BYTES]
        if any(byte & 0x90 for byte in followers):
            return self._take(Kind.JUNK, 1)
        whole = len(self._buffer) >= AUTOMATIC_BYTES
        return self._take(Kind.AUTOMATIC, AUTOMATIC_BYTES) if whole else None

    def _until_zero(self, kind: Kind, longest: int, highest: int) -> Answer | None:
        for at in range(1, min(len(self._buffer), longest)):
            byte = self._buffer[at]
            if byte == 0:
                answer = Answer(kind, bytes(self._buffer[1:at]))
                del self._buffer[: at + 1]
                return answer
            if not 0x20 <= byte <= highest:
                return self._take(Kind.JUNK, 1)
        return self._take(Kind.JUNK, 1) if len(self._buffer) >= longest else None

    def _take(self, kind: Kind, count: int) -> Answer:
        answer = Answer(kind, bytes(self._buffer[:count]))
        del self._buffer[:count]
        return answer


@dataclass(frozen=True, slots=True)
class StatusBytes:
    """The four answers to ``ASK_STATUS``; automatic status is told in the same bits."""

    printer: int
    offline: int
    error: int
    paper: int
    automatic: bool = False

    @classmethod
    def from_automatic(cls, data: bytes) -> StatusBytes:
        first, errors, paper = data[0], data[1] & _ERRORS, data[2]
        paper_end = paper & 0x0C != 0
        return cls(
            _CLEAN | first & (_DRAWER | _OFFLINE),
            _CLEAN
            | (_COVER if first & 0x20 else 0)
            | (_ERROR if errors else 0)
            | (_PAPER_STOP if paper_end else 0),
            _CLEAN | errors,
            _CLEAN | (_NEAR_END if paper & 0x03 else 0) | (_PAPER_END if paper_end else 0),
            automatic=True,
        )

    @property
    def reason(self) -> str:
        """``ok``, or the code of what a person has to mend first."""
        if self.offline & _COVER:
            return "cover_open"
        if self.paper & _PAPER_END or self.offline & _PAPER_STOP:
            return "paper_out"
        if self.error & _CUTTER:
            return "cutter_error"
        if self.error & _HOT:
            return "overheated"
        if self.offline & _ERROR or self.error & _ERRORS:
            return "printer_error"
        return "offline" if self.printer & _OFFLINE else "ok"

    @property
    def near_end(self) -> bool:
        return self.paper & _NEAR_END != 0

    @property
    def drawer_level(self) -> bool:
        """Whether pin 3 of the drawer's socket is high; which of both means open is the drawer's affair."""
        return self.printer & _DRAWER != 0

    def __str__(self) -> str:
        said = (self.printer, self.offline, self.error, self.paper)
        values = " ".join(f"dle_eot_{number}={byte:02x}" for number, byte in enumerate(said, 1))
        automatic = " by automatic status" if self.automatic else ""
        return f"{values}{automatic}{' paper_near_end' if self.near_end else ''}"
