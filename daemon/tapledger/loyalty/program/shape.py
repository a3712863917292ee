"""Whether a parsed file has the shape of a programme: known keys, all that must be there, the right types.

``msgspec.convert`` stops at the first mistake; this walk lists them all and keeps what is sound.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.findings import Finding, Path

UNSOUND = object()
"""Stands for a value that cannot be used."""
NAMES = {
    int: "whole number",
    str: "text",
    bool: "true or false",
    list: "list",
    dict: "table",
    float: "decimal",
}


def check(value: object, kind: Any, findings: list[Finding], path: Path = ()) -> Any:
    """Return the sound part of a value for its type, or ``UNSOUND``; add each mistake to ``findings``."""
    kind = _bare(kind)
    options = [one for one in get_args(kind) if one is not type(None)] if _is_union(kind) else [kind]
    structs = [one for one in options if _is_struct(one)]
    if structs:
        return _table(value, structs, findings, path)
    if len(options) == 1:
        kind = options[0]
    match get_origin(_bare(kind)):
        case origin if origin is list:
            return _list(value, get_args(_bare(kind))[0], findings, path)
        case origin if origin is dict:
            return _map(value, get_args(_bare(kind))[1], findings, path)
    return _leaf(value, kind, findings, path)


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


def _table(value: object, structs: list[Any], findings: list[Finding], path: Path) -> Any:
    if not isinstance(value, Mapping):
        return _wrong(value, "table", findings, path)
    config = structs[0].__struct_config__
    if config.tag_field is None:
        return _struct(value, structs[0], findings, path)
    known = {str(one.__struct_config__.tag): one for one in structs}
    tag = value.get(config.tag_field)
    if not isinstance(tag, str) or tag not in known:
        if config.tag_field in value:
            _choice((*path, config.tag_field), str(tag), list(known), findings)
        else:
            findings.append(Finding(path, Reason("PROGRAM_KEY_MISSING", {"key": config.tag_field})))
        return UNSOUND
    rest = {name: one for name, one in value.items() if name != config.tag_field}
    sound = _struct(rest, known[tag], findings, path)
    return sound if sound is UNSOUND else {config.tag_field: tag, **sound}


def _struct(value: Mapping[str, object], kind: Any, findings: list[Finding], path: Path) -> Any:
    known = {field.encode_name: field for field in fields(kind)}
    sound: dict[str, object] = {}
    whole = True
    for name, one in value.items():
        if name not in known:
            _unknown((*path, name), name, list(known), findings)
            continue
        kept = check(one, known[name].type, findings, (*path, name))
        if kept is not UNSOUND:
            sound[name] = kept
        elif known[name].required or isinstance(one, list | Mapping):
            whole = False  # other places may name what would be missing
    for name, field in known.items():
        if field.required and name not in value:
            findings.append(Finding(path, Reason("PROGRAM_KEY_MISSING", {"key": name})))
            whole = False
    return sound if whole else UNSOUND


def _unknown(path: Path, name: str, known: list[str], findings: list[Finding]) -> None:
    near = difflib.get_close_matches(name, known, 1)
    if near:
        findings.append(Finding(path, Reason("PROGRAM_KEY_NEAR", {"key": name, "near": near[0]})))
    else:
        listed = ", ".join(known)
        findings.append(Finding(path, Reason("PROGRAM_KEY_UNKNOWN", {"key": name, "known": listed})))


def _choice(path: Path, given: str, known: list[str], findings: list[Finding]) -> None:
    choices = ", ".join(one or "(empty)" for one in known)
    findings.append(Finding(path, Reason("PROGRAM_CHOICE_UNKNOWN", {"given": given, "known": choices})))


def _list(value: object, kind: Any, findings: list[Finding], path: Path) -> Any:
    if not isinstance(value, list):
        return _wrong(value, "list", findings, path)
    kept = [check(one, kind, findings, (*path, place)) for place, one in enumerate(value)]
    return UNSOUND if any(one is UNSOUND for one in kept) else kept


def _map(value: object, kind: Any, findings: list[Finding], path: Path) -> Any:
    if not isinstance(value, Mapping):
        return _wrong(value, "table", findings, path)
    kept = {name: check(one, kind, findings, (*path, name)) for name, one in value.items()}
    return UNSOUND if any(one is UNSOUND for one in kept.values()) else kept


def _leaf(value: object, kind: Any, findings: list[Finding], path: Path) -> Any:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        choices = _choices(kind)
        if choices and isinstance(value, str):
            _choice(path, value, choices, findings)
            return UNSOUND
        expected = _plain_type(kind)
        if expected and not isinstance(value, expected):
            return _wrong(value, NAMES[expected], findings, path)
        findings.append(Finding(path, Reason("PROGRAM_VALUE", {"why": str(error).replace("`", "")})))
        return UNSOUND
    return value


def _choices(kind: Any) -> list[str]:
    return [str(one) for one in get_args(kind)] if get_origin(kind) is Literal else []


def _plain_type(kind: Any) -> type | None:
    options = [one for one in get_args(kind) if one is not type(None)] if _is_union(kind) else [kind]
    bare = get_args(options[0])[0] if get_origin(options[0]) is Annotated else options[0]
    return bare if bare in NAMES else None


def _wrong(value: object, expected: str, findings: list[Finding], path: Path) -> Any:
    given = NAMES.get(type(value), type(value).__name__)
    findings.append(Finding(path, Reason("PROGRAM_TYPE", {"expected": expected, "given": given})))
    return UNSOUND
