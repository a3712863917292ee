"""Whatever a printer says, it is taken for what it is, and noise for nothing."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest

from tapledger_drivers.emulators.escpos_models import Condition
from tapledger_drivers.emulators.escpos_parser import EscposParser
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator, Mute
from tapledger_drivers.emulators.paper import Printed
from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.io import Stream
from tapledger_drivers.ports import PrintVerdict
from tapledger_drivers.printers.conversation import Conversation
from tapledger_drivers.printers.layout import LogoLine, expected_lines, lay_out
from tapledger_drivers.printers.pieces import cut_apart
from tapledger_drivers.printers.slip import build_slip
from tapledger_drivers.printers.star_line import StarLine
from tapledger_drivers.printers.status import Answer, AnswerParser, Kind, StatusBytes
from tests.drivers.own_time import OwnTime
from tests.drivers.printing import JOB, LINES, RECEIPT, driving, emulated

HUNG_S = 0.1
LONG_CASES, CASES = 1_000_000, 10_000
BYTES_MAX = 24
MEASURED = 500
ANSWERS = (
    b"\x12\x12\x12\x12",
    b"\x1a\x16\x12\x72",
    b"\x10\x00\x00\x0f",
    b"\x37\x25\x00",
    b"\x37\x220001\x00",
    b"_tapledger\x00",
    b"\x00",
    b"\x13\x11",
)


def test_each_answer_is_told_apart() -> None:
    parser = AnswerParser()
    assert [answer.kind for answer in parser.feed(b"".join(ANSWERS))] == [
        *[Kind.STATUS] * 8,
        Kind.AUTOMATIC,
        Kind.BLOCK,
        Kind.BLOCK,
        Kind.TEXT,
        Kind.COMPLETION,
    ]


@pytest.mark.parametrize("whole", ANSWERS)
def test_an_answer_that_comes_byte_by_byte_is_the_same(whole: bytes) -> None:
    once, slowly = AnswerParser(), AnswerParser()
    answers = [answer for byte in whole for answer in slowly.feed(bytes([byte]))]
    assert answers == once.feed(whole)


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        (b"\x80\x12", [Kind.JUNK, Kind.STATUS]),
        (b"\x10\x12", [Kind.JUNK, Kind.STATUS]),
        (b"\x37\x22\x12", [Kind.JUNK, Kind.COMPLETION, Kind.STATUS]),
        (b"\x37" + b"A" * 40, None),
        (b"_" + b"A" * 200, None),
    ],
)
def test_what_breaks_off_does_not_swallow_what_follows(data: bytes, kinds: list[Kind] | None) -> None:
    parser = AnswerParser()
    answers = parser.feed(data)
    if kinds is None:
        assert answers[0].kind is Kind.JUNK
        answers += parser.settle()
        assert sum(len(answer.data) for answer in answers) == len(data)
        assert parser.feed(b"\x12") == [Answer(Kind.STATUS, b"\x12")]
    else:
        assert [answer.kind for answer in answers] == kinds


@pytest.mark.parametrize("name", ["paper_out", "near_end", "cover_open", "cutter_error", "overheated"])
def test_automatic_status_says_the_same_as_asking(name: str) -> None:
    condition = Condition()
    setattr(condition, name, True)
    one, two, three, four = (condition.answer(number) for number in range(1, 5))
    asked = StatusBytes(one, two, three, four)
    said = StatusBytes.from_automatic(condition.automatic())
    assert (said.reason, said.near_end) == (asked.reason, asked.near_end)
    assert said.reason == ("ok" if name == "near_end" else name)


# ---- fuzz ----------------------------------------------------------------------------------------------
def test_no_bytes_confuse_the_parser() -> None:
    fuzz(CASES, seed=1)


@pytest.mark.long
def test_no_bytes_confuse_the_parser_for_long() -> None:
    fuzz(LONG_CASES, seed=2)


def fuzz(cases: int, seed: int) -> None:
    """Noise, broken answers and whole ones: nothing is lost, nothing hangs, memory stays flat."""
    dice = random.Random(seed)
    parser = AnswerParser()
    for _ in range(cases):
        _one(parser, dice, seed)
    tracemalloc.start()
    try:
        for _ in range(MEASURED):
            _one(parser, dice, seed)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(MEASURED):
            _one(parser, dice, seed)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 16 * 1024


def _one(parser: AnswerParser, dice: random.Random, seed: int) -> None:
    data = _some_bytes(dice)
    own = OwnTime()
    with own:
        answers = parser.feed(data) + parser.settle()
    assert own.slowest_s < HUNG_S, data
    assert sum(map(_length, answers)) == len(data), (seed, data)
    for answer in answers:
        if answer.kind is Kind.AUTOMATIC:
            StatusBytes.from_automatic(answer.data)


def _some_bytes(dice: random.Random) -> bytes:
    data = bytearray(dice.choice(ANSWERS) * dice.randrange(1, 3) if dice.random() < 0.7 else b"")
    data += dice.randbytes(dice.randrange(BYTES_MAX))
    for _ in range(dice.randrange(3)):
        if data:
            data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data[dice.randrange(3) :]).translate(None, b"\x11\x13")


def _length(answer: Answer) -> int:
    return len(answer.data) + (2 if answer.kind in (Kind.BLOCK, Kind.TEXT) else 0)


def test_no_bytes_confuse_the_emulated_printer() -> None:
    dice = random.Random(2)
    slip = build_slip(lay_out(RECEIPT, 48), 576).data
    parser, own = EscposParser(48, _Paper()), OwnTime()
    for _ in range(300):
        data = bytearray(slip + dice.randbytes(40))
        for _ in range(4):
            data[dice.randrange(len(data))] = dice.randrange(256)
        parser.feed(bytes(data))
        with own:
            while parser.step():
                pass
        assert own.slowest_s < HUNG_S
        parser.clear()
        parser.unknown.clear()


class _Paper:
    def printed(self, printed: Printed) -> None: ...
    def cut(self) -> None: ...
    def asked(self, command: bytes) -> None: ...
    def kicked(self, connector: int) -> None: ...
    def initialised(self) -> None: ...


@pytest.mark.parametrize("line", LINES)
async def test_a_printer_that_babbles_never_printed(line: str) -> None:
    """Random bytes, well-formed answers among them, come from the printer during whole jobs."""

    async def play(seed: int) -> None:
        dice = random.Random(seed)
        model = dice.choice(["epson", "no_process_id"])
        async with emulated(line, model) as printer, driving(printer) as driver:
            printer.set_mute(Mute.SILENT)
            printer.set_paper_out(True)
            babbling = asyncio.create_task(_babble(printer, dice))
            outcome = await driver.print(JOB)
            babbling.cancel()
            await asyncio.gather(babbling, return_exceptions=True)
            assert outcome.verdict is not PrintVerdict.PRINTED, (seed, outcome)

    await asyncio.gather(*map(play, range(20)))


@pytest.mark.parametrize("line", LINES)
async def test_a_printer_that_babbles_in_a_slip_is_not_believed(line: str) -> None:
    async def play(seed: int) -> None:
        dice = random.Random(seed)
        model = dice.choice(["epson", "no_process_id"])
        async with emulated(line, model) as printer, driving(printer) as driver:
            printer.line_delay_s = 0.005

            async def babble() -> None:
                printer.wire.send(_some_bytes(dice))

            printer.after_line = babble
            if seed % 2:
                printer.set_paper_lines_left(dice.randrange(1, 12))
            outcome = await driver.print(JOB)
            whole = any(slip.cut and slip.lines() == expected_lines(RECEIPT, 48) for slip in printer.slips)
            assert whole or outcome.verdict is not PrintVerdict.PRINTED, (seed, outcome)
            if any(expected_lines(RECEIPT, 48)[-1] in slip.lines() for slip in printer.slips):
                assert outcome.verdict is not PrintVerdict.FAILED, (seed, outcome)

    await asyncio.gather(*map(play, range(20)))


async def _babble(printer: EscposPrinterEmulator, dice: random.Random) -> None:
    while printer.wire.plugged:
        printer.wire.send(_some_bytes(dice))
        await asyncio.sleep(0.002)


class _NeverQuiet:
    """A line on which there is always more to read, so that reading never waits."""

    address, virtual = "sim:never-quiet", True
    READS_MAX = 1000

    def __init__(self) -> None:
        self.reads = 0

    async def read(self, timeout_s: float | None, limit: int = 4096) -> bytes:
        self.reads += 1
        if self.reads > self.READS_MAX:
            raise DeviceLost("closed", self.address)
        return b"\x80"

    async def write(self, data: bytes, timeout_s: float) -> None: ...

    async def close(self) -> None:
        self.reads = self.READS_MAX


@pytest.mark.parametrize("line", [partial(Conversation, baud=None), StarLine])
async def test_a_printer_that_is_never_quiet_leaves_others_their_turn(
    line: Callable[[Stream, float, float], Conversation | StarLine],
) -> None:
    stream = _NeverQuiet()
    opened = line(stream, 1.0, 1.0)
    turns = 20
    for _ in range(turns):
        await asyncio.sleep(0)
    assert 0 < stream.reads <= turns
    await opened.close()


# ---- places between the lines --------------------------------------------------------------------------
def test_a_slip_in_pieces_is_the_same_slip() -> None:
    slip = build_slip(lay_out(RECEIPT, 48), 576)
    for every_bytes in (0, 40, 80, 1000):
        pieces = cut_apart(slip, every_bytes)
        assert b"".join(pieces) == slip.data
        assert pieces[0] == slip.data[: slip.gaps[0]]
        assert pieces[-1] == slip.data[slip.gaps[-2] :]
    assert len(cut_apart(slip, 40)) > len(cut_apart(slip, 80)) > len(cut_apart(slip, 0)) == 3
    assert len(cut_apart(build_slip(lay_out(RECEIPT * 60, 48), 576), 1)) < 100
    empty = build_slip([], 576)
    assert cut_apart(empty, 0) == [empty.data[: empty.gaps[0]], empty.after]


def test_a_line_that_became_nothing_is_not_the_last() -> None:
    lines = [*lay_out(RECEIPT, 48), LogoLine(b"no picture")]
    slip = build_slip(lines, 576)
    assert cut_apart(slip, 0)[-1] == slip.data[slip.gaps[-3] :]
