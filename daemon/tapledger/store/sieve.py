"""Tells most of what is new from what may be known without looking for it on the disk."""

from __future__ import annotations

from collections.abc import Iterable

from tapledger.store.keys import Key

_BITS = 1 << 23
"""A megabyte: of a million keys that are in it, one in nine that are not looks as if it were."""


class Sieve:
    """A set of random keys that takes others for its own now and then, and never one of its own for another
    (Bloom, 1970, with one bit for each)."""

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)

    def add(self, keys: Iterable[Key]) -> None:
        for key in keys:
            if isinstance(key, bytes):
                number = int.from_bytes(key[-4:]) % _BITS  # the end of a UUID is random, of whichever version
                self._bits[number >> 3] |= 1 << (number & 7)

    def may_have(self, key: Key) -> bool:
        """False only of what was not added; of text, which few keys are, nothing is known."""
        if isinstance(key, str):
            return True
        number = int.from_bytes(key[-4:]) % _BITS
        return bool(self._bits[number >> 3] >> (number & 7) & 1)
