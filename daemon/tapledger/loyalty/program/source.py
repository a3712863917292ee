"""Where a key stands in the text of a TOML file, so that a mistake can be shown at its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tapledger.loyalty.program.findings import Path

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
            for path, _ in _paths(parsed):
                at.setdefault((*table, *path), first)
            _entries(statement, parsed, table, first, at)
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


def _paths(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*path, name), one
        yield from _paths(one, (*path, name))


def _entries(
    statement: list[str], parsed: dict[str, Any], table: Path, first: int, at: dict[Path, int]
) -> None:
    """Give the entries of a list that is written over several lines their own."""
    if len(statement) == 1:
        return
    name: Path = ()
    value: Any = parsed
    while isinstance(value, dict):
        key, value = next(iter(value.items()))
        name = (*name, key)
    if not isinstance(value, list):
        return
    seen = 0
    for offset in range(len(statement)):
        try:
            so_far: Any = tomllib.loads("\n".join(statement[: offset + 1]) + "\n]")
        except tomllib.TOMLDecodeError:
            continue
        for key in name:
            so_far = so_far[key]
        for entry in range(seen, len(so_far)):
            for path, _ in [((), None), *_paths(so_far[entry])]:
                at[(*table, *name, entry, *path)] = first + offset
        seen = len(so_far)
