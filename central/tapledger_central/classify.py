"""Tell an event that can be applied from one that is only kept: a recorded fact is never refused.

Its node has signed it and printed receipts from it, so a bad one must not hold up those behind it. It stays
in the inbox under a verdict, counts for nothing, and is listed for the owner (sync.md sections 0 and 2.3).
"""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.errors import Invalid
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.ledger import EventBody, is_balanced
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.wire.codec import decode_event
from tapledger.wire.messages import LedgerEvent


def classify(raw: bytes, node: str, epoch: int, seq: int) -> tuple[LedgerEvent | None, str]:
    """Return the event and its verdict: empty when it can be applied, else the code of the reason why not."""
    try:
        event = decode_event(raw)
    except Invalid:
        return None, "EVENT_UNREADABLE"
    if (event.node, event.epoch, event.seq) != (node, epoch, seq):
        return event, "EVENT_MISPLACED"
    if not is_balanced(event.body.lines):
        return event, "EVENT_UNBALANCED"
    if not _is_possible(event.body):
        return event, "EVENT_IMPOSSIBLE"
    return event, ""


def _is_possible(body: EventBody) -> bool:
    """Tell whether every figure is in range and every instant has its zone: what folding relies on."""
    return (
        all(abs(line.amount) <= MAX_AMOUNT_MINOR for line in body.lines)
        and body.at.tzinfo is not None
        and all(_is_sound(effect) for effect in body.effects)
    )


_SIGNED = frozenset({"amount"})
"""Fields whose figure may be below zero: only what is counted (``Tallied``)."""


def _is_sound(value: object, name: str = "", *, signed: bool = False) -> bool:
    """Tell whether every figure and instant inside an effect is one that folding can work with."""
    match value:
        case bool() | str() | None:
            return True
        case int():
            return (-MAX_AMOUNT_MINOR if signed and name in _SIGNED else 0) <= value <= MAX_AMOUNT_MINOR
        case dt.datetime():
            return value.tzinfo is not None
        case tuple() | list():
            return all(_is_sound(one, name, signed=signed) for one in value)
        case dict():
            return all(_is_sound(one, name, signed=signed) for one in value.values())
        case msgspec.Struct():
            counted = isinstance(value, Tallied)
            return all(
                _is_sound(getattr(value, field), field, signed=counted) for field in value.__struct_fields__
            )
    return False
