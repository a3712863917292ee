"""How somebody wants to be served: it lasts a session, or follows the card whose member wants that.

What is kept are wishes ("larger text"), as preferences of the membership; never why somebody has them.
"""

from __future__ import annotations

import msgspec

from tapledger import languages
from tapledger.errors import Invalid
from tapledger.loyalty.life.profiles import PREFERENCES
from tapledger.loyalty.members import Member
from tapledger.membership import profile
from tapledger.web.kiosk.here import Here
from tapledger.web.kiosk_snapshots import Comfort

OURS = "kiosk:"
"""Begins the preferences that are ours; all others belong to the member's profile."""
REMEMBER, LANGUAGE = "remember", "language="


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be otherwise; null leaves it."""

    large: bool | None = None
    contrast: bool | None = None
    longer: bool | None = None
    speech: bool | None = None


class Remember(msgspec.Struct, forbid_unknown_fields=True):
    on: bool


async def change(here: Here, wanted: Change) -> None:
    """Change some of it; raise ``Invalid`` for a voice where there is none."""
    if wanted.speech and not here.speaks:
        raise Invalid("NO_VOICE")
    asked = {name: one for name in Change.__struct_fields__ if (one := getattr(wanted, name)) is not None}
    here.comfort = msgspec.structs.replace(here.comfort, **asked)
    await keep(here)


def remembers(here: Here) -> bool | None:
    """Tell whether wishes follow the card; None when no member is here."""
    session = here.session
    return None if session is None or session.greeting is None else session.remembers


def recall(here: Here, member: Member) -> None:
    """Serve a member as they wished the last time; what was chosen here a moment ago counts more."""
    kept = [one.removeprefix(OURS) for one in member.tags.get(PREFERENCES, ()) if one.startswith(OURS)]
    if here.session is None or REMEMBER not in kept:
        return
    here.session.remembers = True
    wishes = {name: True for name in Comfort.__struct_fields__ if name in kept}
    if not here.speaks:
        wishes.pop("speech", None)
    here.comfort = msgspec.structs.replace(here.comfort, **wishes)
    spoken = next((one.removeprefix(LANGUAGE) for one in kept if one.startswith(LANGUAGE)), "")
    if spoken in languages.LANGUAGES and here.language == here.shop.language:
        here.language = languages.read(spoken)


async def remember(here: Here, body: Remember) -> None:
    """Let wishes follow the card from now on, or forget them all."""
    here.member()
    here.visit().remembers = body.on
    await _write(here)


async def keep(here: Here) -> None:
    """Write what has just changed, where it follows the card."""
    if remembers(here):
        await _write(here)


async def _write(here: Here) -> None:
    before = here.member().known.member.tags.get(PREFERENCES, ())
    others = tuple(one for one in before if not one.startswith(OURS))
    wishes = [name for name in Comfort.__struct_fields__ if getattr(here.comfort, name)]
    kept = (REMEMBER, f"{LANGUAGE}{here.language}", *wishes) if here.visit().remembers else ()
    mine = tuple(OURS + one for one in kept)
    if (*others, *mine) != before:
        key = here.shop.new_id()
        await profile.set_preferences(here.shop, key, here.member_id(), (*others, *mine), None)
        await here.regreet()
        here.queued()
