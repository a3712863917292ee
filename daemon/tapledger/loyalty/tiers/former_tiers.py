"""The tiers a member rose from: a return that takes the new one back restores the one before."""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.loyalty.effects import TierSet

RISES = frozenset({"spend", "growth", "referral"})
"""Why a tier is raised by its own rule (``TierSet.why``)."""


class FormerTier(msgspec.Struct, frozen=True, omit_defaults=True):
    tier: str
    gained_on: int = 0
    until: dt.datetime | None = None


def after(formers: tuple[FormerTier, ...], held: FormerTier, effect: TierSet) -> tuple[FormerTier, ...]:
    """Return the former tiers, the newest last, once an effect replaces the tier held.

    A rise adds one; a return goes back to one; a review or a tier given by hand makes a new beginning.
    """
    if effect.why in RISES:
        return (*formers, held)
    if effect.why != "refund":
        return ()
    place = next((place for place, one in enumerate(formers) if one.tier == effect.tier), len(formers))
    return formers[:place]
