"""The programme as a whole: version, currency, zone, expiry, trust, windows and calendars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfoNotFoundError

from tapledger.loyalty import money
from tapledger.loyalty.days import MAX_PERIODS, Expiry
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.findings import Finding, Path
from tapledger.loyalty.program.lint.walk import structs

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program

MAX_VERSION_LENGTH = 40


def has_zone(program: Program) -> bool:
    try:
        program.zone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def lint_frame(program: Program) -> Iterator[Finding]:
    if not 0 < len(program.version) <= MAX_VERSION_LENGTH or not program.version.isprintable():
        yield Finding(("version",), Reason("PROGRAM_VERSION_EMPTY", {"limit": MAX_VERSION_LENGTH}))
    if not money.is_currency(program.currency):
        yield Finding(("currency",), Reason("PROGRAM_CURRENCY_UNKNOWN", {"code": program.currency}))
    if not has_zone(program):
        yield Finding(("timezone",), Reason("PROGRAM_TIMEZONE_UNKNOWN", {"timezone": program.timezone}))
    for path, struct in structs(program):
        if isinstance(struct, Expiry):
            yield from lint_expiry(path, struct)
    yield from _trust(program)
    yield from _windows(program)
    if program.offline.lease_hours < program.offline.full_hours:
        yield Finding(("offline", "lease_hours"), Reason("PROGRAM_OFFLINE_HOURS", {}))


def lint_expiry(path: Path, rule: Expiry) -> Iterator[Finding]:
    """Name what cannot be meant in an expiry rule."""
    if not 0 <= rule.count <= MAX_PERIODS:
        yield Finding((*path, "count"), Reason("PROGRAM_EXPIRY_COUNT", {"most": MAX_PERIODS}))
    if rule.mode == "inactivity" and rule.count == 0:
        yield Finding((*path, "count"), Reason("PROGRAM_EXPIRY_INACTIVITY", {}))
    if rule.mode in ("annual", "never") and rule.count:
        yield Finding((*path, "count"), Reason("PROGRAM_EXPIRY_COUNT_USELESS", {"mode": rule.mode}))
    if rule.mode != "annual" and (rule.month, rule.day) != (12, 31):
        yield Finding((*path, "month"), Reason("PROGRAM_EXPIRY_DAY_USELESS", {"mode": rule.mode}))


def _trust(program: Program) -> Iterator[Finding]:
    levels = [program.trust.points_per_day(level) for level in range(4)]
    for level in range(1, 4):
        if levels[level] < levels[level - 1]:
            figures: dict[str, int | str] = {"level": level, "below": level - 1}
            yield Finding(("trust", f"l{level}_points_per_day"), Reason("PROGRAM_TRUST_FALLS", figures))


def _windows(program: Program) -> Iterator[Finding]:
    for place, window in enumerate(program.windows):
        path: Path = ("windows", place, "holidays")
        if not window.holidays:
            continue
        if window.holidays not in program.holidays:
            yield Finding(path, Reason("PROGRAM_HOLIDAYS_UNKNOWN", {"holidays": window.holidays}))
        elif not (program.holidays[window.holidays] or window.weekdays or window.month_days or window.dates):
            yield Finding(path, Reason("PROGRAM_HOLIDAYS_EMPTY", {"holidays": window.holidays}))
