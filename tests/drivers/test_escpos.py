"""The receipt printer on every line it can hang on: never "printed" without the printer's own word."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tapledger_drivers.device import Capability, DeviceConfig, HealthLevel, Source
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.errors import DeviceAbsent
from tapledger_drivers.ports import (
    PrintJob,
    PrintOutcome,
    PrintVerdict,
    QrCode,
    Row,
    Text,
)
from tapledger_drivers.printers import escpos, escpos_tcp
from tapledger_drivers.printers.code_pages import CODE_PAGES
from tapledger_drivers.printers.detecting import LOOKS_MAX
from tapledger_drivers.printers.encoding import sanitise
from tapledger_drivers.printers.escpos import EscposPrinter
from tapledger_drivers.printers.escpos_options import EscposOptions, read_options
from tapledger_drivers.printers.layout import expected_lines, lay_out
from tapledger_drivers.printers.proof import MODEL
from tapledger_drivers.printers.raster import missing_glyphs
from tapledger_drivers.printers.slip import build_slip
from tapledger_drivers.printers.status import ASK_STATUS, ask_text
from tapledger_drivers.registry import Options, create_driver
from tapledger_drivers.testing import DriverContract, DriverLab
from tapledger_drivers.traffic import Direction
from tests.drivers.cards import TRUST
from tests.drivers.printing import (
    JOB,
    LINES,
    RECEIPT,
    driver,
    driving,
    emulated,
    live_io,
    printer,
    until,
)

PRINTED, FAILED, UNKNOWN = PrintVerdict.PRINTED, PrintVerdict.FAILED, PrintVerdict.UNKNOWN


def _impatient(options: Options, *, hold_line: bool) -> EscposOptions:
    return replace(read_options(options, hold_line=hold_line), answer_timeout_s=0.8)


class TestContract(DriverContract):
    @pytest.fixture(params=["tcp", "pty", "old"])
    async def lab(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[DriverLab]:
        monkeypatch.setattr(escpos, "SHARED_ASK_S", 0.2)
        for module in (escpos, escpos_tcp):
            monkeypatch.setattr(module, "read_options", _impatient)
        line = "pty" if request.param == "pty" else "tcp"
        async with emulated(line) as emulator, emulated(line) as gone:
            io, other_io = live_io(), live_io()
            await gone.close()
            if request.param == "old":
                config = DeviceConfig("p", "escpos_tcp", {"host": "127.0.0.1", "port": emulator.port})
                absent = DeviceConfig("q", "escpos_tcp", {"host": "127.0.0.1", "port": gone.port})
            else:
                config = DeviceConfig("p", "escpos", {"port": emulator.address})
                absent = DeviceConfig("q", "escpos", {"port": gone.address})
            driver = create_driver(config, TRUST, io)

            async def pull(verb: Verb) -> None:
                await emulator.pull(verb)

            yield DriverLab(
                driver,
                create_driver(absent, TRUST, other_io),
                lambda: pull(Verb.UNPLUG),
                lambda: pull(Verb.REPLUG),
                lambda: pull(Verb.GO_AWOL),
                io.traffic,
            )
            await driver.close()
            await io.close()
            await other_io.close()


async def print_receipt(emulator: EscposPrinterEmulator) -> PrintOutcome:
    async with driving(emulator) as opened:
        return await opened.print(JOB)


async def test_a_receipt_is_printed_as_laid_out(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    outcome = await driver.print(JOB)
    assert (outcome.verdict, outcome.reason) == (PRINTED, "ok")
    well = "dle_eot_1=12 dle_eot_2=12 dle_eot_3=12 dle_eot_4=12"
    assert outcome.evidence == f"process_id answered, {well} after the cut"
    [slip] = printer.slips
    assert slip.cut
    assert slip.lines() == expected_lines(RECEIPT, 48)
    assert printer.unknown_commands == []
    assert printer.drawer_kicks == 0
    assert outcome.paper_mm == slip.length_mm
    assert slip.lines() == [
        " " * 7 + "丽人化妆品",
        "-" * 48,
        "口红 Rouge 999" + " " * 26 + "￥128.00",
        "积分 Points" + " " * 33 + "+128",
        "[QR:https://example.test/r/1?名=李]",
        "谢谢光临！退换货请保留小票。",
    ]


async def test_that_all_was_sent_is_told_once_and_only_then(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    told: list[bool] = []
    job = PrintJob("j", RECEIPT, lambda: told.append(b"\x1dV" in driver.traffic.frames()[-1].data))
    assert (await driver.print(job)).verdict is PRINTED
    assert told == [True]
    await printer.pull(Verb.PAPER_OUT)
    assert (await driver.print(job)).verdict is FAILED
    assert told == [True], "nothing was sent"


async def test_questions_add_no_command_of_their_own_to_the_slip(driver: EscposPrinter) -> None:
    """What the printer gets is the golden slip; only questions stand between its lines."""
    await driver.print(JOB)
    sent = b"".join(frame.data for frame in driver.traffic.frames() if frame.direction is Direction.TO_DEVICE)
    slip = sent[sent.rindex(b"\x1b@") :]
    for question in (b"\x1da\xff", ASK_STATUS):
        slip = slip.replace(question, b"")
    slip = re.sub(rb"\x1d\(H\x06\x0000.{4}", b"", slip)
    assert slip == build_slip(lay_out(RECEIPT, 48), 576).data


async def test_the_picture_of_the_paper_has_no_missing_glyph(emulator: EscposPrinterEmulator) -> None:
    await print_receipt(emulator)
    assert missing_glyphs(emulator.slips[0].text()) == set()
    assert missing_glyphs("😀") == {"😀"}, "the check itself must be able to fail"
    assert emulator.slips[0].png().startswith(b"\x89PNG")


async def test_what_gbk_lacks_comes_as_a_picture(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    outcome = await driver.print(PrintJob("j", (Text("thời trang"), Text("a😀b"))))
    assert outcome.verdict is PRINTED
    assert "a line as a picture; 1 characters without a glyph replaced by ?" in outcome.evidence
    assert printer.slips[0].lines() == ["[picture 576x28]", "[picture 576x28]"]


@pytest.mark.parametrize("code_page", ["big5", "shift_jis", "gb18030"])
async def test_each_code_page_is_read_back(code_page: str) -> None:
    async with emulated(code_page=CODE_PAGES[code_page]) as printer:
        async with driving(printer, code_page=code_page) as driver:
            outcome = await driver.print(PrintJob("j", (Text("中文 ABC 123"),)))
        assert outcome.verdict is PRINTED
        assert printer.slips[0].lines() == ["中文 ABC 123"]
        assert printer.unknown_commands == []


# ---- what it is and can --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("model", "status", "completion"),
    [
        ("epson", "asb", "process_id"),
        ("no_process_id", "asb", "gs_r"),
        ("clone", "eot", "none"),
    ],
)
@pytest.mark.parametrize("line", LINES)
async def test_what_a_printer_can_is_detected(line: str, model: str, status: str, completion: str) -> None:
    async with emulated(line, model) as printer, driving(printer, opened=False) as driver:
        info = await driver.open()
        assert info.capabilities["status"].value == status
        assert info.capabilities["completion"].value == completion
        assert info.capabilities["status"].source is Source.DETECTED
        assert info.capabilities["columns"].value == 48
        if model != "clone":
            assert (info.model, info.firmware, info.serial) == ("tapledger emulator", "1.00", "E0001")
        assert printer.unknown_commands == [] and printer.slips == []


@pytest.mark.parametrize("model", ["epson", "no_process_id"])
async def test_what_a_printer_answers_too_late_is_learnt_all_the_same(model: str) -> None:
    async with emulated(model=model) as printer:
        answer, answered = printer.asked, asyncio.Event()

        def late(command: bytes) -> None:
            asyncio.get_running_loop().call_later(0.2, tell, command)

        def tell(command: bytes) -> None:
            answer(command)
            if command[:2] == b"\x1dr":
                answered.set()

        printer.asked = late  # type: ignore[method-assign]
        async with driving(printer, detect_timeout_s=0.05) as driver:
            assert driver.capabilities["completion"].value == "none"
            printer.asked = tell  # type: ignore[method-assign]
            await answered.wait()
            assert (await driver.print(JOB)).verdict is PRINTED
            assert (await driver.print(JOB)).verdict is PRINTED


@pytest.mark.parametrize("model", ["epson", "no_process_id"])
async def test_what_was_lost_in_noise_is_asked_again(model: str) -> None:
    async with emulated(model=model) as printer:
        answer = printer.asked
        printer.asked = lambda command: printer._send(b"\x80")  # type: ignore[method-assign]
        async with driving(printer) as driver:
            assert driver.capabilities["completion"].value == "none"
            printer.asked = answer  # type: ignore[method-assign]
            assert (await driver.print(JOB)).verdict is PRINTED


async def test_a_printer_that_knows_no_question_is_asked_once() -> None:
    async with emulated(model="clone") as printer, driving(printer, detect_timeout_s=0.2) as driver:
        for _ in range(LOOKS_MAX):
            outcome = await driver.print(JOB)
            assert (outcome.reason, outcome.never_says) == ("no_completion", True)
        took_s = driver.traffic.observed()["first_byte"]
        assert (await driver.print(JOB)).reason == "no_completion"
        assert driver.traffic.observed()["first_byte"][-1] < 0.2 < max(took_s)
    assert bytes(printer.received_bytes).count(ask_text(MODEL)) == 1


async def test_a_printer_that_can_say_and_did_not_is_not_one_that_never_says() -> None:
    async with emulated(model="no_process_id") as printer, driving(printer) as driver:
        printer.model = replace(printer.model, gs_r=False)
        outcome = await driver.print(JOB)
    assert (outcome.verdict, outcome.never_says) == (UNKNOWN, False)


async def test_whether_to_ask_is_the_operators_word() -> None:
    async with emulated() as printer:
        config = DeviceConfig("p", "escpos", {"port": printer.address, "ask": False})
        io = live_io()
        driver = create_driver(config, TRUST, io)
        info = await driver.open()
        await driver.close()
        await io.close()
    assert info.capabilities["ask"] == Capability(False, Source.OPERATOR)


async def test_a_printer_that_is_not_ready_is_learnt_when_it_is(printer: EscposPrinterEmulator) -> None:
    printer.set_cover_open(True)
    async with driving(printer) as driver:
        assert (await driver.print(JOB)).reason == "cover_open"
        printer.set_cover_open(False)
        assert (await driver.print(JOB)).verdict is PRINTED
        assert driver.capabilities["completion"].value == "process_id"


async def test_the_operators_word_counts_and_is_not_asked(printer: EscposPrinterEmulator) -> None:
    async with driving(printer, status="eot", completion="gs_r") as driver:
        assert driver.capabilities["status"] == Capability("eot", Source.OPERATOR)
        assert (await driver.print(JOB)).evidence.startswith("gs_r answered")
    assert b"\x1da" not in printer.received_bytes and b"\x1d(H" not in printer.received_bytes


async def test_a_model_with_a_quirk(printer: EscposPrinterEmulator) -> None:
    async with driving(printer, model="XP-80C") as driver:
        known = driver.capabilities["status"]
    assert known.source is Source.DETECTED, "what it says of itself is another model"
    async with emulated(model="clone") as clone, driving(clone, model="XP-80C") as driver:
        assert driver.capabilities["status"] == Capability("eot", Source.QUIRK)


async def test_a_printer_that_answers_nothing_prints_when_the_operator_says_so() -> None:
    async with emulated(model="silent") as printer:
        async with driving(printer, opened=False) as driver:
            with pytest.raises(DeviceAbsent, match="mute"):
                await driver.open()
        async with driving(printer, status="none", completion="none") as driver:
            outcome = await driver.print(JOB)
            assert (outcome.verdict, outcome.reason) == (UNKNOWN, "no_completion")
            assert outcome.never_says
        await until(lambda: bool(printer.slips) and printer.slips[-1].cut, "the slip did not come out")


async def test_health(printer: EscposPrinterEmulator, driver: EscposPrinter) -> None:
    assert (await driver.health(HealthLevel.INTERNAL)).ok
    assert printer.slips == []
    assert (await driver.health(HealthLevel.EXTERNAL)).ok
    assert "TEST 测试" in printer.slips[0].text()
    printer.set_paper_out(True)
    report = await driver.health(HealthLevel.INTERNAL)
    assert [finding.code for finding in report.findings] == ["paper_out"]


# ---- text --------------------------------------------------------------------------------------------
HOSTILE = "A\x1b@\x1bp\x00\x19\xfa\x10\x14\x01\x9b\u202e\u2028\ud800B"


async def test_a_hostile_name_neither_kicks_the_drawer_nor_resets(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    items = (Text(HOSTILE), Row(HOSTILE, HOSTILE), QrCode(HOSTILE))
    outcome = await driver.print(PrintJob("j", items))
    assert outcome.verdict is PRINTED
    assert printer.drawer_kicks == 0
    assert printer.received_bytes.count(b"\x1b@") == 1
    assert printer.slips[0].lines()[-1] == f"[QR:{sanitise(HOSTILE)}]"


__all__ = ["driver", "printer"]
