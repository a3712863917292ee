"""Finds a secret also where it came in pieces: serial lines and keyboards bring a number digit by digit."""

from __future__ import annotations

from itertools import groupby

from tapledger_drivers.cassettes.pseudonyms import Pseudonyms
from tapledger_drivers.traffic import Frame


def redacted(frames: list[Frame], names: Pseudonyms) -> list[bytes]:
    """Return the data of each frame without anybody's secret, each as long as it was.

    Frames of one direction and channel are one stream of bytes, whatever stands between them.
    """
    clean = [frame.data for frame in frames]
    places = sorted(range(len(frames)), key=lambda place: (frames[place].direction, frames[place].channel))
    for (_, channel), group in groupby(
        places, key=lambda place: (frames[place].direction, frames[place].channel)
    ):
        stream = list(group)
        # Two keys in a row that a code has are in many others too, and keys are never read again in pieces.
        pieces = channel != "key"
        joined, at = names.in_bytes(b"".join(frames[place].data for place in stream), pieces=pieces), 0
        for place in stream:
            end = at + len(frames[place].data)
            clean[place], at = joined[at:end], end
    return clean
