"""How many receipts the roll in a printer is still good for. Pure: what is known goes in, and comes out.

A roll begins when paper is back after it was out, when "almost done" is no longer said, or when a person says
that it was changed. Two distances are learned from rolls that were watched: what a whole roll gives, and what
is left when the printer begins to say that it is almost done.
"""

from __future__ import annotations

import datetime as dt
import statistics
from typing import Literal

import msgspec

RECEIPTS_KEPT = 20
"""The average is of so many receipts: a shop's receipts change with its season."""
ROLLS_KEPT = 5
SHORTEST_ROLL_MM = 5_000
"""Paper that was out after less was no roll: a scrap, a jam, somebody who tried the sensor."""
NEAR_END_MM = 1_500
"""What a roll usually still has when a printer first says that it is almost done, until it is learned."""
FEW_RECEIPTS = 10
"""From here on the screens say it."""

Confidence = Literal["learned", "stated", "assumed", "none"]
"""What the figure rests on: rolls that were watched, the configured length, what is usual, or nothing."""


class Roll(msgspec.Struct, frozen=True):
    """What is known of the paper in one printer."""

    since: dt.datetime
    """When this roll was put in, or first seen."""
    whole: bool = False
    """It was watched from its beginning."""
    printed_mm: int = 0
    receipts_mm: tuple[int, ...] = ()
    """Of the last receipts, whatever roll they were on."""
    paper: Literal["ok", "near_end", "out"] = "ok"
    near_end_at_mm: int | None = None
    """How much had been printed of this roll when it was first called almost done."""
    lengths_mm: tuple[int, ...] = ()
    """Of the last rolls that were watched from beginning to end."""
    tails_mm: tuple[int, ...] = ()
    """How much the last rolls gave after they were called almost done."""


class Forecast(msgspec.Struct, frozen=True):
    receipts_left: int | None
    """None: nobody knows."""
    confidence: Confidence
    printed_mm: int
    since: dt.datetime

    @property
    def is_low(self) -> bool:
        return self.receipts_left is not None and self.receipts_left < FEW_RECEIPTS


def printed(roll: Roll, paper_mm: int, *, whole_receipt: bool) -> Roll:
    """Count paper that went out; only whole receipts count for the average."""
    if paper_mm <= 0:
        return roll
    receipts = (*roll.receipts_mm, paper_mm)[-RECEIPTS_KEPT:] if whole_receipt else roll.receipts_mm
    return msgspec.structs.replace(roll, printed_mm=roll.printed_mm + paper_mm, receipts_mm=receipts)


def seen(roll: Roll, now: dt.datetime, *, out: bool, near_end: bool) -> Roll:
    """Take what the printer says of its paper; a new roll is noticed here, and distances are learned."""
    if out:
        return roll if roll.paper == "out" else _ended(roll)
    if near_end:
        if roll.paper == "near_end":
            return roll
        roll = changed(roll, now) if roll.paper == "out" else roll
        return msgspec.structs.replace(roll, paper="near_end", near_end_at_mm=roll.printed_mm)
    return roll if roll.paper == "ok" else changed(roll, now)


def changed(roll: Roll, now: dt.datetime) -> Roll:
    """Begin a roll: what was learned stays."""
    return msgspec.structs.replace(roll, since=now, whole=True, printed_mm=0, paper="ok", near_end_at_mm=None)


def _ended(roll: Roll) -> Roll:
    lengths, tails = roll.lengths_mm, roll.tails_mm
    if roll.whole and roll.printed_mm >= SHORTEST_ROLL_MM:
        lengths = (*lengths, roll.printed_mm)[-ROLLS_KEPT:]
    if roll.near_end_at_mm is not None and roll.printed_mm > roll.near_end_at_mm:
        tails = (*tails, roll.printed_mm - roll.near_end_at_mm)[-ROLLS_KEPT:]
    return msgspec.structs.replace(roll, paper="out", lengths_mm=lengths, tails_mm=tails)


def forecast(roll: Roll, stated_mm: int = 0) -> Forecast:
    """Say how many average receipts are left. ``stated_mm`` is a roll's configured length, 0 when nobody
    configured one."""
    left_mm, confidence = _left_mm(roll, stated_mm)
    if left_mm is None or (left_mm and not roll.receipts_mm):
        return Forecast(None, "none", roll.printed_mm, roll.since)
    average = statistics.fmean(roll.receipts_mm) if left_mm else 1
    return Forecast(int(left_mm / average), confidence, roll.printed_mm, roll.since)


def _left_mm(roll: Roll, stated_mm: int) -> tuple[int | None, Confidence]:
    if roll.paper == "out":
        return 0, "learned"
    if roll.near_end_at_mm is not None:
        tail, confidence = NEAR_END_MM, "assumed"
        if roll.tails_mm:
            tail, confidence = round(statistics.median(roll.tails_mm)), "learned"
        return max(0, tail - (roll.printed_mm - roll.near_end_at_mm)), confidence  # type: ignore[return-value]
    if roll.whole and roll.lengths_mm:
        return max(0, round(statistics.median(roll.lengths_mm)) - roll.printed_mm), "learned"
    if stated_mm:
        return max(0, stated_mm - roll.printed_mm), "stated" if roll.whole else "assumed"
    return None, "none"
