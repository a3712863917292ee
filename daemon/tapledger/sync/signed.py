"""A question that proves who asks, and an answer that proves who gave it: central, or the shop's hub."""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

import msgspec
from yarl import URL

from tapledger.clock import Clock
from tapledger.errors import Denied, TapledgerError, Unavailable
from tapledger.identifiers import Randomness
from tapledger.store.keyring import Keyring
from tapledger.sync.transport import Received, Transport
from tapledger.wire import signing
from tapledger.wire.codec import check_version, unpack
from tapledger.wire.messages import VERSION, Refusal
from tapledger.wire.problems import error_from
from tapledger.wire.requests import ANSWER_SIGNATURE, NONCE_BYTES, Request, sign_request

T = TypeVar("T", bound=msgspec.Struct)


class SignedLine:
    """Asks one other side, whose key is ``key``, as one node.

    ``proved_refusals``: somebody else carries the answers, so that a refusal that is not signed is only
    trouble on the way.
    """

    def __init__(
        self,
        transport: Transport,
        keyring: Keyring,
        key: bytes,
        clock: Clock,
        randomness: Randomness,
        *,
        proved_refusals: bool = False,
    ) -> None:
        self._transport = transport
        self._keyring = keyring
        self._key = key
        self._clock = clock
        self._randomness = randomness
        self._proved_refusals = proved_refusals
        self._ahead = dt.timedelta()
        """How far the other side's clock is ahead of ours, learnt from its last signed refusal."""

    async def ask(self, method: str, url: URL, body: bytes, kind: type[T], timeout_s: float) -> T:
        """Return the answer; raise the refusal, or ``Unavailable`` when there is none that is proved."""
        try:
            return await self._once(method, url, body, kind, timeout_s)
        except _OtherClock as error:
            self._ahead = error.server_time - self._clock.now()
            return await self._once(method, url, body, kind, timeout_s, last=True)

    async def _once(
        self, method: str, url: URL, body: bytes, kind: type[T], timeout_s: float, *, last: bool = False
    ) -> T:
        nonce = self._randomness(NONCE_BYTES).hex()
        request = Request(method, str(url))
        now = self._clock.now() + self._ahead
        sign_request(request, body, self._keyring.node, self._keyring.signing_key, now, nonce)
        received = await self._transport.exchange(method, url, request.headers, body, timeout_s)
        try:
            message = read(received, kind)
        except TapledgerError as error:
            if error.code == "REQUEST_REPLAYED":  # the way has sent it twice, and the first answer got lost
                raise Unavailable("CENTRAL_UNREACHABLE", why=error.code) from error
            if isinstance(error, Denied) and error.code == "CLOCK_OFF" and not last:
                raise _OtherClock(self._server_time(error, nonce)) from error
            if self._proved_refusals and not self._is_proved(received, nonce):
                raise Unavailable("CENTRAL_UNREACHABLE", why=error.code) from error
            raise
        if not self._is_proved(received, nonce):
            raise Unavailable("CENTRAL_ANSWER_UNPROVED")
        return message

    def _is_proved(self, received: Received, nonce: str) -> bool:
        """Tell whether the other side itself has given this answer to this request."""
        statement = signing.answer_statement(nonce, received.status, received.body)
        try:
            signature = bytes.fromhex(received.headers.get(ANSWER_SIGNATURE.lower(), ""))
            signing.verify(self._key, statement, signature)
        except (Denied, ValueError):
            return False
        return True

    def _server_time(self, error: Denied, nonce: str) -> dt.datetime:
        """Return the time that the other side has signed for this request; raise the refusal when it has
        not."""
        server_ms, proof = error.data.get("server_ms"), error.data.get("proof")
        if not isinstance(server_ms, int) or not isinstance(proof, str):
            raise error
        try:
            statement = signing.time_statement(nonce, server_ms)
            signing.verify(self._key, statement, bytes.fromhex(proof))
            return dt.datetime.fromtimestamp(server_ms / 1000, dt.UTC)
        except (Denied, ValueError, OverflowError, OSError):
            raise error from None


class _OtherClock(Exception):
    def __init__(self, server_time: dt.datetime) -> None:
        super().__init__(server_time)
        self.server_time = server_time


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
