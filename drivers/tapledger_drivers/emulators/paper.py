"""What came out of an emulated printer: read as text by a test, drawn as a picture for a person."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from tapledger_drivers.printers.encoding import text_columns
from tapledger_drivers.printers.raster import (
    COLUMN_DOTS,
    DOTS_PER_MM,
    LINE_DOTS,
    LINE_PITCH_DOTS,
    draw_text,
)

if TYPE_CHECKING:
    from PIL.Image import Image

_MARGIN_DOTS = 24


@dataclass(frozen=True, slots=True)
class PrintedText:
    text: str
    bold: bool = False
    large: bool = False
    centred: bool = False


@dataclass(frozen=True, slots=True)
class PrintedPicture:
    """A raster picture: rows of ``width_bytes``, most significant bit left, 1 = black."""

    width_bytes: int
    height: int
    bits: bytes


@dataclass(frozen=True, slots=True)
class PrintedQr:
    data: str
    module_dots: int = 6
    error: str = "M"


Printed: TypeAlias = PrintedText | PrintedPicture | PrintedQr


@dataclass(slots=True)
class PaperSlip:
    """One piece of paper, up to its cut."""

    columns: int = 48
    number: int = 0
    """Counts from 1, also when the oldest slips are no longer kept."""
    content: list[Printed] = field(default_factory=list)
    cut: bool = False

    def lines(self) -> list[str]:
        """Return what a person reads, without the blank feed before the cut."""
        lines = []
        for printed in self.content:
            match printed:
                case PrintedText():
                    lines.append((self._indent(printed) + printed.text).rstrip())
                case PrintedQr(data=data):
                    lines.append(f"[QR:{data}]")
                case PrintedPicture(width_bytes, height):
                    lines.append(f"[picture {width_bytes * 8}x{height}]")
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def length_mm(self) -> int:
        """How much paper it is, with its feed."""
        return sum(map(_height_dots, self.content)) // DOTS_PER_MM

    def text(self) -> str:
        return "\n".join(self.lines())

    def png(self) -> bytes:
        """Draw the slip as the printer would, 12 dots a column."""
        from PIL import Image

        width = self.columns * COLUMN_DOTS
        pieces = [self._draw(printed) for printed in self.content]
        height = sum(piece.height for piece in pieces) + 2 * _MARGIN_DOTS
        paper = Image.new("L", (width + 2 * _MARGIN_DOTS, height), 255)
        top = _MARGIN_DOTS
        for piece in pieces:
            paper.paste(piece, (_MARGIN_DOTS, top))
            top += piece.height
        file = io.BytesIO()
        paper.save(file, "PNG")
        return file.getvalue()

    def _indent(self, line: PrintedText) -> str:
        width = self.columns // (2 if line.large else 1)
        return " " * ((width - text_columns(line.text)) // 2) if line.centred else ""

    def _draw(self, printed: Printed) -> Image:
        from PIL import Image, ImageOps

        match printed:
            case PrintedPicture(width_bytes, height, bits):
                return ImageOps.invert(Image.frombytes("1", (width_bytes * 8, height), bits).convert("L"))
            case PrintedQr(data, module_dots, error):
                return _draw_qr(data, module_dots, error, self.columns * COLUMN_DOTS)
            case PrintedText(text, bold, large):
                scale = 2 if large else 1
                height = (LINE_DOTS + 6) * scale
                piece = Image.new("L", (self.columns * COLUMN_DOTS, height), 255)
                draw_text(piece, 3 * scale, self._indent(printed) + text, bold=bold, large=large)
                return piece


def _height_dots(printed: Printed) -> int:
    match printed:
        case PrintedText():
            return LINE_PITCH_DOTS + (LINE_DOTS if printed.large else 0)
        case PrintedPicture():
            return printed.height
        case PrintedQr(data, module_dots, error):
            import segno

            code = segno.make(data.encode(), error=error, mode="byte", micro=False, boost_error=False)
            return int(code.symbol_size(border=0)[1]) * module_dots


def _draw_qr(data: str, module_dots: int, error: str, width: int) -> Image:
    """Draw the code as large as the printer was told to, centred, with a quiet zone above and below."""
    import segno
    from PIL import Image

    code = segno.make(data.encode(), mode="byte", error=error, micro=False, boost_error=False)
    modules = len(code.matrix)
    dots = bytes(0 if black else 255 for row in code.matrix for black in row)
    size = modules * module_dots
    drawn = Image.frombytes("L", (modules, modules), dots).resize((size, size), Image.Resampling.NEAREST)
    piece = Image.new("L", (width, size + 8 * module_dots), 255)
    piece.paste(drawn, ((width - size) // 2, 4 * module_dots))
    return piece
