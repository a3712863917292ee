"""Codes that people read and type: mistakes are caught (loyalty.md 3.12, G67, R12)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid
from tapledger.loyalty.codes import (
    CHECK_SYMBOLS,
    CODE_SYMBOLS,
    SYMBOLS,
    check_symbol,
    gtin_digit,
    luhn_digit,
    printed,
    read_code,
    voucher_code,
)

PAYLOAD, CHECK = "7WK3Q9ZT5M2X", "4"
payloads = st.text(SYMBOLS, min_size=CODE_SYMBOLS, max_size=CODE_SYMBOLS)


@pytest.mark.parametrize(
    ("payload", "check"), [(PAYLOAD, CHECK), ("000000000000", "0"), ("WE7K3Q9ZT5M2", "T")]
)
def test_check_symbols_are_the_golden_ones(payload: str, check: str) -> None:
    assert check_symbol(payload) == check
    assert read_code(payload + check) == payload + check


def test_every_single_wrong_symbol_is_caught() -> None:
    wrong = [
        PAYLOAD[:place] + symbol + PAYLOAD[place + 1 :]
        for place in range(CODE_SYMBOLS)
        for symbol in SYMBOLS
        if symbol != PAYLOAD[place]
    ]
    assert len(wrong) == 372
    for payload in wrong:
        with pytest.raises(Invalid, match="CODE_MISTYPED"):
            read_code(payload + CHECK)


def test_every_swap_of_neighbours_is_caught() -> None:
    swapped = [
        PAYLOAD[:place] + PAYLOAD[place + 1] + PAYLOAD[place] + PAYLOAD[place + 2 :]
        for place in range(CODE_SYMBOLS - 1)
    ]
    assert len(set(swapped)) == 11
    for payload in swapped:
        with pytest.raises(Invalid, match="CODE_MISTYPED"):
            read_code(payload + CHECK)


@given(payloads, st.integers(0, CODE_SYMBOLS - 1), st.sampled_from(SYMBOLS))
def test_a_wrong_symbol_is_caught_in_any_code(payload: str, place: int, symbol: str) -> None:
    wrong = payload[:place] + symbol + payload[place + 1 :]
    assert (check_symbol(wrong) == check_symbol(payload)) is (wrong == payload)


@pytest.mark.parametrize(
    "typed",
    ["7WK3-Q9ZT-5M2X-4", "7wk3 q9zt 5m2x 4", "7wk3q9zt5m2x4", " 7WK3-Q9ZT 5M2X-4 ", "--7WK3Q9ZT5M2X4--"],
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert read_code(typed) == "7WK3Q9ZT5M2X4"


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    assert read_code("OoO0-0000-OOOO-0") == "0000000000000"
    payload = "1" * CODE_SYMBOLS
    assert read_code("iIlL" * 3 + check_symbol(payload)) == payload + check_symbol(payload)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "7WK3",
        "7WK3Q9ZT5M2X44",
        "7WK3Q9ZT5M2X",
        "7WK3Q9ZT5M2X!",
        "7WK3Q9ZT5M*X4",
        "七WK3Q9ZT5M2X4",
        "\u017f" * 13,
    ],
)
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="CODE_MISTYPED"):
        read_code(typed)


@given(st.text(max_size=40))
def test_any_text_is_a_code_or_is_refused(typed: str) -> None:
    try:
        code = read_code(typed)
    except Invalid as error:
        assert error.code == "CODE_MISTYPED"
    else:
        assert check_symbol(code[:-1]) == code[-1]


@given(st.binary(min_size=256, max_size=256))
def test_issued_codes_can_be_typed_on_every_pad(randomness: bytes) -> None:
    code = voucher_code(randomness)
    assert len(code) == CODE_SYMBOLS + 1
    assert set(code) <= set(SYMBOLS)
    assert read_code(printed(code)) == code
    assert [len(group) for group in printed(code).split("-")] == [4, 4, 4, 1]


def test_a_draw_with_a_check_symbol_that_cannot_be_typed_is_skipped() -> None:
    numbers = [
        number for number in range(200) if check_symbol(f"{SYMBOLS[number % 32]}" + "0" * 11) in "*~$=U"
    ]
    skipped = numbers[0].to_bytes(8, "big")
    assert voucher_code(skipped + bytes(8)) == "0" * 13
    with pytest.raises(ValueError, match="randomness"):
        voucher_code(skipped)


def test_every_one_of_60_random_bits_counts() -> None:
    codes = [voucher_code((1 << bit).to_bytes(8, "big") + bytes(248)) for bit in range(60)]
    drawn = [code for code in codes if code != "0" * 13]
    assert len(set(drawn)) == len(drawn) > 40, "the others have a check symbol that is never issued"
    assert voucher_code((1 << 60).to_bytes(8, "big") + bytes(248)) == "0" * 13


def test_check_alphabet_has_a_symbol_for_each_remainder() -> None:
    assert len(set(CHECK_SYMBOLS)) == 37


@pytest.mark.parametrize(("digits", "check"), [("7992739871", "3"), ("411111111111111", "1"), ("0", "0")])
def test_luhn(digits: str, check: str) -> None:
    assert luhn_digit(digits) == check


@pytest.mark.parametrize(
    ("digits", "check"),
    [("690123456789", "2"), ("9638507", "4"), ("03600029145", "2"), ("1540014128876", "3")],
)
def test_gtin_check_digits_of_every_length(digits: str, check: str) -> None:
    assert gtin_digit(digits) == check
