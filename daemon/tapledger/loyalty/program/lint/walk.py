"""Goes through every struct of a programme with its place, in the order of the file's sections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from tapledger.loyalty.program.findings import Path
from tapledger.loyalty.program.shape import fields
from tapledger.loyalty.promotions.promotion import Promotion

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program


def structs(value: Any, path: Path = ()) -> Iterator[tuple[Path, msgspec.Struct]]:
    """Yield a value and everything inside it that is a struct."""
    if isinstance(value, msgspec.Struct):
        yield path, value
        for field in fields(type(value)):
            yield from structs(getattr(value, field.name), (*path, field.encode_name))
    elif isinstance(value, list | tuple):
        for place, one in enumerate(value):
            yield from structs(one, (*path, place))
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from structs(one, (*path, name))


def numbers(value: msgspec.Struct, path: Path) -> Iterator[tuple[Path, str, int]]:
    """Yield the whole numbers that a struct itself holds, each with its place and its name."""
    for field in fields(type(value)):
        found = getattr(value, field.name)
        for place, one in enumerate(found if isinstance(found, list | tuple) else (found,)):
            if isinstance(one, int) and not isinstance(one, bool):
                at = (*path, field.encode_name)
                yield ((*at, place) if isinstance(found, list | tuple) else at), field.name, one


def every_promotion(program: Program) -> Iterator[tuple[Path, Promotion]]:
    """Yield promotions, then the templates of coupons."""
    for place, promotion in enumerate(program.promotions):
        yield ("promotions", place), promotion
    for place, template in enumerate(program.coupons):
        yield ("coupons", place), template
