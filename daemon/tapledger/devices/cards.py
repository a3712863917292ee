"""From what a reader saw to who was presented."""

from __future__ import annotations

from tapledger.errors import Refused
from tapledger.membership.identity import Presented
from tapledger_drivers.ports import CardPresented, CardTorn, TrustLevel, UidKind


def presented(event: CardPresented) -> Presented:
    """Return the credential that a read proves; raise ``Refused`` for a card that identifies nobody."""
    trust = event.trust
    if trust.credential is not None and trust.level >= TrustLevel.L1:
        return Presented("card", trust.credential, int(trust.level), trust.evidence)
    if event.uid_kind is UidKind.RANDOM:
        raise Refused("CARD_NUMBER_CHANGES")
    if event.uid_kind is UidKind.FORBIDDEN:
        raise Refused("CARD_NUMBER_SHARED")
    return Presented("uid", event.uid.hex().upper(), int(TrustLevel.L0), trust.evidence)


def torn(event: CardTorn) -> Refused:
    return Refused("CARD_TWO_AT_ONCE" if event.reason == "collision" else "CARD_TORN")
