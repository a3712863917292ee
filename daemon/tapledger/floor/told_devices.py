"""The devices that head office has told this computer: in use from its next start on, over its own settings
only where those name no device for the role. So whoever stands in the shop can always have it otherwise.
"""

from __future__ import annotations

from contextlib import suppress

from tapledger import settings
from tapledger.database import Transaction
from tapledger.errors import Conflict, Invalid, TapledgerError
from tapledger.settings import DeviceSettings, Settings
from tapledger.store import news
from tapledger.store.store import Store
from tapledger.wire.news import DevicesNews

KIND = "devices"
FROM_CENTRAL = "central"


async def fitted(own: Settings, store: Store) -> Settings:
    """Return a computer's settings with the devices it was told; what cannot be read is left out."""
    told: list[DeviceSettings] = []
    with suppress(Invalid):
        told = _read(await told_text(store))
    mine = {one.role for one in own.devices}
    return own.model_copy(update={"devices": [*own.devices, *(one for one in told if one.role not in mine)]})


async def told_text(store: Store) -> str:
    """Return what was told last, as it was told; empty: nothing."""

    def find(tx: Transaction) -> DevicesNews | None:
        return news.one_of(tx, KIND, store.keyring.node, DevicesNews)

    found = await store.transact(find)
    return "" if found is None else found.text


def problem(used: str, told: str) -> TapledgerError | None:
    """Return what is to be said of what was told since this computer started with ``used``."""
    try:
        _read(told)
    except Invalid as error:
        return error
    return None if used == told else Conflict("DEVICES_WAIT")


def _read(text: str) -> list[DeviceSettings]:
    return settings.read_devices(text, FROM_CENTRAL)
