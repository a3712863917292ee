"""The receipt printer against a printer on TCP: never "printed" without the printer's own word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator, Mute
from tapledger_drivers.ports import (
    Align,
    PaperItem,
    PrintJob,
    PrintOutcome,
    PrintVerdict,
    QrCode,
    Row,
    Rule,
    Text,
)
from tapledger_drivers.printers.encoding import char_columns, encode_gbk, sanitise, text_columns
from tapledger_drivers.printers.escpos import EscposPrinter
from tapledger_drivers.printers.layout import TextLine, expected_lines, lay_out
from tapledger_drivers.printers.raster import missing_glyphs
from tapledger_drivers.printers.slip import build_slip
from tapledger_drivers.printers.status import ASK_COMPLETION, ASK_STATUS, CLEAR_BUFFERS
from tapledger_drivers.registry import create_driver
from tapledger_drivers.testing import DriverContract, DriverLab
from tests.drivers.cards import TRUST

PRINTED, FAILED, UNKNOWN = PrintVerdict.PRINTED, PrintVerdict.FAILED, PrintVerdict.UNKNOWN

RECEIPT: tuple[PaperItem, ...] = (
    Text("丽人化妆品", Align.CENTER, bold=True, large=True),
    Rule(),
    Row("口红 Rouge 999", "¥128.00"),
    Row("积分 Points", "+128", bold=True),
    QrCode("https://example.test/r/1?名=李"),
    Text("谢谢光临！退换货请保留小票。"),
)


def printer_at(port: int, answer_timeout_s: float = 2.0) -> EscposPrinter:
    return EscposPrinter("127.0.0.1", port, answer_timeout_s=answer_timeout_s)


async def print_receipt(emulator: EscposPrinterEmulator, answer_timeout_s: float = 2.0) -> PrintOutcome:
    return await printer_at(emulator.port, answer_timeout_s).print(PrintJob("job-1", RECEIPT))


class TestContract(DriverContract):
    @pytest.fixture
    async def lab(self, emulator: EscposPrinterEmulator) -> AsyncIterator[DriverLab]:
        config = DeviceConfig("receipt-printer", "escpos_tcp", {"host": "127.0.0.1", "port": emulator.port})
        gone = EscposPrinterEmulator()
        free_port = await gone.start()
        await gone.close()
        yield DriverLab(create_driver(config, TRUST), printer_at(free_port))


async def test_a_receipt_is_printed_as_laid_out(emulator: EscposPrinterEmulator) -> None:
    outcome = await print_receipt(emulator)
    assert (outcome.verdict, outcome.reason) == (PRINTED, "ok")
    assert outcome.evidence == "gs_r answered, dle_eot_1=12 dle_eot_2=12 dle_eot_4=12 after the cut"
    [slip] = emulator.slips
    assert slip.cut
    assert slip.lines() == expected_lines(RECEIPT, 48)
    assert emulator.unknown_commands == []
    assert emulator.drawer_kicks == 0
    assert slip.lines() == [
        " " * 7 + "丽人化妆品",
        "-" * 48,
        "口红 Rouge 999" + " " * 26 + "￥128.00",
        "积分 Points" + " " * 33 + "+128",
        "[QR:https://example.test/r/1?名=李]",
        "谢谢光临！退换货请保留小票。",
    ]


async def test_the_picture_of_the_paper_has_no_missing_glyph(emulator: EscposPrinterEmulator) -> None:
    await print_receipt(emulator)
    assert missing_glyphs(emulator.slips[0].text()) == set()
    assert missing_glyphs("😀") == {"😀"}, "the check itself must be able to fail"
    assert emulator.slips[0].png().startswith(b"\x89PNG")


async def test_traditional_characters_and_kana_are_in_the_printers_own_font(
    emulator: EscposPrinterEmulator,
) -> None:
    items = (
        Row("儲值金餘額", "¥128.00"),
        Text("クーポンをご利用いただけます。"),
        Text("保温マグボトル 500ml"),
    )
    outcome = await printer_at(emulator.port).print(PrintJob("j", items))
    assert outcome.verdict is PRINTED
    assert "picture" not in outcome.evidence
    assert emulator.slips[0].lines() == [
        "儲值金餘額" + " " * 30 + "￥128.00",
        "クーポンをご利用いただけます。",
        "保温マグボトル 500ml",
    ]
    assert missing_glyphs(emulator.slips[0].text()) == set()


async def test_what_gbk_lacks_comes_as_a_picture(emulator: EscposPrinterEmulator) -> None:
    outcome = await printer_at(emulator.port).print(PrintJob("j", (Text("thời trang"), Text("a😀b"))))
    assert outcome.verdict is PRINTED
    assert "a line as a picture; 1 characters without a glyph replaced by ?" in outcome.evidence
    assert emulator.slips[0].lines() == ["[picture 576x28]", "[picture 576x28]"]


# ---- faults before the slip ----------------------------------------------------------------------------
async def test_no_paper_or_an_open_cover_fails_before_a_byte_is_sent(emulator: EscposPrinterEmulator) -> None:
    for set_fault, reason in (
        (emulator.set_paper_out, "paper_out"),
        (emulator.set_cover_open, "cover_open"),
    ):
        set_fault(True)
        outcome = await print_receipt(emulator)
        assert (outcome.verdict, outcome.reason) == (FAILED, reason)
        assert "slip not sent" in outcome.evidence
        status = await printer_at(emulator.port).status()
        assert (status.ready, status.reason) == (False, reason)
        set_fault(False)
    assert emulator.slips == []
    assert (await printer_at(emulator.port).status()).ready


@pytest.mark.parametrize("mute", [Mute.DEAF, Mute.SILENT])
async def test_a_mute_printer_never_printed(emulator: EscposPrinterEmulator, mute: Mute) -> None:
    emulator.set_mute(mute)
    outcome = await print_receipt(emulator, answer_timeout_s=0.1)
    assert (outcome.verdict, outcome.reason) == (FAILED, "mute")
    assert (await printer_at(emulator.port, 0.1).status()).reason == "mute"
    assert emulator.slips == []


async def test_a_peer_that_echoes_is_no_printer() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(100):
            writer.write(chunk)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outcome = await printer_at(port, 0.1).print(PrintJob("j", RECEIPT))
    assert (outcome.verdict, outcome.reason) == (FAILED, "mute")
    server.close()
    await server.wait_closed()


# ---- faults during the slip ----------------------------------------------------------------------------
async def test_paper_that_ends_in_the_middle_fails_and_the_rest_never_comes(
    emulator: EscposPrinterEmulator,
) -> None:
    emulator.set_paper_lines_left(3)
    outcome = await print_receipt(emulator)
    assert (outcome.verdict, outcome.reason) == (FAILED, "paper_out")
    assert "no cut, printer confirmed that the rest is cleared" in outcome.evidence
    assert not emulator.slips[-1].cut
    emulator.set_paper_out(False)
    again = await print_receipt(emulator)
    assert again.verdict is PRINTED
    texts = "\n".join(slip.text() for slip in emulator.slips)
    assert texts.count("谢谢光临") == 1


async def test_a_cover_opened_in_the_middle_fails_and_the_rest_never_comes(
    emulator: EscposPrinterEmulator,
) -> None:
    emulator.line_delay_s = 0.05

    def open_after_two_lines() -> None:
        if emulator.ready and emulator.slips and len(emulator.slips[0].content) == 2:
            emulator.set_cover_open(True)

    emulator.on_change.append(open_after_two_lines)
    outcome = await print_receipt(emulator)
    assert (outcome.verdict, outcome.reason) == (FAILED, "cover_open")
    emulator.on_change.clear()
    emulator.set_cover_open(False)
    assert (await print_receipt(emulator)).verdict is PRINTED
    assert "\n".join(slip.text() for slip in emulator.slips).count("谢谢光临") == 1


async def test_half_a_command_of_a_broken_job_does_not_swallow_the_next(
    emulator: EscposPrinterEmulator,
) -> None:
    inside_the_qr_code = build_slip(lay_out(RECEIPT, 48), 576).data.index(b"example.test")
    emulator.cut_off_after(len(CLEAR_BUFFERS + ASK_STATUS) + inside_the_qr_code)
    assert (await print_receipt(emulator)).verdict is UNKNOWN
    emulator.cut_off_after(None)
    assert (await print_receipt(emulator)).verdict is PRINTED
    assert emulator.slips[-1].lines()[-1] == expected_lines(RECEIPT, 48)[-1]


async def test_paper_that_ends_with_the_cut_is_for_a_person_to_look_at(
    emulator: EscposPrinterEmulator,
) -> None:
    lines_and_feed = len(expected_lines(RECEIPT, 48)) + 6
    emulator.set_paper_lines_left(lines_and_feed)
    outcome = await print_receipt(emulator)
    assert outcome.verdict is not PRINTED
    assert outcome.reason == "paper_out"


async def test_a_printer_that_falls_silent_anywhere_in_the_slip_is_unknown(
    emulator: EscposPrinterEmulator,
) -> None:
    question, slip = len(CLEAR_BUFFERS + ASK_STATUS), slip_bytes()
    for heard in (question + 1, question + slip // 2, question + slip):
        emulator.mute_after(heard)
        outcome = await print_receipt(emulator, answer_timeout_s=0.1)
        assert (outcome.verdict, outcome.reason) == (UNKNOWN, "mute")
        emulator.set_mute(Mute.NO)


async def test_a_connection_cut_after_any_byte_is_never_printed(emulator: EscposPrinterEmulator) -> None:
    question, slip = len(CLEAR_BUFFERS + ASK_STATUS), slip_bytes()
    for arrived in range(question + slip + len(ASK_COMPLETION)):
        emulator.cut_off_after(arrived)
        outcome = await print_receipt(emulator, answer_timeout_s=0.5)
        assert outcome.verdict is not PRINTED, arrived
        if arrived < question:
            assert outcome.verdict is FAILED, arrived
        if any(slip.cut for slip in emulator.slips):
            assert outcome.verdict is UNKNOWN, f"a whole receipt came out after {arrived} bytes"
        emulator.slips.clear()
    emulator.cut_off_after(None)
    assert (await print_receipt(emulator)).verdict is PRINTED


def slip_bytes() -> int:
    return len(build_slip(lay_out(RECEIPT, 48), 576).data)


async def test_a_slow_printer_is_waited_for(emulator: EscposPrinterEmulator) -> None:
    emulator.line_delay_s = 0.1
    outcome = await print_receipt(emulator)
    assert outcome.verdict is PRINTED
    assert emulator.slips[0].cut


async def test_jobs_wait_for_each_other_and_each_comes_out_once(emulator: EscposPrinterEmulator) -> None:
    printer = printer_at(emulator.port)
    jobs = [PrintJob(f"job-{n}", (Text(f"slip {n}"),)) for n in range(10)]
    outcomes = await asyncio.gather(*map(printer.print, jobs))
    assert {outcome.verdict for outcome in outcomes} == {PRINTED}
    assert sorted(slip.text() for slip in emulator.slips) == sorted(f"slip {n}" for n in range(10))


async def test_a_job_that_cannot_be_built_fails_without_touching_the_printer(
    emulator: EscposPrinterEmulator,
) -> None:
    for items in ((QrCode("x" * 2000),), (QrCode(""),), (Rule(),) * 1000):
        outcome = await printer_at(emulator.port).print(PrintJob("j", items))
        assert (outcome.verdict, outcome.reason) == (FAILED, "bad_job")
    assert emulator.connections == 0


async def test_printing_does_not_hold_up_the_event_loop(emulator: EscposPrinterEmulator) -> None:
    emulator.line_delay_s = 0.02
    job = asyncio.create_task(print_receipt(emulator))
    turns = 0
    while not job.done():
        await asyncio.sleep(0)
        turns += 1
    assert job.result().verdict is PRINTED
    assert turns > 100


# ---- text ----------------------------------------------------------------------------------------------
@given(text=st.text(max_size=200))
def test_no_text_puts_a_control_byte_on_the_wire(text: str) -> None:
    encoded = encode_gbk(sanitise(text))
    if encoded is None:
        return
    for run in split_kanji_mode(encoded):
        assert all(0x20 <= byte <= 0x7E for byte in run)


def split_kanji_mode(encoded: bytes) -> Iterator[bytes]:
    """Yield the single-byte runs, after checking that everything between FS & and FS . is two-byte GBK."""
    at = 0
    while at < len(encoded):
        end = encoded.find(b"\x1c&", at)
        yield encoded[at : end if end >= 0 else len(encoded)]
        if end < 0:
            return
        at = end + 2
        while encoded[at] != 0x1C:
            assert 0x81 <= encoded[at] <= 0xFE
            assert 0x40 <= encoded[at + 1] <= 0xFE and encoded[at + 1] != 0x7F
            at += 2
        assert encoded[at : at + 2] == b"\x1c."
        at += 2


HOSTILE = "A\x1b@\x1bp\x00\x19\xfa\x10\x14\x01\x9b\u202e\u2028\ud800B"


async def test_a_hostile_name_neither_kicks_the_drawer_nor_resets(emulator: EscposPrinterEmulator) -> None:
    items = (Text(HOSTILE), Row(HOSTILE, HOSTILE), QrCode(HOSTILE))
    outcome = await printer_at(emulator.port).print(PrintJob("j", items))
    assert outcome.verdict is PRINTED
    assert emulator.drawer_kicks == 0
    assert emulator.received.count(b"\x1b@") == 1
    assert emulator.slips[0].lines()[-1] == f"[QR:{sanitise(HOSTILE)}]"


@given(
    left=st.text(max_size=80),
    right=st.text(max_size=30),
    text=st.text(max_size=150),
    large=st.booleans(),
    columns=st.sampled_from([32, 42, 48]),
)
def test_no_line_is_wider_than_the_paper(left: str, right: str, text: str, large: bool, columns: int) -> None:
    for line in lay_out((Row(left, right), Text(text, Align.CENTER, large=large)), columns):
        assert isinstance(line, TextLine)
        assert text_columns(line.text) <= (columns // 2 if line.large else columns)


@given(amount=st.integers(0, 10**12), name=st.text(max_size=100))
def test_an_amount_is_never_cut(amount: int, name: str) -> None:
    *_, line = lay_out((Row(name, f"¥{amount}"),), 48)
    assert isinstance(line, TextLine)
    assert line.text.endswith(f"￥{amount}")


def test_wrapping_loses_nothing_and_keeps_words_whole() -> None:
    text = "the quick brown fox 敏捷的棕色狐狸 jumps over the lazy dog"
    lines = expected_lines((Text(text),), 32)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    words = set(" ".join(lines).split())
    assert {"quick", "jumps", "lazy"} <= words


def test_widths() -> None:
    assert [char_columns(char) for char in "A李￥①é́"] == [1, 2, 2, 2, 2, 0]
    assert sanitise("¥5\n\tb\u200b\u3000c") == "￥5  b\u3000c"
