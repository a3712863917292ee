"""Cuts what a scanner sends into codes: by its line end or, where there is none, by its silence.

What comes from a scanner is input from a stranger: nothing is ever kept beyond one code's limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

CODE_BYTES_MAX = 512
QUIET_S = 0.05
INCOMPLETE_S = 1.0
"""How long a code may pause before its end, once it is known that codes have one."""
SERIAL_ENDS = re.compile(rb"[\r\n]")
KEYBOARD_ENDS = re.compile(rb"[\r\n\t]")
"""A code that is typed ends in Enter or Tab, and neither key is in a code itself."""


@dataclass(frozen=True, slots=True)
class Framed:
    """The bytes of one code, without its line end."""

    raw: bytes
    """No more than ``CODE_BYTES_MAX`` of them; of a longer code only the end is here."""
    length: int
    complete: bool = True
    """False when the scanner stopped in the middle, its line end never came, or when some of it was lost."""


class Framer:
    """Keeps the code that has begun. ``suffix`` is what codes end in; empty where ``ends`` shall find out."""

    def __init__(
        self, suffix: bytes = b"", quiet_s: float = QUIET_S, ends: re.Pattern[bytes] = SERIAL_ENDS
    ) -> None:
        self._end = re.compile(re.escape(suffix)) if suffix else ends
        self._overlap = max(len(suffix) - 1, 0)
        self._quiet_s = quiet_s
        self._kept = b""
        self._length = 0
        self._torn = False
        self.ends_seen = bool(suffix)
        """Whether this scanner ends its codes: then silence alone ends none."""

    @property
    def patience_s(self) -> float | None:
        """How long to wait for more before ``silence``; None while no code has begun."""
        if self._torn:
            return INCOMPLETE_S
        if not self._length:
            return None
        return INCOMPLETE_S if self.ends_seen else self._quiet_s

    def feed(self, data: bytes) -> Iterator[Framed]:
        """Yield the codes that ``data`` completes; it may be cut up anywhere."""
        buffer, begun = self._kept + data, len(self._kept)
        missing = self._length - begun
        start, look_from = 0, max(begun - self._overlap, 0)
        while match := self._end.search(buffer, look_from):
            code = buffer[start : match.start()]
            self.ends_seen = True
            torn, self._kept, self._length, self._torn = self._torn, b"", 0, False
            if code or missing or torn:
                yield Framed(code[-CODE_BYTES_MAX:], missing + len(code), complete=not torn)
            missing = 0
            start = look_from = match.end()
        rest = buffer[start:]
        self._length = missing + len(rest)
        self._kept = rest[-(CODE_BYTES_MAX + self._overlap) :]

    def silence(self) -> Iterator[Framed]:
        """Yield the code that has begun, if any, because no more of it came."""
        kept, length, torn = self._kept, self._length, self._torn
        self._kept, self._length, self._torn = b"", 0, False
        if length or torn:
            yield Framed(kept[-CODE_BYTES_MAX:], length, complete=not (torn or self.ends_seen))

    def lose(self) -> None:
        """Make all up to the next end one incomplete code: some of what the scanner sent never arrived, so
        what comes next may be the rest of a code that has lost its beginning."""
        self._torn = True
