"""Questions to central: signed, with deadlines, with typed errors, and with answers that are proved."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from yarl import URL

from tapledger.clock import Clock
from tapledger.errors import Invalid
from tapledger.identifiers import Randomness
from tapledger.store.keyring import Keyring
from tapledger.sync.signed import SignedLine
from tapledger.sync.transport import Transport
from tapledger.wire.asking import Erasures, LeaseAnswer, LeaseAsked, Standing, Tail, Taken, Telemetry
from tapledger.wire.codec import pack
from tapledger.wire.messages import MAX_FEED_ROWS, VERSION, Batch, BatchAnswer, FeedPage
from tapledger.wire.proofs import LogConsistency

ANSWER_DEADLINE_S = 20.0
LEASE_DEADLINE_S = 1.5
"""Somebody stands at the counter: past this the shop goes on by what it may do alone."""

T = TypeVar("T", bound=msgspec.Struct)


class CentralClient:
    """Asks one central as one enrolled node. ``boot`` names this start of the daemon; ``through_hub``: the
    transport leads through the shop's hub, over plain HTTP."""

    def __init__(
        self,
        transport: Transport,
        central_url: str,
        keyring: Keyring,
        clock: Clock,
        randomness: Randomness,
        boot: str = "",
        *,
        through_hub: bool = False,
    ) -> None:
        key = keyring.central_public_key
        self._line = SignedLine(transport, keyring, key, clock, randomness, proved_refusals=through_hub)
        self._base = central_address(central_url)
        self._keyring = keyring
        self._boot = boot

    async def send(self, batch: Batch) -> BatchAnswer:
        """Upload a batch; raise what central raised, or ``Unavailable`` when it cannot be reached."""
        return await self._ask("POST", self._of_node("events"), pack(batch), BatchAnswer)

    async def feed(self, cursor: int, limit: int = MAX_FEED_ROWS, wait_s: int = 0) -> FeedPage:
        """Return what changed after a version; with ``wait_s``, after so long at most when nothing does."""
        url = (self._base / "v1/feed").with_query(v=VERSION, cursor=cursor, limit=limit, boot=self._boot)
        if wait_s:
            url = url.update_query(wait_s=wait_s)
        return await self._ask("GET", url, b"", FeedPage, ANSWER_DEADLINE_S + wait_s)

    async def standing(self) -> Standing:
        """Return where central holds this node's chains."""
        url = self._of_node("standing")
        return await self._ask("GET", url, b"", Standing)

    async def tail(self, epoch: int, after: int) -> Tail:
        """Return this node's own events that follow ``after``, as central has them."""
        url = self._of_node("events").update_query(epoch=epoch, after=after)
        return await self._ask("GET", url, b"", Tail)

    async def lease(self, asked: LeaseAsked) -> LeaseAnswer:
        """Ask for the right to spend of a member's balance, while somebody waits."""
        return await self._ask("POST", self._of_node("leases"), pack(asked), LeaseAnswer, LEASE_DEADLINE_S)

    async def report(self, telemetry: Telemetry) -> None:
        """Tell how this node does."""
        await self._ask("POST", self._of_node("telemetry"), pack(telemetry), Taken)

    async def erased(self, members: list[str]) -> None:
        """Say that what names these members is destroyed here."""
        await self._ask("POST", self._of_node("erasures"), pack(Erasures(members=members)), Taken)

    async def consistency(self, old_size: int, new_size: int) -> LogConsistency:
        """Return what proves that central's log only grew from one size to another."""
        url = (self._base / "v1/log/consistency").with_query({"from": old_size, "to": new_size})
        return await self._ask("GET", url, b"", LogConsistency)

    def _of_node(self, what: str) -> URL:
        return (self._base / f"v1/nodes/{self._keyring.node}/{what}").with_query(boot=self._boot)

    async def _ask(
        self, method: str, url: URL, body: bytes, kind: type[T], timeout_s: float = ANSWER_DEADLINE_S
    ) -> T:
        return await self._line.ask(method, url, body, kind, timeout_s)


def central_address(text: str) -> URL:
    """Return central's address; raise ``Invalid`` for one over which keys must not travel."""
    try:
        url = URL(text)
    except ValueError as error:
        raise Invalid("CENTRAL_URL_INVALID", url=text) from error
    if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment or url.user:
        raise Invalid("CENTRAL_URL_INVALID", url=text)
    if url.scheme == "http" and url.host not in ("127.0.0.1", "localhost", "::1"):
        raise Invalid("CENTRAL_URL_INSECURE", url=text)
    return url
