"""Puts right the checksums around bytes that got a pseudonym, where a driver's library looks at them.

Only the PN532's frames have any that nobody but the library checks: ``00 00 FF LEN LCS … DCS`` and, in what a
Type 2 card answered, the card's own CRC_A (NXP UM0701-02 section 6.2.1, ISO 14443-3 annex B).
"""

from __future__ import annotations

from collections.abc import Callable

_START = b"\x00\x00\xff"
_EXTENDED = b"\xff\xff"
_THRU_ANSWER = b"\xd5\x43\x00"
_CRC_A_START = 0x6363


def pn532(was: bytes, now: bytes) -> bytes:
    """Return ``now`` with every checksum right that was right in ``was``; both have the same length."""
    mended, at = bytearray(now), was.find(_START)
    while at >= 0:
        begin, end = _content(was, at + len(_START))
        if begin < end < len(was):
            _mend_card(was, mended, begin, end)
            if (sum(was[begin:end]) + was[end]) % 256 == 0:
                mended[end] = -sum(mended[begin:end]) % 256
        at = was.find(_START, at + len(_START))
    return bytes(mended)


def _content(frame: bytes, at: int) -> tuple[int, int]:
    """Return where a frame's content begins and ends, of a normal or an extended frame; 0, 0 for neither."""
    head = frame[at : at + 5]
    if head[:2] == _EXTENDED and len(head) == 5 and sum(head[2:]) % 256 == 0:
        return at + 5, at + 5 + int.from_bytes(head[2:4], "big")
    if len(head) >= 2 and sum(head[:2]) % 256 == 0:
        return at + 2, at + 2 + head[0]
    return 0, 0


def _mend_card(was: bytes, mended: bytearray, begin: int, end: int) -> None:
    if was[begin : begin + 3] == _THRU_ANSWER and end - begin > 5:
        data = slice(begin + 3, end - 2)
        if _crc_a(was[data]) == was[end - 2 : end]:
            mended[end - 2 : end] = _crc_a(bytes(mended[data]))


def _crc_a(data: bytes) -> bytes:
    crc = _CRC_A_START
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


MENDERS: dict[str, Callable[[bytes, bytes], bytes]] = {"nfcpy": pn532}
"""By the driver's name in registry.py."""
