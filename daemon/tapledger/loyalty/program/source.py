"""Where a key stands in the text of a TOML file, so that a mistake can be shown at its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tapledger.loyalty.program.findings import Path

MAX_DEPTH = 5
"""Lists in lists: more of them are shown at the line where they begin."""

_PLACE = re.compile(r"at line (\d+), column (\d+)")


def line_of_error(error: tomllib.TOMLDecodeError, text: str) -> int:
    """Return the line that a syntax error is in, from 1; the last one for an end that came too early."""
    place = _PLACE.search(str(error))
    return int(place[1]) if place else max(1, text.rstrip("\n").count("\n") + 1)


@dataclass(slots=True)
class Lines:
    """The line of each key and list entry of a file, from 1."""

    _at: dict[Path, int] = field(default_factory=dict)

    def of(self, path: Path) -> int:
        """Return the line of a place, or of the nearest place around it; 1 for the file itself."""
        while path and path not in self._at:
            path = path[:-1]
        return self._at.get(path, 1)


def read_lines(text: str) -> Lines:
    """Find the lines of a text that ``tomllib`` can parse."""
    at: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for first, statement in _statements(text):
        parsed = tomllib.loads("\n".join(statement))
        if statement[0].lstrip().startswith("["):
            table = _header(parsed, counts, is_list=statement[0].lstrip().startswith("[["))
            for end in range(1, len(table) + 1):
                at.setdefault(table[:end], first)
        else:
            for offset, path in _entries(statement, parsed):
                at.setdefault((*table, *path), first + offset)
    return Lines(at)


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """Split a text into headers and assignments, each with its first line: the shortest parts that parse."""
    first, part = 1, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        if not part and (not line.strip() or line.lstrip().startswith("#")):
            continue
        if not part:
            first = number
        part.append(line)
        if _parses("\n".join(part)):
            yield first, part
            part = []


def _parses(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _header(parsed: dict[str, Any], counts: dict[Path, int], *, is_list: bool) -> Path:
    """Return where the keys below a header belong; a table of a list is the last one so far."""
    names: list[str] = []
    inner: Any = parsed
    while isinstance(inner, dict) and inner:
        name, inner = next(iter(inner.items()))
        names.append(name)
    path: Path = ()
    for place, name in enumerate(names):
        path = (*path, name)
        if is_list and place == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*path, name)
        yield from _paths(one, (*path, name))


def _entries(statement: list[str], parsed: dict[str, Any]) -> Iterator[tuple[int, Path]]:
    """Yield what an assignment says with the line, from 0, on which it is there first.

    A list that is written over several lines is closed after each of them, as deep as it takes.
    """
    if len(statement) > 1:
        for offset in range(len(statement)):
            so_far = "\n".join(statement[: offset + 1])
            for depth in range(1, MAX_DEPTH):
                with suppress(tomllib.TOMLDecodeError):
                    for path in _paths(tomllib.loads(so_far + "\n" + "]" * depth)):
                        yield offset if any(isinstance(part, int) for part in path) else 0, path
    for path in _paths(parsed):
        yield 0, path
