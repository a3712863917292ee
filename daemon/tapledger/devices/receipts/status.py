"""The slip that says how the shop's machine is: what a technician on the telephone asks for first."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from tapledger import texts
from tapledger.devices.receipts.fields import Amount, Status
from tapledger.membership.shop import Shop
from tapledger.membership.slips import Slip


@dataclass(frozen=True, slots=True)
class Central:
    """How this shop is connected with central."""

    enrolled: bool
    online: bool
    unsynced: int


def status_slip(
    shop: Shop, language: str, devices: Iterable[tuple[str, str]], central: Central, address: str
) -> Slip:
    """Return the slip. ``devices`` are roles, each with a sentence that says how it is; ``address`` is that
    of the technician's console."""
    said = Status(
        shop=shop.name,
        when=f"{shop.clock.now().astimezone(shop.program.zone()):%Y-%m-%d %H:%M}",
        node=shop.store.keyring.node,
        devices=tuple(Amount(role, sentence) for role, sentence in devices),
        central=_central(central, language),
        versions=(
            Amount("tapledger", importlib.metadata.version("tapledger")),
            Amount("Python", platform.python_version()),
            Amount("Linux", platform.release()),
        ),
        address=address,
    )
    return Slip(kind="status", language=language, report=msgspec.msgpack.encode(said))


def _central(central: Central, language: str) -> str:
    if not central.enrolled:
        return texts.say(language, "receipt.central_none")
    if central.online:
        return texts.say(language, "receipt.central_online", count=central.unsynced)
    return texts.say(language, "receipt.central_offline", count=central.unsynced)
