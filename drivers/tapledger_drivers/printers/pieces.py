"""Where a slip may be interrupted: between two of its lines, never inside a command."""

from __future__ import annotations

from itertools import pairwise

from tapledger_drivers.printers.slip import Slip

_PIECES_MAX = 64


def cut_apart(slip: Slip, every_bytes: int) -> list[bytes]:
    """Return the bytes of ``slip`` in pieces: what stands before its first line, lines of about
    ``every_bytes`` together (0: all but the last), and the last line with the cut."""
    cuts = [slip.gaps[0]]
    # A line that became nothing, such as a picture that is none, has no place of its own.
    starts = sorted({at for at in slip.gaps if slip.gaps[0] < at < slip.gaps[-1]})
    least = max(every_bytes, len(slip.data) // _PIECES_MAX)
    for at in starts:
        if at == starts[-1] or (every_bytes and at - cuts[-1] >= least):
            cuts.append(at)
    return [slip.data[start:end] for start, end in pairwise([0, *cuts, len(slip.data)])]
