"""What passes between one device and its driver: counted, and the newest of it kept.

Every transport writes here; a driver adds what only it can know: the UnifiedPOS statistics, and which bytes
are somebody's card number, so that no export ever shows them.
"""

from __future__ import annotations

import enum
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

KEPT_BYTES = 256 * 1024
FRAME_OVERHEAD_BYTES = 64
"""What a frame costs besides its data, so that many empty ones cannot grow without limit either."""
SECRETS_MAX = 4096
SECRETS_BYTES_MAX = 1024 * 1024
OBSERVATIONS_MAX = 1024


class Direction(enum.StrEnum):
    TO_DEVICE = "to"
    FROM_DEVICE = "from"
    NOTE = "note"
    """Nothing passed: something happened, such as ``opened`` or an error."""


@dataclass(frozen=True, slots=True)
class Frame:
    at_s: float
    """Monotonic seconds."""
    direction: Direction
    channel: str
    """What kind of exchange: ``stream``, ``apdu``, ``control``, ``status_change``, ``key`` …"""
    data: bytes
    note: str = ""


class Traffic:
    """One device's frames, counters and timings; the newest frames, at most ``kept_bytes`` of them."""

    def __init__(self, monotonic_s: Callable[[], float], kept_bytes: int = KEPT_BYTES) -> None:
        self._monotonic_s = monotonic_s
        self._kept_bytes = kept_bytes
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._secrets: dict[bytes, None] = {}
        self._secret_bytes = 0
        self._observed: dict[str, deque[float]] = {}
        self.counters: Counter[str] = Counter()
        """By their UnifiedPOS names (``GoodReadCount``), and ``BytesSent``, ``BytesReceived``."""
        self.listeners: list[Callable[[Frame], None]] = []
        """Called with every frame, in the thread in which it passed; must neither block nor raise."""
        self.secret_listeners: list[Callable[[bytes], None]] = []
        """Called with all that is hidden; the same holds for them."""

    def sent(self, channel: str, data: bytes, note: str = "") -> None:
        self.counters["BytesSent"] += len(data)
        self._add(Direction.TO_DEVICE, channel, data, note)

    def received(self, channel: str, data: bytes, note: str = "") -> None:
        self.counters["BytesReceived"] += len(data)
        self._add(Direction.FROM_DEVICE, channel, data, note)

    def note(self, channel: str, text: str) -> None:
        self._add(Direction.NOTE, channel, b"", text)

    def count(self, name: str, by: int = 1) -> None:
        """Count something under its UnifiedPOS name."""
        self.counters[name] += by

    def observe(self, name: str, seconds: float) -> None:
        """Remember how long something took; the newest ``OBSERVATIONS_MAX`` are kept."""
        self._observed.setdefault(name, deque(maxlen=OBSERVATIONS_MAX)).append(seconds)

    def observed(self) -> dict[str, list[float]]:
        return {name: list(values) for name, values in self._observed.items()}

    def hide(self, secret: bytes) -> None:
        """Never show these bytes outside: an export replaces them by a pseudonym of the same length."""
        if not secret:
            return
        if secret in self._secrets:
            del self._secrets[secret]
        else:
            self._secret_bytes += len(secret)
        self._secrets[secret] = None
        while len(self._secrets) > SECRETS_MAX or self._secret_bytes > SECRETS_BYTES_MAX:
            oldest = next(iter(self._secrets))
            del self._secrets[oldest]
            self._secret_bytes -= len(oldest)
        for listener in self.secret_listeners:
            listener(secret)

    def secrets(self) -> list[bytes]:
        """Return the newest that was hidden; who records for long keeps all of it by a listener."""
        return list(self._secrets)

    def frames(self) -> list[Frame]:
        return list(self._frames)

    def _add(self, direction: Direction, channel: str, data: bytes, note: str) -> None:
        frame = Frame(self._monotonic_s(), direction, channel, bytes(data), note)
        self._frames.append(frame)
        self._bytes += len(data) + FRAME_OVERHEAD_BYTES
        while self._bytes > self._kept_bytes and self._frames:
            self._bytes -= len(self._frames.popleft().data) + FRAME_OVERHEAD_BYTES
        for listener in self.listeners:
            listener(frame)
