"""Draws text that the printer's own font lacks, as a picture of one line."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from tapledger_drivers.printers.encoding import char_columns

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

COLUMN_DOTS = 12
LINE_DOTS = 24

FONT_FILES = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
)
"""Where Debian, Arch and Fedora put the fonts of the package fonts-noto-cjk."""
_FAMILY = "Noto Sans Mono CJK SC"
_FACES_MAX = 16


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
    font = load_font(LINE_DOTS)
    if font is None:
        return set(text) - {" "}
    not_defined = bytes(font.getmask("\U0010fffe"))
    return {char for char in set(text) if not char.isspace() and bytes(font.getmask(char)) == not_defined}


def draw_text(picture: Image, top: int, text: str, *, bold: bool = False, large: bool = False) -> None:
    """Draw ``text`` in black from the left edge, each character in its column as a printer would."""
    from PIL import ImageDraw

    scale = 2 if large else 1
    font = load_font(LINE_DOTS * scale)
    if font is None:
        return
    draw = ImageDraw.Draw(picture)
    left = 0
    for char in text:
        # The baseline at 5/6 of the line leaves room for descenders and for a hanzi's full height.
        baseline = top + LINE_DOTS * scale * 5 // 6
        draw.text((left, baseline), char, fill=0, font=font, anchor="ls", stroke_width=1 if bold else 0)
        left += char_columns(char) * COLUMN_DOTS * scale


def line_picture(text: str, width_dots: int, *, bold: bool, large: bool) -> Image:
    """Return one line as a black-and-white picture of the paper's width."""
    from PIL import Image

    picture = Image.new("1", (width_dots, LINE_DOTS * (2 if large else 1) + 4), 1)
    draw_text(picture, 0, text, bold=bold, large=large)
    return picture
