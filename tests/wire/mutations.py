"""Seeded mutations of messages: of their values, of their bytes, and of what is packed around them."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import zstandard

VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2, 3, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 0.5,
    float("nan"), "", "\0", "a\0b", "/", "..", "x" * 300, "界" * 70, "\u202e", "m-1", "all", "points",
    b"", b"\0", bytes(32), bytes(64), b"\xff" * 33, b"x" * 20_000, [], [None], [[]], {}, {"v": 9}, {"": ""},
    [1] * 600, {str(i): i for i in range(300)}, "2026-05-04T09:00:00Z", "2026-05-04T09:00:00",
    "0001-01-01T00:00:00Z",
)  # fmt: skip
"""What is put where something else belongs."""
BOMBS = (
    zstandard.compress(bytes(9 << 20), 1),
    zstandard.compress(b"\x91" * 200_000, 1),
    zstandard.compress(b"\xdf\xff\xff\xff\xff" + b"\xa1a\x01" * 10, 1),
    zstandard.compress(b"\xdd\xff\xff\xff\xff", 1),
    b"(\xb5/\xfd\xa0\xff\xff\xff\x7f",
    b"\x1f\x8b",
)
"""Small things that would become large ones."""


class Mutator:
    """Mutates by a seed: the same seed, the same mutations."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self, value: Any) -> Any:
        """Return plain data with one to three of its parts changed, added, left out or doubled."""
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            value = self._one(value)
        return value

    def _one(self, value: Any) -> Any:
        if isinstance(value, dict) and value and self.random.random() < 0.9:
            name = self.random.choice(list(value))
            changed = dict(value)
            match self.random.randrange(8):
                case 0:
                    del changed[name]
                case 1:
                    changed[self.random.choice(("extra", "", "v", "type"))] = self._some()
                case 2 | 3:
                    changed[name] = self._some()
                case _:
                    changed[name] = self._one(value[name])
            return changed
        if isinstance(value, list) and value and self.random.random() < 0.9:
            place = self.random.randrange(len(value))
            changed_list = list(value)
            match self.random.randrange(6):
                case 0:
                    del changed_list[place]
                case 1:
                    changed_list.insert(place, changed_list[place])
                case 2:
                    changed_list[place] = self._some()
                case _:
                    changed_list[place] = self._one(value[place])
            return changed_list
        if isinstance(value, bytes) and value and self.random.random() < 0.6:
            return self.raw(value)
        if isinstance(value, int) and self.random.random() < 0.6:
            moved = value + self.random.choice((-1, 1, 2, 1000, -(2**40), 2**40))
            return max(-(2**63), min(moved, 2**64 - 1))
        return self._some()

    def _some(self) -> Any:
        return self.random.choice(VALUES)

    def raw(self, data: bytes) -> bytes:
        """Return bytes with bits flipped, a piece cut out, put in or said twice."""
        at = self.random.randrange(len(data) + 1)
        size = self.random.choice((1, 1, 2, 8, 40))
        match self.random.randrange(5):
            case 0:
                return data[:at]
            case 1:
                return data[:at] + data[at + size :]
            case 2:
                return data[:at] + self.random.randbytes(size) + data[at:]
            case 3:
                return data[: at + size] + data[at:]
        changed = bytearray(data or b"\0")
        changed[at % len(changed)] ^= 1 << self.random.randrange(8)
        return bytes(changed)

    def text(self, text: str) -> str:
        """Return printable text, mutated as bytes are."""
        mutated = self.raw(text.encode()).decode("latin-1")
        return "".join(symbol for symbol in mutated if " " < symbol < "\x7f")

    def packed(self, value: Any) -> bytes:
        """Return a message of this data as it might come: mutated inside, in its bytes, or a bomb."""
        match self.random.randrange(12):
            case 0:
                return self.random.choice(BOMBS)
            case 1:
                return self.raw(pack(value))
            case 2:
                return zstandard.compress(self.raw(msgspec.msgpack.encode(value)), 1)
            case 3:
                return self.random.randbytes(self.random.randrange(200))
        return pack(self.value(value))


def plain(message: msgspec.Struct) -> Any:
    """Return a message as plain data."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(message))


def pack(value: Any) -> bytes:
    return zstandard.compress(msgspec.msgpack.encode(value), 1)
