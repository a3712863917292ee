"""The format of a recording ("cassette"): JSON lines, a head and what passed, in its order.

``{"t": seconds from start, "dir": "to"|"from"|"note", "chan": …, "hex": …, "note": …}``
Notes of ``JSON_CHANNELS`` hold JSON (values.py); those of the transports, such as ``stream`` and ``pcsc``,
say what happened to the line itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from tapledger_drivers.traffic import Direction, Frame

T = TypeVar("T")

VERSION = 1
LINES_MAX = 200_000
LINE_BYTES_MAX = 512 * 1024
OUTCOMES = frozenset({"event", "answer"})
"""Channels whose notes are what a driver told its caller: the outcome of a recording."""


class CassetteUnreadable(ValueError):
    """Not a recording, or one of another version; the text says at which line."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    cassette: int = VERSION
    driver: str
    """A name of registry.py."""
    role: str
    options: dict[str, Any]
    """JSON, as ``values.encode`` writes it."""
    model: str = ""
    firmware: str = ""
    recorded_at: str = ""
    """ISO date and time."""
    virtual: bool = False
    pseudonyms: int = 0
    """How many card numbers and codes were replaced."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    t: float
    dir: Direction
    chan: str
    hex: str = ""
    note: str = ""


class _Asked(msgspec.Struct):
    call: str
    args: list[Any]


class _Said(msgspec.Struct):
    call: str


_NOTES: dict[str, Any] = {"call": _Asked, "judged": Any} | dict.fromkeys(OUTCOMES, _Said)
JSON_CHANNELS = frozenset(_NOTES)
"""Channels whose notes are JSON, and have at least what stands there."""


@dataclass(frozen=True, slots=True)
class Cassette:
    head: Head
    frames: list[Frame] = field(default_factory=list)

    def outcomes(self) -> list[str]:
        """Return what the driver said to its caller, each as one line of JSON."""
        return in_order(f"{frame.channel} {frame.note}" for frame in self.frames if frame.channel in OUTCOMES)

    def to_bytes(self) -> bytes:
        start_s = self.frames[0].at_s if self.frames else 0.0
        lines = (
            Line(round(one.at_s - start_s, 6), one.direction, one.channel, one.data.hex(), one.note)
            for one in self.frames
        )
        encode = msgspec.json.encode
        return b"\n".join([encode(self.head), *(encode(line) for line in lines), b""])


def in_order(outcomes: Iterable[str]) -> list[str]:
    """Return outcomes by what was asked, each question's in their order: two that end at the same instant
    may end in either order."""
    return sorted(outcomes, key=lambda line: str(msgspec.json.decode(line.partition(" ")[2])["call"]))


def read(data: bytes) -> Cassette:
    """Return the recording; raise ``CassetteUnreadable``."""
    lines = data.splitlines()
    if not lines or len(lines) > LINES_MAX:
        raise CassetteUnreadable(f"a recording has 1 to {LINES_MAX} lines")
    head = _decoded(lines[0], 1, Head)
    if head.cassette != VERSION:
        raise CassetteUnreadable(f"version {head.cassette}; this release reads version {VERSION}")
    return Cassette(head, list(_frames(lines[1:])))


def _frames(lines: Iterable[bytes]) -> Iterable[Frame]:
    for number, text in enumerate(lines, start=2):
        line = _decoded(text, number, Line)
        try:
            if line.chan in JSON_CHANNELS:
                msgspec.json.decode(line.note, type=_NOTES[line.chan])
            yield Frame(line.t, line.dir, line.chan, bytes.fromhex(line.hex), line.note)
        except ValueError as error:
            raise CassetteUnreadable(f"line {number}: {error}") from error


def _decoded(text: bytes, number: int, kind: type[T]) -> T:
    if len(text) > LINE_BYTES_MAX:
        raise CassetteUnreadable(f"line {number} is longer than {LINE_BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise CassetteUnreadable(f"line {number}: {error}") from error
