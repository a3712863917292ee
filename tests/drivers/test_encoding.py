"""Text becomes printer bytes: whatever it is, no control byte of it travels, and it reads back the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.emulators.escpos_parser import EscposParser
from tapledger_drivers.emulators.paper import Printed, PrintedText
from tapledger_drivers.printers.code_pages import (
    BIG5,
    CODE_PAGES,
    GB18030,
    GBK,
    SHIFT_JIS,
    TWO_BYTE_OFF,
    TWO_BYTE_ON,
    CodePage,
)
from tapledger_drivers.printers.encoding import (
    MARKS_MAX,
    char_columns,
    encode,
    encode_runs,
    is_native,
    native_runs,
    replace_chars,
    sanitise,
    split_clusters,
    text_columns,
)

PAGES = list(CODE_PAGES.values())
TWO_BYTE_PAGES = [page for page in PAGES if page.name != "ascii"]
HOSTILE = "A\x1b@\x1bp\x00\x19\xfa\x10\x14\x01\x9b\u202e\u2028\ud800B"


class Paper:
    """Keeps the lines that a parser prints; everything else of a mechanism is not asked for here."""

    def __init__(self, page: CodePage) -> None:
        self.lines: list[str] = []
        self.parser = EscposParser(1000, self, page)

    def read(self, data: bytes) -> list[str]:
        self.lines.clear()
        self.parser.feed(data)
        while self.parser.step():
            pass
        assert self.parser.unknown == []
        return self.lines

    def printed(self, printed: Printed) -> None:
        assert isinstance(printed, PrintedText)
        self.lines.append(printed.text)

    def cut(self) -> None: ...

    def asked(self, command: bytes) -> None:
        raise AssertionError(command)

    def kicked(self, connector: int) -> None:
        raise AssertionError(connector)

    def initialised(self) -> None: ...


def spelt(text: str, page: CodePage) -> str:
    """Return what the printer shows for ``text``: its spelling of characters that look alike."""
    return "".join(page.decode(page.encode(char) or b"?") for char in text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@given(text=st.text(max_size=120))
def test_any_text_reads_back_from_an_emulated_printer(page: CodePage, text: str) -> None:
    clean = sanitise(text)
    native = "".join(char for char in clean if is_native(char, page))
    encoded = encode(native, page)
    assert encoded is not None
    paper = Paper(page)
    assert paper.read(b"\x1b@" + page.select + encoded + b"\n") == [spelt(native, page)]
    runs = encode_runs(native, page)
    assert runs is not None
    assert paper.read(b"\x1b@" + page.select + TWO_BYTE_OFF + runs + b"\n") == [spelt(native, page)]
    assert text_columns(native) == len(encoded), "what the layout counts is what the printer advances"


@pytest.mark.parametrize("page", TWO_BYTE_PAGES, ids=lambda page: page.name)
def test_every_character_of_a_code_page_reads_back_and_is_as_wide_as_it_is_taken_to_be(
    page: CodePage,
) -> None:
    native = [c for c in map(chr, range(0x20, 0x30000)) if sanitise(c) == c and is_native(c, page)]
    assert len(native) > 7000
    paper = Paper(page)
    for at in range(0, len(native), 400):
        text = "".join(native[at : at + 400])
        encoded = encode(text, page)
        assert encoded is not None
        assert paper.read(page.select + encoded + b"\n") == [spelt(text, page)]
        assert [c for c in text if page.decode(page.encode(c) or b"") not in (c, page.spelt.get(ord(c)))] == [
            c for c in text if c in LOOK_ALIKES.get(page.name, "")
        ]


LOOK_ALIKES = {"big5": "‾•∼☉", "shift_jis": "‖"}
"""Characters that the codec itself takes for another that looks the same."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@given(data=st.binary(max_size=80))
def test_no_bytes_of_a_stranger_become_a_control(page: CodePage, data: bytes) -> None:
    for text in (data.decode("latin-1"), data.decode("gb18030", "replace"), data.decode("utf-8", "replace")):
        clean = sanitise(text)
        encoded = encode(clean, page)
        if encoded is None:
            continue
        at = 0
        while at < len(encoded):
            if page.is_lead(encoded[at]):
                assert encoded[at] <= page.lead_max
                assert 0x40 <= encoded[at + 1] <= 0xFE and encoded[at + 1] != 0x7F
                at += 2
            else:
                assert 0x20 <= encoded[at] <= 0x7E or (page.katakana and 0xA1 <= encoded[at] <= 0xDF)
                at += 1


def test_four_byte_characters_never_travel() -> None:
    for char in ("𠮷", "¥", "é́"[1], "क", "ǹ"):
        assert not is_native(char, GB18030), char
    assert encode("€", GB18030) == b"\xa2\xe3"
    assert encode("€", GBK) is None


def test_prices_are_native_everywhere_but_in_ascii() -> None:
    price = sanitise("¥128.00")
    assert price == "￥128.00"
    assert {page.name: encode(price, page) for page in PAGES} == {
        "gbk": b"\xa3\xa4128.00",
        "gb18030": b"\xa3\xa4128.00",
        "big5": b"\xa2\x44128.00",
        "shift_jis": b"\x81\x8f128.00",
        "ascii": None,
    }


def test_each_market_has_its_own_words() -> None:
    assert encode("儲值金餘額", BIG5) == "儲值金餘額".encode("big5")
    assert encode("クーポン ｸｰﾎﾟﾝ", SHIFT_JIS) == "クーポン ｸｰﾎﾟﾝ".encode("shift_jis")
    assert encode("丽人化妆品", BIG5) is None
    assert encode("丽", SHIFT_JIS) is None
    assert SHIFT_JIS.select == b"\x1cC\x01\x1c&\x1bR\x00"


def test_switching_is_once_a_slip_or_around_each_run() -> None:
    assert encode("积分 +128 分", GBK) == "积分 +128 分".encode("gbk")
    runs = encode_runs("积分 +128 分", GBK)
    assert runs is not None
    assert (runs.count(TWO_BYTE_ON), runs.count(TWO_BYTE_OFF)) == (2, 2)


# ---- what is no letter ---------------------------------------------------------------------------------
def test_what_nobody_can_see_or_print_is_dropped() -> None:
    assert sanitise(HOSTILE) == "A@pú B"
    assert sanitise("a\u200db\ufe0fc\u202ed\u2066e\u0000f\u007f") == "abcdef"
    assert sanitise("¥5\n\tb\u200b\u3000c") == "￥5  b\u3000c"
    assert sanitise("👨\u200d👩\u200d👧") == "👨👩👧"


def test_accents_are_composed_or_drawn_with_their_letter_and_cannot_pile_up() -> None:
    assert sanitise("e\u0301") == "é"
    assert list(split_clusters("x\u0302y")) == ["x\u0302", "y"]
    piled = sanitise("z" + "\u0336" * 50)
    assert piled == "z" + "\u0336" * MARKS_MAX
    assert text_columns(piled) == 1


@given(text=st.text(max_size=100))
def test_runs_lose_nothing_and_part_only_between_whole_letters(text: str) -> None:
    clean = sanitise(text)
    for page in PAGES:
        runs = list(native_runs(clean, page))
        assert "".join(run for _, run in runs) == clean
        assert all(encode(run, page) is not None for native, run in runs if native)
        assert all(char_columns(run[0]) or at == 0 for at, (_, run) in enumerate(runs))


@given(text=st.text(max_size=60), lacking=st.sets(st.characters(), max_size=10))
def test_a_replaced_character_leaves_every_column_in_its_place(text: str, lacking: set[str]) -> None:
    clean = sanitise(text)
    shown, count = replace_chars(clean, lacking)
    assert text_columns(shown) == text_columns(clean)
    assert count == sum(char in lacking for char in clean)


def test_widths() -> None:
    assert [char_columns(char) for char in "A李￥①é́ｸ"] == [1, 2, 2, 2, 2, 0, 1]
