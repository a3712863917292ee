"""Framing alone: where codes end, and that it does not matter how their bytes arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.scanners.framing import CODE_BYTES_MAX, INCOMPLETE_S, KEYBOARD_ENDS, Framed, Framer

SUFFIXES = st.sampled_from([b"", b"\r", b"\r\n", b"\x03\r", b"##", b"aab"])


def frame(framer: Framer, *parts: bytes) -> list[Framed]:
    return [framed for part in parts for framed in framer.feed(part)]


def patience_s(framer: Framer) -> float | None:
    return framer.patience_s


@pytest.mark.parametrize(
    ("suffix", "data", "codes"),
    [
        (b"", b"1\r2\n3\r\n4\r\r\n\n", [b"1", b"2", b"3", b"4"]),
        (b"\t", b"1\r2\t3\t\t", [b"1\r2", b"3"]),
        (b"\r\n", b"a\rb\r\nc\r\n", [b"a\rb", b"c"]),
        (b"##", b"a#b##c###d##", [b"a#b", b"c", b"#d"]),
    ],
)
def test_where_codes_end(suffix: bytes, data: bytes, codes: list[bytes]) -> None:
    assert [framed.raw for framed in frame(Framer(suffix), data)] == codes
    assert [framed.raw for framed in frame(Framer(suffix), *(bytes([one]) for one in data))] == codes


def test_typed_codes_end_in_tab_too() -> None:
    assert [framed.raw for framed in frame(Framer(ends=KEYBOARD_ENDS), b"1\t2\r3\t")] == [b"1", b"2", b"3"]


def test_silence_ends_a_code_until_a_line_end_was_seen() -> None:
    framer = Framer(quiet_s=0.02)
    assert patience_s(framer) is None
    assert frame(framer, b"690") == []
    assert patience_s(framer) == 0.02
    assert list(framer.silence()) == [Framed(b"690", 3)]
    assert frame(framer, b"690\r691") == [Framed(b"690", 3)]
    assert patience_s(framer) == INCOMPLETE_S
    assert list(framer.silence()) == [Framed(b"691", 3, complete=False)]
    assert list(framer.silence()) == []


@pytest.mark.parametrize("begun", [b"", b"69"])
def test_the_rest_of_a_code_that_lost_some_is_no_code(begun: bytes) -> None:
    framer = Framer()
    assert frame(framer, begun) == []
    framer.lose()
    assert patience_s(framer) == INCOMPLETE_S
    torn = begun + b"4567892"
    assert frame(framer, b"4567892\r690\r") == [Framed(torn, len(torn), complete=False), Framed(b"690", 3)]


def test_what_was_lost_is_told_once_though_nothing_follows() -> None:
    framer = Framer()
    framer.lose()
    assert list(framer.silence()) == [Framed(b"", 0, complete=False)]
    assert list(framer.silence()) == []
    assert patience_s(framer) is None


@pytest.mark.parametrize("suffix", [b"", b"\x03\r"])
def test_nothing_is_kept_beyond_one_code(suffix: bytes) -> None:
    framer = Framer(suffix)
    for _ in range(64):
        assert frame(framer, b"7" * 1024) == []
        assert len(framer._kept) <= CODE_BYTES_MAX + len(suffix)
    [framed] = frame(framer, suffix or b"\r")
    assert framed.length == 65536


@given(chunks=st.lists(st.binary(max_size=700), max_size=20), suffix=SUFFIXES)
def test_framing_does_not_depend_on_how_the_bytes_were_cut_up(chunks: list[bytes], suffix: bytes) -> None:
    def whole(parts: list[bytes]) -> list[Framed]:
        framer = Framer(suffix)
        return frame(framer, *parts) + list(framer.silence())

    assert whole(chunks) == whole([b"".join(chunks)])


@given(codes=st.lists(st.binary(min_size=1, max_size=40).filter(lambda one: not set(one) & set(b"\r\n"))))
def test_every_code_comes_back(codes: list[bytes]) -> None:
    assert [framed.raw for framed in frame(Framer(), b"".join(one + b"\r\n" for one in codes))] == codes
