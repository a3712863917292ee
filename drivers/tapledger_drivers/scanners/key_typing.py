"""Turns key presses into the bytes that the scanner meant, as if it had sent them over a serial line."""

from __future__ import annotations

import sys
import unicodedata

from tapledger_drivers.io import KeyEvent
from tapledger_drivers.scanners import keymaps
from tapledger_drivers.scanners.keymaps import DEAD, KEYPAD, US, Keymap

ALT_DIGITS_MAX = 6
_GBK_FIRST = 0x8140
_PRESSED, _RELEASED = 1, 0
_SHIFTS = frozenset({keymaps.LEFT_SHIFT, keymaps.RIGHT_SHIFT})
_CTRLS = frozenset({keymaps.LEFT_CTRL, keymaps.RIGHT_CTRL})
_ALTS = frozenset({keymaps.LEFT_ALT, keymaps.RIGHT_ALT})


class KeyTyper:
    """Holds which keys are down. ``press`` returns the bytes that a key event completes, mostly one or none.

    Characters come as UTF-8. With Alt and a number on the keypad a scanner sends what its keyboard lacks: a
    number up to 255 is one byte of UTF-8 or GBK text, a greater one is a character of Unicode or, where its
    two bytes are GBK, of GBK.
    """

    def __init__(self, keymap: Keymap) -> None:
        self._keymap = keymap
        self._down: set[int] = set()
        self._caps = False
        self._accent = ""
        self._alt_number = ""

    def press(self, event: KeyEvent) -> bytes:
        code = event.code
        if event.value == _RELEASED:
            self._down.discard(code)
            return self._alt_typed() if code == keymaps.LEFT_ALT else b""
        if event.value != _PRESSED:
            return b""  # a scanner does not hold keys: a repetition is a stall, not a character
        self._down.add(code)
        if code == keymaps.CAPS_LOCK:
            self._caps = not self._caps
        if code in _SHIFTS | _CTRLS | _ALTS or code == keymaps.CAPS_LOCK:
            return b""
        return self._typed(code)

    def rest(self) -> None:
        """Forget what is down. No scanner holds a key between codes, so a release that got lost ends here."""
        self._down.clear()
        self._caps = False
        self._accent = self._alt_number = ""

    def _typed(self, code: int) -> bytes:
        if code in keymaps.ENTER:
            return b"\r"
        if code == keymaps.TAB:
            return b"\t"
        if code in KEYPAD:
            if keymaps.LEFT_ALT in self._down:
                self._alt_number = (self._alt_number + KEYPAD[code])[: ALT_DIGITS_MAX + 1]
                return b""
            return KEYPAD[code].encode()
        if self._down & _CTRLS and not self._alt_gr:
            return self._control(code)
        char = self._character(code)
        return self._accented(code, char).encode() if char else b""

    @property
    def _alt_gr(self) -> bool:
        """AltGr, or what stands for it on a keyboard without."""
        return keymaps.RIGHT_ALT in self._down or {keymaps.LEFT_ALT, keymaps.LEFT_CTRL} <= self._down

    def _character(self, code: int) -> str:
        keymap = self._keymap
        if self._alt_gr:
            return keymap.alt_gr.get(code, "")
        plain = keymap.plain.get(code, "")
        shifted = bool(self._down & _SHIFTS)
        if self._caps and plain.isalpha():
            shifted = not shifted
        return keymap.shift.get(code, "") if shifted else plain

    def _accented(self, code: int, char: str) -> str:
        accent, self._accent = self._accent, ""
        if not accent:
            if (code, char) in self._keymap.dead:
                self._accent = char
                return ""
            return char
        if char == " ":
            return accent
        joined = unicodedata.normalize("NFC", char + DEAD[accent])
        return joined if len(joined) == 1 else accent + char

    def _control(self, code: int) -> bytes:
        """Ctrl and a key between @ and _ is a control character: Ctrl+] is GS. By the country's own key, or
        by the American position where that key is none of them."""
        for keymap in (self._keymap, US):
            char = keymap.plain.get(code, "").upper()
            if len(char) == 1 and "@" <= char <= "_":
                return bytes([ord(char) & 0x1F])
        return b""

    def _alt_typed(self) -> bytes:
        digits, self._alt_number = self._alt_number, ""
        if not digits.isdigit() or len(digits) > ALT_DIGITS_MAX:
            return b""
        number = int(digits)
        if number <= 0xFF:
            return bytes([number])
        return (_gbk(number) or _unicode(number)).encode()


def _gbk(number: int) -> str:
    try:
        return number.to_bytes(2, "big").decode("gbk") if number >= _GBK_FIRST else ""
    except (OverflowError, UnicodeDecodeError):
        return ""


def _unicode(number: int) -> str:
    return chr(number) if number <= sys.maxunicode and not 0xD800 <= number <= 0xDFFF else ""
