"""What a shop has devices for: their class, and whose they are while nobody else claims them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

DeviceClass = Literal[
    "card_reader", "barcode_scanner", "receipt_printer", "cash_drawer", "indicator", "line_display"
]
Face = Literal["kiosk", "till", ""]


@dataclass(frozen=True, slots=True)
class Role:
    class_: DeviceClass
    face: Face = ""
    """Who gets its data; none for a device that gives none, or that all share through a queue."""
    side: Face = "till"
    """Whose screen says that it is simulated."""


KIOSK_READER, TILL_READER = "kiosk-reader", "till-reader"
KIOSK_SCANNER, TILL_SCANNER = "kiosk-scanner", "till-scanner"
RECEIPT_PRINTER = "receipt-printer"
CASH_DRAWER, CUSTOMER_DISPLAY, TILL_LIGHT = "cash-drawer", "customer-display", "till-light"

ROLES: Mapping[str, Role] = {
    KIOSK_READER: Role("card_reader", "kiosk", "kiosk"),
    TILL_READER: Role("card_reader", "till"),
    KIOSK_SCANNER: Role("barcode_scanner", "kiosk", "kiosk"),
    TILL_SCANNER: Role("barcode_scanner", "till"),
    RECEIPT_PRINTER: Role("receipt_printer", side=""),
    CASH_DRAWER: Role("cash_drawer"),
    TILL_LIGHT: Role("indicator"),
    "kiosk-light": Role("indicator", side="kiosk"),
    CUSTOMER_DISPLAY: Role("line_display"),
}
"""By their names in daemon.toml; a printer is both the kiosk's and the till's."""


def face_of(role: str) -> Face:
    return ROLES[role].face if role in ROLES else ""


def class_of(role: str) -> str:
    return ROLES[role].class_ if role in ROLES else ""
