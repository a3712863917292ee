"""Codes that people read, type and scan: Crockford base32 with a check symbol (loyalty.md 3.12, R12)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.errors import Invalid

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_SYMBOLS = SYMBOLS + "*~$=U"
CODE_SYMBOLS = 12
"""12 random symbols are 60 bits."""
GROUP = 4
NUMERIC_DIGITS = 21
"""19 digits hold 60 bits; 2 are their check. No member code (20) and no card number (19) is as long."""
NUMERIC_GROUP = 3

_FOLD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def check_symbol(payload: str) -> str:
    """Return the symbol that catches every single wrong symbol and every swap of neighbours."""
    return CHECK_SYMBOLS[_number(payload) % 37]


def voucher_code(randomness: bytes) -> str:
    """Return a voucher code of 12 random symbols and their check symbol.

    Check symbols that cannot be typed on every pad are never issued (R12), so a draw may be skipped;
    each draw uses 8 of the random bytes given.
    """
    for start in range(0, len(randomness) - 7, 8):
        number = int.from_bytes(randomness[start : start + 8], "big")
        payload = "".join(SYMBOLS[number >> (5 * i) & 31] for i in range(CODE_SYMBOLS))
        check = check_symbol(payload)
        if check in SYMBOLS:
            return payload + check
    raise ValueError("not enough randomness")


def printed(code: str) -> str:
    """Return a code in groups of four, as on paper."""
    return "-".join(code[i : i + GROUP] for i in range(0, len(code), GROUP))


def numeric(code: str) -> str:
    """Return a code as 21 digits for 12-key pads (R12): its number and two check digits (ISO 7064 97-10)."""
    number = _number(code[:CODE_SYMBOLS])
    return f"{number:019}{98 - number * 100 % 97:02}"


def printed_numeric(code: str) -> str:
    """Return the numeric form in groups of three, as on a pad."""
    digits = numeric(code)
    return "-".join(digits[i : i + NUMERIC_GROUP] for i in range(0, len(digits), NUMERIC_GROUP))


def read_code(typed: str) -> str:
    """Return a typed or scanned code in its one form; raise ``Invalid`` when it is mistyped."""
    code = typed.upper().translate(_FOLD)
    if len(code) == NUMERIC_DIGITS and set(code) <= set("0123456789"):
        return _read_numeric(code)
    if len(code) != CODE_SYMBOLS + 1 or any(symbol not in CHECK_SYMBOLS for symbol in code):
        raise Invalid("CODE_MISTYPED")
    payload, check = code[:-1], code[-1]
    if any(symbol not in SYMBOLS for symbol in payload) or check_symbol(payload) != check:
        raise Invalid("CODE_MISTYPED")
    return code


def _read_numeric(digits: str) -> str:
    number, check = int(digits[:-2]), int(digits[-2:])
    if number >= 32**CODE_SYMBOLS or check != 98 - number * 100 % 97:
        raise Invalid("CODE_MISTYPED")
    payload = "".join(SYMBOLS[number >> (5 * i) & 31] for i in reversed(range(CODE_SYMBOLS)))
    return payload + check_symbol(payload)


def _number(payload: str) -> int:
    number = 0
    for symbol in payload:
        number = number * 32 + SYMBOLS.index(symbol)
    return number


def luhn_digit(digits: str) -> str:
    """Return the Luhn check digit of a digit string: 7992739871 -> 3."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return str(-total % 10)


def gtin_digit(digits: str) -> str:
    """Return the GS1 check digit of an EAN, UPC or ITF-14 without its last digit."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


FREE_TRIES = 4
"""Wrong codes that cost nothing; the next one locks."""
FIRST_LOCK = dt.timedelta(seconds=30)
LONGEST_LOCK = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Throttle:
    """How often one kiosk was given a wrong code; scans of signed codes, cards and the till go on."""

    wrong: int = 0
    until: dt.datetime | None = None


def after_wrong(throttle: Throttle, now: dt.datetime) -> Throttle:
    """Count one wrong code: the fifth locks for 30 s, each further one for twice as long, up to one hour."""
    wrong = throttle.wrong + 1
    if wrong <= FREE_TRIES:
        return Throttle(wrong)
    lock = min(FIRST_LOCK * 2 ** min(wrong - FREE_TRIES - 1, 16), LONGEST_LOCK)
    return Throttle(wrong, now + lock)


def after_right() -> Throttle:
    """Forget the wrong codes: after a right one, or when staff taps."""
    return Throttle()


def is_locked(throttle: Throttle, now: dt.datetime) -> bool:
    """Tell whether codes are refused now. A clock that was set back locks nobody for longer than an hour."""
    return throttle.until is not None and dt.timedelta() < throttle.until - now <= LONGEST_LOCK
