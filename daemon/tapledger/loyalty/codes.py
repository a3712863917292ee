"""Codes that people read, type and scan: Crockford base32 with a check symbol (loyalty.md 3.12, R12)."""

from __future__ import annotations

from tapledger.errors import Invalid

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_SYMBOLS = SYMBOLS + "*~$=U"
CODE_SYMBOLS = 12
"""12 random symbols are 60 bits."""
GROUP = 4

_FOLD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def check_symbol(payload: str) -> str:
    """Return the symbol that catches every single wrong symbol and every swap of neighbours."""
    number = 0
    for symbol in payload:
        number = number * 32 + SYMBOLS.index(symbol)
    return CHECK_SYMBOLS[number % 37]


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


def read_code(typed: str) -> str:
    """Return a typed or scanned code in its one form; raise ``Invalid`` when it is mistyped."""
    code = typed.upper().translate(_FOLD)
    if len(code) != CODE_SYMBOLS + 1 or any(symbol not in CHECK_SYMBOLS for symbol in code):
        raise Invalid("CODE_MISTYPED")
    payload, check = code[:-1], code[-1]
    if any(symbol not in SYMBOLS for symbol in payload) or check_symbol(payload) != check:
        raise Invalid("CODE_MISTYPED")
    return code


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
