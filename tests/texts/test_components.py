"""No component has words of its own: what people read comes from the catalogues, in four languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.source_tree import text, with_suffix

WORDS = r"[A-Za-z\u3040-\u30ff\u4e00-\u9fff]{2,}"
BETWEEN_TAGS = re.compile(rf"(?:[\"'\}}a-z]|/)>\s*([^<>{{}}=;]*{WORDS}[^<>{{}}=;]*)\s*</([\w.]+)>")
IN_ATTRIBUTES = re.compile(rf"\s(aria-label|alt|title|placeholder)=\"([^\"]*{WORDS}[^\"]*)\"")
KEYS = "kbd"
"""What stands on a key is the same in every language."""
NOBODY = Path("kiosk_ui/src/kiosk/warm_up.tsx")
"""Draws a balance of nobody, which nobody sees."""


def words_in(source: str) -> list[str]:
    """Return what a component says by itself."""
    between = [said.strip() for said, tag in BETWEEN_TAGS.findall(source) if tag != KEYS]
    return between + [said for _, said in IN_ATTRIBUTES.findall(source)]


def test_every_component_asks_the_catalogue() -> None:
    found = {
        str(path): said
        for path in with_suffix(".tsx", under=("kiosk_ui",))
        if path != NOBODY and (said := words_in(text(path)))
    }
    assert not found, "put these into kiosk_ui/locales and say() them"


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello there</p>",
        "<span>\n  积分\n</span>",
        '<button aria-label="Close">',
        '<img alt="your voucher" />',
        '<h1 class="x">Total due</h1>',
    ],
)
def test_words_of_its_own_are_found(source: str) -> None:
    assert words_in(source)


@pytest.mark.parametrize(
    "source", ['<p>{say("kiosk.x")}</p>', "<kbd>Enter</kbd>", "if (a > b && c < d) {}", '<p class="notes" />']
)
def test_what_comes_from_the_catalogue_is_none(source: str) -> None:
    assert words_in(source) == []
