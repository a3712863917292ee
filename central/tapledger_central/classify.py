"""Tell an event that can be applied from one that is only kept: a recorded fact is never refused.

Its node has signed it and printed receipts from it, so a bad one must not hold up those behind it. It stays
in the inbox under a verdict, counts for nothing, and is listed for the owner (sync.md sections 0 and 2.3).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import msgspec

from tapledger.errors import Invalid
from tapledger.loyalty.effects import Linked, Tallied, Unlinked
from tapledger.loyalty.ledger import EventBody, is_balanced
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.wire.codec import decode_event
from tapledger_central.strict import SIGNED, StrictEvent

UNREADABLE, MISPLACED, UNBALANCED = "EVENT_UNREADABLE", "EVENT_MISPLACED", "EVENT_UNBALANCED"
IMPOSSIBLE = "EVENT_IMPOSSIBLE"
KIND_UNKNOWN = "EVENT_KIND_UNKNOWN"
"""Of an event that is applied all the same: its effects say what it does."""
MAX_NAME = 200
"""Characters of a member's pseudonym or a credential's index: they are in keys of tables."""

MAX_EFFECTS = 5000
"""Of one event, ten for each line of the longest basket: folding it must not keep everybody waiting."""

_LINKED, _UNLINKED = Linked.__name__, Unlinked.__name__
_decode_strictly = msgspec.msgpack.Decoder(StrictEvent).decode


class Seen(NamedTuple):
    """What filing needs to know of an event. ``verdict`` is empty when it can be applied."""

    hlc: int
    member: str | None
    verdict: str


def classify(raw: bytes, node: str, epoch: int, seq: int) -> Seen:
    """Read an event; its verdict is the code of the reason why it cannot be applied."""
    event: Any
    is_sound = True
    try:
        event = _decode_strictly(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            event = decode_event(raw)
        except Invalid:
            return Seen(0, None, UNREADABLE)
        is_sound = _is_possible(event.body)
    body = event.body
    if len(body.effects) > MAX_EFFECTS:
        member = body.member if body.member is None or is_name(body.member) else None
        return Seen(event.hlc, member, IMPOSSIBLE)
    if not _is_named(body):
        member = body.member if body.member is None or is_name(body.member) else None
        return Seen(event.hlc, member, IMPOSSIBLE)
    if (event.node, event.epoch, event.seq) != (node, epoch, seq):
        return Seen(event.hlc, body.member, MISPLACED)
    if not is_balanced(body.lines):
        return Seen(event.hlc, body.member, UNBALANCED)
    return Seen(event.hlc, body.member, "" if is_sound else IMPOSSIBLE)


def is_name(text: str) -> bool:
    """Tell whether every engine can keep a text in a key."""
    return len(text) <= MAX_NAME and "\0" not in text


def _is_named(body: Any) -> bool:
    """Tell whether everything in an event that becomes a key can be one."""
    if not (body.member is None or is_name(body.member)):
        return False
    if not (body.profile_digest is None or is_name(body.profile_digest)):
        return False
    for effect in body.effects:
        kind = type(effect).__name__  # it may be the strict twin of an effect
        if kind == _LINKED and not is_name(effect.credential.index):
            return False
        if kind == _UNLINKED and not is_name(effect.index):
            return False
    return True


def _is_possible(body: EventBody) -> bool:
    """Tell whether every figure is in range and every instant has its zone: what folding relies on."""
    return (
        all(abs(line.amount) <= MAX_AMOUNT_MINOR for line in body.lines)
        and body.at.tzinfo is not None
        and all(_is_sound(effect) for effect in body.effects)
    )


def _is_sound(value: object, name: str = "", *, signed: bool = False) -> bool:
    """Tell whether every figure and instant inside an effect is one that folding can work with."""
    match value:
        case bool() | str() | None:
            return True
        case int():
            return (-MAX_AMOUNT_MINOR if signed and name in SIGNED else 0) <= value <= MAX_AMOUNT_MINOR
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
