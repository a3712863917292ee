"""The numbers of PC/SC that a driver has to know (pcsclite.h), so that none imports the library for them."""

from __future__ import annotations

NO_SERVICE = 0x8010001D
NO_READERS_AVAILABLE = 0x8010002E
UNKNOWN_READER = 0x80100009
READER_UNAVAILABLE = 0x80100017

LOST = frozenset(
    {
        NO_SERVICE,
        UNKNOWN_READER,
        READER_UNAVAILABLE,
        0x8010001E,  # SCARD_E_SERVICE_STOPPED
        0x80100003,  # SCARD_E_INVALID_HANDLE
        0x80100013,  # SCARD_F_COMM_ERROR
    }
)
"""Failures by which context or reader are dead, also when they answer a question to the reader alone."""

CARD_REASONS = {
    0x8010000C: "removed",  # SCARD_E_NO_SMARTCARD
    0x80100069: "removed",  # SCARD_W_REMOVED_CARD
    0x80100016: "removed",  # SCARD_E_NOT_TRANSACTED
    0x80100013: "removed",  # SCARD_F_COMM_ERROR
    0x80100068: "reset",  # SCARD_W_RESET_CARD
    0x80100067: "mute",  # SCARD_W_UNPOWERED_CARD
    0x80100066: "mute",  # SCARD_W_UNRESPONSIVE_CARD
    0x80100065: "mute",  # SCARD_W_UNSUPPORTED_CARD
    0x80100015: "mute",  # SCARD_E_INVALID_ATR
    0x8010000F: "mute",  # SCARD_E_PROTO_MISMATCH
    0x8010000B: "reader_in_use",  # SCARD_E_SHARING_VIOLATION
}
"""Failures of the card or of its moment; every other code means that the context or the reader is dead."""

STATE_PRESENT = 0x20
STATE_MUTE = 0x200
STATE_READER_GONE = 0x1 | 0x4 | 0x8
"""SCARD_STATE_IGNORE, _UNKNOWN and _UNAVAILABLE."""

ESCAPE = 0x42000001
"""SCARD_CTL_CODE(1): how libccid names its escape command on Linux."""
