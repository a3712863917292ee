"""One-time codes that a technician reads from one screen and types on another (decisions R12)."""

from __future__ import annotations

from tapledger.errors import Invalid
from tapledger.identifiers import Randomness

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O, U."""
CODE_SYMBOLS = 8

_FOLD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def make_code(randomness: Randomness) -> str:
    """Return a new code of 40 random bits."""
    number = int.from_bytes(randomness(5), "big")
    return "".join(SYMBOLS[number >> (5 * place) & 31] for place in range(CODE_SYMBOLS))


def printed(code: str) -> str:
    return f"{code[:4]}-{code[4:]}"


def normal_code(typed: str) -> str:
    """Return a code in its one form, whatever case, dashes and look-alikes were typed."""
    return typed.upper().translate(_FOLD)


def read_code(typed: str) -> str:
    """Return a typed code in its one form; raise ``Invalid`` when it cannot be one."""
    code = normal_code(typed)
    if len(code) != CODE_SYMBOLS or any(symbol not in SYMBOLS for symbol in code):
        raise Invalid("ENROL_CODE_MISTYPED", symbols=CODE_SYMBOLS)
    return code
