"""While a batch is on its way the next is read; it is sent only if it still is the next."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tapledger.errors import Conflict, Unavailable
from tapledger.store.store import Store
from tapledger.sync.pusher import Pusher
from tapledger.wire.messages import MAX_BATCH_BYTES, Batch, BatchAnswer, Pending
from tests.central.world import ShopNode, World

SMALL = 400
"""Bytes in a batch: one event or two."""


class Reads(Store):
    """Notes what is read and sent, in order: from where, or None for what is not acknowledged."""

    said: list[object]

    async def pending(
        self, limit: int, max_bytes: int = MAX_BATCH_BYTES, after: tuple[int, int] | None = None
    ) -> Pending | None:
        self.said.append(after)
        return await super().pending(limit, max_bytes, after)


class Line:
    """Carries batches to central; ``fails`` says of which what becomes instead, by their count from 1."""

    def __init__(self, shop: ShopNode, said: list[object], fails: dict[int, Exception] | None = None) -> None:
        self.shop, self.said, self.fails = shop, said, fails or {}
        self.sent: list[tuple[int, int]] = []

    async def send(self, batch: Batch) -> BatchAnswer:
        self.sent.append((batch.first_seq, len(batch.raws)))
        self.said.append("sent")
        if len(self.sent) in self.fails:
            raise self.fails[len(self.sent)]
        return await self.shop.client.send(batch)

    @property
    def firsts(self) -> Sequence[int]:
        return [first for first, _ in self.sent]


async def shop_with(world: World, events: int) -> tuple[ShopNode, list[object]]:
    shop, said = await world.shop("first"), list[object]()
    for number in range(events):
        await shop.join(f"m-{number}")
    shop.store.__class__, shop.store.said = Reads, said  # type: ignore[attr-defined]
    return shop, said


async def pushed(shop: ShopNode, line: Line) -> None:
    pusher = Pusher(shop.store, shop.keyring)
    while await pusher.once(line, SMALL):
        pass


async def test_the_next_batch_is_read_while_one_is_on_its_way(world: World) -> None:
    shop, said = await shop_with(world, 6)
    line = Line(shop, said)
    await pushed(shop, line)
    assert await shop.store.unsynced() == 0
    assert [first + count for first, count in line.sent[:-1]] == list(line.firsts[1:])
    assert said.count(None) == 2, "at first, and when nothing is left"
    ahead = [one for one in said if one not in (None, "sent")]
    assert ahead == [(1, first + count - 1) for first, count in line.sent]
    assert said[1:-1:2] == ["sent"] * len(ahead), "each while the one before it was on its way"


async def test_what_was_read_ahead_of_a_failure_is_read_again(world: World) -> None:
    shop, said = await shop_with(world, 6)
    line = Line(shop, said, {2: Unavailable("CENTRAL_UNREACHABLE")})
    pusher = Pusher(shop.store, shop.keyring)
    assert await pusher.once(line, SMALL)
    with pytest.raises(Unavailable):
        await pusher.once(line, SMALL)
    while await pusher.once(line, SMALL):
        pass
    assert line.firsts[2] == line.firsts[1], "the same again"
    assert await shop.store.unsynced() == 0


async def test_what_was_read_ahead_counts_no_more_when_something_else_is_to_be_sent(world: World) -> None:
    shop, said = await shop_with(world, 6)
    line = Line(shop, said)
    pusher = Pusher(shop.store, shop.keyring)
    assert await pusher.once(line, SMALL)
    await shop.store.rewind(1, 0)  # central was restored from a copy and asks for all of it
    assert await pusher.once(line, SMALL)
    assert line.firsts[1] == 1
    line.fails = {3: Conflict("GAP", need=1)}
    assert await pusher.once(line, SMALL) == 0
    assert await pusher.once(line, SMALL)
    assert line.firsts[3] == 1
    while await pusher.once(line, SMALL):
        pass
    assert await shop.store.unsynced() == 0
