"""The articles of the shop, from config/catalogue.csv: SKU, name, price, tax, category, flags."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tapledger.errors import Invalid, NotFound
from tapledger.loyalty.money import MAX_AMOUNT_MINOR, exponent
from tapledger.loyalty.sales.selling import BasketLine

MAX_ARTICLES = 200_000
MAX_NAME_LENGTH = 100
COLUMNS = frozenset({"sku", "name", "price", "tax", "category", "flags"})
FLAGS = frozenset({"no_points", "deposit", "weighed"})
"""``deposit``: refundable, of a bottle or crate; ``weighed``: sold by weight, 1000 thousandths a unit."""
_SKU = re.compile(r"[0-9A-Za-z._-]{1,32}")
_DECIMAL = re.compile(r"[0-9]{1,13}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Article:
    sku: str
    names: dict[str, str]
    """By language; the plain ``name`` column is under ``""``."""
    unit_minor: int
    tax_bp: int
    category: str
    flags: frozenset[str]
    member_minor: int | None = None
    """For members; the optional column ``member_price``."""

    def name(self, language: str) -> str:
        return self.names.get(language) or self.names[""]

    def line(self, quantity_milli: int, language: str) -> BasketLine:
        return BasketLine(
            sku=self.sku,
            name=self.name(language),
            quantity_milli=quantity_milli,
            unit_minor=self.unit_minor,
            tax_bp=self.tax_bp,
            category=self.category,
            earns="no_points" not in self.flags,
            member_minor=self.member_minor,
            weighed="weighed" in self.flags,
            kind="deposit" if "deposit" in self.flags else "",
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    articles: dict[str, Article] = field(default_factory=dict)

    def find(self, sku: str) -> Article:
        """Return an article by its SKU or barcode; raise ``NotFound``."""
        try:
            return self.articles[sku]
        except KeyError:
            raise NotFound("ARTICLE_UNKNOWN", sku=sku) from None


def read(lines: Iterable[str], currency: str) -> Catalogue:
    """Read the CSV; raise ``Invalid`` that names the line and what is wrong with it."""
    rows = csv.DictReader(lines, strict=True)
    articles: dict[str, Article] = {}
    try:
        _check_columns(rows.fieldnames or ())
        for row in rows:
            article = _article(row, currency)
            if article.sku in articles:
                raise ValueError(f"{article.sku} is there twice")
            if len(articles) >= MAX_ARTICLES:
                raise ValueError(f"more than {MAX_ARTICLES} articles")
            articles[article.sku] = article
    except UnicodeDecodeError as error:
        raise Invalid(
            "CATALOGUE_INVALID", line=rows.reader.line_num + 1, why="the file is not UTF-8"
        ) from error
    except (ValueError, csv.Error) as error:
        raise Invalid("CATALOGUE_INVALID", line=max(1, rows.reader.line_num), why=str(error)) from error
    return Catalogue(articles)


def _check_columns(columns: Sequence[str]) -> None:
    missing = COLUMNS - set(columns)
    if missing:
        raise ValueError(f"missing columns: {', '.join(sorted(missing))}")
    if len(set(columns)) != len(columns):
        raise ValueError("two columns have the same name")


def _article(row: dict[str, str], currency: str) -> Article:
    if None in row or None in row.values():
        raise ValueError("there are not as many columns as in line 1; put quotes around a comma in a text")
    sku = row["sku"].strip()
    if not _SKU.fullmatch(sku):
        raise ValueError(f"SKU {sku!r} is not 1 to 32 letters, digits, dots or dashes")
    flags = frozenset(row["flags"].split())
    if flags - FLAGS:
        raise ValueError(
            f"unknown flag {', '.join(sorted(flags - FLAGS))}; known: {', '.join(sorted(FLAGS))}"
        )
    names = {"": row["name"].strip()}
    for column, value in row.items():
        if column.startswith("name_") and value.strip():
            names[column.removeprefix("name_")] = value.strip()
    if not names[""]:
        raise ValueError("the name is empty")
    for name in names.values():
        if len(name) > MAX_NAME_LENGTH or not name.isprintable():
            raise ValueError(f"the name has control characters, or more than {MAX_NAME_LENGTH} characters")
    return Article(
        sku=sku,
        names=names,
        unit_minor=_integer(row["price"], exponent(currency), MAX_AMOUNT_MINOR, "price"),
        tax_bp=_integer(row["tax"], 2, 10_000, "tax"),
        category=row["category"].strip(),
        flags=flags,
        member_minor=_member_price(row, currency),
    )


def _member_price(row: dict[str, str], currency: str) -> int | None:
    price = (row.get("member_price") or "").strip()
    return _integer(price, exponent(currency), MAX_AMOUNT_MINOR, "member_price") if price else None


def _integer(text: str, decimals: int, largest: int, what: str) -> int:
    """Read a decimal as an integer of its smallest unit, exactly."""
    if not _DECIMAL.fullmatch(text.strip()):
        raise ValueError(f"{what} {text!r} is not a number such as 12.50")
    scaled = Decimal(text.strip()).scaleb(decimals)
    if scaled != scaled.to_integral_value() or scaled > largest:
        raise ValueError(f"{what} {text!r} is not between 0 and its limit with {decimals} decimals at most")
    return int(scaled)
