"""The one way from text to printer bytes, and the only place that decides which characters may travel.

Text is data and may come from a stranger (a member's name). Whatever it is, what this module returns holds
printable ASCII and the two-byte characters of the printer's code page; control bytes come from templates
only (security.md section 2.5).
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from itertools import groupby

from tapledger_drivers.printers.code_pages import TWO_BYTE_OFF, TWO_BYTE_ON, CodePage

TEXT_CHARS_MAX = 2000
MARKS_MAX = 2
"""Accents on one letter; more would paint over the lines around."""

_DROPPED = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
"""Controls, bidi and joiners, unassigned, private use, surrogates: nothing a receipt can show."""
_ZERO_WIDTH = frozenset({"Mn", "Me"})
_IDEOGRAPHIC_SPACE = "\u3000"
_SPELT = {"¥": "￥", "−": "-", "‑": "-"}
"""A yen sign that every set has, and the minus of typographers."""
_CHARS_CACHED = 8192


def sanitise(text: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    """Return ``text`` as one line of visible characters: normalised (NFC), at most ``chars_max`` of them.

    Line ends and other spaces become a space; ``¥`` becomes the full-width ``￥``.
    """
    text = text[:chars_max]
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text):
        shown = _shown(char)
        marks = marks + 1 if shown and not char_columns(char) else 0
        if marks <= MARKS_MAX:
            kept.append(shown)
    return "".join(kept)


@functools.lru_cache(_CHARS_CACHED)
def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if char in "\n\r\t" or (category[0] == "Z" and char != _IDEOGRAPHIC_SPACE):
        return " "
    if char in _SPELT:
        return _SPELT[char]
    return "" if category in _DROPPED or _is_variation_selector(char) else char


def _is_variation_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


@functools.lru_cache(_CHARS_CACHED)
def char_columns(char: str) -> int:
    """Return the width of one sanitised character in printer columns: 2 for all that East Asia writes."""
    if unicodedata.category(char) in _ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WFA" else 1


def text_columns(text: str) -> int:
    return len(text) if text.isascii() else sum(map(char_columns, text))


@functools.lru_cache(_CHARS_CACHED)
def is_native(char: str, page: CodePage) -> bool:
    """Whether the printer's own font has ``char``, and as wide as the layout takes it to be."""
    encoded = page.encode(char)
    return encoded is not None and len(encoded) == char_columns(char)


def encode(text: str, page: CodePage) -> bytes | None:
    """Return sanitised ``text`` for a printer in two-byte mode; None when its font lacks a character."""
    encoded = page.encode(text)
    return encoded if encoded is not None and len(encoded) == text_columns(text) else None


def encode_runs(text: str, page: CodePage) -> bytes | None:
    """Return ``text`` with two-byte mode switched on around each run of it and off elsewhere.

    Longer than ``encode`` by four bytes a run; for printers that mistake ASCII within two-byte mode.
    """
    if encode(text, page) is None:
        return None
    encoded = bytearray()
    for wide, run in groupby(text, key=lambda char: not char.isascii()):
        part = page.encode("".join(run)) or b""
        encoded += TWO_BYTE_ON + part + TWO_BYTE_OFF if wide else part
    return bytes(encoded)


def native_runs(text: str, page: CodePage) -> Iterator[tuple[bool, str]]:
    """Yield the runs of ``text`` that the printer's font has (True) and those to draw (False), in order.

    An accent that stands alone is drawn together with its letter.
    """
    clusters = list(split_clusters(text))
    for native, run in groupby(clusters, key=lambda cluster: all(is_native(c, page) for c in cluster)):
        yield native, "".join(run)


def split_clusters(text: str) -> Iterator[str]:
    """Yield each character together with the accents that follow it."""
    cluster = ""
    for char in text:
        if cluster and char_columns(char):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def replace_chars(text: str, unprintable: set[str]) -> tuple[str, int]:
    """Replace those characters by ``?``, keeping every column in its place; return how many they were.

    An accent takes no column, so one that cannot be printed is left out.
    """
    kept = []
    replaced = 0
    for cluster in split_clusters(text):
        if cluster[0] in unprintable:
            kept.append("?".ljust(text_columns(cluster)) if text_columns(cluster) else "")
        else:
            kept.append("".join(char for char in cluster if char not in unprintable))
        replaced += sum(char in unprintable for char in cluster)
    return "".join(kept), replaced
