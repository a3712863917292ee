"""What stands before every route: how many at once, and the signature that says which node asks."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tapledger.clock import Clock
from tapledger.errors import Denied, Unavailable
from tapledger.wire import signing
from tapledger.wire.requests import MAX_SKEW_S, ClockOff, Signed, verify_request
from tapledger_central import telling
from tapledger_central.keys import CentralKeys
from tapledger_central.store import CentralStore, Transaction, members, nodes
from tapledger_central.store.members import Difference
from tapledger_central.store.nodes import Node
from tapledger_central.web.asking import Asked

MAX_AT_ONCE = 32
"""Requests whose bodies are in memory; the others wait in the order in which they came."""
MAX_WAITING = 4096
MAX_WAIT_S = 20.0
RETRY_AFTER_S = 5
CLONED = "NODE_CLONED"
SLACK_MS = 2 * MAX_SKEW_S * 1000
MAX_KNOWN = 50_000
"""Nodes that are kept in memory for their keys, which never change: a node's name is made of its key."""


class Admission:
    """Lets so many requests work at once. A node asks one thing at a time, so first come, first served is
    fair: one with a month's backlog waits behind everybody after each batch."""

    def __init__(self, at_once: int = MAX_AT_ONCE, waiting: int = MAX_WAITING) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._room = waiting
        self.waiting = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the places; raise ``Unavailable`` when too many wait, or for too long."""
        await self._enter()
        try:
            yield
        finally:
            self._slots.release()

    async def _enter(self) -> None:
        if self.waiting >= self._room:
            raise Unavailable("CENTRAL_BUSY", retry_after_s=RETRY_AFTER_S)
        self.waiting += 1
        try:
            async with asyncio.timeout(MAX_WAIT_S):
                await self._slots.acquire()
        except TimeoutError as error:
            raise Unavailable("CENTRAL_BUSY", retry_after_s=RETRY_AFTER_S) from error
        finally:
            self.waiting -= 1


class Guard:
    """Knows nodes by their signatures."""

    def __init__(self, store: CentralStore, keys: CentralKeys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._known: dict[str, Node] = {}
        self._boots: dict[str, str] = {}
        """The start of each node's daemon that was heard last."""

    async def prove(self, asked: Asked, url: str, body: bytes) -> Signed:
        """Return who signed a request; raise ``Denied`` unless that is proved.

        A wrong clock is refused with central's signed time, so that the node can ask once more (R22).
        """
        now = self._clock.now()
        try:
            return await self._verify(asked, url, body)
        except ClockOff as error:
            server_ms = int(now.timestamp() * 1000)
            proof = signing.sign(self._keys.signing_key, signing.time_statement(error.nonce, server_ms))
            raise Denied("CLOCK_OFF", server_ms=server_ms, proof=proof.hex()) from error

    async def enter(self, signed: Signed, boot: str = "", *, repeatable: bool = False) -> Node:
        """Let a node's request in, once; raise ``Denied`` otherwise.

        A ``repeatable`` request changes nothing when it comes again, and looks at the node's status itself:
        of a node that is known here it takes no transaction. ``boot`` names the start of the daemon asking.
        One that asks again after a later one gives a cloned disk away: the node is quarantined, and a person
        has to look (R23).
        """
        now = self._clock.now()
        if repeatable and self._boots.get(signed.node) == boot:
            return self._known[signed.node]
        admitted = await self._store.transact(lambda tx: _enter(tx, signed, boot, now))
        if isinstance(admitted, Denied):
            self._boots.pop(signed.node, None)
            if not repeatable:
                raise admitted
            return self._known[signed.node]  # what a clone recorded is evidence
        self._boots[signed.node] = boot
        return admitted

    async def _verify(self, asked: Asked, url: str, body: bytes) -> Signed:
        """Check a signature; the key of a node that was not met before is looked up."""
        unknown: list[str] = []

        def find_key(name: str) -> bytes | None:
            known = self._known.get(name)
            if known is None:
                unknown.append(name)
            return None if known is None else known.public_key

        while True:
            try:
                return verify_request(asked.method, url, asked.headers, body, find_key, self._clock.now())
            except Denied:
                if not unknown or not await self._learn(unknown.pop()):
                    raise

    async def _learn(self, name: str) -> bool:
        node = await self._store.transact(lambda tx: nodes.find(tx, name))
        if node is None:
            return False
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
            self._boots.clear()
        self._known[name] = node
        return True


def _enter(tx: Transaction, signed: Signed, boot: str, now: dt.datetime) -> Node | Denied:
    """Let a signed request in, once. A clone is returned, not raised: finding it has to be committed."""
    node, now_ms = nodes.find(tx, signed.node), _ms(now)
    if node is None:
        raise Denied("NODE_UNKNOWN")
    if not nodes.take_nonce(tx, signed.node, signed.nonce, _ms(signed.expires), now_ms):
        raise Denied("REQUEST_REPLAYED")
    nodes.seen(tx, node.node, now_ms)
    if boot and not nodes.heard_boot(tx, node.node, boot, _ms(signed.created), SLACK_MS):
        if node.status == nodes.ACTIVE:
            telling.change_status(tx, node.node, nodes.QUARANTINED, now)
            members.list_differences(tx, [Difference(CLONED, node.node, 0, 0, detail=boot)], now_ms)
        return Denied("NODE_CLONED")
    return node


def _ms(instant: dt.datetime) -> int:
    return int(instant.timestamp() * 1000)
