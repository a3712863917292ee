"""Every key that a programme can have, found in the structs it is read into."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import msgspec

from tapledger.loyalty.conditions import Condition, Scope
from tapledger.loyalty.days import Expiry
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import Gain, Limit
from tapledger.loyalty.promotions.promotion import Promotion
from tapledger.loyalty.promotions.protocol import Rule

SHARED: dict[type, str] = {
    Condition: "when",
    Scope: "scope",
    Gain: "gain",
    Limit: "limit",
    Expiry: "expiry",
}
"""What stands in many sections is described once."""


class Key(NamedTuple):
    section: str
    """``tiers``, ``earning.rules``, ``benefit.percent``; empty for the top of the file."""
    name: str
    default: str
    struct: type[msgspec.Struct]
    field: str


def keys() -> Iterator[Key]:
    """Yield every key once, section by section in the order of the file."""
    seen: set[type] = set()
    yield from _of(Program, "", seen)


def _of(struct: type[msgspec.Struct], section: str, seen: set[type]) -> Iterator[Key]:
    seen.add(struct)
    fields = msgspec.structs.fields(struct)
    inherited = (
        {field.name for field in msgspec.structs.fields(Promotion)} if struct.__base__ is Promotion else set()
    )
    own = [field for field in fields if field.name not in inherited]
    for field in own:
        yield Key(section, field.encode_name, _default(field), struct, field.name)
    for field in own:
        for inner in _structs(field.type):
            if inner not in seen:
                place = f"{section}.{field.encode_name}" if section else field.encode_name
                if issubclass(inner, Rule):
                    place = f"benefit.{inner.__struct_config__.tag}"
                yield from _of(inner, SHARED.get(inner, place), seen)


def _structs(kind: Any) -> list[type[msgspec.Struct]]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    if get_origin(kind) in (Union, types.UnionType, list, dict, tuple, Annotated):
        return [one for part in get_args(kind) for one in _structs(part)]
    return []


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value = _value(field)
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(type(value))
        said = [one for one in fields if one.required or getattr(value, one.name) != _value(one)]
        inside = ", ".join(f"{one.encode_name} = {_toml(getattr(value, one.name))}" for one in said)
        return f"`{{ {inside} }}`" if inside else "`{}`"
    return "none" if value is None else f"`{_toml(value)}`"


def _value(field: msgspec.structs.FieldInfo) -> Any:
    return field.default_factory() if field.default is msgspec.NODEFAULT else field.default


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value)
