"""What a program.toml says with the calendars beside it, and each mistake at its line.

Shops read their files by it, and central reads what it is about to tell every shop.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from tapledger.errors import Invalid
from tapledger.loyalty import program as programs
from tapledger.loyalty import windows
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.findings import Finding
from tapledger.loyalty.program.lint import Shelf
from tapledger.loyalty.program.source import Lines, line_of_error, read_lines

Beside = Callable[[str], bytes]
"""Gives what is in a file beside the programme; raises ``OSError`` when it cannot be read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A programme as it was read, or what is wrong with it."""

    text: str
    content: bytes
    """What it says with its calendars, in one way of writing: two files that mean the same have the same."""
    program: Program | None
    mistakes: tuple[tuple[int, Finding], ...] = ()
    """Each behind its line, from 1; in the order of the lines."""


def read(data: bytes, beside: Beside, shelf: Shelf | None = None) -> Reading:
    """Read the bytes of a file."""
    text = ""
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = line_of_error(error, text) if isinstance(error, tomllib.TOMLDecodeError) else 1
        finding = Finding((), Reason("PROGRAM_SYNTAX", {"why": str(error)}))
        return Reading(text, b"", None, ((line, finding),))
    return of_table(table, text, beside, shelf)


def of_table(table: dict[str, Any], text: str, beside: Beside, shelf: Shelf | None = None) -> Reading:
    """Check a programme that was parsed already; ``text`` is what it was parsed from, for the lines."""
    findings = _add_calendars(table, beside)
    program, wrong = programs.check(table, shelf)
    findings += [one for one in wrong if not (findings and one.why.code == "PROGRAM_HOLIDAYS_UNKNOWN")]
    lines = read_lines(text) if findings else Lines()
    mistakes = sorted(((lines.of(one.path), one) for one in findings), key=lambda found: found[0])
    content = msgspec.json.encode(table, order="sorted")
    return Reading(text, content, None if mistakes else program, tuple(mistakes))


def _add_calendars(table: dict[str, Any], beside: Beside) -> list[Finding]:
    """Read what ``holiday_files`` names into ``holidays``, each under its file's name without the ending."""
    names = table.get("holiday_files", [])
    calendars = table.get("holidays", {})
    if not isinstance(names, list) or not isinstance(calendars, dict):
        return []
    findings = []
    for place, name in enumerate(names):
        if not isinstance(name, str):
            continue
        try:
            calendar = windows.load_holidays(tomllib.loads(beside(name).decode("utf-8")), name)
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, Invalid) as error:
            why = str(error.data.get("why", "")) if isinstance(error, Invalid) else str(error)
            reason = Reason("PROGRAM_HOLIDAY_FILE", {"file": name, "why": why})
            findings.append(Finding(("holiday_files", place), reason))
        else:
            days = {day.isoformat(): day for day in sorted(calendar.dates())}
            calendars = {**calendars, _stem(name): {**calendars.get(_stem(name), {}), **days}}
    if calendars:
        table["holidays"] = calendars
    return findings


def _stem(name: str) -> str:
    last = name.rpartition("/")[2]
    return last.rpartition(".")[0] or last
