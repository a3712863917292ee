"""Members' states in few bytes: a shop's computer keeps a million of them (decisions R32).

A stored state is its format's number and zstd by a dictionary that knows how states look; the member's id is
the row's key and not in it. Earlier releases wrote plain msgpack, which is still read. A dictionary that a
release has written with stays for ever; ``benchmarks/state_dictionary.py`` made this one.
"""

from __future__ import annotations

import threading
from importlib.resources import files

import msgspec
import zstandard

from tapledger.loyalty.members import Member

FORMAT = b"\x01"
"""No msgpack map begins so."""
LEVEL = 1
_ID, MAX_HEADER, NO_TEXT = b"\xa2id\xd9\x24", 5, b"\xa0"
"""How a map's field ``id`` begins that is a UUID, after a header of so many bytes at most; an empty text."""
MAX_BYTES = 16 * 1024 * 1024

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Member).decode
_replace = msgspec.structs.replace
_dictionary = zstandard.ZstdCompressionDict((files("tapledger.store") / "states.1.zdict").read_bytes())
_frames = zstandard.ZstdCompressionParameters.from_level(
    LEVEL, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_dict_id=False, write_content_size=True
)
_dictionary.precompute_compress(compression_params=_frames)


class _Codec(threading.local):
    """zstd's own state, which threads must not share."""

    def __init__(self) -> None:
        self.shrink = zstandard.ZstdCompressor(dict_data=_dictionary, compression_params=_frames).compress
        self.grow = zstandard.ZstdDecompressor(
            dict_data=_dictionary, format=zstandard.FORMAT_ZSTD1_MAGICLESS
        ).decompress


_codec = _Codec()


def write(member: Member) -> bytes:
    """Return the bytes that are kept of a member."""
    return FORMAT + _codec.shrink(_encode(_replace(member, id="")))


def keep(member: Member, raw: bytes) -> bytes:
    """Return what ``write`` does of a member whose encoded state ``raw`` is at hand.

    A field that this release does not know stays in it.
    """
    named = _ID + member.id.encode()
    start = raw.find(named, 0, len(named) + MAX_HEADER)
    if start < 0:
        return write(member)
    return FORMAT + _codec.shrink(raw[: start + len(_ID) - 2] + NO_TEXT + raw[start + len(named) :])


def read(member: str, kept: bytes) -> Member:
    """Return the member of whom these bytes are kept."""
    if kept[:1] != FORMAT:
        return _decode(kept)
    return _replace(_decode(_codec.grow(kept[1:], max_output_size=MAX_BYTES)), id=member)
