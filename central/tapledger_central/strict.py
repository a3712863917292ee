"""The type of an event whose figures are all in range: reading into it checks them all, in msgspec's own C.

It is made from ``LedgerEvent`` and follows every change of it. What it refuses may still be good (an event of
the first release): ``classify`` looks at that one by one.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Union

import msgspec
from msgspec import Meta
from msgspec import inspect as shapes

from tapledger.loyalty.effects import Effect, Tallied
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.wire.messages import LedgerEvent

SIGNED = frozenset({"amount"})
"""Fields whose figure may be below zero: only what is counted (``Tallied``)."""

_FIGURE = Annotated[int, Meta(ge=0, le=MAX_AMOUNT_MINOR)]
_SIGNED_FIGURE = Annotated[int, Meta(ge=-MAX_AMOUNT_MINOR, le=MAX_AMOUNT_MINOR)]
_INSTANT = Annotated[dt.datetime, Meta(tz=True)]
_SECOND_RELEASE = Annotated[int, Meta(ge=2)]


class _Maker:
    """Makes the strict twin of each struct once."""

    def __init__(self) -> None:
        self._made: dict[type, Any] = {}

    def struct(self, shape: shapes.StructType) -> Any:
        made = self._made.get(shape.cls)
        if made is None:
            signed = shape.cls is Tallied
            fields = {
                field.name: self.type(field.type, signed and field.name in SIGNED) for field in shape.fields
            }
            made = self._made[shape.cls] = twin(shape.cls, fields)
        return made

    def type(self, shape: shapes.Type, signed: bool = False) -> Any:
        match shape:
            case shapes.IntType():
                return _SIGNED_FIGURE if signed else _FIGURE
            case shapes.DateTimeType():
                return _INSTANT
            case shapes.BoolType():
                return bool
            case shapes.StrType():
                return str
            case shapes.NoneType():
                return None
            case shapes.StructType():
                return self.struct(shape)
            case shapes.VarTupleType():
                return tuple[self.type(shape.item_type, signed), ...]  # type: ignore[misc]
            case shapes.DictType():
                return dict[self.type(shape.key_type), self.type(shape.value_type, signed)]  # type: ignore[misc]
            case shapes.UnionType():
                return Union[tuple(self.type(one, signed) for one in shape.types)]  # noqa: UP007
        raise TypeError(f"an effect may not hold a {shape}")


def twin(struct: type[msgspec.Struct], types: dict[str, Any]) -> Any:
    """Return a struct that reads what ``struct`` reads, with other types for the fields named."""
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(struct):
        kind = types.get(field.name, field.type)
        options: dict[str, Any] = {"name": field.encode_name}
        if field.default is not msgspec.NODEFAULT:
            options["default"] = field.default
        elif field.default_factory is not msgspec.NODEFAULT:
            options["default_factory"] = field.default_factory
        fields.append((field.name, kind, msgspec.field(**options)))
    config = struct.__struct_config__
    return msgspec.defstruct(
        struct.__name__,
        fields,
        tag=config.tag,
        tag_field=config.tag_field,
        kw_only=True,
        frozen=True,
        gc=False,
    )


def _event() -> Any:
    effects = shapes.multi_type_info([Effect])[0]
    lines = twin(Line, {"amount": _SIGNED_FIGURE})
    body = twin(
        EventBody,
        {"at": _INSTANT, "lines": tuple[lines, ...], "effects": tuple[_Maker().type(effects), ...]},  # type: ignore[misc, valid-type]
    )
    return twin(LedgerEvent, {"v": _SECOND_RELEASE, "body": body})


StrictEvent: Any = _event()
