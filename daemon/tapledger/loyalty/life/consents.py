"""Which statement about messages and data holds when several were made (decisions R20)."""

from __future__ import annotations

from tapledger.loyalty.effects import Consent


def after(consents: tuple[Consent, ...], new: Consent) -> tuple[Consent, ...]:
    """Return what holds: the later statement that had seen the earlier one; of two at once the withdrawal."""
    old = next((one for one in consents if one.purpose == new.purpose), None)
    if old is not None and new.seen != old.id and not old.granted:
        return consents
    return (*(one for one in consents if one.purpose != new.purpose), new)
