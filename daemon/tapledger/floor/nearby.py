"""What this shop's hub gives while central is away (``membership.shop.Permits``)."""

from __future__ import annotations

import msgspec

from tapledger.database import Transaction
from tapledger.errors import Denied
from tapledger.membership.shop import Shop
from tapledger.settings import CentralSettings
from tapledger.store import news
from tapledger.sync.hub import HubClient
from tapledger.sync.transport import Transport
from tapledger.wire.asking import ShareAsked
from tapledger.wire.news import NodeNews


class NearbyHub:
    """Asks the one node that the settings name, as long as central has called it active and of this shop."""

    def __init__(self, shop: Shop, settings: CentralSettings, way: Transport) -> None:
        self._shop = shop
        self._hub = settings.hub_node
        keyring = shop.store.keyring
        self._client = HubClient(way, settings.hub, self._hub, keyring, shop.clock, shop.randomness)

    async def ask(self, member: str, pool: str, amount: int) -> None:
        """Get a part of the hub's leases into the store; raise what the hub says, or that it says nothing."""
        store = self._shop.store
        key, hlc = await store.transact(self._look)
        wanted = {"id": self._shop.new_id(), "member": member, "pool": pool, "amount": amount, "hlc": hlc}
        event, raw = await self._client.share(msgspec.convert(wanted, ShareAsked), key)
        await store.hear_hub(event, raw)

    def _look(self, tx: Transaction) -> tuple[bytes, int]:
        """Return the hub's key and the latest that was recorded or heard here."""
        journal = self._shop.store.journal
        own = news.one_of(tx, "node", journal.node, NodeNews)
        hub = news.one_of(tx, "node", self._hub, NodeNews)
        if own is None or hub is None or not hub.serves(own.shop):
            raise Denied("NODE_UNKNOWN")
        return hub.public_key, max(journal.head(tx).hlc, journal.heard)
