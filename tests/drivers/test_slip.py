"""Bytes of a slip: native wherever the printer has the character, and codes and logos that come out right."""

from __future__ import annotations

import io
import time

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from tapledger_drivers.emulators.escpos_parser import INLINE_PICTURE, EscposParser
from tapledger_drivers.emulators.paper import PaperSlip, Printed, PrintedPicture
from tapledger_drivers.ports import Align, Logo, PaperItem, QrCode, Row, Rule, Text
from tapledger_drivers.printers import logo as logos
from tapledger_drivers.printers import qr, raster
from tapledger_drivers.printers.code_pages import ASCII, BIG5, CODE_PAGES, GBK, SHIFT_JIS, CodePage
from tapledger_drivers.printers.layout import TextLine, expected_lines, lay_out
from tapledger_drivers.printers.raster import DOTS_PER_MM, bitmap, line_picture
from tapledger_drivers.printers.slip import Slip, SlipStyle, build_slip

PAPERS = {"58 mm": (32, 384), "80 mm": (48, 576)}
PROOF = "R-20261122-0001:" + "0123456789abcdef" * 4
BUILD_MS_MAX = 2.0
BYTES_RATIO_MAX = 1.1

CHINESE: tuple[PaperItem, ...] = (
    Text("丽人化妆品", Align.CENTER, bold=True, large=True),
    Rule(),
    *(Row(f"口红 Rouge 丝绒系列 {900 + n}", f"¥{128 + n}.00") for n in range(32)),
    Rule(),
    Row("合计", "¥4,896.00", bold=True),
    Row("积分 Points", "+128"),
    Row("余额 Balance", "12,345"),
    Text("谢谢光临！退换货请保留小票。"),
    Text("会员积分将在二十四小时内到账"),
)


class Printer:
    """A parser and the paper that comes out of it."""

    def __init__(self, columns: int = 48, page: CodePage = GBK) -> None:
        self.slip = PaperSlip(columns)
        self.kicks = 0
        self.parser = EscposParser(columns, self, page)

    def print(self, slip: Slip) -> list[str]:
        self.parser.feed(slip.data)
        while self.parser.step():
            pass
        assert self.parser.unknown == []
        assert self.slip.cut
        return self.slip.lines()

    def codes(self) -> list[str]:
        picture = Image.open(io.BytesIO(self.slip.png()))
        return [code.text for code in zxingcpp.read_barcodes(picture)]

    def printed(self, printed: Printed) -> None:
        self.slip.content.append(printed)

    def cut(self) -> None:
        self.slip.cut = True

    def asked(self, command: bytes) -> None: ...

    def kicked(self, connector: int) -> None:
        self.kicks += 1

    def initialised(self) -> None: ...


def build(items: tuple[PaperItem, ...], columns: int = 48, dots: int = 576, **style: object) -> Slip:
    return build_slip(lay_out(items, columns), dots, SlipStyle(**style))  # type: ignore[arg-type]


# ---- native text ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("page", "items"),
    [
        (CODE_PAGES["gbk"], CHINESE),
        (CODE_PAGES["gb18030"], (*CHINESE, Text("价格 €9"))),
        (BIG5, (Text("儲值金餘額", large=True), Row("口紅 Rouge", "NT$128"), Text("謝謝光臨！", bold=True))),
        (SHIFT_JIS, (Text("クーポン", large=True), Row("ｸｰﾎﾟﾝ 割引", "¥1,280"), Text("〜ご利用ください〜"))),
        (ASCII, (Text("THANK YOU", large=True), Row("Lipstick 999", "12.80"), Rule())),
    ],
    ids=lambda value: value.name if isinstance(value, CodePage) else "",
)
@pytest.mark.parametrize("switch_runs", [False, True])
def test_every_market_reads_its_own_slip(
    page: CodePage, items: tuple[PaperItem, ...], switch_runs: bool
) -> None:
    slip = build(items, code_page=page, switch_runs=switch_runs)
    expected = [line.translate(page.spelt) for line in expected_lines(items, 48)]
    assert Printer(page=page).print(slip) == expected
    assert slip.notes == ()


def test_a_chinese_receipt_is_little_more_than_its_text_and_built_in_no_time() -> None:
    lines = lay_out(CHINESE, 48)
    assert len(lines) == 40
    build_slip(lines, 576)
    begun_s = time.process_time()
    rounds = 20
    for _ in range(rounds):
        slip = build_slip(lay_out(CHINESE, 48), 576)
    build_ms = (time.process_time() - begun_s) * 1000 / rounds
    text = sum(len(line.text.encode("gbk")) + 1 for line in lines if isinstance(line, TextLine))
    assert len(slip.data) <= BYTES_RATIO_MAX * text
    assert build_ms <= BUILD_MS_MAX


def test_where_each_line_ends_is_told() -> None:
    slip = build(CHINESE)
    assert len(slip.gaps) == 41
    assert slip.data[: slip.gaps[0]].startswith(b"\x1b@")
    assert slip.after.endswith(b"\x1dV\x00")
    assert slip.data[: slip.gaps[2]].endswith(b"-" * 48 + b"\n")
    shorter = build_slip(lay_out(CHINESE, 48)[:7], 576)
    assert shorter.data[: shorter.gaps[-1]] == slip.data[: slip.gaps[7]]


# ---- what the font lacks -------------------------------------------------------------------------------
def test_only_the_line_with_a_strange_character_is_a_picture() -> None:
    items = (Text("谢谢光临"), Text("thời trang"), Row("口红", "¥5"))
    lines = Printer().print(build(items))
    assert lines == ["谢谢光临", "[picture 576x28]", expected_lines(items, 48)[2]]


def test_only_the_run_with_a_strange_character_is_drawn_where_the_printer_mixes_them() -> None:
    items = (Row("积分 điểm 李", "+128"), Text("ổ", large=True))
    slip = build(items, inline_pictures=True)
    printer = Printer()
    mixed, large = printer.print(slip)
    box = INLINE_PICTURE
    assert mixed == f"积分 {box}{box}i{box}m 李" + " " * 31 + "+128"
    assert large == "[picture 576x52]", "ESC * draws one height only"
    assert "some characters as pictures" in slip.notes
    drawn = line_picture("đ", 24, bold=False, large=False).crop((0, 0, 24, 24))
    turned = bitmap(drawn.transpose(Image.Transpose.TRANSPOSE)).bits
    assert b"\x1b*\x21\x18\x00" + turned in slip.data


def test_without_the_font_a_strange_character_is_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tapledger_drivers.printers.slip.load_font", lambda size: None)
    slip = build((Text("thời 李"),))
    assert Printer().print(slip) == ["th?i 李"]
    assert slip.notes == ("no CJK font, 1 characters replaced by ?",)


def test_no_control_of_a_stranger_reaches_the_printer() -> None:
    hostile = "A\x1b@\x1bp\x00\x19\xfa\x10\x14\x01\x9b\u202e\u2028\ud800B"
    for page in CODE_PAGES.values():
        printer = Printer(page=page)
        slip = build((Text(hostile), Row(hostile, hostile), QrCode(hostile)), code_page=page)
        printer.print(slip)
        assert printer.kicks == 0
        assert slip.data.count(b"\x1b@") == 1


# ---- codes ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("native_qr", [True, False])
@pytest.mark.parametrize("data", [PROOF, "V-7K3M-Q2ZP", "会员 李:¥128.00", "x" * 1024])
def test_a_code_on_paper_can_be_scanned(paper: str, native_qr: bool, data: str) -> None:
    columns, dots = PAPERS[paper]
    items = (Text("凭证"), QrCode(data), Text("请出示"))
    printer = Printer(columns)
    printer.print(build(items, columns, dots, native_qr=native_qr))
    assert printer.codes() == [data.replace("¥", "￥")]
    assert printer.parser.waiting == 0


@pytest.mark.parametrize("dots", [384, 576])
def test_modules_are_never_too_fine_and_the_code_is_never_too_wide(dots: int) -> None:
    import segno

    for size in (1, 17, 40, 80, 150, 300, 600, 1024):
        planned = qr.plan(b"x" * size, dots)
        assert planned.module_dots >= 3
        assert (planned.modules + 2 * qr.QUIET_MODULES) * planned.module_dots <= dots
        made = segno.make(b"x" * size, error=planned.error, micro=False, mode="byte", boost_error=False)
        assert made.version == planned.version, "the table of capacities is the standard's"


def test_the_capacities_are_those_of_the_standard() -> None:
    import segno
    from segno.encoder import DataOverflowError

    for version in range(1, 41):
        for error, capacities in (("L", qr._BYTES_L), ("M", qr._BYTES_M)):
            full = b"\xff" * capacities[version - 1]
            segno.make(full, version=version, error=error, mode="byte", boost_error=False, mask=0)
            with pytest.raises(DataOverflowError):
                segno.make(full + b"x", version=version, error=error, mode="byte", boost_error=False, mask=0)


# ---- logos ---------------------------------------------------------------------------------------------
def png_of(width: int, height: int) -> bytes:
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((0, 0, width - 1, height - 1), fill="black")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_a_logo_the_printer_has_is_printed_by_its_key_and_any_other_is_sent() -> None:
    png = png_of(200, 100)
    logo = logos.load_logo(png, 576)
    key = logos.key_of(logo)
    assert len(key) == 2 and key.isascii() and key.decode().isprintable()
    sent = build((Logo(png),))
    assert Printer().print(sent) == ["[picture 576x100]"]
    stored = build((Logo(png),), stored_logos=frozenset({key}))
    assert len(stored.data) < 40 < len(sent.data)
    assert b"\x1d(L\x06\x000E" + key + b"\x01\x01" in stored.data
    printer = Printer()
    printer.parser.feed(logos.store(logo))
    [line] = printer.print(stored)
    assert line == "[picture 200x100]"
    [picture] = [one for one in printer.slip.content if isinstance(one, PrintedPicture)]
    assert picture.bits == logo.bits


def test_another_picture_has_another_key_and_a_large_one_its_own_command() -> None:
    small, large = logos.load_logo(png_of(200, 100), 576), logos.load_logo(png_of(3000, 2000), 576)
    assert logos.key_of(small) != logos.key_of(large)
    assert logos.store(small).startswith(b"\x1d(L")
    assert (large.width_bytes * 8, large.height) == (480, logos.HEIGHT_DOTS_MAX)
    huge = raster.Bitmap(72, 1000, bytes(72000))
    assert logos.store(huge)[:7] == b"\x1d8L" + (72000 + 11).to_bytes(4, "little")


@pytest.mark.parametrize("png", [b"", b"no picture", png_of(20, 20)[:60], b"x" * (logos.PNG_BYTES_MAX + 1)])
def test_a_logo_that_is_none_is_left_out_and_told(png: bytes) -> None:
    slip = build((Logo(png), Text("谢谢光临")))
    assert Printer().print(slip) == ["谢谢光临"]
    assert any("logo" in note for note in slip.notes)


def test_what_is_stored_is_the_printers_own_word() -> None:
    assert logos.parse_keys(b"") == (False, frozenset())
    assert logos.parse_keys(b"\x40") == (False, frozenset())
    assert logos.parse_keys(b"\x40AB!~") == (False, frozenset({b"AB", b"!~"}))
    assert logos.parse_keys(b"\x41AB") == (True, frozenset({b"AB"}))
    assert logos.parse_keys(b"\x40ABC") == (False, frozenset({b"AB"}))


# ---- length --------------------------------------------------------------------------------------------
def test_how_much_paper_a_slip_takes_is_told() -> None:
    one, three = build((Text("a"),)), build((Text("a"), Text("b"), Text("c")))
    assert three.paper_mm - one.paper_mm == 2 * raster.LINE_PITCH_DOTS // DOTS_PER_MM
    assert build((QrCode(PROOF),)).paper_mm > 40
