"""The character sets of receipt printers: which characters one holds, and the commands that choose it.

Every set here has the same form: ASCII as single bytes, everything else as two bytes whose first is above
7F. A printer in its two-byte ("kanji") mode tells the two apart byte by byte, so ASCII may travel inside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TWO_BYTE_ON = b"\x1c&"
TWO_BYTE_OFF = b"\x1c."
_SHIFT_JIS_SYSTEM = b"\x1cC\x01"
"""Epson's Japanese models start with JIS codes, in which ASCII would be taken for kanji."""
_BACKSLASH_AND_TILDE = b"\x1bR\x00"
"""Of the international sets the American one: the Japanese has a yen sign at 5C and an overline at 7E."""


@dataclass(frozen=True, slots=True, eq=False)
class CodePage:
    """``codec`` is Python's name for it; characters in ``spelt`` are sent as another one that looks alike."""

    name: str
    codec: str
    select: bytes
    """Sent once after ESC @; two-byte mode is then on, where there is one."""
    spelt: Mapping[int, str]
    lead_max: int = 0xFE
    """Codes beyond this first byte are in few printers, whatever the codec knows."""
    katakana: bool = False
    """A1 to DF are half-width katakana of one byte each."""

    def has(self, char: str) -> bool:
        return self.encode(char) is not None

    def encode(self, text: str) -> bytes | None:
        """Return the bytes of sanitised ``text``, None when a character is not in the set.

        Nothing but printable ASCII, two-byte codes and half-width katakana is ever returned: no control
        byte, and no code of four bytes.
        """
        if text.isascii():
            return text.encode() if text.isprintable() else None
        try:
            encoded = text.translate(self.spelt).encode(self.codec)
        except UnicodeEncodeError:
            return None
        return encoded if self._is_plain(encoded) else None

    def decode(self, encoded: bytes) -> str:
        """Return what a printer shows for these bytes; ``\ufffd`` for what it has no character for."""
        return encoded.decode(self.codec, errors="replace")

    def is_lead(self, byte: int) -> bool:
        """Whether a printer in two-byte mode takes this byte and the next for one character."""
        return 0x81 <= byte <= 0xFE and not (self.katakana and 0xA1 <= byte <= 0xDF)

    def _is_plain(self, encoded: bytes) -> bool:
        at, end = 0, len(encoded)
        while at < end:
            byte = encoded[at]
            if byte < 0x80:
                if not 0x20 <= byte <= 0x7E:
                    return False
                at += 1
            elif self.katakana and 0xA1 <= byte <= 0xDF:
                at += 1
            elif 0x81 <= byte <= self.lead_max and at + 1 < end and _is_trail(encoded[at + 1]):
                at += 2
            else:
                return False
        return True


def _is_trail(byte: int) -> bool:
    """A digit here would be the second byte of a four-byte GB18030 code."""
    return 0x40 <= byte <= 0xFE and byte != 0x7F


_LIKE_IN_GBK = str.maketrans({"〜": "～", "•": "·", "–": "—"})
_LIKE_IN_BIG5 = str.maketrans({"〜": "～", "–": "—"})
_LIKE_IN_SHIFT_JIS = str.maketrans({"〜": "～", "—": "―", "–": "―", "·": "・", "•": "・"})

GBK = CodePage("gbk", "gbk", TWO_BYTE_ON, _LIKE_IN_GBK)
GB18030 = CodePage("gb18030", "gb18030", TWO_BYTE_ON, _LIKE_IN_GBK)
"""Its two-byte part alone: GBK and the euro sign, with a few more."""
BIG5 = CodePage("big5", "cp950", TWO_BYTE_ON, _LIKE_IN_BIG5, lead_max=0xF9)
SHIFT_JIS = CodePage(
    "shift_jis",
    "cp932",
    _SHIFT_JIS_SYSTEM + TWO_BYTE_ON + _BACKSLASH_AND_TILDE,
    _LIKE_IN_SHIFT_JIS,
    lead_max=0xEF,
    katakana=True,
)
ASCII = CodePage("ascii", "ascii", TWO_BYTE_OFF, {})

CODE_PAGES: Mapping[str, CodePage] = {page.name: page for page in (GBK, GB18030, BIG5, SHIFT_JIS, ASCII)}
"""By the value of the option and capability ``code_page``."""
