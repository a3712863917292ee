"""Questions to central: signed, with deadlines, with typed errors, and with answers that are proved."""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

import msgspec
from yarl import URL

from tapledger.clock import Clock
from tapledger.errors import Denied, Invalid, TapledgerError, Unavailable
from tapledger.identifiers import Randomness
from tapledger.store.keyring import Keyring
from tapledger.sync.transport import Received, Transport
from tapledger.wire import signing
from tapledger.wire.asking import Erasures, LeaseAnswer, LeaseAsked, Standing, Tail, Taken, Telemetry
from tapledger.wire.codec import check_version, pack, unpack
from tapledger.wire.messages import MAX_FEED_ROWS, VERSION, Batch, BatchAnswer, FeedPage, Refusal
from tapledger.wire.problems import error_from
from tapledger.wire.proofs import LogConsistency
from tapledger.wire.requests import NONCE_BYTES, Request, sign_request

ANSWER_DEADLINE_S = 20.0
LEASE_DEADLINE_S = 1.5
"""Somebody stands at the counter: past this the shop goes on by what it may do alone."""
ANSWER_SIGNATURE = "tapledger-answer"

T = TypeVar("T", bound=msgspec.Struct)


class CentralClient:
    """Asks one central as one enrolled node. ``boot`` names this start of the daemon."""

    def __init__(
        self,
        transport: Transport,
        central_url: str,
        keyring: Keyring,
        clock: Clock,
        randomness: Randomness,
        boot: str = "",
    ) -> None:
        self._transport = transport
        self._base = central_address(central_url)
        self._keyring = keyring
        self._clock = clock
        self._randomness = randomness
        self._boot = boot
        self._ahead = dt.timedelta()
        """How far central's clock is ahead of ours, learnt from its last signed refusal."""

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
        try:
            return await self._ask_once(method, url, body, kind, timeout_s)
        except _OtherClock as error:
            self._ahead = error.server_time - self._clock.now()
            return await self._ask_once(method, url, body, kind, timeout_s, last=True)

    async def _ask_once(
        self, method: str, url: URL, body: bytes, kind: type[T], timeout_s: float, *, last: bool = False
    ) -> T:
        nonce = self._randomness(NONCE_BYTES).hex()
        request = Request(method, str(url))
        now = self._clock.now() + self._ahead
        sign_request(request, body, self._keyring.node, self._keyring.signing_key, now, nonce)
        received = await self._transport.exchange(method, url, request.headers, body, timeout_s)
        try:
            message = read(received, kind)
        except Denied as error:
            if error.code == "REQUEST_REPLAYED":  # the way has sent it twice, and the first answer got lost
                raise Unavailable("CENTRAL_UNREACHABLE", why=error.code) from error
            if last or error.code != "CLOCK_OFF":
                raise
            raise _OtherClock(self._server_time(error, nonce)) from error
        self._prove(received, nonce)
        return message

    def _prove(self, received: Received, nonce: str) -> None:
        """Raise ``Unavailable`` unless central itself has given this answer to this request."""
        statement = signing.answer_statement(nonce, received.status, received.body)
        try:
            signature = bytes.fromhex(received.headers.get(ANSWER_SIGNATURE, ""))
            signing.verify(self._keyring.central_public_key, statement, signature)
        except (Denied, ValueError) as error:
            raise Unavailable("CENTRAL_ANSWER_UNPROVED") from error

    def _server_time(self, error: Denied, nonce: str) -> dt.datetime:
        """Return the time that central has signed for this request; raise the refusal when it has not."""
        server_ms, proof = error.data.get("server_ms"), error.data.get("proof")
        if not isinstance(server_ms, int) or not isinstance(proof, str):
            raise error
        try:
            statement = signing.time_statement(nonce, server_ms)
            signing.verify(self._keyring.central_public_key, statement, bytes.fromhex(proof))
            return dt.datetime.fromtimestamp(server_ms / 1000, dt.UTC)
        except (Denied, ValueError, OverflowError, OSError):
            raise error from None


class _OtherClock(Exception):
    def __init__(self, server_time: dt.datetime) -> None:
        super().__init__(server_time)
        self.server_time = server_time


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


def read(received: Received, kind: type[T]) -> T:
    """Return the message of an answer; raise the error that it carries instead.

    An answer that is none is ``Unavailable``: the same request may succeed later.
    """
    try:
        if received.status == 200:
            message = unpack(received.body, kind)
            check_version(getattr(message, "v", VERSION))
            return message
        refusal = unpack(received.body, Refusal)
    except TapledgerError as error:
        raise Unavailable("CENTRAL_ANSWER_UNREADABLE", status=received.status) from error
    raise error_from(received.status, refusal)
