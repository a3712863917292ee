"""Turns a laid-out job into ESC/POS bytes, on the command tables of python-escpos."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from tapledger_drivers.printers import logo as logos
from tapledger_drivers.printers import qr
from tapledger_drivers.printers.code_pages import GBK, TWO_BYTE_OFF, CodePage
from tapledger_drivers.printers.encoding import (
    char_columns,
    encode,
    encode_runs,
    is_native,
    native_runs,
    replace_chars,
)
from tapledger_drivers.printers.layout import LogoLine, PaperLine, QrLine, TextLine
from tapledger_drivers.printers.raster import (
    COLUMN_DOTS,
    DOTS_PER_MM,
    LINE_DOTS,
    LINE_PITCH_DOTS,
    Bitmap,
    bitmap,
    line_picture,
    load_font,
    missing_glyphs,
)

FEED_BEFORE_CUT_LINES = 6
"""As python-escpos: the knife sits that far behind the print head."""
_QR_FUNCTION = b"\x1d(k"
_INLINE_PICTURE = b"\x1b*\x21"
"""ESC * 33: a picture of 24 dots' height in the line, among its characters."""


@dataclass(frozen=True, slots=True)
class Slip:
    data: bytes
    notes: tuple[str, ...]
    """What could not be printed as asked, for the evidence."""
    paper_mm: int = 0
    gaps: tuple[int, ...] = (0,)
    """Where in ``data`` the first line begins and where each line ends: there, and nowhere inside, a slip
    may be interrupted."""
    logos: tuple[Bitmap, ...] = ()
    """The pictures of its logos, which a printer may keep."""

    @property
    def after(self) -> bytes:
        """Feed and cut."""
        return self.data[self.gaps[-1] :]


@dataclass(frozen=True, slots=True)
class SlipStyle:
    """What the printer is able to do; the defaults are what nearly every one does."""

    code_page: CodePage = GBK
    switch_runs: bool = False
    """Two-byte mode around each run only, for printers that mistake ASCII within it."""
    inline_pictures: bool = False
    """Draw only those characters of a line that the font lacks (ESC * 33); else the whole line."""
    native_qr: bool = True
    stored_logos: AbstractSet[bytes] = field(default_factory=frozenset)
    """The keys of logos that the printer said it has; any other is sent as a picture."""


def build_slip(lines: Sequence[PaperLine], dots: int, style: SlipStyle | None = None) -> Slip:
    """Return the bytes of a slip with its cut."""
    return _SlipBuilder(dots, style or SlipStyle()).build(lines)


class _SlipBuilder:
    def __init__(self, dots: int, style: SlipStyle) -> None:
        # escpos.constants alone: the rest of that package parses 96 KB of printer profiles at import.
        from escpos import constants

        self._commands = constants
        self._dots = dots
        self._style = style
        self._page = style.code_page
        self._notes: list[str] = []
        self._height_dots = 0
        self._logos: list[Bitmap] = []

    def build(self, lines: Sequence[PaperLine]) -> Slip:
        commands = self._commands
        parts = [commands.HW_INIT, self._page.select]
        if self._style.switch_runs:
            parts.append(TWO_BYTE_OFF)
        gaps = [sum(map(len, parts))]
        for line in lines:
            match line:
                case TextLine():
                    parts.append(self._text(line))
                case QrLine(data):
                    parts.append(self._qr(data.encode()))
                case LogoLine(png):
                    parts.append(self._logo(png))
            gaps.append(gaps[-1] + len(parts[-1]))
        feed = commands.ESC + b"d" + bytes([FEED_BEFORE_CUT_LINES])
        self._height_dots += FEED_BEFORE_CUT_LINES * LINE_PITCH_DOTS
        parts += [feed, commands.PAPER_FULL_CUT]
        notes = tuple(dict.fromkeys(self._notes))
        paper_mm = self._height_dots // DOTS_PER_MM
        return Slip(b"".join(parts), notes, paper_mm, tuple(gaps), tuple(self._logos))

    def _text(self, line: TextLine) -> bytes:
        encoded = self._encode(line.text)
        if encoded is not None:
            return self._styled(encoded, line)
        if load_font(LINE_DOTS) is None:
            text, replaced = replace_chars(line.text, {c for c in line.text if not is_native(c, self._page)})
            self._notes.append(f"no CJK font, {replaced} characters replaced by ?")
            return self._styled(self._encode(text) or b"", line)
        lacking = {c for c in line.text if not is_native(c, self._page)}
        text, replaced = replace_chars(line.text, missing_glyphs("".join(lacking)))
        if replaced:
            self._notes.append(f"{replaced} characters without a glyph replaced by ?")
        if self._style.inline_pictures and not line.large:
            self._notes.append("some characters as pictures")
            return self._styled(self._with_pictures(text, line.bold), line)
        self._notes.append("a line as a picture")
        return self._picture(bitmap(line_picture(text, self._dots, bold=line.bold, large=line.large)))

    def _encode(self, text: str) -> bytes | None:
        return (encode_runs if self._style.switch_runs else encode)(text, self._page)

    def _styled(self, encoded: bytes, line: TextLine) -> bytes:
        commands = self._commands
        self._height_dots += LINE_PITCH_DOTS + (LINE_DOTS if line.large else 0)
        styled = encoded + commands.CTL_LF
        if line.bold:
            bold = commands.TXT_STYLE["bold"]
            styled = bold[True] + styled + bold[False]
        if line.large:
            styled = commands.TXT_SIZE + b"\x11" + styled + commands.TXT_SIZE + b"\x00"
        return bytes(styled)

    def _with_pictures(self, text: str, bold: bool) -> bytes:
        parts = []
        for native, run in native_runs(text, self._page):
            encoded = self._encode(run) if native else None
            parts.append(_inline_picture(run, bold) if encoded is None else encoded)
        return b"".join(parts)

    def _picture(self, picture: Bitmap) -> bytes:
        self._height_dots += picture.height
        size = picture.width_bytes.to_bytes(2, "little") + picture.height.to_bytes(2, "little")
        return bytes(self._commands.S_RASTER_N + size + picture.bits)

    def _qr(self, data: bytes) -> bytes:
        if not self._style.native_qr:
            return self._picture(qr.draw(data, self._dots))
        planned = qr.plan(data, self._dots)
        self._height_dots += planned.modules * planned.module_dots
        align = self._commands.TXT_STYLE["align"]
        return bytes(align["center"] + _native_qr(data, planned) + align["left"])

    def _logo(self, png: bytes) -> bytes:
        try:
            logo = logos.load_logo(png, self._dots)
        except ValueError as error:
            self._notes.append(str(error))
            return b""
        self._logos.append(logo)
        key = logos.key_of(logo)
        if key not in self._style.stored_logos:
            return self._picture(logos.centred(logo, self._dots))
        self._height_dots += logo.height
        align = self._commands.TXT_STYLE["align"]
        return bytes(align["center"] + logos.print_stored(key) + align["left"])


def _native_qr(data: bytes, planned: qr.QrPlan) -> bytes:
    """Model 2, by the printer's own encoder (``GS ( k``)."""
    from escpos import constants

    def function(number: int, payload: bytes) -> bytes:
        body = b"1" + bytes([number]) + payload
        return _QR_FUNCTION + len(body).to_bytes(2, "little") + body

    level = constants.QR_ECLEVEL_L if planned.error == "L" else constants.QR_ECLEVEL_M
    return b"".join(
        [
            function(65, b"2\x00"),
            function(67, bytes([planned.module_dots])),
            function(69, bytes([0x30 + level])),
            function(80, b"0" + data),
            function(81, b"0"),
        ]
    )


def _inline_picture(text: str, bold: bool) -> bytes:
    """Return ``text`` as a picture that stands in the line: column after column, 24 dots from the top."""
    from PIL import Image

    width = sum(map(char_columns, text)) * COLUMN_DOTS
    line = line_picture(text, width, bold=bold, large=False)
    # Turned and mirrored, what are columns on paper are rows here.
    columns = bitmap(line.crop((0, 0, width, LINE_DOTS)).transpose(Image.Transpose.TRANSPOSE))
    return _INLINE_PICTURE + width.to_bytes(2, "little") + columns.bits
