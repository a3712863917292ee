"""Templates: every slip in every language on every paper comes out of the printer as it was laid out."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zxingcpp
from PIL import Image

from tapledger import texts
from tapledger.devices.receipts import fields
from tapledger.devices.receipts.drawing import Paper, lay_out
from tapledger.devices.receipts.fields import TEMPLATES, Amount, Line
from tapledger.devices.receipts.rendering import render
from tapledger.devices.receipts.templates import load, shipped, shipped_folder
from tapledger.errors import Corrupt, Invalid
from tapledger.languages import LANGUAGES
from tapledger.membership import slips
from tapledger.membership.identity import simulated
from tapledger.membership.sale import record_sale
from tapledger.membership.slips import Slip
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.ports import Logo, PaperItem, PrintJob, PrintVerdict, QrCode, Row, Text
from tapledger_drivers.printers.encoding import sanitise, text_columns
from tapledger_drivers.printers.escpos import EscposPrinter
from tapledger_drivers.printers.escpos_options import EscposOptions
from tapledger_drivers.printers.layout import expected_lines
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.store.shops import EARPHONES, Bench, card

WIDTHS = {32: 384, 42: 504, 48: 576}
DIGEST = "7f" * 32
ENTRY = {
    "shop": "青松超市",
    "when": "2026-05-04 17:00",
    "receipt": "0001-1-17",
    "proof": "7f7f7f7f7f7f7f7f",
    "proof_qr": f"0001-1-17:{DIGEST}",
    "member": "王** 金卡",
    "points": "12860",
}
TENDERS = (Amount("现金", "¥100.00"), Amount("Card", "¥1,234.50"))
EXAMPLES: dict[str, fields.Plain] = {
    "test": fields.Plain(shop="Tea Hill"),
    "sale": fields.Sale(
        **ENTRY,
        lines=(
            Line("毛巾", "¥12.00", False, "1", "¥12.00"),
            Line("A name far too long for narrow paper, 带中文", "¥1,299.00", False, "1", "¥1,299.00"),
            Line("苹果", "¥8.75", True, "1.25", "¥7.00"),
        ),
        discounts=("满 100 减 20",),
        total="¥1,319.75",
        tenders=TENDERS,
        change="¥14.75",
        tax="¥151.83",
        earned="+1319",
        reasons=("基础积分：¥1,319.75 × 1",),
    ),
    "return": fields.Return(
        **ENTRY,
        is_void=False,
        is_giveback=False,
        is_return=True,
        lines=(Amount("毛巾 × 1", "¥12.00"),),
        refund="¥12.00",
        carried="¥10.00",
        tenders=TENDERS[:1],
        bonus_first=True,
        reasons=("积分退回 12",),
    ),
    "voucher": fields.Voucher(**ENTRY, title="保温杯", code="7K4M-9Q2X-TR5V", cost="-500", day="2026-12-31"),
    "topup": fields.TopUp(**ENTRY, reasons=("充值 ¥500.00",), principal="¥500.00", bonus="¥100.00"),
    "draw": fields.Draw(**ENTRY, reasons=("谢谢参与",), number="3", word="kiosk-7", commit=DIGEST),
    "coupon": fields.Coupon(
        **ENTRY, title="满100减20", code="7K4M-9Q2X-TR5V", qr="tc1:abcdef", day="2026-12-31"
    ),
    "shift": fields.Shift(
        shop="青松超市",
        when="2026-05-04 22:00",
        is_final=True,
        number="42",
        till="till-1",
        staff="李雷",
        since="09:00",
        until="22:00",
        sales="118",
        sold="¥21,004.50",
        returns="2",
        returned="¥36.00",
        voids="1",
        tenders=TENDERS,
        coupons=(Amount("满100减20", "-¥240.00"),),
        points=(Amount("积分", "+21004"),),
        value=(Amount("充值", "¥2,000.00"),),
        expected="¥3,100.00",
        counted="¥3,095.00",
        difference="-¥5.00",
        pending=("0001-1-93  ¥88.00",),
        unsynced="3",
    ),
    "status": fields.Status(
        shop="青松超市",
        when="2026-05-04 09:00",
        node="0001",
        devices=(Amount("receipt-printer", "打印机缺纸。"), Amount("kiosk-reader", "Ready.")),
        central="已连接。",
        versions=(Amount("tapledger", "0.4.0"),),
        address="http://127.0.0.1:7380/console",
    ),
}


# ---- on paper ----------------------------------------------------------------------------------------------
@pytest.fixture(params=WIDTHS)
async def paper_of(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Paper of some width: its columns, and how to print items on it and read them back."""
    columns = int(request.param)
    emulator = EscposPrinterEmulator(columns)
    await emulator.start()
    live = LiveIo("printer", Traffic(time.monotonic))
    driver = EscposPrinter(live, emulator.address, EscposOptions(columns, WIDTHS[columns]))
    await driver.open()

    async def read_back(items: tuple[PaperItem, ...]) -> tuple[list[str], list[str]]:
        outcome = await driver.print(PrintJob("job", items))
        assert outcome.verdict is PrintVerdict.PRINTED, outcome
        slip = emulator.slips[-1]
        with Image.open(io.BytesIO(slip.png())) as picture:
            codes = sorted(found.text for found in zxingcpp.read_barcodes(picture))
        assert emulator.unknown_commands == []
        return slip.lines(), codes

    yield columns, read_back
    await driver.close()
    await live.close()
    await emulator.close()


async def test_every_template_in_every_language_is_read_back(paper_of: Any) -> None:
    columns, read_back = paper_of
    for name in TEMPLATES:
        for language in LANGUAGES:
            items = render(shipped()[name], EXAMPLES[name], language, columns)
            lines, codes = await read_back(items)
            assert lines == expected_lines(items, columns), (name, language)
            wanted = sorted(item.data for item in items if isinstance(item, QrCode))
            assert codes == wanted, (name, language)
            assert all(text_columns(line) <= columns for line in lines if not line.startswith("[QR:"))


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_that_a_slip_says_is_cut_off(name: str, columns: int) -> None:
    """Every value that the example has is on the paper in full."""
    items = render(shipped()[name], EXAMPLES[name], "zh-Hans", columns)
    for item in items:
        if isinstance(item, Row):
            room = text_columns(sanitise(item.left)) + text_columns(sanitise(item.right))
            assert room + bool(item.left) <= columns, item
    said = " ".join(f"{getattr(item, 'left', '')} {getattr(item, 'right', '')}" for item in items)
    said += " ".join(item.text for item in items if isinstance(item, Text))
    said += " ".join(item.data for item in items if isinstance(item, QrCode))
    for text in _texts_of(EXAMPLES[name]):
        assert text in said, text


def _texts_of(values: Any) -> list[str]:
    found: list[str] = []
    for name in values.__struct_fields__:
        value = getattr(values, name)
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, tuple):
            for one in value:
                found += [one] if isinstance(one, str) else [one.name, one.amount]
    return found


# ---- the marks ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_simulated_printer_is_on_the_paper_at_head_and_foot(bench: Bench, language: str) -> None:
    slip = Slip(kind="test", language=language)
    mark = texts.say(language, "receipt.simulated")
    said = [
        item.text for item in lay_out(slip, bench.shop, paper=Paper(simulated=True)) if isinstance(item, Text)
    ]
    assert (said[0], said[-1], said.count(mark)) == (mark, mark, 2)
    assert mark not in str(lay_out(slip, bench.shop))


async def test_what_a_simulated_reader_led_to_is_marked_on_a_real_printer_too(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    mark = texts.say("en", "receipt.simulated")
    for shown, marked in ((card("any"), False), (simulated(card("any")), True)):
        recorded = await record_sale(bench.shop, replace(bench.sale(member, EARPHONES), presented=shown))
        job = slips.job_id(recorded)
        slip = await bench.shop.store.transact(lambda tx: slips.stored(tx, bench.shop, job))  # noqa: B023
        assert slip is not None
        assert (mark in str(lay_out(slip, bench.shop))) is marked


@pytest.mark.parametrize(
    ("language", "word"), [("zh-Hans", "补打"), ("zh-Hant", "補印"), ("en", "COPY"), ("ja", "再発行")]
)
async def test_a_copy_says_of_what(bench: Bench, language: str, word: str) -> None:
    items = lay_out(Slip(kind="test", language=language), bench.shop, paper=Paper(copy_of="0001-1-17"))
    first = items[0]
    assert isinstance(first, Text) and word in first.text and "0001-1-17" in first.text


# ---- reports -----------------------------------------------------------------------------------------------
async def test_a_report_is_what_was_written_out_when_it_was_queued(bench: Bench) -> None:
    example = EXAMPLES["shift"]
    slip = Slip(kind="shift", language="en", report=msgspec.msgpack.encode(example))
    assert lay_out(slip, bench.shop) == render(shipped()["shift"], example, "en", 48)
    with pytest.raises(Corrupt, match="SLIP_UNREADABLE"):
        lay_out(Slip(kind="status", language="en", report=b"\xc1"), bench.shop)


# ---- a shop's own templates --------------------------------------------------------------------------------
def own(folder: Path, name: str, source: str) -> Path:
    (folder / f"{name}.toml").write_text(source, encoding="utf-8")
    return folder


def test_a_shops_own_template_takes_the_place_of_ours(tmp_path: Path) -> None:
    found = load(own(tmp_path, "test", '[[item]]\ntext = "Hello from {shop}"\nwhen = "narrow"\n'))
    values = EXAMPLES["test"]
    assert render(found["test"], values, "en", 32) == (Text("Hello from Tea Hill"),)
    assert render(found["test"], values, "en", 48) == ()
    assert found["sale"] == shipped()["sale"]


def test_a_part_of_its_own_is_in_every_slip(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("1", (64, 16)).save(picture, "PNG")
    (tmp_path / "logo.png").write_bytes(picture.getvalue())
    found = load(own(tmp_path, "_head", '[[item]]\nlogo = "logo.png"\n'))
    for name, values in EXAMPLES.items():
        items = render(found[name], values, "en", 48)
        head = items[0]
        assert head == Logo(picture.getvalue()), name


@pytest.mark.parametrize(
    ("name", "source", "line", "why"),
    [
        ("sale", '[[item]]\nrule = true\n\n[[item]]\ntext = "{totl}"\n', 4, "did you mean 'total'"),
        ("sale", '[[item]]\nsay = "receipt.totl"\n', 1, "did you mean 'receipt.total'"),
        ("sale", '[[item]]\nrule = true\nwhen = "chnge"\n', 1, "did you mean 'change'"),
        ("sale", '[[item]]\neach = "line"\ntext = "{name}"\n', 1, "did you mean 'lines'"),
        ("sale", '[[item]]\neach = "lines"\ntext = "{it}"\n', 1, "no text {it}"),
        ("sale", '[[item]]\ntext = "{lines}"\n', 1, "no text {lines}"),
        ("sale", '[[item]]\ntext = "{total.__class__}"\n', 1, "no text {total.__class__}"),
        ("sale", '[[item]]\ntext = "{total:>99999999}"\n', 1, "no text"),
        ("sale", '[[item]]\ntext = "{total"\n', 1, "no text"),
        ("sale", '[[item]]\ntext = "a"\nrule = true\n', 1, "exactly one of"),
        ("sale", '[[item]]\nqr = "{total}"\nright = "x"\n', 1, "right column"),
        ("sale", '[[item]]\ntext = "a"\nright = "b"\nlarge = true\n', 1, "neither large"),
        ("sale", '[[item]]\nrule = true\n[[item]]\nbould = true\n', 3, "bould"),
        ("sale", '[[item]]\ninclude = "_foot"\n', 1, "no part '_foot'"),
        ("sale", '[[item]]\nlogo = "../secret.png"\n', 1, "is not the name of a file"),
        ("sale", '[[item]]\nlogo = "logo.png"\n', 1, "cannot be read"),
        ("sale", '[[item]]\ntext = "a\n', 2, "line 2"),
        ("sale", "[[item]]\nrule = true\n" * 201, 401, "more than 200 items"),
        ("_proof", '[[item]]\ntext = "{totl}"\n', 1, "no text {totl}"),
        ("sael", "", 1, "did you mean 'sale'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, name: str, source: str, line: int, why: str
) -> None:
    with pytest.raises(Invalid) as refused:
        load(own(tmp_path, name, source))
    error = refused.value
    assert error.code == "RECEIPT_TEMPLATE_INVALID"
    assert (Path(str(error.data["path"])).stem, error.data["line"]) == (name, line)
    assert why in str(error.data["why"])
    for language in LANGUAGES:
        assert f"{name}.toml" in texts.problem(language, error)[0]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="CONFIG_MISSING"):
        load(tmp_path / "nothing")


def test_every_template_has_its_file_and_no_file_is_left_over() -> None:
    names = {path.stem for path in shipped_folder().glob("*.toml") if not path.stem.startswith("_")}
    assert names == set(TEMPLATES) == set(EXAMPLES)
