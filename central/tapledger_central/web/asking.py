"""A request and its answer without any HTTP library's types, so that anything can carry them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tapledger.wire.codec import CONTENT_TYPE


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. ``target`` is the raw path with its query; header names are as they came."""

    method: str
    host: str
    target: str
    headers: Mapping[str, str]
    read: Callable[[int], Awaitable[bytes]]
    """Gives the body; raises ``Invalid`` when it is longer than that, ``Unavailable`` when too slow."""


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    body: bytes
    content_type: str = CONTENT_TYPE
    headers: dict[str, str] = field(default_factory=dict)
