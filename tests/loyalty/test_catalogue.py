"""The catalogue: what is wrong with a line is said with its number (config/catalogue.csv)."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid, NotFound
from tapledger.loyalty.sales import catalogue
from tapledger.loyalty.sales.catalogue import MAX_NAME_LENGTH, Article, read
from tests.source_tree import ROOT

HEADER = "sku,name,price,tax,category,flags\n"


def one(row: str, currency: str = "CNY") -> Article:
    (article,) = read([HEADER, row], currency).articles.values()
    return article


def refused(*lines: str, currency: str = "CNY") -> tuple[int, str]:
    with pytest.raises(Invalid) as error:
        read(lines, currency)
    assert error.value.code == "CATALOGUE_INVALID"
    line, why = error.value.data["line"], error.value.data["why"]
    assert isinstance(line, int)
    return line, str(why)


# ---- what is read ----------------------------------------------------------------------------------------
def test_the_catalogue_that_we_ship_is_sound() -> None:
    with (ROOT / Path("config/catalogue.csv")).open(encoding="utf-8-sig", newline="") as file:
        articles = read(file, "CNY").articles
    assert len(articles) >= 5
    assert any("no_points" in article.flags for article in articles.values())


def test_a_row_becomes_an_article() -> None:
    header = "sku,name,price,tax,category,flags,name_en\n"
    found = read([header, " 690-1 ,保温杯,88.00,13,home,no_points, Mug \n"], "CNY").find("690-1")
    assert found == Article(
        "690-1", {"": "保温杯", "en": "Mug"}, 8800, 1300, "home", frozenset({"no_points"})
    )
    assert (found.name("en"), found.name("zh-Hans")) == ("Mug", "保温杯")
    line = found.line(2000, "en")
    assert (line.name, line.quantity_milli, line.unit_minor, line.tax_bp, line.earns) == (
        "Mug",
        2000,
        8800,
        1300,
        False,
    )


@pytest.mark.parametrize(
    ("price", "currency", "minor"),
    [("12.50", "CNY", 1250), ("12.5", "CNY", 1250), ("12", "CNY", 1200), ("0", "CNY", 0), ("0.01", "CNY", 1),
     ("1234", "JPY", 1234), ("1.234", "KWD", 1234), ("12.500", "CNY", 1250), ("10000000000", "CNY", 10**12)],
)  # fmt: skip
def test_prices_are_read_exactly(price: str, currency: str, minor: int) -> None:
    assert one(f"a,A,{price},0,c,\n", currency).unit_minor == minor


@given(st.integers(0, 10**12))
def test_every_amount_survives_the_file(minor: int) -> None:
    assert one(f"a,A,{minor // 100}.{minor % 100:02d},0,c,\n").unit_minor == minor


@pytest.mark.parametrize(("tax", "basis_points"), [("13", 1300), ("0", 0), ("6.5", 650), ("100", 10_000)])
def test_tax_is_a_percentage(tax: str, basis_points: int) -> None:
    assert one(f"a,A,1,{tax},c,\n").tax_bp == basis_points


def test_commas_and_line_ends_may_stand_in_quotes() -> None:
    assert one('a,"Tea, green",1,0,c,\n').name("en") == "Tea, green"


def test_empty_lines_and_an_empty_catalogue_are_fine() -> None:
    assert read([HEADER], "CNY").articles == {}
    assert set(read([HEADER, "\n", "a,A,1,0,c,\n", "\n"], "CNY").articles) == {"a"}


def test_an_unknown_article_is_told() -> None:
    with pytest.raises(NotFound) as error:
        read([HEADER], "CNY").find("690")
    assert (error.value.code, error.value.data) == ("ARTICLE_UNKNOWN", {"sku": "690"})


# ---- what is refused -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("row", "why"),
    [
        (",A,1,0,c,", "SKU"),
        ("a b,A,1,0,c,", "SKU"),
        ("茶,A,1,0,c,", "SKU"),
        ("x" * 33 + ",A,1,0,c,", "SKU"),
        ("a\x00,A,1,0,c,", "SKU"),
        ("a,,1,0,c,", "name is empty"),
        ("a,A\x1b@,1,0,c,", "control characters"),
        ("a," + "A" * (MAX_NAME_LENGTH + 1) + ",1,0,c,", "control characters"),
        ("a,A,,0,c,", "price ''"),
        ("a,A,free,0,c,", "price 'free'"),
        ("a,A,-1,0,c,", "price '-1'"),
        ("a,A,1.005,0,c,", "price '1.005'"),
        ("a,A,1e3,0,c,", "price '1e3'"),
        ("a,A,1e999999,0,c,", "price '1e999999'"),
        ("a,A,1_0,0,c,", "price '1_0'"),
        ("a,A,NaN,0,c,", "price 'NaN'"),
        ("a,A,Infinity,0,c,", "price 'Infinity'"),
        ("a,A,10000000000.01,0,c,", "price"),
        ("a,A,1,101,c,", "tax '101'"),
        ("a,A,1,13%,c,", "tax '13%'"),
        ("a,A,1,0,c,no_point", "unknown flag no_point"),
        ("a,A,1,0,c", "as many columns"),
        ("a,A,1,50,0,c,", "as many columns"),
        ("a", "as many columns"),
        ("first,A,1,0,c,", "first is there twice"),
        ('a,"A,1,0,c,', "unexpected end"),
        ('a,"A"B,1,0,c,', "expected after"),
    ],
)
def test_a_line_that_cannot_be_meant_is_named(row: str, why: str) -> None:
    line, told = refused(HEADER, "first,First,1,0,c,\n", row + "\n")
    assert line == 3
    assert why in told


def test_a_price_with_a_decimal_comma_is_not_taken_for_another() -> None:
    """12,50 without quotes would be a price of 12 and a tax of 50."""
    assert refused(HEADER, "a,A,12,50,13,c,\n")[0] == 2


@pytest.mark.parametrize(
    ("header", "why"),
    [("", "missing columns: category, flags, name"), ("sku;name;price\n", "missing columns"),
     ("sku,name,price,tax,category\n", "missing columns: flags"), (HEADER.strip() + ",name\n", "same name")],
)  # fmt: skip
def test_a_header_that_cannot_be_used_is_named(header: str, why: str) -> None:
    line, told = refused(header, "a,A,1,0,c,,\n")
    assert why in told
    assert line == 1


def test_a_file_in_another_encoding_is_named_as_the_catalogues_fault() -> None:
    """What a spreadsheet in China saves when nobody says UTF-8."""
    file = io.TextIOWrapper(io.BytesIO((HEADER + "a,保温杯,1,0,c,\n").encode("gbk")), encoding="utf-8")
    with pytest.raises(Invalid) as error:
        read(file, "CNY")
    assert (error.value.code, error.value.data["why"]) == ("CATALOGUE_INVALID", "the file is not UTF-8")


def test_the_number_of_articles_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "MAX_ARTICLES", 2)
    rows = [f"sku-{number},A,1,0,c,\n" for number in range(3)]
    assert refused(HEADER, *rows) == (4, "more than 2 articles")


@given(st.text(max_size=80))
def test_any_text_is_a_catalogue_or_refused(text: str) -> None:
    try:
        read([HEADER, *text.splitlines(keepends=True)], "CNY")
    except Invalid as error:
        assert error.code == "CATALOGUE_INVALID"
