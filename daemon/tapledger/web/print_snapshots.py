"""What a browser may know of slips, paper and the cash drawer (the rest is in snapshots.py)."""

from __future__ import annotations

from typing import Literal

import msgspec


class PrintView(msgspec.Struct, frozen=True):
    job: str
    kind: str
    state: Literal["queued", "sending", "waiting_device", "printed", "failed", "unknown", "expired"]
    reason: str
    evidence: str
    number: str = ""
    """What a person finds it by: the receipt's number, or its place in the queue."""
    sentence: str = ""
    """What became of it, where the state alone does not say it."""
    copies: int = 0
    """How often it was begun again; the paper says that it is a copy."""
    word: str = ""
    """Who said by hand what became of it, or asked for it again, and when; else empty."""
    asks: bool = False
    """"Did it come out?" – answer with ``slip-came-out``."""
    can_repeat: bool = False
    """``slip-again`` prints it again."""


class PaperView(msgspec.Struct, frozen=True):
    """The roll in the receipt printer."""

    receipts_left: int | None
    """Null: nobody knows."""
    confidence: Literal["learned", "stated", "assumed", "none"]
    """What the figure rests on: rolls that were watched, the configured length, what is usual, nothing."""
    printed_mm: int
    since: str
    """ISO instant since which the roll is in, as far as anybody knows."""
    is_low: bool
    sentence: str
    """Where it is low, else empty."""


class DrawerView(msgspec.Struct, frozen=True):
    """Is there only when somebody has to do something about the cash drawer."""

    state: Literal["failed", "open"]
    """``failed``: it did not open for the last sale. ``open``: it stands open."""
    sentence: str
    next_step: str
