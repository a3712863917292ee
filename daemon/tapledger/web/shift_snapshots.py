"""What the till shows of its business day and of baskets that wait."""

from __future__ import annotations

import msgspec


class ParkedView(msgspec.Struct, frozen=True):
    """A basket that was put aside; its number takes it up: ``POST /api/till/recall``."""

    number: int
    at: str
    """hh:mm in the shop."""
    staff: str
    member: str
    """Masked; empty for a guest."""
    articles: int
    due: str


class ReportRow(msgspec.Struct, frozen=True):
    name: str
    amount: str


class ReportSection(msgspec.Struct, frozen=True):
    title: str
    rows: list[ReportRow]


class ReportView(msgspec.Struct, frozen=True):
    number: int
    is_final: bool
    """Z: the day is closed."""
    staff: str
    since: str
    until: str
    sections: list[ReportSection]
    difference: str | None
    """Between what was counted and what should be there; null while the day is open."""
    differs: bool
    pending: list[str]
    """Sales whose payment nobody knows yet."""
    unsynced: int


class ShiftView(msgspec.Struct, frozen=True):
    number: int
    opened: str | None
    """hh:mm; null when nobody has counted a float."""
    float: str
    report: ReportView | None
    """The X or Z report that was asked for."""
