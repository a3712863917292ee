"""Whether a parsed file has the shape of a programme: known keys, all that must be there, the right types.

``msgspec.convert`` stops at the first mistake; this walk lists them all and keeps what is sound.
"""

from __future__ import annotations

import datetime as dt
import difflib
import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.findings import Finding, Path

FIRST_YEAR, LAST_YEAR = 2, 9998
"""Of a time in a programme: the calendar's own ends are beyond it in one zone or another."""
UNSOUND = object()
"""Stands for a value that cannot be used."""
NAMES = {
    "int": "whole number",
    "float": "decimal",
    "str": "text",
    "bool": "true or false",
    "list": "list",
    "dict": "table",
    "datetime": "date and time",
    "date": "date",
}
"""What people call the types of TOML."""


class Shape:
    """One walk over a parsed file: what is wrong, and what was left out of the sound part."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.left_out: list[Path] = []
        """Places of list entries and tables that cannot be used."""
        self._kept: dict[Path, list[int]] = {}

    def check(self, value: object, kind: Any, path: Path = ()) -> Any:
        """Return the sound part of a value for its type, or ``UNSOUND``; note each mistake."""
        kind = _bare(kind)
        options = [one for one in get_args(kind) if one is not type(None)] if _is_union(kind) else [kind]
        structs = [one for one in options if _is_struct(one)]
        if structs:
            return self._table(value, structs, path)
        if len(options) == 1:
            kind = options[0]
        match get_origin(_bare(kind)):
            case origin if origin is list:
                return self._list(value, get_args(_bare(kind))[0], path)
            case origin if origin is dict:
                return self._map(value, get_args(_bare(kind))[1], path)
        return self._leaf(value, kind, path)

    def original(self, path: Path) -> Path:
        """Return where something of the sound part stands in the file."""
        found: Path = ()
        for part in path:
            kept = self._kept.get(found)
            found = (*found, kept[part] if kept is not None and isinstance(part, int) else part)
        return found

    def _note(self, path: Path, why: Reason) -> Any:
        self.findings.append(Finding(path, why))
        return UNSOUND

    def _table(self, value: object, structs: list[Any], path: Path) -> Any:
        if not isinstance(value, Mapping):
            return self._wrong(value, "table", path)
        tag_field = structs[0].__struct_config__.tag_field
        if tag_field is None:
            return self._struct(value, structs[0], path)
        known = {str(one.__struct_config__.tag): one for one in structs}
        if tag_field not in value:
            return self._note(path, Reason("PROGRAM_KEY_MISSING", {"key": tag_field}))
        tag = value[tag_field]
        if not isinstance(tag, str) or tag not in known:
            return self._choice((*path, tag_field), str(tag), list(known))
        rest = {name: one for name, one in value.items() if name != tag_field}
        sound = self._struct(rest, known[tag], path)
        return sound if sound is UNSOUND else {tag_field: tag, **sound}

    def _struct(self, value: Mapping[str, object], kind: Any, path: Path) -> Any:
        known = {field.encode_name: field for field in fields(kind)}
        sound: dict[str, object] = {}
        whole = True
        for name, one in value.items():
            if name not in known:
                self._unknown((*path, name), name, list(known))
                continue
            kept = self.check(one, known[name].type, (*path, name))
            if kept is not UNSOUND:
                sound[name] = kept
            elif known[name].required:
                whole = False
            elif isinstance(one, Mapping):
                self.left_out.append((*path, name))
        for name, field in known.items():
            if field.required and name not in value:
                self._note(path, Reason("PROGRAM_KEY_MISSING", {"key": name}))
                whole = False
        return sound if whole else UNSOUND

    def _unknown(self, path: Path, name: str, known: list[str]) -> None:
        near = difflib.get_close_matches(name, known, 1)
        if near:
            self._note(path, Reason("PROGRAM_KEY_NEAR", {"key": name, "near": near[0]}))
        else:
            self._note(path, Reason("PROGRAM_KEY_UNKNOWN", {"key": name, "known": ", ".join(known)}))

    def _choice(self, path: Path, given: str, known: list[str]) -> Any:
        choices = ", ".join(one or "(empty)" for one in known)
        return self._note(path, Reason("PROGRAM_CHOICE_UNKNOWN", {"given": given, "known": choices}))

    def _list(self, value: object, kind: Any, path: Path) -> Any:
        if not isinstance(value, list):
            return self._wrong(value, "list", path)
        found = [(place, self.check(one, kind, (*path, place))) for place, one in enumerate(value)]
        sound = [(place, one) for place, one in found if one is not UNSOUND]
        if len(sound) < len(found):
            self._kept[path] = [place for place, _ in sound]
            self.left_out += [(*path, place) for place, one in found if one is UNSOUND]
        return [one for _, one in sound]

    def _map(self, value: object, kind: Any, path: Path) -> Any:
        if not isinstance(value, Mapping):
            return self._wrong(value, "table", path)
        found = {name: self.check(one, kind, (*path, name)) for name, one in value.items()}
        self.left_out += [(*path, name) for name, one in found.items() if one is UNSOUND]
        return {name: one for name, one in found.items() if one is not UNSOUND}

    def _leaf(self, value: object, kind: Any, path: Path) -> Any:
        try:
            read = msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            choices = [str(one) for one in get_args(kind)] if get_origin(kind) is Literal else []
            if choices and isinstance(value, str):
                return self._choice(path, value, choices)
            expected = _plain_type(kind)
            if expected and not isinstance(value, expected):
                return self._wrong(value, NAMES[expected.__name__], path)
            return self._note(path, Reason("PROGRAM_VALUE", {"why": str(error).replace("`", "")}))
        if isinstance(read, dt.datetime) and not FIRST_YEAR <= read.year <= LAST_YEAR:
            years: dict[str, int | str] = {"value": read.year, "least": FIRST_YEAR, "most": LAST_YEAR}
            return self._note(path, Reason("PROGRAM_NUMBER_RANGE", years))
        return value

    def _wrong(self, value: object, expected: str, path: Path) -> Any:
        given = NAMES.get(type(value).__name__, type(value).__name__)
        return self._note(path, Reason("PROGRAM_TYPE", {"expected": expected, "given": given}))


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated and not _is_constrained(kind) else kind


def _is_constrained(kind: Any) -> bool:
    return not (_is_union(get_args(kind)[0]) or get_origin(get_args(kind)[0]) in (list, dict))


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


@cache
def fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _plain_type(kind: Any) -> type | None:
    options = [one for one in get_args(kind) if one is not type(None)] if _is_union(kind) else [kind]
    bare = get_args(options[0])[0] if get_origin(options[0]) is Annotated else options[0]
    return bare if isinstance(bare, type) and bare.__name__ in NAMES else None
