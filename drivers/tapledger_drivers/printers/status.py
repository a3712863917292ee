"""What an ESC/POS printer's status bytes mean (DLE EOT n, GS r n; Epson's ESC/POS reference)."""

from __future__ import annotations

from dataclasses import dataclass

ASK_STATUS = b"\x10\x04\x01\x10\x04\x02\x10\x04\x04"
"""DLE EOT 1, 2, 4 in one go: answered at once and in this order, also while the printer is offline."""
ASK_COMPLETION = b"\x1dr\x01"
"""GS r 1: answered only when everything sent before it has been done."""
CLEAR_BUFFERS = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
"""DLE DC4 8: forget what has not been printed yet, answered by ``BUFFERS_CLEARED``."""
BUFFERS_CLEARED = b"\x37\x25\x00"
BLOCK_HEADER = 0x37
"""Begins an answer of several bytes that ends with 00, such as ``BUFFERS_CLEARED``."""

STATUS_ANSWERS = 3
AUTOMATIC_STATUS_BYTES = 4


def is_status(byte: int) -> bool:
    """Answers of DLE EOT are 0xx1xx10."""
    return byte & 0x93 == 0x12


def is_completion(byte: int) -> bool:
    """Answers of GS r are 0xx0xxxx."""
    return byte & 0x90 == 0x00


def is_automatic_status(byte: int) -> bool:
    """The first of four bytes that some other program may have switched on (GS a) is 0xx1xx00."""
    return byte & 0x93 == 0x10


@dataclass(frozen=True, slots=True)
class StatusBytes:
    """The answers to ``ASK_STATUS``."""

    printer: int
    offline: int
    paper: int

    @property
    def reason(self) -> str:
        """``ok``, or the code of what a person has to mend first."""
        if self.offline & 0x04:
            return "cover_open"
        if self.paper & 0x60 or self.offline & 0x20:
            return "paper_out"
        if self.offline & 0x40:
            return "printer_error"
        return "offline" if self.printer & 0x08 else "ok"

    def __str__(self) -> str:
        near_end = " paper_near_end" if self.paper & 0x0C else ""
        return (
            f"dle_eot_1={self.printer:02x} dle_eot_2={self.offline:02x} dle_eot_4={self.paper:02x}{near_end}"
        )
