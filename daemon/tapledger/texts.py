"""Sentences, money and dates in the languages of the catalogues (locales/<language>/<room>.po).

Keys are dotted codes: ``problem.OUT_OF_STOCK`` with ``.next`` beside it, ``reason.EARN_TIER``,
``receipt.total``. A key that is missing in a language, or stands in two of its files, is an error that
tests/test_docs.py finds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from tapledger.errors import TapledgerError
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.money import exponent
from tapledger.wire.news import DIFFERENCES, DifferenceNews


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Read all files of one language; the whole process shares the catalogue, nobody changes it."""
    from babel.messages.pofile import read_po

    said = {}
    for path in (files("tapledger") / "locales" / language).iterdir():
        with path.open("rb") as file:
            said.update({str(m.id): str(m.string) for m in read_po(file) if m.id})
    return said


def _locale(language: str) -> str:
    return language.replace("-", "_")


def say(language: str, key: str, /, **data: str | int) -> str:
    """Return the text of a key with its figures filled in."""
    return catalogue(language)[key].format_map(data)


def money(language: str, minor: int, currency: str) -> str:
    """Return money with its narrow symbol: ¥12.50 in every language."""
    from decimal import Decimal

    from babel.numbers import format_decimal, get_currency_symbol

    digits = exponent(currency)
    amount = Decimal(minor).scaleb(-digits)
    symbol = "¥" if currency in ("CNY", "JPY") else get_currency_symbol(currency, locale="en")
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    shown = format_decimal(abs(amount), format=pattern, locale="en")
    return f"{'-' if minor < 0 else ''}{symbol}{shown}"


def quantity(milli: int) -> str:
    """Return thousandths as people write a quantity: 2000 -> 2, 1250 -> 1.25."""
    return _decimal(milli, 3)


def day(language: str, value: dt.date) -> str:
    """Return a date as people write it in the language."""
    from babel.dates import format_date

    return format_date(value, format="medium", locale=_locale(language))


def problem(language: str, error: TapledgerError) -> tuple[str, str]:
    """Return the sentence and the next step of an error."""
    data = figures(language, error.data)
    key = f"problem.{error.code}"
    try:
        return say(language, key, **data), say(language, f"{key}.next", **data)
    except KeyError:
        # A newer central may refuse with a code or a figure that this version does not know.
        key = "problem.OTHER"
        return say(language, key, code=error.code), say(language, f"{key}.next", code=error.code)


def reason(language: str, why: Reason) -> str:
    """Return why a number is what it is, in one sentence; refusal codes share their problem's sentence."""
    data = figures(language, why.data)
    known = catalogue(language)
    return (
        say(language, f"reason.{why.code}", **data)
        if f"reason.{why.code}" in known
        else say(language, f"problem.{why.code}", **data)
    )


def difference(language: str, told: DifferenceNews) -> tuple[str, str]:
    """Return a difference as a sentence, and what to do; what a newer central finds is told by its code."""
    values = {
        "code": told.code,
        "node": told.node,
        "event": f"{told.epoch}-{told.seq}",
        "member": told.member,
        "detail": told.detail,
    }
    key = f"difference.{told.code if told.code in DIFFERENCES else 'OTHER'}"
    return say(language, key, **values), say(language, f"{key}.next", **values)


def figures(language: str, data: Mapping[str, str | int]) -> dict[str, str | int]:
    """Add ``*_money`` beside each ``*_minor`` figure, ``*_percent`` beside ``*_bp``, ``multiplier`` beside
    thousandths."""
    filled = dict(data)
    currency = str(data.get("currency", ""))
    for name, value in data.items():
        if name.endswith("_minor") and isinstance(value, int) and currency:
            filled[name.removesuffix("_minor") + "_money"] = money(language, value, currency)
        if name.endswith("_bp") and isinstance(value, int):
            filled[name.removesuffix("_bp") + "_percent"] = f"{_decimal(value, 2)}%"
        if name == "multiplier_milli" and isinstance(value, int):
            filled["multiplier"] = _decimal(value, 3)
    return filled


def _decimal(value: int, digits: int) -> str:
    """Return a number of so many decimals as people write it: 1750 of two is 17.5."""
    whole, rest = divmod(abs(value), 10**digits)
    return f"{'-' if value < 0 else ''}{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".")
