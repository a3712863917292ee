"""How ESC/POS printers differ in what they say of themselves, as data for the emulator."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Word(enum.StrEnum):
    """What DLE EOT is answered with."""

    TRUE = "true"
    CONSTANT = "constant"
    """Always "ready", whatever is wrong: many clones."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class EscposModel:
    status: Word = Word.TRUE
    automatic: bool = True
    """GS a."""
    automatic_max: int | None = None
    """After so many messages it falls silent until it is switched off and on."""
    gs_r: bool = True
    process_id: bool = True
    """GS ( H."""
    clears: bool = True
    """DLE DC4 8."""
    texts: Mapping[int, str] | None = None
    """Answers to GS I."""


_TEXTS = {65: "1.00", 66: "tapledger", 67: "tapledger emulator", 68: "E0001"}

MODELS: Mapping[str, EscposModel] = {
    "epson": EscposModel(texts=_TEXTS),
    "no_process_id": EscposModel(texts=_TEXTS, process_id=False),
    "stops_asb": EscposModel(texts=_TEXTS, process_id=False, automatic_max=2),
    "clone": EscposModel(Word.CONSTANT, automatic=False, gs_r=False, process_id=False, clears=False),
    "silent": EscposModel(Word.NONE, automatic=False, gs_r=False, process_id=False, clears=False),
}
"""By the name that the lab and the verdict table use."""


@dataclass(slots=True)
class Condition:
    """What is wrong with the printer, and what its sensors see."""

    paper_out: bool = False
    near_end: bool = False
    cover_open: bool = False
    cutter_error: bool = False
    overheated: bool = False
    drawer_open: bool = False

    @property
    def ready(self) -> bool:
        return not (self.paper_out or self.cover_open or self.cutter_error or self.overheated)

    def answer(self, number: int) -> int:
        """Return the answer to DLE EOT ``number``."""
        bits = {
            1: {0x04: self.drawer_open, 0x08: not self.ready},
            2: {
                0x04: self.cover_open,
                0x20: self.paper_out,
                0x40: self.cutter_error or self.overheated,
            },
            3: {0x08: self.cutter_error, 0x40: self.overheated},
            4: {0x0C: self.near_end, 0x60: self.paper_out},
        }
        return 0x12 | sum(bit for bit, on in bits.get(number, {}).items() if on)

    def automatic(self) -> bytes:
        """Return the four bytes of automatic status."""
        first = {0x04: self.drawer_open, 0x08: not self.ready, 0x20: self.cover_open}
        errors = {0x08: self.cutter_error, 0x40: self.overheated}
        paper = {0x03: self.near_end, 0x0C: self.paper_out}
        said = [sum(bit for bit, on in bits.items() if on) for bits in (first, errors, paper)]
        return bytes([0x10 | said[0], said[1], said[2], 0x0F])
