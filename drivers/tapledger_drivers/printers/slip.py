"""Turns a laid-out job into ESC/POS bytes, on the command tables of python-escpos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tapledger_drivers.printers.encoding import KANJI_MODE_OFF, char_columns, encode_gbk
from tapledger_drivers.printers.layout import PaperLine, QrLine
from tapledger_drivers.printers.raster import LINE_DOTS, line_picture, load_font, missing_glyphs

FEED_BEFORE_CUT_LINES = 6
"""As python-escpos: the knife sits that far behind the print head."""
_QR_MODULE_DOTS = 6
_QR_FUNCTION = b"\x1d(k"


@dataclass(frozen=True, slots=True)
class Slip:
    data: bytes
    notes: tuple[str, ...]
    """What could not be printed as asked, for the evidence."""


def build_slip(lines: Sequence[PaperLine], dots: int) -> Slip:
    """Return the bytes of a slip with its cut."""
    # escpos.constants alone: the rest of that package parses 96 KB of printer profiles at import.
    from escpos import constants

    notes: list[str] = []
    parts = [constants.HW_INIT, KANJI_MODE_OFF]
    for line in lines:
        if isinstance(line, QrLine):
            parts.append(_qr(line.data))
            continue
        encoded = encode_gbk(line.text)
        if encoded is None and load_font(LINE_DOTS) is not None:
            text, replaced = _replace(line.text, missing_glyphs(line.text))
            notes.append("a line as a picture")
            if replaced:
                notes.append(f"{replaced} characters without a glyph replaced by ?")
            parts.append(_picture(text, dots, bold=line.bold, large=line.large))
            continue
        if encoded is None:
            text, replaced = _replace(line.text, {char for char in line.text if encode_gbk(char) is None})
            notes.append(f"no CJK font, {replaced} characters replaced by ?")
            encoded = encode_gbk(text) or b""
        styled = encoded + constants.CTL_LF
        if line.bold:
            bold = constants.TXT_STYLE["bold"]
            styled = bold[True] + styled + bold[False]
        if line.large:
            styled = constants.TXT_SIZE + b"\x11" + styled + constants.TXT_SIZE + b"\x00"
        parts.append(styled)
    parts += [constants.ESC + b"d" + bytes([FEED_BEFORE_CUT_LINES]), constants.PAPER_FULL_CUT]
    return Slip(b"".join(parts), tuple(dict.fromkeys(notes)))


def _replace(text: str, unprintable: set[str]) -> tuple[str, int]:
    """Replace those characters by ``?``, keeping every column in its place; return how many they were."""
    kept = ["?".ljust(char_columns(char)) if char in unprintable else char for char in text]
    return "".join(kept), sum(char in unprintable for char in text)


def _qr(data: str) -> bytes:
    """Model 2, error correction M, centred, by the printer's own encoder (``GS ( k``)."""
    from escpos import constants

    def function(number: int, payload: bytes) -> bytes:
        body = b"1" + bytes([number]) + payload
        return _QR_FUNCTION + len(body).to_bytes(2, "little") + body

    align = constants.TXT_STYLE["align"]
    return b"".join(
        [
            align["center"],
            function(65, b"2\x00"),
            function(67, bytes([_QR_MODULE_DOTS])),
            function(69, bytes([0x30 + constants.QR_ECLEVEL_M])),
            function(80, b"0" + data.encode()),
            function(81, b"0"),
            align["left"],
        ]
    )


def _picture(text: str, dots: int, *, bold: bool, large: bool) -> bytes:
    from escpos import constants
    from escpos.image import EscposImage

    image = EscposImage(line_picture(text, dots, bold=bold, large=large))
    size = image.width_bytes.to_bytes(2, "little") + image.height.to_bytes(2, "little")
    return bytes(constants.S_RASTER_N + size + image.to_raster_format())
