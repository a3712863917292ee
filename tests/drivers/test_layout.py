"""What stands in which line: on any paper, no line is too wide, no name is lost and no amount is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.ports import Align, Logo, QrCode, Row, Rule, Text
from tapledger_drivers.printers.encoding import sanitise, text_columns
from tapledger_drivers.printers.layout import LINES_MAX, LogoLine, TextLine, expected_lines, lay_out

WIDTHS = (32, 42, 48)


@given(
    left=st.text(max_size=120),
    right=st.text(max_size=30),
    text=st.text(max_size=150),
    large=st.booleans(),
    columns=st.sampled_from(WIDTHS),
)
def test_no_line_is_wider_than_the_paper(left: str, right: str, text: str, large: bool, columns: int) -> None:
    for line in lay_out((Row(left, right), Text(text, Align.CENTER, large=large)), columns):
        assert isinstance(line, TextLine)
        assert text_columns(line.text) <= (columns // 2 if line.large else columns)


@given(amount=st.integers(-(10**12), 10**12), name=st.text(max_size=200), columns=st.sampled_from(WIDTHS))
def test_an_amount_stands_whole_at_the_right_of_the_last_line(amount: int, name: str, columns: int) -> None:
    lines = expected_lines((Row(name, f"¥{amount}"),), columns)
    assert lines[-1].endswith(f"￥{amount}")
    assert text_columns(lines[-1]) == columns
    assert not any("￥" in line for line in lines[:-1]) or "￥" in sanitise(name)


@given(
    name=st.text(st.sampled_from("丽人Ab 9é"), max_size=120),
    right=st.text(st.sampled_from("￥0123.xy"), max_size=40),
    columns=st.sampled_from(WIDTHS),
)
def test_a_long_name_wraps_and_loses_nothing(name: str, right: str, columns: int) -> None:
    printed = "".join(expected_lines((Row(name, right),), columns)).replace(" ", "")
    assert printed == (sanitise(name) + right).replace(" ", "")


def test_a_long_name_breaks_between_words_and_the_amount_follows_it() -> None:
    name = "丝绒雾面哑光口红 Velvet Matte Lipstick 999 Limited Edition"
    assert expected_lines((Row(name, "¥128.00"),), 32) == [
        "丝绒雾面哑光口红 Velvet Matte",
        "Lipstick 999 Limited",
        "Edition                 ￥128.00",
    ]
    assert expected_lines((Row("x" * 30, "¥128.00"),), 32) == ["x" * 23, "x" * 7 + " " * 17 + "￥128.00"]


def test_an_amount_too_wide_for_its_name_has_a_line_alone() -> None:
    assert expected_lines((Row("口红", "9" * 30),), 32) == ["口红", "  " + "9" * 30]
    assert expected_lines((Row("口红", "9" * 40),), 32) == ["口红", "9" * 32, "9" * 8]
    assert expected_lines((Row("", "5"),), 32) == [" " * 31 + "5"]


def test_wrapping_loses_nothing_and_keeps_words_whole() -> None:
    text = "the quick brown fox 敏捷的棕色狐狸 jumps over the lazy dog"
    lines = expected_lines((Text(text),), 32)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert {"quick", "jumps", "lazy"} <= set(" ".join(lines).split())


@pytest.mark.parametrize("columns", WIDTHS)
def test_rules_and_centres_follow_the_paper(columns: int) -> None:
    rule, centred = expected_lines((Rule(), Text("中", Align.CENTER)), columns)
    assert rule == "-" * columns
    assert centred == " " * ((columns - 2) // 2) + "中"


def test_a_slip_has_its_limits() -> None:
    with pytest.raises(ValueError, match="lines"):
        lay_out((Rule(),) * (LINES_MAX + 1), 48)
    for data in ("", "\x00\x1b", "x" * 1025, "李" * 342):
        with pytest.raises(ValueError, match="QR code"):
            lay_out((QrCode(data),), 48)


def test_a_logo_has_its_place() -> None:
    assert lay_out((Logo(b"png"), Text("a")), 48) == [LogoLine(b"png"), TextLine("a")]
    assert expected_lines((Logo(b"png"),), 48) == ["[logo]"]
