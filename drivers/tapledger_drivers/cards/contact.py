"""Which card a contact card is: it has no UID, so its own serial number has to do.

The number is tag 5A of EF.GDO (file 2F02, short identifier 2), where EN 726-3 and ISO/IEC 7812 cards keep
it. A card without one identifies nobody, and no other bytes of it are taken for a number.
"""

from __future__ import annotations

from tapledger_drivers.cards.exchange import OK, Exchange

SELECT_MASTER_FILE = bytes.fromhex("00A4000C023F00")
SELECT_SERIAL_NUMBER_FILE = bytes.fromhex("00A4020C022F02")
READ_SERIAL_NUMBER = bytes.fromhex("00B0000000")
"""To the file's end: it holds a dozen bytes."""

SERIAL_NUMBER_BYTES_MAX = 10
_SERIAL_NUMBER_TAG = 0x5A


def read_serial_number(exchange: Exchange) -> bytes | None:
    """Return the card's serial number, None for a card that has none to read."""
    for command in (SELECT_MASTER_FILE, SELECT_SERIAL_NUMBER_FILE):
        _, status = exchange.ask(command)
        if status != OK:
            return None
    content, status = exchange.ask(READ_SERIAL_NUMBER)
    # 6282: the file ended before the 256 bytes that were asked for.
    return serial_number_in(content) if status in (OK, b"\x62\x82") else None


def serial_number_in(content: bytes) -> bytes | None:
    """Find the serial number among the file's BER-TLV objects; None when there is no sound one."""
    at = 0
    while at + 2 <= len(content):
        tag, length = content[at], content[at + 1]
        value = content[at + 2 : at + 2 + length]
        if length > 0x7F or len(value) < length:
            return None
        if tag == _SERIAL_NUMBER_TAG:
            sound = 1 <= length <= SERIAL_NUMBER_BYTES_MAX and any(value) and set(value) != {0xFF}
            return value if sound else None
        at += 2 + length
    return None
