"""Knows the computers of one's own shop by their signatures, from what central has told of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from tapledger.errors import Denied, Unavailable
from tapledger.membership.shop import Shop
from tapledger.store import news
from tapledger.wire import signing
from tapledger.wire.news import NodeNews
from tapledger.wire.requests import ClockOff, verify_request

MAX_NONCES = 10_000
"""Remembered at a time. After a restart none is: a question that comes again is answered again, and gives
nothing more."""


class Guard:
    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._nonces: dict[tuple[str, str], dt.datetime] = {}

    async def admit(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Return (node, nonce) of who signed a request; raise ``Denied`` unless it is one of this shop."""
        shop = self._shop
        own, now = shop.store.keyring.node, shop.clock.now()
        found = await shop.store.transact(lambda tx: news.all_of(tx, "node", NodeNews))
        keys = {node: one.public_key for node, one in found.items()}
        try:
            signed = verify_request(method, url, headers, body, keys.get, now)
        except ClockOff as error:
            server_ms = int(now.timestamp() * 1000)
            proof = signing.sign(
                shop.store.keyring.signing_key, signing.time_statement(error.nonce, server_ms)
            )
            raise Denied("CLOCK_OFF", server_ms=server_ms, proof=proof.hex()) from error
        self._remember((signed.node, signed.nonce), signed.expires, now)
        if own not in found or not found[signed.node].serves(found[own].shop):
            raise Denied("NODE_SUSPENDED", status=found[signed.node].status)
        return signed.node, signed.nonce

    def _remember(self, nonce: tuple[str, str], expires: dt.datetime, now: dt.datetime) -> None:
        if nonce in self._nonces:
            raise Denied("REQUEST_REPLAYED")
        if len(self._nonces) >= MAX_NONCES:
            self._nonces = {one: end for one, end in self._nonces.items() if end > now}
            if len(self._nonces) >= MAX_NONCES:
                raise Unavailable("CENTRAL_BUSY", retry_after_s=1)
        self._nonces[nonce] = expires
