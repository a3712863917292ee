"""Texts that one engine takes and another does not: central refuses them by name on both."""

from __future__ import annotations

import random

import pytest

from tapledger.errors import TapledgerError
from tapledger.wire.asking import LeaseAsked
from tests.central.world import World

TEXTS = ("\0", "a\0b", "x" * 64, "界" * 64, "\ufffe", "' OR 1=1 --")
LONG = random.Random(1).randbytes(20_000).hex()
"""Longer than a key of a table may be, and nothing makes it shorter."""


async def code_of(asking: object) -> str:
    try:
        await asking  # type: ignore[misc]
    except TapledgerError as error:
        return error.code
    return "OK"


@pytest.mark.parametrize("text", TEXTS)
async def test_a_lease_by_a_strange_name_is_refused_by_name(world: World, text: str) -> None:
    shop = await world.shop("first")
    codes = {
        await code_of(shop.client.lease(LeaseAsked(id=text, member="m-1", pool="points", amount=1))),
        await code_of(shop.client.lease(LeaseAsked(id="l-1", member=text, pool="points", amount=1))),
    }
    assert codes <= {"MEMBER_UNKNOWN", "MESSAGE_UNREADABLE", "TEXT_IMPOSSIBLE"}, codes


@pytest.mark.parametrize("text", [*TEXTS, LONG])
async def test_a_receipt_of_a_strange_name_is_taken_or_refused_by_name(world: World, text: str) -> None:
    shop = await world.shop("first")
    assert await code_of(shop.client.erased([text])) in {"OK", "MESSAGE_UNREADABLE", "TEXT_IMPOSSIBLE"}
