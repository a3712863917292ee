"""The shops of a story: real stores and a real central, without sockets, on a clock that the file moves."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

from tapledger.database import InlineExecutor
from tapledger.errors import NotFound, Unavailable
from tapledger.identifiers import Randomness
from tapledger.membership.shop import Shop
from tapledger.store import keyring as keyrings
from tapledger.store.store import Store
from tapledger.sync.puller import pull_once
from tapledger.sync.pusher import Pusher
from tapledger.wire import signing
from tapledger.wire.codec import pack, unpack
from tapledger.wire.messages import MAX_FEED_ROWS, Batch, BatchAnswer, Enrol, FeedPage
from tapledger_central import enrol
from tapledger_central.app import Central
from tapledger_central.store import nodes
from tapledger_central.store.nodes import Node


class StoryClock:
    """The only clock of a story; steps move it."""

    def __init__(self, now: dt.datetime) -> None:
        self.instant = now

    def now(self) -> dt.datetime:
        return self.instant

    def monotonic_s(self) -> float:
        return self.instant.timestamp()


class SeededRandomness:
    """The same story draws the same codes and keys every time."""

    def __init__(self, seed: str) -> None:
        self._seed, self._count = seed.encode(), 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(self._seed + self._count.to_bytes(8, "big")).digest(size)


class Place:
    """One shop of the story and its line to central."""

    def __init__(self, name: str, shop: Shop, central: Central | None, clock: StoryClock) -> None:
        self.name = name
        self.shop = shop
        self.lost_answers = 0
        """Of the next batches: central takes them, and its answer gets lost on the way back."""
        self._headquarters = central

    async def send(self, batch: Batch) -> BatchAnswer:
        central, node = await self._central()
        answer = await central.take(node, batch)
        if self.lost_answers:
            self.lost_answers -= 1
            raise Unavailable("CENTRAL_UNREACHABLE", why="the answer was lost")
        return answer

    async def feed(self, cursor: int, *, wait_s: int = 0) -> FeedPage:
        central, node = await self._central()
        await central.caught_up()
        return unpack(pack(await central.page(node, cursor, MAX_FEED_ROWS)), FeedPage)

    async def _central(self) -> tuple[Central, Node]:
        central = self._headquarters
        if not self.shop.reachable or central is None:
            raise Unavailable("CENTRAL_UNREACHABLE", why="there is no line")
        node = await central.store.transact(lambda tx: nodes.find(tx, self.shop.store.keyring.node))
        if node is None:
            raise NotFound("NODE_UNKNOWN")
        return central, node

    async def sync(self) -> None:
        pusher = Pusher(self.shop.store, self.shop.store.keyring)
        while await pusher.once(self):
            pass
        await pull_once(self.shop.store, self)


async def open_store(
    folder: Path, name: str, central: Central | None, clock: StoryClock, randomness: Randomness
) -> Store:
    """Make the store of a new shop; with a central, one that has enrolled there."""
    keys = keyrings.make(randomness(keyrings.RANDOMNESS))
    if central is not None:
        code = await central.enrolment_code(name)
        public = keys.signing_key.public_key().public_bytes_raw()
        proof = signing.sign(keys.signing_key, signing.enrol_statement(code, public))
        request = Enrol(code=code, public_key=public, name=name, proof=proof)
        answer = await enrol.enrol(central.store, central.keys, request, clock.now())
        keys = keys.with_enrolment(answer)
    folder.mkdir(parents=True)  # noqa: ASYNC240 - nothing waits beside one story
    keyrings.create(folder, keys)
    return await Store.open(folder, keys, InlineExecutor())
