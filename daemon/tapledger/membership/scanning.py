"""What a scanned or typed text may mean, by its grammar alone; nothing is looked up here.

Payment codes and bank card numbers are recognised first and refused: they are somebody's money, so they are
neither logged nor stored (decisions R27).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from tapledger.errors import Invalid
from tapledger.loyalty import codes
from tapledger.loyalty.life import virtual_card
from tapledger.wire import coupons

MAX_LENGTH = 512
MAX_QUANTITY = 9999
Meaning = Literal["article", "coupon", "receipt", "voucher", "virtual", "phone", "barcode"]

_QUANTITY = re.compile(r"([0-9]{1,5})\*(.*)", re.DOTALL)
_ARTICLE = re.compile(r"[0-9A-Za-z._-]{1,32}")
RECEIPT = re.compile(r"(.{1,64})-([0-9]{1,9})-([0-9]{1,15})(?::[0-9A-Fa-f]{0,64})?")
"""node-epoch-seq as printed (R2), with or without the hash of the QR code behind it."""
_WECHAT = re.compile(r"1[0-5][0-9]{16}")
_ALIPAY = re.compile(r"(2[5-9]|30)[0-9]{14,22}")
_UNIONPAY = re.compile(r"62[0-9]{17}")
_PAN = re.compile(r"[2-6][0-9]{12,18}")
_IMEI = re.compile(r"35[0-9]{13}")
"""A phone's number (decision 0016). Cards of 15 digits begin with 34 or 37, and JCB's 35 have 16."""
_TRACK = re.compile(r"[%;]?[A-Za-z]?([0-9 ]{13,23})[=^]")
"""A magnetic stripe as its reader types it: ``%B4111...^NAME^...`` or ``;4111...=...``."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """A text with everything it could be, likeliest first. An empty ``text`` only sets the quantity."""

    text: str
    quantity: int | None
    meanings: tuple[Meaning, ...]


def read(raw: str) -> Scanned:
    """Classify a text; raise ``Invalid`` for what must not be taken at all.

    Full-width forms, as a Chinese keyboard types them, are read as the plain ones.
    """
    text = raw.strip()
    if len(text) > MAX_LENGTH:
        raise Invalid("CODE_TOO_LONG", limit=MAX_LENGTH)
    text = unicodedata.normalize("NFKC", text).strip()
    if not text:
        raise Invalid("CODE_EMPTY")
    if not text.isprintable():
        raise Invalid("CODE_CONTROL_CHARACTERS")
    quantity = None
    if match := _QUANTITY.fullmatch(text):
        quantity, text = int(match[1]), match[2].strip()
        if not 0 < quantity <= MAX_QUANTITY:
            raise Invalid("QUANTITY_IMPOSSIBLE", sku=text)
    refuse_payment_secrets(text)
    return Scanned(text, quantity, _meanings(text))


def refuse_payment_secrets(text: str) -> None:
    """Raise ``Invalid`` for a payment code or a bank card, typed or swiped; the text goes no further."""
    track = _TRACK.match(text)
    digits = re.sub(r"[ -]", "", track[1] if track else text)
    if _WECHAT.fullmatch(digits) or _ALIPAY.fullmatch(digits) or _UNIONPAY.fullmatch(digits):
        raise Invalid("PAYMENT_CODE_REFUSED")
    is_card = _PAN.fullmatch(digits) and codes.luhn_digit(digits[:-1]) == digits[-1]
    is_thing = _IMEI.fullmatch(digits) or (len(digits) in (13, 14) and _is_gtin(digits))
    if is_card and not is_thing:
        raise Invalid("CARD_NUMBER_REFUSED")


def _is_gtin(text: str) -> bool:
    """Tell whether a text is the number of a trade item: EAN-8, UPC, EAN-13 or ITF-14 with a right check."""
    if not (text.isascii() and text.isdigit()) or len(text) not in (8, 12, 13, 14):
        return False
    return codes.gtin_digit(text[:-1]) == text[-1]


def _meanings(text: str) -> tuple[Meaning, ...]:
    found: list[Meaning] = []
    if _ARTICLE.fullmatch(text):
        found.append("article")
    if coupons.is_signed(text):
        found.append("coupon")
    elif RECEIPT.fullmatch(text):
        found.append("receipt")
    try:
        codes.read_code(text)
        found.append("voucher")
    except Invalid:
        pass
    digits = re.sub(r"[ ()+-]", "", text)
    if digits.isascii() and digits.isdigit():
        if virtual_card.is_code(digits):
            found.append("virtual")
        elif digits.startswith("9") and len(digits) >= 10:
            found.append("barcode")
        if 6 <= len(digits) <= 15 and not _is_gtin(text):
            found.append("phone")
    return tuple(found)
