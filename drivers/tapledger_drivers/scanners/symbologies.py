"""AIM symbology identifiers: ``]`` , a letter for the family and one for its options (ISO/IEC 15424)."""

from __future__ import annotations

import re

_AIM_ID = re.compile(r"\][A-Za-z][0-9A-Za-z]")

_BY_ID = {
    "]C1": "gs1-128",
    "]E0": "ean13",
    "]E4": "ean8",
    "]d2": "gs1-datamatrix",
    "]d5": "gs1-datamatrix",
    "]Q3": "gs1-qr",
    "]Q4": "gs1-qr",
    "]z1": "gs1-aztec",
    "]z4": "gs1-aztec",
    "]J1": "gs1-dotcode",
    "]e0": "gs1-databar",
    "]e1": "gs1-composite",
    "]e2": "gs1-composite",
}
_BY_FAMILY = {
    "A": "code39",
    "C": "code128",
    "E": "ean-addon",
    "F": "codabar",
    "G": "code93",
    "H": "code11",
    "I": "itf",
    "J": "dotcode",
    "L": "pdf417",
    "M": "msi",
    "O": "codablock",
    "P": "plessey",
    "Q": "qr",
    "R": "code25",
    "S": "code25",
    "U": "maxicode",
    "X": "other",
    "d": "datamatrix",
    "e": "gs1-databar",
    "h": "hanxin",
    "z": "aztec",
}


def split_aim_id(text: str) -> tuple[str, str]:
    """Return the identifier and what stands behind it; the identifier is empty when there is none."""
    if _AIM_ID.match(text) and text[1] in _BY_FAMILY:
        return text[:3], text[3:]
    return "", text


def symbology(aim_id: str, text: str) -> str:
    """Return the name of a symbology; empty without an identifier."""
    if not aim_id:
        return ""
    if aim_id == "]E0" and len(text) == 8:
        return "ean8"
    if aim_id == "]E0" and len(text) == 12:
        return "upca"
    return _BY_ID.get(aim_id) or _BY_FAMILY[aim_id[1]]


def is_gs1(aim_id: str) -> bool:
    """Tell whether the barcode itself says that it holds GS1 application identifiers."""
    return aim_id != "]E0" and symbology(aim_id, "").startswith("gs1-")


def is_trade_item(aim_id: str) -> bool:
    """Tell whether the barcode is of a kind that only goods bear: EAN, UPC, GS1."""
    return aim_id[:2] == "]E" or is_gs1(aim_id)
