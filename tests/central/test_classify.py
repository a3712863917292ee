"""Reading strictly and looking one by one are two ways to the same verdict."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.members import replace
from tapledger.store import keyring as keyrings
from tapledger_central import classify as classifying
from tapledger_central.classify import classify
from tests.central.chains import Chain, earn, join, unbalanced
from tests.wire.test_golden import V1

KEYRING = keyrings.make(bytes([1]) * 96)
ODD: tuple[Any, ...] = (
    -1,
    0,
    10**12,
    10**12 + 1,
    -(10**12) - 1,
    2**63,
    True,
    "2026-05-04T09:00:00",
    None,
    "x",
    [],
)


def raws() -> list[bytes]:
    chain = Chain(KEYRING)
    chain.add(join("m-1", "card-1"))
    chain.add(replace(earn("m-1", 7), effects=(*earn("m-1", 7).effects, Tallied("spend", 1, -5))))
    chain.add(unbalanced("m-1"), seq=2)
    return [*chain.raws, *(raw for _, raw in V1)]


def spoilt(value: Any, random: random.Random) -> Any:
    """Return a message with one leaf made odd."""
    if isinstance(value, dict) and value:
        name = random.choice(sorted(value))
        return {**value, name: spoilt(value[name], random)}
    if isinstance(value, list) and value:
        place = random.randrange(len(value))
        return [*value[:place], spoilt(value[place], random), *value[place + 1 :]]
    return random.choice(ODD)


def test_strict_reading_changes_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded, good = random.Random(5), raws()
    samples = good + [
        msgspec.msgpack.encode(spoilt(msgspec.msgpack.decode(seeded.choice(good)), seeded))
        for _ in range(3000)
    ]
    quickly = [classify(raw, KEYRING.node, 1, 2) for raw in samples]

    def refuse(_: bytes) -> None:
        raise msgspec.ValidationError("always the long way")

    monkeypatch.setattr(classifying, "_decode_strictly", refuse)
    assert [classify(raw, KEYRING.node, 1, 2) for raw in samples] == quickly
    verdicts = {seen.verdict for seen in quickly}
    assert verdicts >= {"EVENT_UNREADABLE", "EVENT_MISPLACED", "EVENT_UNBALANCED", "EVENT_IMPOSSIBLE", ""}
