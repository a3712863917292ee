"""The catalogues say all that the sources ask for, with figures that are there, and nothing else.

That all languages have the same keys and blanks is in tests/test_docs.py.
"""

from __future__ import annotations

import datetime as dt
import re
import string

import click
import pytest

from tapledger import texts
from tapledger.cli import main
from tapledger.errors import TapledgerError
from tapledger.languages import LANGUAGES
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.money import exponent
from tapledger_drivers.printers.code_pages import GBK
from tapledger_drivers.printers.encoding import encode_runs, sanitise, text_columns
from tests.texts.said import Site, device_reasons, every_key, scan_refusals, sites

PAPER_COLUMNS = 48
EARNED: dict[str, int | str] = {
    "basis_minor": 3680,
    "points": 43,
    "rate_points": 1,
    "rate_minor": 100,
    "multiplier_milli": 1200,
    "tier": "silver",
    "rule": "tier.silver",
    "remainder_milli": 160,
    "currency": "CNY",
}


def test_the_sources_are_read() -> None:
    """What the other tests rest on: a site of each kind is found with its figures."""
    found = {(site.kind, site.code, site.figures) for site in sites()}
    assert ("problem", "CODE_TOO_LONG", frozenset({"limit"})) in found
    assert ("problem", "PHONE_UNKNOWN", frozenset()) in found
    assert ("problem", "CARD_TORN", frozenset()) in found
    assert ("problem", "SCAN_NOT_TEXT", frozenset({"length"})) in found
    assert ("problem", "POINTS_MISSING", frozenset({"points"})) in found
    assert ("reason", "EARN_TIER", frozenset(EARNED)) in found
    assert ("info", "QUANTITY_SET", frozenset({"count"})) in found
    assert {"too_long", "not_text"} <= scan_refusals()
    assert {"paper_out", "reader_gone", "unknown_driver", "unreachable"} <= device_reasons()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_is_there_and_none_is_dead(language: str) -> None:
    known, needed = set(texts.catalogue(language)), every_key()
    assert known - needed == set(), "nothing in the sources says these"
    assert needed - known == set(), "the sources say these"


def _sample(names: frozenset[str]) -> dict[str, str | int]:
    """Return figures as a site would pass them."""
    return {name: "CNY" if name == "currency" else 7 for name in names}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_site_passes_the_figures_that_its_sentence_needs(language: str) -> None:
    failed = [
        f"{site.place}: {site.code} lacks {blank}"
        for site in sites()
        if "language" not in site.figures
        for blank in _lacking(site, language)
    ]
    assert not failed, "\n".join(failed)


def _lacking(site: Site, language: str) -> list[str]:
    data = _sample(site.figures)
    try:
        match site.kind:
            case "problem":
                texts.problem(language, TapledgerError(site.code, **data))
            case "reason":
                texts.reason(language, Reason(site.code, data))
            case "info":
                texts.say(language, f"info.{site.code}", **data)
    except KeyError as error:
        return [str(error)]
    return []


def test_a_figure_may_be_called_language() -> None:
    sentence, _ = texts.problem("en", TapledgerError("LANGUAGE_UNKNOWN", language="tlh"))
    assert "tlh" in sentence


def test_a_code_of_a_newer_version_is_told_too() -> None:
    sentence, step = texts.problem("en", TapledgerError("FROM_TOMORROW", figure=1))
    assert "FROM_TOMORROW" in sentence
    assert step


@pytest.mark.parametrize("language", LANGUAGES)
def test_commands_that_are_named_exist(language: str) -> None:
    known = set(main.list_commands(click.Context(main)))
    for key, sentence in texts.catalogue(language).items():
        named = set(re.findall(r"tapledger ([a-z][a-z-]*)", sentence))
        assert named <= known, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_device_sentences_fill_from_reason_and_detail(language: str) -> None:
    for key, sentence in texts.catalogue(language).items():
        if key.startswith("device."):
            allowed = {"detail"} if key.endswith(".next") else {"reason", "detail"}
            blanks = {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
            assert blanks <= allowed, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_braces_or_quotes_are_left_over(language: str) -> None:
    for key, sentence in texts.catalogue(language).items():
        assert sentence == sentence.strip(), key
        assert sentence.count("“") == sentence.count("”"), key
        assert sentence.count('"') % 2 == 0 and "  " not in sentence, key
        # Fonts with Chinese characters draw curly quotes as wide as those.
        assert not set("“”’" if language == "en" else '"') & set(sentence), key


# ---- paper -----------------------------------------------------------------------------------------------
def _printable(text: str) -> bool:
    return encode_runs(sanitise(text), GBK) is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_printed_is_in_the_printers_font(language: str) -> None:
    printed = [
        key for key in texts.catalogue(language) if key.split(".")[0] in {"receipt", "reason", "tender"}
    ]
    assert len(printed) > 10
    for key in printed:
        assert _printable(texts.catalogue(language)[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reason_of_points_is_one_line_of_paper(language: str) -> None:
    why = texts.reason(language, Reason("EARN_TIER", EARNED))
    assert _printable(why)
    assert text_columns(sanitise(why)) <= PAPER_COLUMNS
    for figure in ("43", "¥36.80", "¥1.00", "× 1.2"):
        assert figure in why


@pytest.mark.parametrize(
    ("milli", "shown"), [(1000, "1"), (1200, "1.2"), (1250, "1.25"), (10_000, "10"), (5, "0.005")]
)
def test_multipliers_are_written_as_people_write_them(milli: int, shown: str) -> None:
    why = texts.reason("en", Reason("EARN_TIER", {**EARNED, "multiplier_milli": milli}))
    assert why.endswith(f"× {shown}")


# ---- money and days --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (1250, "CNY", "¥12.50"),
        (0, "CNY", "¥0.00"),
        (-5, "CNY", "-¥0.05"),
        (123_456_789, "CNY", "¥1,234,567.89"),
        (1111, "JPY", "¥1,111"),
        (1234, "KWD", "KWD1.234"),
        (1999, "EUR", "€19.99"),
        (10**12, "CNY", "¥10,000,000,000.00"),
    ],
)
def test_money_is_written_the_same_in_every_language(minor: int, currency: str, shown: str) -> None:
    assert [texts.money(language, minor, currency) for language in LANGUAGES] == [shown] * len(LANGUAGES)


@pytest.mark.parametrize("currency", ["RSD", "LAK", "MMK", "ALL", "IQD", "LBP", "MGA", "YER"])
def test_money_has_the_digits_of_its_exponent(currency: str) -> None:
    digits = texts.money("en", 123_456, currency).replace(",", "").partition(".")[2]
    assert len(digits) == exponent(currency)


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "Dec 1, 2026"),
        ("zh-Hans", "2026年12月1日"),
        ("zh-Hant", "2026年12月1日"),
        ("ja", "2026/12/01"),
    ],
)
def test_days_are_written_as_in_the_language(language: str, shown: str) -> None:
    assert texts.day(language, dt.date(2026, 12, 1)) == shown
    assert _printable(shown)
