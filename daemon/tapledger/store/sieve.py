"""Tells most of what is new from what may be known without looking for it on the disk."""

from __future__ import annotations

from tapledger.store.keys import Key

_BITS = 1 << 23
"""A megabyte: of a million keys that are in it, one in nine that are not looks as if it were."""


def _place(key: bytes) -> tuple[int, int]:
    """Return a key's byte and the bit in it: the end of a UUID is random, of whichever version."""
    number = int.from_bytes(key[-4:]) % _BITS
    return number >> 3, 1 << (number & 7)


class Sieve:
    """A set of random keys that takes others for its own now and then, and never one of its own for another
    (Bloom, 1970, with one bit for each)."""

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)

    def add(self, key: Key) -> None:
        if isinstance(key, bytes):
            byte, bit = _place(key)
            self._bits[byte] |= bit

    def may_have(self, key: Key) -> bool:
        """False only of what was not added; of text, which few keys are, nothing is known."""
        if isinstance(key, str):
            return True
        byte, bit = _place(key)
        return bool(self._bits[byte] & bit)
