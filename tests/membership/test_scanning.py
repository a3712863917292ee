"""The one box: what a text may mean by its grammar, and what must not be taken at all (R27)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid
from tapledger.loyalty.codes import check_symbol, gtin_digit, luhn_digit
from tapledger.membership.scanning import MAX_LENGTH, Meaning, read

VISA = "4111111111111111"


def refused(text: str) -> str:
    with pytest.raises(Invalid) as error:
        read(text)
    return error.value.code


def with_gtin(digits: str) -> str:
    return digits + gtin_digit(digits)


def with_luhn(digits: str) -> str:
    return digits + luhn_digit(digits)


# ---- meanings --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "meanings"),
    [
        ("TEA-500", ("article",)),
        ("6901234567892", ("article",)),
        ("6901234567893", ("article", "phone")),
        ("13800138000", ("article", "phone")),
        ("+86 138-0013-8000", ("receipt", "phone")),
        ("7f3a-2-118", ("article", "receipt")),
        ("7f3a-2-118:9ab0", ("receipt",)),
        ("TC1:ABCDEF", ("coupon",)),
        ("(021) 6355 5555", ("phone",)),
        ("7WK3-Q9ZT-5M2X-4", ("article", "voucher")),
        ("7wk3 q9zt 5m2x 4", ("voucher",)),
        ("9123456789", ("article", "barcode", "phone")),
        ("912345678901234567", ("article", "barcode")),
        ("912345678", ("article", "phone")),
        ("12345", ("article",)),
        ("A" * 33, ()),
        ("保温杯", ()),
    ],
)
def test_a_text_means_what_its_form_allows_likeliest_first(text: str, meanings: tuple[Meaning, ...]) -> None:
    assert read(text) == read(f"  {text}\r\n")
    assert read(text).meanings == meanings
    assert (read(text).text, read(text).quantity) == (text, None)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("１３８００１３８０００", "13800138000"),
        ("ＴＥＡ－５００", "TEA-500"),
        ("３＊ＴＥＡ", "3*TEA"),
        ("138\u00a00013\u30008000", "138 0013 8000"),
    ],
)
def test_full_width_forms_are_read_as_plain_ones(typed: str, plain: str) -> None:
    assert read(typed) == read(plain)


# ---- quantities ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "quantity", "rest"),
    [
        ("3*TEA", 3, "TEA"),
        ("3*", 3, ""),
        ("9999*TEA", 9999, "TEA"),
        ("0003* TEA", 3, "TEA"),
        ("*TEA", None, "*TEA"),
        ("x*TEA", None, "x*TEA"),
    ],
)
def test_a_quantity_stands_before_a_star(text: str, quantity: int | None, rest: str) -> None:
    assert (read(text).quantity, read(text).text) == (quantity, rest)


@pytest.mark.parametrize("text", ["0*TEA", "10000*TEA", "99999*", "0*"])
def test_impossible_quantities_are_refused(text: str) -> None:
    assert refused(text) == "QUANTITY_IMPOSSIBLE"


# ---- what is no code at all ------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["", "   ", "\r\n", "\t", "\u3000"])
def test_nothing_is_not_a_code(text: str) -> None:
    assert refused(text) == "CODE_EMPTY"


def test_64_kib_from_a_scanner_are_refused() -> None:
    assert read("x" * MAX_LENGTH).text
    assert refused("x" * (MAX_LENGTH + 1)) == "CODE_TOO_LONG"
    assert refused("1" * 65536) == "CODE_TOO_LONG"


@pytest.mark.parametrize(
    "char", ["\x00", "\x07", "\x10", "\x1b", "\x1d", "\x7f", "\u202e", "\u200b", "\ud800", "\ue000"]
)
def test_control_and_invisible_characters_are_refused(char: str) -> None:
    assert refused(f"TEA{char}500") == "CODE_CONTROL_CHARACTERS"


# ---- somebody's money ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "134567890123456789",  # WeChat: 18 digits from 10 to 15
        "100000000000000000",
        "159999999999999999",
        "2512345678901234",  # Alipay: 16 to 24 digits from 25 to 30
        "301234567890123456789012",
        "2812 3456 7890 1234 56",
        "6212345678901234567",  # UnionPay: 19 digits from 62
        "3*134567890123456789",
        "１３４５６７８９０１２３４５６７８９",
    ],
)
def test_payment_codes_are_refused(text: str) -> None:
    assert refused(text) == "PAYMENT_CODE_REFUSED"


@pytest.mark.parametrize(
    "text", ["9" * 18, "16" + "0" * 16, "09" + "0" * 16, "24" + "1" * 14, "31" + "1" * 15]
)
def test_numbers_beside_the_payment_ranges_are_not(text: str) -> None:
    digits = text[:-1] + str((int(luhn_digit(text[:-1])) + 1) % 10)
    assert read(digits).text == digits


@pytest.mark.parametrize(
    "text",
    [
        VISA,
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "２*4111111111111111",
        "４１１１１１１１１１１１１１１１",
        "378282246310005",
        "5555555555554444",
        "2223003122003222",
        "6011111111111117",
        with_luhn("622202123456789"),
        with_luhn("422222222222"),
        with_luhn("4" * 18),
        f";{VISA}=25121010000012300000?",
        f"%B{VISA}^LI/MEI^25121010000012300000?",
        "%B4111 1111 1111 1111^LI/MEI^2512",
        f"{VISA}=2512",
    ],
)
def test_bank_card_numbers_are_refused_typed_or_swiped(text: str) -> None:
    assert refused(text) == "CARD_NUMBER_REFUSED"


def test_products_that_look_like_bank_cards_are_not_refused() -> None:
    """R27: one product number in ten passes Luhn too; its own check digit says what it is."""
    both = [
        number
        for item in range(400)
        if (number := with_gtin(f"690123{item:06d}"))[-1] == luhn_digit(number[:-1])
    ]
    assert len(both) > 20
    for number in both:
        assert "article" in read(number).meanings
        assert "article" in read(with_gtin(f"2{number[:12]}")).meanings


def test_an_imei_is_a_serial_number_where_no_card_has_its_form() -> None:
    assert "article" in read("356938035643809").meanings
    assert refused("490154203237518") == "CARD_NUMBER_REFUSED", "debit cards begin with 49 too"


@given(st.integers(0, 10**11 - 1))
def test_no_product_number_is_ever_taken_for_a_bank_card(item: int) -> None:
    for number in (
        with_gtin(f"6{item:011d}"),
        with_gtin(f"46{item:011d}"),
        with_gtin(f"6{item % 10**6:06d}"),
    ):
        assert read(number).text == number


@given(st.sampled_from("23456"), st.integers(12, 17), st.data())
def test_every_bank_card_number_is_refused(first: str, more: int, data: st.DataObject) -> None:
    number = with_luhn(first + data.draw(st.text("0123456789", min_size=more, max_size=more)))
    if len(number) in (13, 14) and number[-1] == gtin_digit(number[:-1]):
        return
    if len(number) == 15 and number.startswith("35"):
        return
    assert refused(number) in {"CARD_NUMBER_REFUSED", "PAYMENT_CODE_REFUSED"}


@given(st.text("0123456789", min_size=9, max_size=30))
def test_our_own_numbers_are_never_refused(rest: str) -> None:
    """R27: own numbers start with 9."""
    assert {"barcode", "virtual"} & set(read(f"9{rest}").meanings)


@given(st.text(max_size=60))
def test_any_text_is_classified_or_refused(text: str) -> None:
    try:
        scanned = read(text)
    except Invalid:
        return
    assert scanned.text.isprintable()
    assert scanned.text or scanned.quantity


@given(st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=12, max_size=12))
def test_every_voucher_can_be_scanned(payload: str) -> None:
    code = payload + check_symbol(payload)
    try:
        assert "voucher" in read(code).meanings
    except Invalid as error:
        assert code.isdigit(), error
