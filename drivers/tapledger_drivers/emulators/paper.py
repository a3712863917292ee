"""What came out of an emulated printer: read as text by a test, drawn as a picture for a person."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from tapledger_drivers.printers.encoding import text_columns
from tapledger_drivers.printers.raster import COLUMN_DOTS, LINE_DOTS, draw_text

if TYPE_CHECKING:
    from PIL.Image import Image

_MARGIN_DOTS = 24
_QR_DOTS = 200


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
                case PrintedQr(data):
                    lines.append(f"[QR:{data}]")
                case PrintedPicture(width_bytes, height):
                    lines.append(f"[picture {width_bytes * 8}x{height}]")
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def text(self) -> str:
        return "\n".join(self.lines())

    def png(self) -> bytes:
        """Draw the slip as the printer would, 12 dots a column."""
        from PIL import Image

        pieces = [self._draw(printed) for printed in self.content]
        width = self.columns * COLUMN_DOTS
        height = sum(piece.height for piece in pieces) + 2 * _MARGIN_DOTS
        paper = Image.new("L", (width + 2 * _MARGIN_DOTS, height), 255)
        top = _MARGIN_DOTS
        for piece in pieces:
            centred = (width - piece.width) // 2 if piece.width == _QR_DOTS else 0
            paper.paste(piece, (_MARGIN_DOTS + centred, top))
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
            case PrintedQr(data):
                return _draw_qr(data)
            case PrintedText(text, bold, large):
                scale = 2 if large else 1
                height = (LINE_DOTS + 6) * scale
                piece = Image.new("L", (self.columns * COLUMN_DOTS, height), 255)
                draw_text(piece, 3 * scale, self._indent(printed) + text, bold=bold, large=large)
                return piece


def _draw_qr(data: str) -> Image:
    import qrcode  # type: ignore[import-untyped]  # comes with python-escpos
    from PIL import Image

    code = qrcode.QRCode(border=2)
    code.add_data(data)
    modules: list[list[bool]] = code.get_matrix()
    dots = bytes(0 if black else 255 for row in modules for black in row)
    size = (len(modules), len(modules))
    return Image.frombytes("L", size, dots).resize((_QR_DOTS, _QR_DOTS), Image.Resampling.NEAREST)
