"""Pictures of text: right dots in right columns, in no time."""

from __future__ import annotations

import time

import pytest
from PIL import Image, ImageDraw

from tapledger_drivers.ports import PaperItem, Row, Rule, Text
from tapledger_drivers.printers import raster
from tapledger_drivers.printers.layout import lay_out
from tapledger_drivers.printers.raster import (
    COLUMN_DOTS,
    LINE_DOTS,
    Bitmap,
    bitmap,
    draw_text,
    line_picture,
    load_font,
    missing_glyphs,
)
from tapledger_drivers.printers.star_raster import StarPage

RENDER_MS_MAX = 60.0


def test_black_is_one_and_what_pads_a_row_is_white() -> None:
    picture = Image.new("1", (10, 2), 1)
    picture.putpixel((0, 0), 0)
    picture.putpixel((9, 1), 0)
    assert bitmap(picture) == Bitmap(2, 2, b"\x80\x00\x00\x40")
    assert bitmap(picture).rows() == [b"\x80\x00", b"\x00\x40"]


@pytest.mark.parametrize("large", [False, True])
def test_each_character_stands_in_its_column(large: bool) -> None:
    scale = 2 if large else 1
    text = "A口b"
    drawn = bitmap(line_picture(text, 96 * scale, bold=False, large=large))
    expected = Image.new("1", (96 * scale, drawn.height), 1)
    font = load_font(LINE_DOTS * scale)
    for column, char in ((0, "A"), (1, "口"), (3, "b")):
        at = (column * COLUMN_DOTS * scale, 20 * scale)
        ImageDraw.Draw(expected).text(at, char, fill=0, font=font, anchor="ls")
    assert drawn == bitmap(expected)


def test_bold_has_more_ink_and_an_accent_stands_on_its_letter() -> None:
    def ink(text: str, bold: bool = False) -> int:
        return sum(byte.bit_count() for byte in bitmap(line_picture(text, 96, bold=bold, large=False)).bits)

    assert ink("口", bold=True) > 1.3 * ink("口")
    assert ink("x\u0302") > ink("x")
    accented = bitmap(line_picture("x\u0302", 96, bold=False, large=False))
    assert all(not any(row[3:]) for row in accented.rows()), "nothing beyond its own column"


def test_a_grey_picture_is_drawn_in_grey() -> None:
    picture = Image.new("L", (48, 30), 255)
    draw_text(picture, 3, "口")
    assert {0, 255} < set(picture.tobytes())


def test_what_the_font_lacks_is_known() -> None:
    assert missing_glyphs("丽人 Aé儲クーポン") == set()
    assert missing_glyphs("a😀") == {"😀"}


def test_without_a_font_everything_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "load_font", lambda size: None)
    assert missing_glyphs("a 李") == {"a", "李"}
    assert not any(bitmap(line_picture("a李", 48, bold=False, large=False)).bits)


def test_a_slip_of_forty_lines_is_drawn_in_no_time() -> None:
    items: tuple[PaperItem, ...] = (
        Rule(),
        *(Row(f"口红 Rouge 丝绒系列 {n}", f"¥{n}.00") for n in range(38)),
        Text("谢谢光临"),
    )
    lines = lay_out(items, 48)
    assert len(lines) == 40
    list(StarPage(lines, 576).chunks())  # the font is loaded when the driver opens
    begun_s = time.process_time()
    size = sum(map(len, StarPage(lines, 576).chunks()))
    assert (time.process_time() - begun_s) * 1000 <= RENDER_MS_MAX
    assert size < 40 * 30 * 75
