"""What the keys of a scanner in keyboard mode mean, for the country that it was set to.

A scanner types by key positions; the same position is another character in another country. The rows below
are the positions of a PC keyboard from left to right, so they can be compared with a real one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_ROWS = (
    (41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13),
    (16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27),
    (30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 43),
    (86, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53),
)
"""Key codes of linux/input-event-codes.h; 43 stands beside Enter as on European keyboards."""

DEAD = {"^": "\u0302", "´": "\u0301", "`": "\u0300", "¨": "\u0308", "~": "\u0303"}
"""Accents that wait for the letter they belong on; a blank makes them stand alone."""

ENTER, TAB, SPACE = (28, 96), 15, 57
LEFT_SHIFT, RIGHT_SHIFT, CAPS_LOCK = 42, 54, 58
LEFT_CTRL, RIGHT_CTRL, LEFT_ALT, RIGHT_ALT = 29, 97, 56, 100
_KEYPAD_CODES = (79, 80, 81, 75, 76, 77, 71, 72, 73, 82, 55, 74, 78, 83, 98)
KEYPAD: Mapping[int, str] = dict(zip(_KEYPAD_CODES, "1234567890*-+./", strict=True))


@dataclass(frozen=True, slots=True)
class Keymap:
    plain: Mapping[int, str]
    shift: Mapping[int, str]
    alt_gr: Mapping[int, str]
    dead: frozenset[tuple[int, str]]
    """Which keys give an accent that waits."""


def _keymap(plain: str, shift: str, alt_gr: Mapping[int, str], dead: set[tuple[int, str]]) -> Keymap:
    """``plain`` and ``shift`` are the four rows, one a line; ``¤`` is a key without a character."""
    levels = []
    for level in (plain, shift):
        rows = level.split()
        levels.append(
            {
                code: char
                for row, codes in zip(rows, _ROWS, strict=True)
                for code, char in zip(codes, row, strict=True)
                if char != "¤"
            }
            | {SPACE: " "}
        )
    return Keymap(levels[0], levels[1], alt_gr, frozenset(dead))


US = _keymap(
    r"""
    `1234567890-=
    qwertyuiop[]
    asdfghjkl;'\
    \zxcvbnm,./
    """,
    """
    ~!@#$%^&*()_+
    QWERTYUIOP{}
    ASDFGHJKL:"|
    |ZXCVBNM<>?
    """,
    {},
    set(),
)
DE = _keymap(
    """
    ^1234567890ß´
    qwertzuiopü+
    asdfghjklöä#
    <yxcvbnm,.-
    """,
    """
    °!"§$%&/()=?`
    QWERTZUIOPÜ*
    ASDFGHJKLÖÄ'
    >YXCVBNM;:_
    """,
    dict(zip((3, 4, 8, 9, 10, 11, 12, 16, 18, 27, 50, 86), "²³{[]}\\@€~µ|", strict=True)),
    {(41, "^"), (13, "´"), (13, "`")},
)
FR = _keymap(
    """
    ²&é"'(-è_çà)=
    azertyuiop^$
    qsdfghjklmù*
    <wxcvbn,;:!
    """,
    """
    ¤1234567890°+
    AZERTYUIOP¨£
    QSDFGHJKLM%µ
    >WXCVBN?./§
    """,
    dict(zip((3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 18, 27), "~#{[|`\\^@]}€¤", strict=True)),
    {(26, "^"), (26, "¨"), (3, "~"), (8, "`")},
)
KEYMAPS: Mapping[str, Keymap] = {"us": US, "de": DE, "fr": FR}

DIGIT_ROWS: Mapping[str, str] = {
    "us": "!@#$%^&*()",
    "fr": "&é\"'(-è_çà",
    "cz": "+ěščřžýáíé",
    "sk": "+ľščťžýáíé",
}
"""What the digits 1 to 9 and 0 become where scanner and computer mean another country."""
