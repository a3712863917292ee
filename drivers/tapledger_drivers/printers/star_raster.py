"""The bytes of a Star raster printer (TSP100 class): it has no characters of its own, so a slip is a picture.

Source: "STAR Graphic Mode Command Specifications" Rev. 2.31. A slip goes out in two parts:

1. Everything there is to read, as a document (ESC GS ETX): should the printer stop in the middle, it throws
   away the rest of a document by itself once it is mended. One ETB counts when it comes to the last line,
   another when all rows are on paper.
2. A blank strip and the cut, sent only when the first part was counted; and a last ETB.

The counter can be believed because nothing else in a slip is an ETB: no byte of a row is, see ``_safe``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tapledger_drivers.printers import logo as logos
from tapledger_drivers.printers import qr
from tapledger_drivers.printers.encoding import replace_chars
from tapledger_drivers.printers.layout import LogoLine, PaperLine, QrLine, TextLine
from tapledger_drivers.printers.raster import (
    LINE_DOTS,
    LINE_PITCH_DOTS,
    Bitmap,
    bitmap,
    line_picture,
    missing_glyphs,
)

ETB = b"\x17"
ROW_BYTES_MAX = 128
TAIL_ROWS = 24
"""Blank rows before the cut: it is not made at the end of an empty page."""
FEED_TO_CUTTER_DOTS = 12 * 8
"""What the cut feeds of itself; for the paper forecast."""

_RASTER = b"\x1b*r"
_DOCUMENT_BEGIN, _DOCUMENT_END = b"\x1b\x1d\x03\x03\x00\x00", b"\x1b\x1d\x03\x04\x00\x00"
_ENTER, _QUIT, _CLEAR = _RASTER + b"A", _RASTER + b"B", _RASTER + b"R"
_ENDLESS_PAGE = _RASTER + b"P0\x00"
_CUT_AT_END = _RASTER + b"E13\x00"
_END_PAGE = b"\x1b\x0c\x04"
_RESET_COUNTER = b"\x1b\x1eE\x00"
_BLANK_ROW = b"b\x01\x00\x00"

FLUSH = bytes(2 * ROW_BYTES_MAX)
"""More than any row of ours lacks: ends half a command, and is nothing by itself."""
RECOVER = _DOCUMENT_END + _CLEAR + _QUIT + _RESET_COUNTER + 3 * ETB
"""Forget what a broken job has left: a document without end, rows not printed. Then count to
``COUNTED_READY``, which a printer that was just switched on does not reach by the rest of a slip."""
BEGIN = _DOCUMENT_BEGIN + _ENTER + _ENDLESS_PAGE
END_OF_ROWS = ETB + _DOCUMENT_END
CUT = _ENTER + _CUT_AT_END + TAIL_ROWS * _BLANK_ROW + _END_PAGE + _QUIT + ETB
COUNTED_READY, COUNTED_LAST_LINE, COUNTED_ROWS, COUNTED_CUT = 3, 4, 5, 6

DRAWER_PULSE = b"\x1b\x07\x14\x14\x07"
"""200 ms on, 200 ms off; then BEL, which does it."""


class StarPage:
    """Turns the lines of one slip into raster commands, a line at a time."""

    def __init__(self, lines: Sequence[PaperLine], dots: int) -> None:
        self._lines = lines
        self._dots = dots
        self._blank_rows = 0
        self._notes: list[str] = []
        self.height_dots = TAIL_ROWS + FEED_TO_CUTTER_DOTS

    @property
    def notes(self) -> list[str]:
        """What could not be printed as asked, for the evidence."""
        return list(dict.fromkeys(self._notes))

    def chunks(self) -> Iterator[bytes]:
        """Yield the commands of line after line; raise ValueError for a QR code that does not fit."""
        for line in self._lines[:-1]:
            yield b"".join(self._rows(self.draw(line)))
        yield self._feed() + ETB
        for line in self._lines[-1:]:
            yield b"".join(self._rows(self.draw(line)))
        yield self._feed()

    def draw(self, line: PaperLine) -> Bitmap:
        """Return the dots of one line, the space to the next included."""
        match line:
            case TextLine(text, bold, large):
                shown, replaced = replace_chars(text, missing_glyphs(text))
                if replaced:
                    self._notes.append(f"{replaced} characters without a glyph replaced by ?")
                picture = bitmap(line_picture(shown, self._dots, bold=bold, large=large))
                pitch = LINE_PITCH_DOTS + (LINE_DOTS if large else 0)
                below = bytes(picture.width_bytes * (pitch - picture.height))
                return Bitmap(picture.width_bytes, pitch, picture.bits + below)
            case QrLine(data):
                return qr.draw(data.encode(), self._dots)
            case LogoLine(png):
                try:
                    return logos.centred(logos.load_logo(png, self._dots), self._dots)
                except ValueError as error:
                    self._notes.append(str(error))
                    return Bitmap(0, 0, b"")

    def _rows(self, drawn: Bitmap) -> Iterator[bytes]:
        self.height_dots += drawn.height
        for row in drawn.rows():
            black = row.rstrip(b"\x00")
            if not black:
                self._blank_rows += 1
                continue
            yield self._feed()
            yield _row(black)

    def _feed(self) -> bytes:
        rows, self._blank_rows = self._blank_rows, 0
        return _RASTER + b"Y%d\x00" % rows if rows else b""


def _row(black: bytes) -> bytes:
    safe = safe_row(black)
    if len(safe) == ETB[0]:
        safe += b"\x00"  # its length would be an ETB
    return b"b" + len(safe).to_bytes(2, "little") + safe


def safe_row(row: bytes) -> bytes:
    """Fill a dot wherever a row would hold an ETB, or what begins the end of a document.

    A printer that loses its power comes back in the middle of a row and takes dots for commands; what it
    must never take for a command is the one that proves that this slip is done.
    """
    return row.replace(ETB, b"\x1f").replace(_DOCUMENT_END[:3], b"\x1b\x1f\x03")
