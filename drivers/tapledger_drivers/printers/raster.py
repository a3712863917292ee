"""Pictures for printers: text that the printer's own font lacks, and whole slips for those without one."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tapledger_drivers.printers.encoding import split_clusters, text_columns

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

COLUMN_DOTS = 12
LINE_DOTS = 24
LINE_PITCH_DOTS = 30
"""From one line to the next, as printers feed (1/6 inch at 180 dots an inch)."""
DOTS_PER_MM = 8
"""All receipt printers that we know: 203 dots an inch."""

FONT_FILES = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
)
"""Where Debian, Arch and Fedora put the fonts of the package fonts-noto-cjk."""
_FAMILY = "Noto Sans Mono CJK SC"
_FACES_MAX = 16
_GLYPHS_CACHED = 4096
_GLYPH_MARGIN_DOTS = 6
"""Room around a character's cell for bold strokes, accents and descenders."""


@dataclass(frozen=True, slots=True)
class Bitmap:
    """Rows of ``width_bytes``, most significant bit left, 1 = black: what every raster command takes."""

    width_bytes: int
    height: int
    bits: bytes

    def rows(self) -> list[bytes]:
        width = self.width_bytes
        return [self.bits[at : at + width] for at in range(0, width * self.height, width)]


def bitmap(picture: Image) -> Bitmap:
    """Return a black-and-white picture as printers want it; black is 0 in the picture, as Pillow has it."""
    # "1;I" is Pillow's inverted form. Its ImageChops.invert takes the 1 of a new picture for 255 and fails.
    return Bitmap((picture.width + 7) // 8, picture.height, picture.convert("1").tobytes("raw", "1;I"))


@functools.cache
def load_font(size_dots: int) -> FreeTypeFont | None:
    """Return the CJK font whose Latin letters are half as wide as its hanzi, None without one."""
    from PIL import ImageFont

    for file in FONT_FILES:
        if not Path(file).exists():
            continue
        for face in range(_FACES_MAX):
            try:
                font = ImageFont.truetype(file, size_dots, index=face)
            except OSError:
                break  # no more faces in this collection
            if font.getname()[0] == _FAMILY:
                return font
    return None


def missing_glyphs(text: str) -> set[str]:
    """Return the characters of ``text`` that the font does not have; all of them when there is no font."""
    if load_font(LINE_DOTS) is None:
        return set(text) - {" "}
    return {char for char in set(text) if not _has_glyph(char)}


@functools.lru_cache(_GLYPHS_CACHED)
def _has_glyph(char: str) -> bool:
    font = load_font(LINE_DOTS)
    assert font is not None
    return char.isspace() or bytes(font.getmask(char)) != _not_defined()


@functools.cache
def _not_defined() -> bytes:
    font = load_font(LINE_DOTS)
    assert font is not None
    return bytes(font.getmask("\U0010fffe"))


def draw_text(picture: Image, top: int, text: str, *, bold: bool = False, large: bool = False) -> None:
    """Draw ``text`` in black from the left edge, each character in its column as a printer would."""
    scale = 2 if large else 1
    if load_font(LINE_DOTS * scale) is None:
        return
    left = 0
    for cluster in split_clusters(text):
        if not cluster.isspace():
            glyph = _glyph(cluster, picture.mode, scale, bold)
            picture.paste(0, (left - _GLYPH_MARGIN_DOTS, top - _GLYPH_MARGIN_DOTS), glyph)
        left += text_columns(cluster) * COLUMN_DOTS * scale


@functools.lru_cache(_GLYPHS_CACHED)
def _glyph(cluster: str, mode: str, scale: int, bold: bool) -> Image:
    """Return where ``cluster`` is black, with a margin around its cell."""
    from PIL import Image, ImageDraw

    font = load_font(LINE_DOTS * scale)
    margin = _GLYPH_MARGIN_DOTS
    width = text_columns(cluster) * COLUMN_DOTS * scale + 2 * margin
    mask = Image.new("1" if mode == "1" else "L", (width, LINE_DOTS * scale + 2 * margin), 0)
    # The baseline at 5/6 of the line leaves room for descenders and for a hanzi's full height.
    baseline = margin + LINE_DOTS * scale * 5 // 6
    ImageDraw.Draw(mask).text(
        (margin, baseline), cluster, fill=255, font=font, anchor="ls", stroke_width=1 if bold else 0
    )
    return mask


def line_picture(text: str, width_dots: int, *, bold: bool, large: bool) -> Image:
    """Return one line as a black-and-white picture of the paper's width."""
    from PIL import Image

    picture = Image.new("1", (width_dots, LINE_DOTS * (2 if large else 1) + 4), 1)
    draw_text(picture, 0, text, bold=bold, large=large)
    return picture
