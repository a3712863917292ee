"""Asks the shop's hub for a part of its leases, and believes nothing that is not proved."""

from __future__ import annotations

from yarl import URL

from tapledger.clock import Clock
from tapledger.errors import Unavailable
from tapledger.identifiers import Randomness
from tapledger.loyalty import sharing
from tapledger.loyalty.leases import Asked
from tapledger.store.keyring import Keyring
from tapledger.sync.signed import SignedLine
from tapledger.sync.transport import Transport, hub_address
from tapledger.wire.asking import ShareAsked, Shared
from tapledger.wire.codec import decode_event, pack
from tapledger.wire.messages import LedgerEvent

DEADLINE_S = 1.0


class HubClient:
    """Asks one hub, by its name, as one enrolled node."""

    def __init__(
        self,
        transport: Transport,
        address: str,
        hub: str,
        keyring: Keyring,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._url: URL = hub_address(address) / f"v1/hubs/{hub}/leases"
        self._transport, self._keyring, self._clock = transport, keyring, clock
        self._randomness = randomness
        self._hub = hub
        self._line: SignedLine | None = None

    async def share(self, asked: ShareAsked, key: bytes) -> tuple[LedgerEvent, bytes]:
        """Return the hub's event that gives what was asked for, and its bytes; ``key`` is the hub's.

        Raises what the hub refuses, and ``Unavailable`` for an answer that does not give just that.
        """
        if self._line is None:
            line = (self._transport, self._keyring, key, self._clock, self._randomness)
            self._line = SignedLine(*line, proved_refusals=True)
        answer = await self._line.ask("POST", self._url, pack(asked), Shared, DEADLINE_S)
        event = decode_event(answer.raw)
        wanted = Asked(asked.id, self._keyring.node, asked.pool, asked.amount)
        if event.node != self._hub or sharing.given(event.body, wanted, asked.member) is None:
            raise Unavailable("CENTRAL_ANSWER_UNPROVED")
        return event, answer.raw
