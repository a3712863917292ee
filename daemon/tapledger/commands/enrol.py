"""Makes a shop known to central: one code, once, before the first member joins."""

from __future__ import annotations

from tapledger.errors import Conflict, Invalid
from tapledger.settings import Settings
from tapledger.store import keyring, members
from tapledger.store.store import Store
from tapledger.sync.enrol import enrol
from tapledger.sync.transport import http


async def enrol_shop(settings: Settings, code: str, url: str = "") -> str:
    """Enrol and keep the tenant's keys; return the node.

    Raises ``Conflict`` when members have joined already: their cards are indexed with this shop's own key.
    """
    central = url or settings.central.url
    if not central:
        raise Invalid("CENTRAL_URL_INVALID", url="")
    keys = keyring.load(settings.store.folder)
    store = await Store.open(settings.store.folder, keys)
    try:
        if await store.transact(members.count):
            raise Conflict("ENROL_TOO_LATE")
    finally:
        await store.close()
    async with http() as way:
        answer = await enrol(way, central, code, keys.signing_key, settings.shop.name)
    keyring.replace(settings.store.folder, keys.with_enrolment(answer))
    return keys.node
