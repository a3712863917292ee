"""The values that cross a port, as JSON and back: what a recording says of calls, events and outcomes."""

from __future__ import annotations

import dataclasses
import enum
import functools
from typing import Any, TypeAlias

from tapledger_drivers import device, ports
from tapledger_drivers.cassettes.pseudonyms import Pseudonyms

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_TYPE = "is"
_HEX = "hex"
_VALUE = "value"
_STRUCTURE = frozenset({_TYPE, "call", "error"})
TIMES = frozenset({"seen_at_s", "read_at_s"})
"""Fields that say when something happened: part of no outcome."""


def encode(value: object) -> Json:
    """Return ``value`` as JSON, without times and without whom to tell; raise ``TypeError`` for what no port
    carries."""
    if isinstance(value, enum.Enum):
        return {_TYPE: type(value).__name__, _VALUE: value.value}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, bytes):
        return {_HEX: value.hex()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        told = {name: encode(one) for name, one in fields.items() if name not in TIMES and not callable(one)}
        return {_TYPE: type(value).__name__, **told}
    if isinstance(value, list | tuple):
        return [encode(one) for one in value]
    if isinstance(value, dict):
        return {str(name): encode(one) for name, one in value.items()}
    raise TypeError(f"{type(value).__name__} does not cross a port")


def decode(json: Json) -> Any:
    """Return the value that ``encode`` wrote; raise ``ValueError`` when it is none. Times are 0."""
    if isinstance(json, list):
        return tuple(decode(one) for one in json)
    if not isinstance(json, dict):
        return json
    if set(json) == {_HEX}:
        return bytes.fromhex(str(json[_HEX]))
    name = json.get(_TYPE)
    if name is None:
        return {key: decode(one) for key, one in json.items()}
    known = _classes().get(str(name))
    if known is None:
        raise ValueError(f"unknown value {name!r}")
    fields = {key: decode(one) for key, one in json.items() if key != _TYPE}
    if issubclass(known, enum.Enum):
        return known(fields.get(_VALUE))
    fields |= {one.name: 0.0 for one in dataclasses.fields(known) if one.name in TIMES}
    try:
        return known(**fields)
    except TypeError as error:
        raise ValueError(f"not a {name}: {error}") from error


def redact(json: Json, names: Pseudonyms) -> Json:
    """Return what ``encode`` wrote, or a note around it, with pseudonyms in its texts and bytes.

    Its structure stays, also where a secret is a word of it."""
    if isinstance(json, str):
        return names.in_text(json)
    if isinstance(json, list):
        return [redact(one, names) for one in json]
    if not isinstance(json, dict) or set(json) == {_TYPE, _VALUE}:
        return json
    if set(json) == {_HEX}:
        return {_HEX: names.in_bytes(bytes.fromhex(str(json[_HEX]))).hex()}
    return {name: one if name in _STRUCTURE else redact(one, names) for name, one in json.items()}


@functools.cache
def _classes() -> dict[str, Any]:
    """Every data class and enumeration of the two modules that hold all that crosses a port."""
    return {
        name: one
        for module in (device, ports)
        for name, one in vars(module).items()
        if isinstance(one, type) and (dataclasses.is_dataclass(one) or issubclass(one, enum.Enum))
    }
