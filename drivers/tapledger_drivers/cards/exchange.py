"""One reading of one card: APDUs counted and timed, answers checked. A card is input from a stranger."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

APDUS_MAX = 64
READ_TIME_MAX_S = 3.0
SLOW_S = 1.5
"""A card that has not been read by then is told of, and read on: its member sees nothing so far."""

Transceive: TypeAlias = Callable[[bytes], bytes]
"""Sends one APDU and returns the answer with its status word; raises ``CardUnreadable`` if the card left."""

OK = b"\x90\x00"
GET_UID = bytes.fromhex("FFCA000000")


class CardUnreadable(Exception):
    """The card left, or answered wrongly, before it was read whole; ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Exchange:
    """Counts APDUs and time, so that no card can hold the reader for long."""

    def __init__(self, transceive: Transceive) -> None:
        self._transceive = transceive
        self._apdus_left = APDUS_MAX
        self._deadline_s = time.monotonic() + READ_TIME_MAX_S

    def ask(self, apdu: bytes) -> tuple[bytes, bytes]:
        """Return data and status word; raise ``CardUnreadable`` when there is no such answer."""
        if self._apdus_left == 0:
            raise CardUnreadable("too_many_apdus")
        if time.monotonic() > self._deadline_s:
            raise CardUnreadable("too_slow")
        self._apdus_left -= 1
        answer = self._transceive(apdu)
        if not answer:
            raise CardUnreadable("removed")  # how some reader drivers say that the card has left
        if len(answer) < 2:
            raise CardUnreadable("bad_answer")
        return answer[:-2], answer[-2:]

    def read(self, apdu: bytes, length: int) -> bytes:
        """Read exactly ``length`` bytes that the card has promised to have."""
        data, status = self.ask(apdu)
        if status != OK or len(data) != length:
            raise CardUnreadable("bad_answer")
        return data


class ContactExchange(Exchange):
    """With a contact card, whose protocol T=0 gives an answer's length first and the answer when asked."""

    def ask(self, apdu: bytes) -> tuple[bytes, bytes]:
        data, status = super().ask(apdu)
        if status[0] == 0x6C:
            data, status = super().ask(apdu[:4] + status[1:])
        elif status[0] == 0x61:
            more, status = super().ask(b"\x00\xc0\x00\x00" + status[1:])
            data += more
        return data, status


def read_binary(offset: int, length: int) -> bytes:
    return b"\x00\xb0" + offset.to_bytes(2, "big") + bytes([length])
