"""The languages we speak."""

from __future__ import annotations

from typing import Literal

from tapledger.errors import Invalid

Language = Literal["zh-Hans", "zh-Hant", "en", "ja"]
LANGUAGES: tuple[Language, ...] = ("zh-Hans", "zh-Hant", "en", "ja")


def read(text: str) -> Language:
    """Return a language we speak; raise ``Invalid`` for any other."""
    for known in LANGUAGES:
        if known == text:
            return known
    raise Invalid("LANGUAGE_UNKNOWN", language=text)
