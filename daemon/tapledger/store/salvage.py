"""Saves events from a file that SQLite cannot read any more: the chain itself proves which are whole.

Looks at the pages of the file and of its log one by one, for rows that are laid out like events, so neither
the schema nor a damaged page elsewhere is in the way. SQLite's file format: sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tapledger.errors import Invalid
from tapledger.wire.codec import GENESIS, decode_event, link

PAGE_BYTES = 4096
FILE_HEADER_BYTES = 100
LOG_HEADER_BYTES, FRAME_HEADER_BYTES = 32, 24
LEAF_OF_ROWS = 0x0D
MAX_EVENT_BYTES = 1 << 24
HASH_BYTES = 32
COLUMNS = 6
"""Of an event: epoch, seq, hash, kind, member, raw."""

Pages: TypeAlias = Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Saved:
    """One event as it was sealed, with its place in the chain."""

    epoch: int
    seq: int
    hash: bytes
    raw: bytes


Found: TypeAlias = dict[tuple[int, int], list[Saved]]
"""What may be an event, by its place; more than one where an old page is still about."""


def tail(path: Path, node: str, epoch: int, seq: int, head: bytes | None = None) -> list[Saved]:
    """Return the events that follow one in its chain, as far as the chain proves them.

    ``head`` is the hash of that one, as central holds it; without it the file's own is believed. Nothing is
    raised: what cannot be read ends the answer.
    """
    found = events_in(path, node)
    if seq == 0:
        starts = [GENESIS]
    elif head is not None:
        starts = [head]
    else:
        starts = [one.hash for one in found.get((epoch, seq), [])]
    return max((_follow(found, epoch, seq, start) for start in starts), key=len, default=[])


def whole(path: Path, node: str) -> dict[int, int]:
    """Return, by epoch, up to which event everything from the first on can be saved."""
    found = events_in(path, node)
    return {epoch: len(_follow(found, epoch, 0, GENESIS)) for epoch in sorted({epoch for epoch, _ in found})}


def following(found: Found, heads: Mapping[int, tuple[int, bytes]]) -> tuple[dict[int, list[Saved]], int]:
    """Return, by epoch, the events that follow heads (seq, hash) in their chains, and the number of others.

    An epoch without a head is followed from its beginning.
    """
    saved: dict[int, list[Saved]] = {}
    others = 0
    for epoch in sorted({epoch for epoch, _ in found}):
        seq, head = heads.get(epoch, (0, GENESIS))
        saved[epoch] = _follow(found, epoch, seq, head)
        others += sum(one == epoch and later > seq for one, later in found) - len(saved[epoch])
    return {epoch: events for epoch, events in saved.items() if events}, others


def _follow(found: Found, epoch: int, seq: int, previous: bytes) -> list[Saved]:
    followed: list[Saved] = []
    while True:
        seq += 1
        after = [one for one in found.get((epoch, seq), []) if link(previous, one.raw) == one.hash]
        if not after:
            return followed
        followed.append(after[0])
        previous = after[0].hash


def events_in(path: Path, node: str) -> Found:
    """Return whatever in a file looks like an event of a node."""
    pages = _pages(path)
    found: Found = defaultdict(list)
    for number, page in pages.items():
        for cell in _cells(page, FILE_HEADER_BYTES if number == 1 else 0):
            event = _event(_payload(pages, page, cell), node)
            if event is not None:
                found[event.epoch, event.seq].append(event)
    return found


def _pages(path: Path) -> dict[int, bytes]:
    """Return every page by its number, the newest where a commit in the log has written it anew."""
    content = _read(path)
    places = range(0, len(content) - PAGE_BYTES + 1, PAGE_BYTES)
    pages = {at // PAGE_BYTES + 1: content[at : at + PAGE_BYTES] for at in places}
    waiting: dict[int, bytes] = {}
    for number, is_commit, page in _frames(_read(path.with_name(f"{path.name}-wal"))):
        waiting[number] = page
        if is_commit:
            pages.update(waiting)
            waiting.clear()
    return pages


def _frames(log: bytes) -> Iterator[tuple[int, bool, bytes]]:
    """Yield the pages of a write-ahead log while its check sums hold: what follows was never committed."""
    if len(log) < LOG_HEADER_BYTES:
        return
    order = ">" if log[3:4] == b"\x83" else "<"
    sums = _sums(order, log[: LOG_HEADER_BYTES - 8], (0, 0))
    step = FRAME_HEADER_BYTES + PAGE_BYTES
    for at in range(LOG_HEADER_BYTES, len(log) - step + 1, step):
        page = log[at + FRAME_HEADER_BYTES : at + step]
        number, is_commit, *salt_and_sums = struct.unpack(">6I", log[at : at + FRAME_HEADER_BYTES])
        sums = _sums(order, page, _sums(order, log[at : at + 8], sums))
        if struct.pack(">2I", *salt_and_sums[:2]) != log[16:24] or tuple(salt_and_sums[2:]) != sums:
            return
        yield number, bool(is_commit), page


def _sums(order: str, content: bytes, sums: tuple[int, int]) -> tuple[int, int]:
    one, other = sums
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + other) & 0xFFFFFFFF
        other = (other + second + one) & 0xFFFFFFFF
    return one, other


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _cells(page: bytes, start: int) -> Iterator[int]:
    """Yield where the cells of a page of rows begin."""
    if page[start] == LEAF_OF_ROWS:
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        for at in range(start + 8, min(start + 8 + 2 * count, PAGE_BYTES - 1), 2):
            cell = int.from_bytes(page[at : at + 2], "big")
            if start < cell < PAGE_BYTES - 2:
                yield cell


def _payload(pages: Pages, page: bytes, cell: int) -> bytes:
    """Return a row's bytes, also those on pages of their own; empty when they cannot be followed."""
    length, at = _varint(page, cell)
    _, at = _varint(page, at)  # its rowid
    if not 0 < length <= MAX_EVENT_BYTES:
        return b""
    most, least = PAGE_BYTES - 35, (PAGE_BYTES - 12) * 32 // 255 - 23
    if length <= most:
        return page[at : at + length]
    fits = least + (length - least) % (PAGE_BYTES - 4)
    local = fits if fits <= most else least
    parts, left = [page[at : at + local]], length - local
    following = int.from_bytes(page[at + local : at + local + 4], "big")
    while left > 0:
        page = pages.get(following, b"")
        if not page:
            return b""
        following = int.from_bytes(page[:4], "big")
        parts.append(page[4 : 4 + left])
        left -= PAGE_BYTES - 4
    return b"".join(parts)


def _event(payload: bytes, node: str) -> Saved | None:
    """Read a row as an event of this node; None when it is none."""
    columns = _columns(payload)
    if len(columns) != COLUMNS:
        return None
    digest, raw = columns[2], columns[5]
    if len(digest) != HASH_BYTES or not raw:
        return None
    try:
        event = decode_event(raw)
    except Invalid:
        return None
    return Saved(event.epoch, event.seq, digest, raw) if event.node == node else None


def _columns(payload: bytes) -> list[bytes]:
    """Split a row into its columns as bytes; empty when it is none."""
    end, at = _varint(payload, 0)
    if not at <= end <= len(payload):
        return []
    sizes = []
    while at < end:
        kind, at = _varint(payload, at)
        sizes.append((kind - 12) // 2 if kind >= 12 else (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)[kind])
    columns = []
    for size in sizes:
        columns.append(payload[end : end + size])
        end += size
    return columns if end == len(payload) else []


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """Return a number of SQLite's variable length, and where it ends."""
    value = 0
    for length, byte in enumerate(content[at : at + 9], 1):
        if length == 9:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + length
    return 0, len(content)
