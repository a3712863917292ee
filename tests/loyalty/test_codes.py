"""Codes that people read and type: mistakes are caught (loyalty.md 3.12, G67, R12)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid
from tapledger.loyalty.codes import (
    CHECK_SYMBOLS,
    CODE_SYMBOLS,
    SYMBOLS,
    Throttle,
    after_right,
    after_wrong,
    check_symbol,
    gtin_digit,
    is_locked,
    luhn_digit,
    numeric,
    printed,
    printed_numeric,
    read_code,
    voucher_code,
)

PAYLOAD, CHECK = "7WK3Q9ZT5M2X", "4"
payloads = st.text(SYMBOLS, min_size=CODE_SYMBOLS, max_size=CODE_SYMBOLS)


@pytest.mark.parametrize(
    ("payload", "check"), [(PAYLOAD, CHECK), ("000000000000", "0"), ("WE7K3Q9ZT5M2", "T")]
)
def test_G67_check_symbols_are_the_golden_ones(payload: str, check: str) -> None:
    assert check_symbol(payload) == check
    assert read_code(payload + check) == payload + check


def test_G67_every_single_wrong_symbol_is_caught() -> None:
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


def test_G67_every_swap_of_neighbours_is_caught() -> None:
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
def test_G67_luhn(digits: str, check: str) -> None:
    assert luhn_digit(digits) == check


@pytest.mark.parametrize(
    ("digits", "check"),
    [("690123456789", "2"), ("9638507", "4"), ("03600029145", "2"), ("1540014128876", "3")],
)
def test_gtin_check_digits_of_every_length(digits: str, check: str) -> None:
    assert gtin_digit(digits) == check


# ---- the numeric form ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "digits"),
    [("0000000000000", "000-000-000-000-000-000-098"), ("7WK3Q9ZT5M2X4", "028-439-937-913-420-604-576")],
)
def test_codes_have_a_form_of_digits(code: str, digits: str) -> None:
    assert printed_numeric(code) == digits
    assert read_code(digits) == code


@given(payloads)
def test_both_forms_are_one_code(payload: str) -> None:
    code = payload + check_symbol(payload)
    assert len(numeric(code)) == 21
    assert read_code(numeric(code)) == read_code(code) == code


@given(payloads)
def test_a_wrong_digit_or_a_swap_of_neighbours_is_caught(payload: str) -> None:
    digits = numeric(payload + check_symbol(payload))
    wrong = {
        digits[:place] + digit + digits[place + 1 :] for place in range(21) for digit in "0123456789"
    } | {digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :] for place in range(20)}
    for typed in wrong - {digits}:
        with pytest.raises(Invalid, match="CODE_MISTYPED"):
            read_code(typed)


@pytest.mark.parametrize("number", [32**12, 10**19 - 1])
def test_a_number_beyond_every_code_is_refused(number: int) -> None:
    with pytest.raises(Invalid, match="CODE_MISTYPED"):
        read_code(f"{number:019}{98 - number * 100 % 97:02}")


# ---- the throttle ----------------------------------------------------------------------------------------
NOW = dt.datetime(2026, 5, 4, 4, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def after(wrong: int) -> Throttle:
    throttle = Throttle()
    for _ in range(wrong):
        throttle = after_wrong(throttle, NOW)
    return throttle


@pytest.mark.parametrize(
    ("wrong", "seconds"),
    [
        (0, 0), (1, 0), (4, 0), (5, 30), (6, 60), (7, 120), (11, 1920), (12, 3600), (13, 3600), (99, 3600),
    ],
)  # fmt: skip
def test_wrong_codes_lock_for_longer_and_longer(wrong: int, seconds: int) -> None:
    throttle = after(wrong)
    assert is_locked(throttle, NOW) is (seconds > 0)
    assert is_locked(throttle, NOW + (seconds - 1) * SECOND) is (seconds > 0)
    assert not is_locked(throttle, NOW + seconds * SECOND)


def test_a_right_code_or_a_tap_of_staff_unlocks() -> None:
    assert after_right() == Throttle()
    assert not is_locked(after_right(), NOW)


def test_a_clock_that_goes_back_locks_nobody_for_longer() -> None:
    throttle = after(12)
    assert is_locked(throttle, NOW)
    assert not is_locked(throttle, NOW - SECOND)
    assert is_locked(after(5), NOW - dt.timedelta(minutes=59))
