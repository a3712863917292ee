"""Each language in its own characters: no simplified ones in traditional text, kana in Japanese."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator

import pytest
from babel.messages.pofile import read_po

from tapledger import texts
from tapledger.languages import LANGUAGES
from tapledger_drivers.printers.code_pages import GBK
from tapledger_drivers.printers.encoding import encode_runs, sanitise
from tests.source_tree import ROOT

CHARACTER_SETS = {"zh-Hans": "gb2312", "zh-Hant": "big5", "en": "latin-1", "ja": "shift_jis"}
"""The national sets; each lacks the characters that only its neighbours write."""

HAN = re.compile(r"[\u3400-\u9fff]")
HIRAGANA = re.compile(r"[\u3041-\u3096]")
PLACEHOLDER = re.compile(r"\{[^}]*\}")


def _said(language: str) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of everything that is said in a language."""
    yield from texts.catalogue(language).items()
    with (ROOT / "kiosk_ui/locales" / f"{language}.po").open("rb") as file:
        yield from ((str(message.id), str(message.string)) for message in read_po(file) if message.id)


def _names(language: str) -> Iterator[tuple[str, str]]:
    """Yield what the sample shop calls its goods, tiers and rewards."""
    with (ROOT / "config/catalogue.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["sku"], row["name" if language == "zh-Hans" else f"name_{language}"]
    program = tomllib.loads((ROOT / "config/program.toml").read_text("utf-8"))
    for item in (*program["tiers"], *program["rewards"]):
        yield item["id"], (item.get("name") or item["title"])[language]


def _foreign(language: str, text: str) -> str:
    """Return the Han characters of a text that its language does not write."""
    return "".join(char for char in HAN.findall(text) if not _has(CHARACTER_SETS[language], char))


def _has(character_set: str, char: str) -> bool:
    try:
        char.encode(character_set)
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("language", "text", "foreign"),
    [
        ("zh-Hant", "请選擇其他礼品。", "请礼"),
        ("zh-Hans", "請选择", "請"),
        ("ja", "请選んでください。", "请"),
        ("en", "Choose 礼", "礼"),
        ("ja", "別の特典をお選びください。", ""),
    ],
)
def test_a_foreign_character_is_found(language: str, text: str, foreign: str) -> None:
    assert _foreign(language, text) == foreign


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_in_the_characters_of_its_language(language: str) -> None:
    said = [*_said(language), *_names(language)]
    assert len(said) > 500
    wrong = {place: foreign for place, text in said if (foreign := _foreign(language, text))}
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_sample_shop_sells_is_in_the_printers_font(language: str) -> None:
    """GBK holds traditional characters and kana too, so no name costs a picture on the paper."""
    assert {place for place, name in _names(language) if encode_runs(sanitise(name), GBK) is None} == set()


def test_japanese_sentences_have_kana() -> None:
    sentences = {place: PLACEHOLDER.sub("", text) for place, text in _said("ja") if text.endswith("。")}
    assert len(sentences) > 200
    assert not [place for place, text in sentences.items() if not HIRAGANA.search(text)]


def test_no_language_repeats_another() -> None:
    """A sentence that is the same in two languages was copied, not translated."""
    said = {language: dict(_said(language)) for language in LANGUAGES}
    for key, english in said["en"].items():
        if re.search(r"[a-z]{2}", PLACEHOLDER.sub("", english)):
            assert english not in {said[language][key] for language in LANGUAGES if language != "en"}, key
    assert not {
        key
        for key, text in said["zh-Hans"].items()
        if len(HAN.findall(text)) > 3 and said["ja"][key] in {text, said["zh-Hant"][key]}
    }
