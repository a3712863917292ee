"""Bytes of messages: msgpack maps, compressed as zstd on the way; and the chain over raw event bytes."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec
import zstandard

from tapledger.errors import Invalid
from tapledger.wire import old
from tapledger.wire.messages import MAX_BATCH_BYTES, NEWEST_READ, OLDEST_READ, LedgerEvent

GENESIS = bytes(32)
"""Hash before the first event of an epoch (decisions R1)."""

CONTENT_TYPE = "application/x-tapledger+zstd"

T = TypeVar("T")

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no message: text that is not UTF-8 and endless nesting included."""


class Versioned(msgspec.Struct):
    v: int = 1
    """Left out by the first release, whose default it was."""


_encode = msgspec.msgpack.Encoder().encode
_decode_event = msgspec.msgpack.Decoder(LedgerEvent).decode
_decode_v1 = msgspec.msgpack.Decoder(old.EventV1).decode
_decode_version = msgspec.msgpack.Decoder(Versioned).decode


def encode_event(event: LedgerEvent) -> bytes:
    """Return the raw bytes of an event, made once and never again."""
    return _encode(event)


def decode_event(raw: bytes) -> LedgerEvent:
    """Read raw event bytes; raise ``Invalid`` when they are none."""
    try:
        if _decode_version(raw).v > 1:
            return _decode_event(raw)
        first = _decode_v1(raw)
        return LedgerEvent(
            v=1,
            id=first.id,
            node=first.node,
            epoch=first.epoch,
            seq=first.seq,
            hlc=first.hlc,
            body=old.lift(first.body),
        )
    except _UNREADABLE as error:
        raise Invalid("EVENT_UNREADABLE", why=str(error)) from error


def link(previous: bytes, raw: bytes) -> bytes:
    """Return the chain hash after ``raw``: SHA-256(previous hash || raw), decisions R1."""
    return hashlib.sha256(previous + raw).digest()


def check_version(v: int) -> None:
    """Raise ``Invalid`` for a message that is too old or too new to be understood."""
    if not OLDEST_READ <= v <= NEWEST_READ:
        raise Invalid("VERSION_UNKNOWN", version=v, known=NEWEST_READ)


def pack(message: msgspec.Struct) -> bytes:
    """Encode and compress a message for the way."""
    return zstandard.compress(_encode(message), 1)


def unpack(data: bytes, kind: type[T]) -> T:
    """Read a packed message of a known kind; raise ``Invalid`` for anything else, bombs included."""
    try:
        if zstandard.frame_content_size(data) > MAX_BATCH_BYTES:  # it would be believed and allocated
            raise Invalid("MESSAGE_TOO_LARGE", limit=MAX_BATCH_BYTES)
        plain = zstandard.ZstdDecompressor().decompress(
            data, max_output_size=MAX_BATCH_BYTES, allow_extra_data=False
        )
        return msgspec.msgpack.decode(plain, type=kind)
    except (zstandard.ZstdError, *_UNREADABLE) as error:
        raise Invalid("MESSAGE_UNREADABLE", why=str(error)) from error
