"""A member's name, phone number, language and choices change; they are sealed beside the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import msgspec

from tapledger import languages
from tapledger.database import Transaction
from tapledger.errors import Refused
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.life import profiles
from tapledger.loyalty.life.profiles import ProfileChange
from tapledger.loyalty.people import birthdays
from tapledger.loyalty.people.birthdays import SetBirthday
from tapledger.membership import identity
from tapledger.membership.shop import Shop, change_member, operation
from tapledger.store import due, members, people
from tapledger.store.journal import Recorded
from tapledger.store.members import Stored
from tapledger.store.people import NONCE_BYTES, Profile


@dataclass(frozen=True, slots=True)
class ProfileEdit:
    """What is to change; None leaves it as it is, an empty text takes it away."""

    name: str | None = None
    phone: str | None = None
    language: str | None = None


async def change_profile(shop: Shop, key: str, member: str, edit: ProfileEdit, staff: str | None) -> Recorded:
    """Change what a member told us; another phone number finds them from now on and the old one does not.

    Raises ``Refused`` PROFILE_ELSEWHERE for a part of what is not kept here: the rest of it would be lost.
    """
    name = None if edit.name is None else people.clean_name(edit.name)
    phone = identity.normal_phone(edit.phone) if edit.phone else edit.phone
    if edit.language:
        languages.read(edit.language)

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        who = stored.member.id
        if stored.profile is None and None in (name, phone) and not due.is_joined_here(tx, who):
            raise Refused("PROFILE_ELSEWHERE")
        before = identity.read_profile(shop, stored.profile) or Profile()
        new = {"name": name, "phone": phone, "language": edit.language}
        after = msgspec.structs.replace(before, **{k: v for k, v in new.items() if v is not None})
        sealed = people.seal(shop.store.keyring.profile_key, who, after, shop.randomness(NONCE_BYTES))
        old_index, new_index = _index(shop, before.phone), _index(shop, after.phone)
        if stored.profile is None and phone is not None:
            old_index = _phone_of(stored)
        if new_index and new_index != old_index:
            owner = members.owner(tx, new_index)
            if owner is not None:
                raise Refused("CREDENTIAL_TAKEN")
        change = ProfileChange(sealed.digest, old_index, new_index, staff)
        decided = profiles.decide_profile(stored.member, change, shop.program, now)
        people.put(tx, sealed)
        return decided

    return await change_member(shop, operation(key, "profile", member, edit, staff), member, decide)


def _phone_of(stored: Stored) -> str:
    """Return the index of the phone number that finds a member whose number is not known here."""
    return next((one.index for one in stored.member.credentials if one.kind == "phone"), "")


def _index(shop: Shop, phone: str) -> str:
    return identity.index(shop, "phone", identity.normal_phone(phone)) if phone else ""


async def set_birthday(shop: Shop, key: str, member: str, command: SetBirthday) -> Recorded:
    """Set or change a birthday (X9)."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        return birthdays.decide_birthday(stored.member, command, shop.program, now)

    return await change_member(shop, operation(key, "birthday", member, command), member, decide)


async def set_preferences(
    shop: Shop, key: str, member: str, chosen: tuple[str, ...], staff: str | None
) -> Recorded:
    """Replace what a member chose."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        return profiles.decide_preferences(stored.member, chosen, staff, shop.program, now)

    return await change_member(shop, operation(key, "preferences", member, chosen, staff), member, decide)
