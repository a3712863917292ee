"""What those have reached whom a member sent."""

from __future__ import annotations

import msgspec

from tapledger.loyalty.effects import RefereeCounted


class Referee(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the members this one sent, and what they have reached: purchases and tiers, each ever."""

    reached: tuple[str, ...] = ()
    counts_on: int = 0


def after(referees: dict[str, Referee], effect: RefereeCounted) -> dict[str, Referee]:
    """Return the referees after one of them reached something, gave it back, or is one no more."""
    known = referees.get(effect.member, Referee())
    if effect.reached == "dropped":
        return {one: reached for one, reached in referees.items() if one != effect.member}
    if effect.reached == "returned":
        kept = tuple(one for one in known.reached if one not in ("bought", "qualified"))
        return {**referees, effect.member: Referee(kept)}
    reached = known.reached if effect.reached in known.reached else (*known.reached, effect.reached)
    return {**referees, effect.member: Referee(reached, effect.counts_on or known.counts_on)}
