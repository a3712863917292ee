"""Commands with one of their values replaced by one at a limit."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

NUMBERS = {"zero": 0, "negative": -1, "2^63": 2**63, "10^30": 10**30}
TEXTS = {"empty": "", "unknown": "no-such", "over-long": "x" * 100_000, "nul": "a\x00b", "half": "\ud800"}
"""``half`` is half of a UTF-16 pair, which JSON can say and UTF-8 cannot."""
TOO_MANY = 10_000

FIXED = ("joining.birthday", "command.bottles[0]")
"""Tuples of which each place has a meaning of its own."""

Tried = tuple[str, str, Callable[[], Any]]
"""Where in the arguments, which limit, and how to make the arguments with it: that may be refused already."""


def bent(value: Any, where: str = "") -> Iterator[Tried]:
    """Yield a value with each of its leaves at each limit."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _inside(one, f"{where}.{name}" if where else name, partial(_in_table, value, name))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            one = getattr(value, field.name)
            yield from _inside(one, f"{where}.{field.name}", partial(_in_dataclass, value, field.name))
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _inside(getattr(value, name), f"{where}.{name}", partial(_in_struct, value, name))
    elif isinstance(value, tuple):
        yield from _lists(value, where)
    else:
        yield from ((where, limit, partial(_same, other)) for limit, other in _leaf(value) if other != value)


def _inside(one: Any, where: str, put: Callable[[Any], Any]) -> Iterator[Tried]:
    for path, limit, change in bent(one, where):
        yield path, limit, partial(_put, put, change)


def _put(put: Callable[[Any], Any], change: Callable[[], Any]) -> Any:
    return put(change())


def _same(value: Any) -> Any:
    return value


def _in_table(table: dict[str, Any], name: str, one: Any) -> dict[str, Any]:
    return {**table, name: one}


def _in_dataclass(value: Any, name: str, one: Any) -> Any:
    return dataclasses.replace(value, **{name: one})


def _in_struct(value: msgspec.Struct, name: str, one: Any) -> Any:
    return msgspec.structs.replace(value, **{name: one})


def _in_tuple(value: tuple[Any, ...], place: int, one: Any) -> tuple[Any, ...]:
    return (*value[:place], one, *value[place + 1 :])


def _lists(value: tuple[Any, ...], where: str) -> Iterator[Tried]:
    if where not in FIXED:
        yield where, "none", partial(_same, ())
        if value:
            yield where, "too many", partial(_same, value[:1] * TOO_MANY)
            yield where, "twice", partial(_same, (*value, value[0]))
    for place, one in enumerate(value if where in FIXED else value[:1]):
        yield from _inside(one, f"{where}[{place}]", partial(_in_tuple, value, place))


def _leaf(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, bool):
        yield "not", not value
    elif isinstance(value, int):
        yield from NUMBERS.items()
    elif isinstance(value, str):
        yield from TEXTS.items()
    elif isinstance(value, dt.datetime):
        yield from {
            "first": dt.datetime.min.replace(tzinfo=dt.UTC),
            "last": dt.datetime.max.replace(tzinfo=dt.UTC),
        }.items()
