"""Setup sheets are read back as a scanner would read them, and the probe tells what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import zxingcpp
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image, ImageDraw

from tapledger.devices import scanner_setup
from tapledger.errors import NotFound
from tapledger.floor import views
from tapledger.web import scanner_setup_api
from tapledger.web.device_snapshots import HealthView
from tapledger_drivers.ports import Scan, ScanRefused
from tapledger_drivers.scanners import probe
from tapledger_drivers.scanners.framing import Framed
from tapledger_drivers.scanners.keymaps import KEYMAPS
from tapledger_drivers.scanners.reading import CodeFormat, CodeReader
from tapledger_drivers.traffic import Traffic

SCALE = 4
STEPS = [(name, step) for name, sheet in scanner_setup.load().items() for step in sheet.steps]


def picture(svg: str) -> Image.Image:
    """Draw what our sheets are made of: filled paths of horizontal and vertical lines."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    size = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
    assert box or size
    width, height = (float(one) for one in (box or size).groups())  # type: ignore[union-attr]
    image = Image.new("L", (round(width * SCALE), round(height * SCALE)), 255)
    draw = ImageDraw.Draw(image)
    if "stroke" in svg:  # segno: runs of modules, each a stroke one unit high
        scale = float(re.search(r"scale\(([\d.]+)\)", svg)[1]) if "scale(" in svg else 1.0  # type: ignore[index]
        path = re.search(r'<path[^>]*stroke="#000"[^>]*d="([^"]+)"', svg) or re.search(
            r'd="(M[^"]+)"[^>]*stroke', svg
        )
        assert path
        _strokes(draw, path[1], scale * SCALE)
    else:
        for x, bar, tall in re.findall(r"M(\d+) 0h(\d+)v(\d+)h-\d+z", svg):
            left = int(x) * SCALE
            draw.rectangle((left, 0, left + int(bar) * SCALE - 1, int(tall) * SCALE - 1), fill=0)
    return image


def _strokes(draw: ImageDraw.ImageDraw, path: str, scale: float) -> None:
    x = y = 0.0
    for command, figures in re.findall(r"([Mmh])([^Mmh]*)", path):
        numbers = [float(one) for one in re.findall(r"-?[\d.]+", figures)]
        if command == "M":
            x, y = numbers
        elif command == "m":
            x, y = x + numbers[0], y + numbers[1]
        else:
            box = (x * scale, (y - 0.5) * scale, (x + numbers[0]) * scale - 1, (y + 0.5) * scale - 1)
            draw.rectangle(box, fill=0)
            x += numbers[0]


def read_back(svg: str) -> zxingcpp.Barcode:
    [code] = zxingcpp.read_barcodes(picture(svg), text_mode=zxingcpp.TextMode.Plain)
    return code


def event_of(raw: bytes) -> Scan | ScanRefused:
    return CodeReader(CodeFormat(), Traffic(float)).read(Framed(raw, len(raw)))


def not_ok(raw: bytes, which: str = probe.LINEAR) -> set[str]:
    return {finding.code for finding in probe.judge(event_of(raw), which) if not finding.ok}


# ---- the sheets ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "step"), STEPS, ids=[f"{name}-{step.sets}" for name, step in STEPS])
def test_every_drawn_code_reads_back(name: str, step: scanner_setup.Step) -> None:
    sheet = scanner_setup.load()[name]
    code = read_back(scanner_setup.code(sheet, step))
    assert code.format == zxingcpp.BarcodeFormat.Code128
    assert code.text == step.content
    assert step.source


@pytest.mark.parametrize(
    ("content", "symbols"),
    [
        ("\xf392", [104, 96, 25, 18]),
        ("~A.\xf3", [104, 94, 33, 14, 96]),
        ("\xf3$P\r", [104, 96, 4, 48, 101, 77]),
    ],
)
def test_the_function_character_stands_where_the_vendor_has_it(content: str, symbols: list[int]) -> None:
    from barcode.charsets import code128
    from barcode.codex import Code128

    check = (symbols[0] + sum(place * one for place, one in enumerate(symbols))) % 103
    wanted = "".join(code128.CODES[one] for one in [*symbols, check]) + code128.STOP + "11"
    assert Code128(content).build() == [wanted]


def test_sheets_say_who_and_where_from() -> None:
    sheets = scanner_setup.load()
    assert set(sheets) == {"datalogic", "honeywell", "newland", "zebra"}
    for name in sheets:
        drawn = scanner_setup.draw(name)
        assert drawn.vendor and drawn.families
        assert all(step.svg.startswith("<svg") and len(step.source) > 20 for step in drawn.steps)


def test_an_unknown_sheet_is_not_found() -> None:
    with pytest.raises(NotFound, match="SCANNER_SHEET_UNKNOWN"):
        scanner_setup.draw("acme")


@pytest.mark.parametrize("text", ["vendor = 1", "vendor =", 'vendor = "x"\nfamilies = []\ncolour = 1'])
def test_a_broken_sheet_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "acme.toml").write_text(text)
    with pytest.raises(ValueError, match=r"acme\.toml"):
        scanner_setup.load(tmp_path)


def _judged(read: scanner_setup_api.ProbeRead) -> HealthView:
    scan = Scan(b"", read.text, 0.0, aim_id=read.aim_id, encoding=read.encoding)
    return views.probe_view(scanner_setup.judge(scan, read.probe), "en")


async def test_the_page_gets_sheets_and_probes() -> None:
    app = web.Application()
    setup = scanner_setup_api.SetupSheets(scanner_setup.overview, scanner_setup.draw, _judged)
    app.add_routes(scanner_setup_api.routes(setup))
    async with TestClient(TestServer(app)) as client:
        overview = await (await client.get("/api/scanner-setup")).json()
        assert [one["id"] for one in overview["sheets"]] == ["datalogic", "honeywell", "newland", "zebra"]
        assert [one["id"] for one in overview["probes"]] == ["linear", "matrix"]
        sheet = await (await client.get("/api/scanner-setup/zebra")).json()
        doubled = {"probe": "linear", "text": "7" + probe.LINEAR, "aim_id": "]C0", "encoding": "ascii"}
        judged = await (await client.post("/api/scanner-setup/judge", json=doubled)).json()
    wrong = [one["sentence"] for one in judged["findings"] if not one["ok"]]
    assert wrong == ["The first digit is neither lost nor doubled"]
    assert not judged["ok"]
    assert [step["sets"] for step in sheet["steps"]] == ["defaults", "aim_id", "suffix_cr"]
    assert read_back(sheet["steps"][0]["svg"]).text == "92"


# ---- the probe -----------------------------------------------------------------------------------------
def test_the_probes_read_back() -> None:
    linear, matrix = scanner_setup.probes()
    assert read_back(linear.svg).text == probe.LINEAR
    assert read_back(matrix.svg).text == probe.MATRIX


@pytest.mark.parametrize("aim_id", ["]C0", "]Q1"])
@pytest.mark.parametrize("expected", [probe.LINEAR, probe.MATRIX])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_scanner_that_is_set_up_well_passes(aim_id: str, expected: str, encoding: str) -> None:
    event = event_of(aim_id.encode() + expected.encode(encoding))
    assert probe.is_probe(event)
    assert all(finding.ok for finding in probe.judge(event, expected))


LINEAR = b"]C0" + probe.LINEAR.encode()


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        (LINEAR[3:], {"probe_aim_id"}),
        (LINEAR.replace(b"\x1d", b""), {"probe_group_separator"}),
        (b"]C07" + LINEAR[3:], {"probe_first_digit"}),
        (LINEAR.upper(), {"probe_case"}),
        (LINEAR.swapcase().replace(b"]c0", b"]C0"), {"probe_case"}),
        (LINEAR.replace(b"456", b""), {"probe_characters"}),
        (LINEAR[:-2], {"probe_characters"}),
        (LINEAR[3:].replace(b"\x1d", b""), {"probe_aim_id", "probe_group_separator"}),
        (b"\xff\xfe", {"probe_read"}),
    ],
)
def test_what_is_wrong_is_told(raw: bytes, wrong: set[str]) -> None:
    assert not_ok(raw) == wrong


@pytest.mark.parametrize(
    ("chinese", "wrong"),
    [
        ("会员积分".encode("gbk").decode("latin-1"), {"probe_encoding"}),
        ("????", {"probe_encoding"}),
        ("", {"probe_encoding"}),
    ],
)
def test_wrong_chinese_is_an_encoding(chinese: str, wrong: set[str]) -> None:
    assert not_ok(b"]Q1" + probe.MATRIX.replace("会员积分", chinese).encode(), probe.MATRIX) == wrong


@pytest.mark.parametrize(("scanner", "driver"), [("de", "us"), ("us", "de"), ("fr", "us"), ("us", "fr")])
def test_a_wrong_country_is_named(scanner: str, driver: str) -> None:
    typed = probe._miskeyed(probe.LINEAR.replace("\x1d", ""), KEYMAPS[scanner], KEYMAPS[driver])
    event = event_of(typed.encode())
    assert probe.is_probe(event)
    found = {finding.code: finding for finding in probe.judge(event, probe.LINEAR)}
    assert not found["probe_layout"].ok
    assert found["probe_layout"].detail == f"{scanner}/{driver}"


@pytest.mark.parametrize("text", ["6901234567892", "TC1:ABC", "END", "", "1234567890"])
def test_other_codes_are_no_probe(text: str) -> None:
    assert not probe.is_probe(event_of(text.encode()))
