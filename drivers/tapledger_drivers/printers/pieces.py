"""Where a slip may be interrupted: between two of its lines, never inside a command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tapledger_drivers.printers.layout import PaperLine, TextLine

Build = Callable[[Sequence[PaperLine]], bytes]

_PIECES_MAX = 64


@dataclass(frozen=True, slots=True)
class Frame:
    """What every slip of a printer begins and ends with."""

    before: bytes
    after: bytes
    """Feed and cut."""

    @classmethod
    def of(cls, build: Build) -> Frame:
        """Find it by comparing: nothing but a line ends with a line feed."""
        empty, one = build([]), build([TextLine("a")])
        same = 0
        while same < len(empty) and empty[-1 - same] == one[-1 - same]:
            same += 1
        return cls(empty[: len(empty) - same], empty[len(empty) - same :])


def cut_apart(lines: Sequence[PaperLine], build: Build, frame: Frame, every_bytes: int) -> list[bytes]:
    """Return the slip of ``lines`` in pieces, ``frame.before`` first; the last begins before the last line
    where that can be told. 0 bytes: no other pieces."""
    whole = build(lines)
    count = len(whole) // every_bytes if every_bytes else 0
    count = min(count, _PIECES_MAX, len(lines))
    after_lines = {len(lines) * number // (count + 1) for number in range(1, count + 1)}
    ends = [len(frame.before)]
    for number in sorted(after_lines | {len(lines) - 1}):
        if number <= 0:
            continue
        head = build(lines[:number]).removesuffix(frame.after)
        # Lines that are drawn as one picture have no place between them.
        if len(head) > ends[-1] and whole.startswith(head):
            ends.append(len(head))
    starts = [0, *ends]
    return [whole[start:end] for start, end in zip(starts, [*ends, len(whole)], strict=True)]
