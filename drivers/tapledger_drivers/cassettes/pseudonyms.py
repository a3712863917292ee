"""Takes people out of a recording: each secret becomes another text of the same shape, always the same one.

A pseudonym has the length of what it stands for, keeps the kind of every letter and digit and what the first
byte of a card number means. A long secret (a card's NDEF message) travels in pieces, so its pieces are
replaced too. Checksums around what was replaced are put right by mending.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import itertools
from collections.abc import Iterable, Iterator
from typing import AnyStr, Generic

SHORTEST = 4
"""Shorter secrets would be found by chance all over a recording."""
PIECE_BYTES = 6
"""The shortest piece of a long secret that is found; it must not be so uniform that anything holds it."""
PIECE_DISTINCT = 3

_FIRST_BYTES_KEPT = frozenset({0x04, 0x08, 0x88})
"""What a card number's first byte says: the maker of most NFC tags, a random number, a cascade."""


class Pseudonyms:
    """``salt`` is new for each recording, so two recordings cannot be compared person by person."""

    def __init__(self, salt: bytes, secrets: Iterable[bytes]) -> None:
        self._key = salt
        kept = sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True)
        self._names: _Names[bytes] = _Names()
        self._texts: _Names[str] = _Names()
        for secret in reversed(kept):
            self._names.add(secret, _holding(self._names, secret, self._pseudonym(secret)))
            for text, name in _as_text(secret, self._names.of[secret]):
                self._texts.add(text, name)
        self._pieces: dict[bytes, tuple[bytes, int]] = {}
        for secret in kept:
            for at in range(len(secret) - PIECE_BYTES + 1):
                piece = secret[at : at + PIECE_BYTES]
                if len(secret) > 2 * PIECE_BYTES and len(set(piece)) >= PIECE_DISTINCT:
                    self._pieces.setdefault(piece, (secret, at))

    def __len__(self) -> int:
        return len(self._names.of)

    def in_bytes(self, data: bytes, *, pieces: bool = True) -> bytes:
        """Replace secrets and pieces of them; what belongs to a longer one is not looked at again."""
        told = bytearray(data)
        done = self._replace_pieces(data, told) if pieces else bytearray(len(data))
        for at, secret in self._names.places(data, done):
            told[at : at + len(secret)] = self._names.of[secret]
        return bytes(told)

    def in_text(self, text: str) -> str:
        """Replace secrets in text, written as text or as hex digits."""
        told, end = "", 0
        for at, secret in sorted(self._texts.places(text, bytearray(len(text)))):
            told += text[end:at] + self._texts.of[secret]
            end = at + len(secret)
        return told + text[end:]

    def _replace_pieces(self, data: bytes, told: bytearray) -> bytearray:
        """Replace pieces of long secrets in ``told``; return a mark for each byte that was."""
        done, at = bytearray(len(data)), 0
        while at + PIECE_BYTES <= len(data):
            found = self._pieces.get(data[at : at + PIECE_BYTES])
            if found is None:
                at += 1
                continue
            secret, place = found
            length = _common(data[at:], secret[place:])
            told[at : at + length] = self._names.of[secret][place : place + length]
            done[at : at + length] = b"\1" * length
            at += length
        return done

    def _pseudonym(self, secret: bytes) -> bytes:
        noise = self._noise(secret)
        printable = secret.isascii() and secret.decode().isprintable()
        made = bytearray()
        for byte, random in zip(secret, noise, strict=False):
            shape = _shape(byte) if printable else bytes(range(256))
            made.append(shape[random % len(shape)])
        if not printable and secret[0] in _FIRST_BYTES_KEPT:
            made[0] = secret[0]
        return bytes(made)

    def _noise(self, secret: bytes) -> bytes:
        blocks = (
            hmac.digest(self._key, secret + number.to_bytes(4, "big"), hashlib.sha256)
            for number in itertools.count()
        )
        return b"".join(itertools.islice(blocks, len(secret) // 32 + 1))


class _Names(Generic[AnyStr]):
    """Names of thousands of secrets, which are all found in one go: by how they begin, and by how long those
    are that begin so."""

    def __init__(self) -> None:
        self.of: dict[AnyStr, AnyStr] = {}
        self._lengths: dict[AnyStr, set[int]] = {}

    def add(self, secret: AnyStr, name: AnyStr) -> None:
        self.of[secret] = name
        self._lengths.setdefault(secret[:SHORTEST], set()).add(len(secret))

    def every_place(self, data: AnyStr) -> list[tuple[int, AnyStr]]:
        """Return where each secret begins, the longest first."""
        found = [
            (at, data[at : at + length])
            for at in range(len(data) - SHORTEST + 1)
            for length in self._lengths.get(data[at : at + SHORTEST], ())
            if data[at : at + length] in self.of
        ]
        return sorted(found, key=lambda place: len(place[1]), reverse=True)

    def places(self, data: AnyStr, done: bytearray) -> Iterator[tuple[int, AnyStr]]:
        """Yield the places of which nothing is done yet, and mark them so."""
        for at, secret in self.every_place(data):
            end = at + len(secret)
            if not any(done[at:end]):
                done[at:end] = b"\1" * len(secret)
                yield at, secret


def _as_text(secret: bytes, name: bytes) -> Iterator[tuple[str, str]]:
    yield secret.hex().upper(), name.hex().upper()
    yield secret.hex(), name.hex()  # the last of two that are the same counts, and bytes.hex() writes small
    with contextlib.suppress(UnicodeDecodeError):
        yield secret.decode(), name.decode()


def _holding(names: _Names[bytes], secret: bytes, name: bytes) -> bytes:
    """Return the name with the names of the secrets that stand inside this one, at their places."""
    told = bytearray(name)
    for at, inner in reversed(names.every_place(secret)):
        told[at : at + len(inner)] = names.of[inner]
    return bytes(told)


def _shape(byte: int) -> bytes:
    char = chr(byte)
    if char.isdigit():
        return b"0123456789"
    if char.isupper():
        return b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return b"abcdefghijklmnopqrstuvwxyz" if char.islower() else bytes([byte])


def _common(one: bytes, other: bytes) -> int:
    """Return how many bytes are equal from the start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
