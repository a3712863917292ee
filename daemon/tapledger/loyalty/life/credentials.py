"""What events do to the cards, numbers and accounts that name a member."""

from __future__ import annotations

import msgspec

from tapledger.loyalty.effects import Blocked, CardLimited, Credential, Linked, Unlinked

Change = Linked | Unlinked | Blocked | CardLimited

Credentials = tuple[Credential, ...]

replace = msgspec.structs.replace


def after(credentials: Credentials, change: Change) -> Credentials:
    """Return the credentials after one change; what names nobody here changes nothing."""
    match change:
        case Linked(credential=new):
            known = any(one.index == new.index for one in credentials)
            return credentials if known else (*credentials, new)
        case Unlinked(index=index):
            return tuple(one for one in credentials if one.index != index)
        case Blocked(index=index, why=why):
            return tuple(replace(one, blocked=why) if one.index == index else one for one in credentials)
        case CardLimited(index=index, day_limit_minor=limit):
            return tuple(
                replace(one, day_limit_minor=limit) if one.index == index else one for one in credentials
            )
