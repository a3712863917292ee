"""Bank cards and payment codes that were held before the wrong scanner (decisions R27).

They are somebody's money: what is recognised here is neither kept nor shown, not even to a technician.
"""

from __future__ import annotations

import re
import unicodedata

from tapledger_drivers.scanners import gs1, symbologies

PAYMENT_CARD, PAYMENT_CODE = "payment_card", "payment_code"

_CARD = re.compile(r"[2-6][0-9]{12,18}")
_IMEI = re.compile(r"35[0-9]{13}")
"""A phone's number has a Luhn digit too. Cards of 15 digits begin with 34 or 37, and JCB's 35 have 16."""
_TRACK = re.compile(r"[%;]?[A-Za-z]?([0-9 ]{13,23})[=^]")
"""A magnetic stripe as its reader sends it: ``%B4111...^NAME^...`` or ``;4111...=...``."""
_CODES = (
    re.compile(r"1[0-5][0-9]{16}"),  # WeChat Pay
    re.compile(r"(2[5-9]|30)[0-9]{14,22}"),  # Alipay
    re.compile(r"62[0-9]{17}"),  # UnionPay
)
_RUN = re.compile(rb"[0-9](?:[ -]?[0-9]){12,}")


def kind_of(aim_id: str, text: str) -> str:
    """Return ``payment_card``, ``payment_code`` or, for everything that may be sold or redeemed, nothing."""
    if symbologies.is_trade_item(aim_id):
        return ""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    track = _TRACK.match(plain)
    digits = re.sub(r"[ \x1d-]", "", track[1] if track else plain)
    if not (digits.isascii() and digits.isdigit()):
        return ""
    if _CARD.fullmatch(digits) and _luhn_holds(digits) and not _is_of_a_thing(digits):
        return PAYMENT_CARD
    return PAYMENT_CODE if any(code.fullmatch(digits) for code in _CODES) else ""


def may_hide_in(raw: bytes) -> bool:
    """Tell whether bytes that are no code at all have digits enough in them for somebody's number."""
    return _RUN.search(raw) is not None


def _is_of_a_thing(digits: str) -> bool:
    is_long_gtin = len(digits) in (13, 14) and gs1.is_gtin(digits)
    return is_long_gtin or _IMEI.fullmatch(digits) is not None


def _luhn_holds(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
