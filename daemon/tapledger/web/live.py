"""One feed of snapshots per face: the newest replaces all before it, a version number counts them."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from aiohttp import WSMsgType, web

from tapledger.errors import NotFound
from tapledger.web.snapshots import Console, Display, Dock, Frame, Kiosk, Till

Snapshot = Kiosk | Till | Display | Console | Dock

HEARTBEAT_S = 15.0
MAX_MESSAGE_BYTES = 1024
MAX_VIEWERS = 16
KEPT_LATENCIES = 1000
KEPT_MARKS = 32

_encode = msgspec.json.Encoder().encode


class Painted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page says that it has drawn a version."""

    painted: int


@dataclass(slots=True)
class Channel:
    """One face: its current frame and who is watching."""

    version: int = 0
    snapshot: Snapshot | None = None
    frame: str = ""
    viewers: set[asyncio.Event] = field(default_factory=set)


class LiveFeed:
    """Shows snapshots to browsers. ``monotonic_s`` is the clock that latencies are measured with."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._channels: dict[str, Channel] = {}
        self._marks: OrderedDict[tuple[str, int], float] = OrderedDict()
        self._pages: Counter[str] = Counter()
        self.latencies_ms: deque[float] = deque(maxlen=KEPT_LATENCIES)
        """Card reported until frame painted, newest last."""
        self.on_painted: Callable[[], None] | None = None
        self.on_left: Callable[[str], None] = lambda session: None
        """Hears which page is gone, by the name that it gave when it connected: a page that connects again
        may be back before its old connection ends."""

    @property
    def faces(self) -> list[str]:
        return list(self._channels)

    def version(self, face: str) -> int:
        """Return the number of a face's newest frame; 0 before the first."""
        channel = self._channels.get(face)
        return 0 if channel is None else channel.version

    def show(self, face: str, snapshot: Snapshot, seen_at_s: float | None = None) -> None:
        """Replace what a face shows; the same again is nothing new.

        ``seen_at_s`` is when the reader reported the card behind it: such a frame is always sent and timed.
        """
        channel = self._channels.setdefault(face, Channel())
        if seen_at_s is None and snapshot == channel.snapshot:
            return
        channel.version += 1
        channel.snapshot = snapshot
        channel.frame = _encode(Frame(version=channel.version, snapshot=snapshot)).decode()
        if seen_at_s is not None and channel.viewers:
            self._marks[(face, channel.version)] = seen_at_s
            while len(self._marks) > KEPT_MARKS:
                self._marks.popitem(last=False)
        for viewer in channel.viewers:
            viewer.set()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Push a face's frames over one WebSocket until the browser leaves."""
        face = request.match_info["face"]
        channel = self._channels.get(face)
        if channel is None or len(channel.viewers) >= MAX_VIEWERS:
            raise NotFound("FACE_UNKNOWN", face=face)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_MESSAGE_BYTES)
        await socket.prepare(request)
        changed, session = asyncio.Event(), request.query.get("session", "")
        channel.viewers.add(changed)
        self._pages[session] += 1
        pushing = asyncio.create_task(_push(socket, channel, changed))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._painted(face, message.data)
        finally:
            channel.viewers.discard(changed)
            if not channel.viewers:
                self._forget_marks(face)
            self._pages[session] -= 1
            if session and not self._pages[session]:
                del self._pages[session]
                self.on_left(session)
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
        return socket

    def _forget_marks(self, face: str) -> None:
        """Nobody watches any more: whoever comes later must not be timed from taps before."""
        for mark in [mark for mark in self._marks if mark[0] == face]:
            del self._marks[mark]

    def _painted(self, face: str, text: str) -> None:
        try:
            version = msgspec.json.decode(text, type=Painted).painted
        except msgspec.DecodeError:
            return
        # A page that drew two versions in one frame tells the newer: it stands for all before it.
        for mark in [(f, v) for f, v in self._marks if f == face and v <= version]:
            self.latencies_ms.append((self._monotonic_s() - self._marks.pop(mark)) * 1000)
            if self.on_painted is not None:
                self.on_painted()


async def _push(socket: web.WebSocketResponse, channel: Channel, changed: asyncio.Event) -> None:
    sent = 0
    while not socket.closed:
        changed.clear()
        if channel.version != sent:
            sent = channel.version
            await socket.send_str(channel.frame)
        else:
            await changed.wait()


def percentile(values: list[float], share: float) -> float:
    """Return the nearest-rank percentile of a list, 0.0 for an empty one."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else 0.0
