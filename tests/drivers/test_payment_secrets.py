"""What is somebody's money is refused, and what can be sold never is (decisions R27)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.scanners import payment_secrets
from tapledger_drivers.scanners.gs1 import check_digit
from tapledger_drivers.scanners.payment_secrets import PAYMENT_CARD, PAYMENT_CODE, kind_of

DIGITS = st.text("0123456789", min_size=1, max_size=20)


def with_luhn(digits: str) -> str:
    return next(digits + last for last in "0123456789" if payment_secrets._luhn_holds(digits + last))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("4111111111111111", PAYMENT_CARD),
        ("4111 1111 1111 1111", PAYMENT_CARD),
        ("4111-1111-1111-1111", PAYMENT_CARD),
        ("4111111111111111\x1d", PAYMENT_CARD),
        ("４１１１１１１１１１１１１１１１", PAYMENT_CARD),
        ("5500005555555559", PAYMENT_CARD),
        ("378282246310005", PAYMENT_CARD),
        ("6222021234567890128", PAYMENT_CARD),
        ("6212345678901234567", PAYMENT_CODE),  # UnionPay, without a check digit
        (";4111111111111111=2512101", PAYMENT_CARD),
        ("%B4111111111111111^LI/MING^2512", PAYMENT_CARD),
        ("134567890123456789", PAYMENT_CODE),  # WeChat
        ("104567890123456789", PAYMENT_CODE),
        ("154567890123456789", PAYMENT_CODE),
        ("2812345678901234", PAYMENT_CODE),  # Alipay, 16 and 24 digits
        ("301234567890123456789012", PAYMENT_CODE),
        ("4111111111111112", ""),  # no Luhn
        ("164567890123456789", ""),
        ("13456789012345678", ""),
        ("6901234567892", ""),  # EAN-13 from 2 to 6 with its check digit
        ("4006381333931", ""),
        ("9111111111111117", ""),  # our own numbers
        ("9781861972712", ""),
        ("356938035643809", ""),  # IMEI: a phone shop's serial number
        ("35-693803-564380-9", ""),
        ("3530111333300000", PAYMENT_CARD),  # JCB, 16 digits from 35
        ("343434343434343", PAYMENT_CARD),  # American Express, 15 digits from 34
        ("TC1:4111111111111111", ""),
        ("", ""),
        ("²³", ""),
    ],
)
def test_what_is_what(text: str, kind: str) -> None:
    assert kind_of("", text) == kind


@pytest.mark.parametrize("aim_id", ["]E0", "]E3", "]C1", "]d2", "]Q3", "]e0"])
def test_goods_are_goods_whatever_their_digits(aim_id: str) -> None:
    assert kind_of(aim_id, "4111111111111111") == ""


@pytest.mark.parametrize("aim_id", ["]C0", "]Q1", "]d1", "]L0"])
def test_other_barcodes_prove_nothing(aim_id: str) -> None:
    assert kind_of(aim_id, "4111111111111111") == PAYMENT_CARD
    assert kind_of(aim_id, "134567890123456789") == PAYMENT_CODE


@given(st.text("0123456789", min_size=11, max_size=17), st.sampled_from("23456"))
def test_every_card_number_is_refused(middle: str, first: str) -> None:
    number = with_luhn(first + middle)
    is_trade_item = len(number) in (13, 14) and check_digit(number[:-1]) == number[-1]
    is_imei = len(number) == 15 and number.startswith("35")
    assert bool(kind_of("", number)) is not (is_trade_item or is_imei)


@given(st.text("0123456789", min_size=11, max_size=11), st.sampled_from("0123456789"))
def test_every_valid_ean_13_passes(middle: str, first: str) -> None:
    assert kind_of("", first + middle + check_digit(first + middle)) == ""


@given(DIGITS.map(lambda digits: "9" + digits))
def test_our_own_numbers_pass(number: str) -> None:
    assert kind_of("", number) == ""


@given(st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    assert kind_of("", text) in ("", PAYMENT_CARD, PAYMENT_CODE)


@pytest.mark.parametrize(
    ("raw", "may"),
    [(b"\x024111111111111111\x03", True), (b"4111 1111 1111 1111\xff", True), (b"123456789012\xff", False)],
)
def test_broken_codes_with_many_digits_are_hidden_too(raw: bytes, may: bool) -> None:
    assert payment_secrets.may_hide_in(raw) is may
