"""The scenario file: TOML that says what happens in a shop and what must be true after each step.

docs/scenarios.md is its manual. Numbers are read exactly: 12.50 is 1250 fen, never a binary fraction.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tapledger.errors import Invalid
from tapledger.languages import LANGUAGES, Language

KEYS = frozenset(
    {"name", "about", "language", "program", "base", "articles", "catalogue", "starts", "shops", "steps"}
)
MAX_STEPS = 2000


@dataclass(frozen=True, slots=True)
class Scenario:
    path: Path
    name: str
    about: str
    language: Language
    """Of every sentence."""
    program: dict[str, Any]
    """The whole programme as a table, a base file's with this file's changes laid over it."""
    program_path: Path
    """The base file, or the scenario itself; holiday files lie beside it."""
    articles: tuple[dict[str, Any], ...]
    catalogue: Path | None
    starts: dt.datetime | None
    """Local time of the programme, without an offset."""
    shops: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens; ``actions.ACTIONS`` says which keys each kind of step knows."""

    number: int
    table: dict[str, Any]

    @property
    def do(self) -> str:
        return str(self.table.get("do", ""))

    @property
    def expect(self) -> dict[str, Any]:
        return dict(self.table.get("expect", {}))

    @property
    def title(self) -> str:
        who = self.table.get("member", "")
        return f"step {self.number} ({self.do}{f' {who}' if who else ''})"

    def has(self, key: str) -> bool:
        return key in self.table

    def get(self, key: str, default: Any = None) -> Any:
        return self.table.get(key, default)

    def list_of(self, key: str) -> list[Any]:
        """Return a list; a value that stands alone is a list of one."""
        value = self.get(key, [])
        return value if isinstance(value, list) else [value]

    def table_of(self, key: str) -> dict[str, Any]:
        value = self.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(f"{key} must be a table such as {{ one = 1 }}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value = self.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(f"{key} must be a text" if key in self.table else f"{key} is missing")
        return value

    def maybe(self, key: str) -> str | None:
        """Return a text, or None when it is not given."""
        return self.text(key) if self.has(key) else None

    def number_of(self, key: str, default: int | None = None) -> int:
        value = self.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(f"{key} must be a whole number" if key in self.table else f"{key} is missing")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(f"{key} must be true or false")
        return value

    def wrong(self, why: str) -> Invalid:
        return Invalid("SCENARIO_INVALID", where=self.title, why=why)


def read(path: Path) -> Scenario:
    """Read a scenario; raise ``Invalid`` that says where and why."""
    try:
        table = _toml(path)
    except FileNotFoundError as error:
        raise Invalid("SCENARIO_MISSING", path=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid("SCENARIO_INVALID", where=path.name, why=str(error)) from error
    unknown = set(table) - KEYS
    if unknown:
        raise Invalid("SCENARIO_INVALID", where=path.name, why=f"unknown: {', '.join(sorted(unknown))}")
    steps = table.get("steps", [])
    if not isinstance(steps, list) or not 0 < len(steps) <= MAX_STEPS:
        raise Invalid("SCENARIO_INVALID", where=path.name, why=f"there must be 1 to {MAX_STEPS} [[steps]]")
    program, program_path = _program(table, path)
    catalogue = table.get("catalogue")
    starts = table.get("starts")
    if starts is not None and (not isinstance(starts, dt.datetime) or starts.tzinfo is not None):
        raise Invalid("SCENARIO_INVALID", where=path.name, why="starts is a local time without an offset")
    language = next((one for one in LANGUAGES if one == table.get("language", "en")), None)
    if language is None:
        why = f"language is one of: {', '.join(LANGUAGES)}"
        raise Invalid("SCENARIO_INVALID", where=path.name, why=why)
    return Scenario(
        path=path,
        name=str(table.get("name", path.stem)),
        about=str(table.get("about", "")),
        language=language,
        program=program,
        program_path=program_path,
        articles=tuple(table.get("articles", [])),
        catalogue=None if catalogue is None else path.parent / str(catalogue),
        starts=starts,
        shops=tuple(table.get("shops", ["A"])),
        steps=tuple(_step(number, step, path) for number, step in enumerate(steps, 1)),
    )


def _step(number: int, table: object, path: Path) -> Step:
    if not isinstance(table, dict) or not isinstance(table.get("expect", {}), dict):
        raise Invalid("SCENARIO_INVALID", where=path.name, why=f"step {number} or its expect is no table")
    return Step(number, table)


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def _program(table: dict[str, Any], path: Path) -> tuple[dict[str, Any], Path]:
    """Return the programme and its file: ``[program]`` is laid over ``base``, a file beside the scenario."""
    own = table.get("program", {})
    base = table.get("base")
    if base is None:
        return own, path
    file = path.parent / str(base)
    try:
        return laid_over(_toml(file), own), file
    except FileNotFoundError as error:
        raise Invalid("SCENARIO_INVALID", where=path.name, why=f"there is no {base}") from error


def laid_over(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a table with changes: tables are merged, everything else is replaced."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
