"""The one way from text to printer bytes, and the only place that decides which characters may travel.

Text is data and may come from a stranger (a member's name). Whatever it is, what this module returns holds
printable ASCII and two-byte GBK characters between ``FS &`` and ``FS .``; control bytes come from templates
only (security.md section 2.5).
"""

from __future__ import annotations

import unicodedata

TEXT_CHARS_MAX = 2000

KANJI_MODE_ON = b"\x1c&"
KANJI_MODE_OFF = b"\x1c."

_DROPPED = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
"""Controls, bidi and joiners, unassigned, private use, surrogates: nothing a receipt can show."""
_ZERO_WIDTH = frozenset({"Mn", "Me"})
_IDEOGRAPHIC_SPACE = "\u3000"


def sanitise(text: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    """Return ``text`` as one line of visible characters: normalised (NFC), at most ``chars_max`` of them.

    Line ends and other spaces become a space; ``¥`` becomes the full-width ``￥``, which is in GBK.
    """
    kept = []
    for char in unicodedata.normalize("NFC", text[:chars_max]):
        category = unicodedata.category(char)
        if char in "\n\r\t" or (category[0] == "Z" and char != _IDEOGRAPHIC_SPACE):
            kept.append(" ")
        elif char == "¥":
            kept.append("￥")
        elif category not in _DROPPED:
            kept.append(char)
    return "".join(kept)


def char_columns(char: str) -> int:
    """Return the width of one sanitised character in printer columns: 2 for everything GBK has but ASCII."""
    if unicodedata.category(char) in _ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WFA" else 1


def text_columns(text: str) -> int:
    return sum(map(char_columns, text))


def encode_gbk(text: str) -> bytes | None:
    """Return printer bytes of sanitised ``text``, None when the printer's own font lacks a character."""
    encoded = bytearray()
    in_kanji_mode = False
    for char in text:
        try:
            code = char.encode("gbk")
        except UnicodeEncodeError:
            return None
        wide = len(code) == 2
        if not wide and not 0x20 <= code[0] <= 0x7E:
            return None
        if wide is not in_kanji_mode:
            encoded += KANJI_MODE_ON if wide else KANJI_MODE_OFF
            in_kanji_mode = wide
        encoded += code
    if in_kanji_mode:
        encoded += KANJI_MODE_OFF
    return bytes(encoded)
