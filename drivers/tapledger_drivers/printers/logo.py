"""The shop's logo: a picture made fit for paper, and the commands that keep it in an ESC/POS printer.

A printer's NV memory outlives a power cycle but not every hand at its settings, and it wears out by writing
(Epson: ten times a day at most). So the printer is asked which logos it has, and given ours only when it
says that it lacks it. The key is made from the picture, so a changed logo is another one.
"""

from __future__ import annotations

import functools
import hashlib
import io

from tapledger_drivers.printers.raster import Bitmap, bitmap

PNG_BYTES_MAX = 512 * 1024
PIXELS_MAX = 4096 * 4096
HEIGHT_DOTS_MAX = 320
_KEPT = 8

_GRAPHICS = b"\x1d(L"
_LONG_GRAPHICS = b"\x1d8L"
_KEY_CHARS = range(0x21, 0x7F)
_MONOCHROME, _NORMAL_SIZE, _COLOUR_1, _ONE_COLOUR = b"0", b"\x01\x01", b"1", b"\x01"

ASK_STORED = _GRAPHICS + b"\x04\x000@KC"
"""GS ( L function 64: tell the key codes of what is stored."""
MORE_KEYS = 0x41
CONFIRM_BLOCK = b"\x06"
"""ACK: the next list of keys, after one that was marked as not the last."""


@functools.lru_cache(_KEPT)
def load_logo(png: bytes, dots: int) -> Bitmap:
    """Return the picture in black and white, no wider than ``dots``; raise ValueError for what is none."""
    from PIL import Image, UnidentifiedImageError

    if len(png) > PNG_BYTES_MAX:
        raise ValueError(f"a logo has at most {PNG_BYTES_MAX} bytes")
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                raise ValueError(f"a logo has at most {PIXELS_MAX} pixels")
            picture = opened.convert("RGBA")
    except UnidentifiedImageError as error:
        raise ValueError("the logo is no PNG picture") from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"the logo is no PNG picture: {error}") from error
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    paper.thumbnail((dots, HEIGHT_DOTS_MAX))
    return bitmap(paper.convert("L").convert("1"))


def centred(logo: Bitmap, dots: int) -> Bitmap:
    """Return ``logo`` on rows of the paper's width."""
    width_bytes = (dots + 7) // 8
    left = (width_bytes - logo.width_bytes) // 2
    right = width_bytes - logo.width_bytes - left
    bits = b"".join(bytes(left) + row + bytes(right) for row in logo.rows())
    return Bitmap(width_bytes, logo.height, bits)


def key_of(logo: Bitmap) -> bytes:
    """Return the two printable characters under which a printer keeps this very picture."""
    digest = hashlib.sha256(logo.width_bytes.to_bytes(2, "big") + logo.bits).digest()
    number = int.from_bytes(digest[:4], "big")
    return bytes(_KEY_CHARS[number // len(_KEY_CHARS) ** power % len(_KEY_CHARS)] for power in (0, 1))


def store(logo: Bitmap) -> bytes:
    """Return GS ( L function 67 (GS 8 L for a large one): keep ``logo`` in NV memory under its key."""
    size = (logo.width_bytes * 8).to_bytes(2, "little") + logo.height.to_bytes(2, "little")
    body = b"0C" + _MONOCHROME + key_of(logo) + _ONE_COLOUR + size + _COLOUR_1 + logo.bits
    if len(body) <= 0xFFFF:
        return _GRAPHICS + len(body).to_bytes(2, "little") + body
    return _LONG_GRAPHICS + len(body).to_bytes(4, "little") + body


def print_stored(key: bytes) -> bytes:
    """Return GS ( L function 69: print what is stored under ``key``."""
    return _GRAPHICS + b"\x06\x000E" + key + _NORMAL_SIZE


def parse_keys(listed: bytes) -> tuple[bool, frozenset[bytes]]:
    """Return whether more lists follow, and the keys of one: the printer's answer to ``ASK_STORED``,
    without its head. An odd character at the end is no key."""
    keys = listed[1:]
    whole = (keys[at : at + 2] for at in range(0, len(keys) - 1, 2))
    return listed[:1] == bytes([MORE_KEYS]), frozenset(whole)
