"""Takes people out of a recording: each secret becomes another text of the same shape, always the same one.

A pseudonym has the length of what it stands for, keeps the kind of every letter and digit, what the first
byte of a card number means, and the sum of all bytes, so that checksums around it still hold.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Iterable

SHORTEST = 4
"""Shorter secrets would be found by chance all over a recording."""
_TRIES = 256


class Pseudonyms:
    """``salt`` is new for each recording, so two recordings cannot be compared person by person."""

    def __init__(self, salt: bytes, secrets: Iterable[bytes]) -> None:
        self._key = salt
        kept = sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True)
        self._names = {secret: self._pseudonym(secret) for secret in kept}

    def __len__(self) -> int:
        return len(self._names)

    def in_bytes(self, data: bytes) -> bytes:
        for secret, name in self._names.items():
            data = data.replace(secret, name)
        return data

    def in_text(self, text: str) -> str:
        """Replace secrets in text, written as text or as hex digits."""
        for secret, name in self._names.items():
            text = text.replace(secret.hex(), name.hex()).replace(secret.hex().upper(), name.hex().upper())
            try:
                text = text.replace(secret.decode(), name.decode())
            except UnicodeDecodeError:
                continue
        return text

    def _pseudonym(self, secret: bytes) -> bytes:
        shapes = [
            _shape(byte, printable=secret.isascii() and secret.decode().isprintable()) for byte in secret
        ]
        for attempt in range(_TRIES):
            noise = self._noise(secret, attempt)
            made = bytearray(shape[noise[at] % len(shape)] for at, shape in enumerate(shapes))
            if not secret[0] or secret[0] in _FIRST_BYTES_KEPT:
                made[0] = secret[0]
            if _with_sum(made, shapes, sum(secret) % 256) and bytes(made) != secret:
                return bytes(made)
        return bytes(made)  # no other text of this shape has its sum, such as 000000: hidden all the same

    def _noise(self, secret: bytes, attempt: int) -> bytes:
        blocks = (
            hmac.digest(self._key, secret + bytes([attempt]) + number.to_bytes(2, "big"), hashlib.sha256)
            for number in itertools.count()
        )
        return b"".join(itertools.islice(blocks, len(secret) // 32 + 1))


_FIRST_BYTES_KEPT = frozenset({0x08, 0x88, 0x04})
"""What a card number's first byte says: random, cascade, the maker of most NFC tags."""


def _shape(byte: int, *, printable: bool) -> bytes:
    if not printable:
        return bytes(range(256))
    char = chr(byte)
    if char.isdigit():
        return b"0123456789"
    if char.isupper():
        return b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return b"abcdefghijklmnopqrstuvwxyz" if char.islower() else bytes([byte])


def _with_sum(made: bytearray, shapes: list[bytes], wanted: int) -> bool:
    """Change bytes from the end on, within their shapes, until the sum is ``wanted`` (mod 256)."""
    for at in range(len(made) - 1, 0, -1):
        off = (wanted - sum(made)) % 256
        if off == 0:
            return True
        target = (made[at] + off) % 256
        if target in shapes[at]:
            made[at] = target
            return True
        step = off if off < 128 else off - 256
        limit = shapes[at][-1] if step > 0 else shapes[at][0]
        if len(shapes[at]) > 1:
            made[at] = min(limit, made[at] + step) if step > 0 else max(limit, made[at] + step)
    return (wanted - sum(made)) % 256 == 0
